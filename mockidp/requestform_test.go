package mockidp_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// A refusal names the most likely mistake of the service provider.
func TestRefusalsNameTheMistake(t *testing.T) {
	idp := start(t, twoRegions())
	plain := base64.StdEncoding.EncodeToString([]byte(request()))
	zlibbed := packed(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	gzipped := packed(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	utf16 := base64.StdEncoding.EncodeToString([]byte("\xff\xfe<\x00a\x00"))
	latin1 := base64.StdEncoding.EncodeToString([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + request()))
	for name, c := range map[string]struct{ binding, param, says string }{
		"deflated for POST":          {"post", deflated(request()), "looks deflated"},
		"deflated with a mark":       {"post", deflated(mark + request()), "looks deflated"},
		"zlib for POST":              {"post", zlibbed, "looks deflated"},
		"XML for POST":               {"post", request(), "not encoded in base64"},
		"UTF-16":                     {"post", utf16, "UTF-16"},
		"ISO-8859-1":                 {"post", latin1, "ISO-8859-1"},
		"not deflated for Redirect":  {"redirect", plain, "not deflated"},
		"zlib for Redirect":          {"redirect", zlibbed, "a zlib stream (RFC 1950)"},
		"gzip for Redirect":          {"redirect", gzipped, "gzip (RFC 1952)"},
		"XML for Redirect":           {"redirect", request(), "not encoded in base64"},
		"percent-encoded twice":      {"redirect", url.QueryEscape(deflated(request()) + "+/="), "percent-encoded twice"},
		"base64url":                  {"redirect", "fVLB-_", "base64url"},
		"a + that became a space":    {"redirect", "fVLB abc", "spaces"},
		"nothing that is recognised": {"post", base64.StdEncoding.EncodeToString([]byte("hello")), "not XML"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t, idp)
			var p page
			if c.binding == "post" {
				p = b.post(idp.SSOURL("idc"), url.Values{"SAMLRequest": {c.param}})
			} else {
				p = b.get(idp.SSOURL("idc") + "?" + url.Values{"SAMLRequest": {c.param}}.Encode())
			}
			p.refused(t, 400, mockidp.ReasonMalformed)
			p.contains(t, c.says)
		})
	}
}

// packed returns a request in base64, compressed otherwise than by raw DEFLATE.
func packed(writer func(io.Writer) io.WriteCloser) string {
	var b bytes.Buffer
	w := writer(&b)
	must(w.Write([]byte(request())))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// A document may begin with a byte order mark, signed or not.
func TestRequestWithAByteOrderMark(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.get(redirect(idp, mark+request(), "")).contains(t, `name="password"`)
	_, err := idp.Answer(redirect(idp, mark+mark+request(), ""), alice)
	assert.Equal(t, mockidp.ReasonMalformed, reason(t, err), "two marks")

	signed, sp := signing(t, otherKey())
	form := ask(t, sp, saml.HTTPPost, saml.RequestOptions{ACS: frank}).form
	raw := must(base64.StdEncoding.DecodeString(form.Get("SAMLRequest")))
	answer, err := signed.AnswerPost(signed.SSOURL(""), postForm(mark+string(raw)), alice)
	require.NoError(t, err)
	assert.Equal(t, frank, answer.URL)
	require.NoError(t, signed.RegisterSP("", append([]byte(mark), must(sp.Metadata())...)), "in metadata too")
}

// The two bindings put a signature into different places. The refusal of a signature in the other binding's place
// names it.
func TestSignatureOfTheOtherBinding(t *testing.T) {
	idp, sp := signing(t, otherKey())
	post := ask(t, sp, saml.HTTPPost, saml.RequestOptions{ACS: frank}).form
	inside := string(must(base64.StdEncoding.DecodeString(post.Get("SAMLRequest"))))
	require.Contains(t, inside, "Signature")
	b := newBrowser(t, idp)
	p := b.get(redirect(idp, inside, ""))
	p.refused(t, 400, mockidp.ReasonSignature)
	p.contains(t, "a ds:Signature inside it; HTTP-Redirect removes that and signs the query")

	v := postForm(request(attr("AssertionConsumerServiceURL", frank)))
	v.Set("SigAlg", string(mockidp.RSASHA256))
	v.Set("Signature", "AAAA")
	p = b.post(idp.SSOURL("idc"), v)
	p.refused(t, 400, mockidp.ReasonSignature)
	p.contains(t, "HTTP-POST signs by a ds:Signature inside it")

	conf := twoRegions()
	conf.Strict = true
	strict := start(t, conf)
	inside = strings.Replace(request(), "</saml:Issuer>",
		`</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`, 1)
	_, err := strict.Answer(redirect(strict, inside, ""), alice)
	assert.ErrorContains(t, err, "Bindings 3.4.4.1", "Config.Strict refuses it although no signature is required")
	_, err = idp.Answer(redirect(start(t, twoRegions()), inside, ""), alice)
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, err))
}

func withoutIssuer(attrs ...string) string {
	return strings.Replace(request(attrs...), "<saml:Issuer>"+entityID+"</saml:Issuer>", "", 1)
}

// A request without Issuer is identified by the app's address and by the URL of its answer.
func TestRequestWithoutIssuer(t *testing.T) {
	idp := start(t, twoRegions())
	to := attr("AssertionConsumerServiceURL", frank)
	for _, binding := range []string{"redirect", "post"} {
		ask := func(idp *mockidp.Server, xml string) (mockidp.Form, error) {
			if binding == "redirect" {
				return idp.Answer(redirect(idp, xml, ""), alice)
			}
			return idp.AnswerPost(idp.SSOURL("idc"), postForm(xml), alice)
		}
		form, err := ask(idp, withoutIssuer(to))
		require.NoError(t, err)
		assert.Equal(t, frank, form.URL)
		assert.Equal(t, entityID, text(t, decode(t, form), "//Audience"))
		for name, xml := range map[string]string{"no URL": withoutIssuer(),
			"an index":        withoutIssuer(attr("AssertionConsumerServiceIndex", "1")),
			"an unlisted URL": withoutIssuer(attr("AssertionConsumerServiceURL", elsewhere))} {
			_, err = ask(idp, xml)
			assert.Equal(t, mockidp.ReasonIssuer, reason(t, err), name)
		}
		for name, change := range map[string]func(*mockidp.Config){
			"Strict":        func(c *mockidp.Config) { c.Strict = true },
			"RequireIssuer": func(c *mockidp.Config) { c.Apps[0].RequireIssuer = true },
			"Entra":         func(c *mockidp.Config) { c.Apps[0].Profile = mockidp.Entra },
		} {
			conf := twoRegions()
			change(&conf)
			demanding := start(t, conf)
			_, err = ask(demanding, withoutIssuer(to))
			assert.Equal(t, mockidp.ReasonIssuer, reason(t, err), name)
			assert.ErrorContains(t, err, "no Issuer", name)
		}
	}
}

// signedInside signs a request as HTTP-POST does, with otherKey.
func signedInside(t *testing.T, xml string) string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(xml))
	ctx, err := dsig.NewSigningContext(otherKey(), [][]byte{spCertificate(t).Raw})
	require.NoError(t, err)
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	sig, err := ctx.ConstructSignature(doc.Root().Copy(), true)
	require.NoError(t, err)
	doc.Root().InsertChildAt(1, sig)
	return must(doc.WriteToString())
}

// With the profile Okta a signed request must name the URL of its answer; with Entra the app's list still counts.
func TestSignedRequestWithoutURL(t *testing.T) {
	for profile, want := range map[mockidp.Profile]string{mockidp.Okta: "", mockidp.Entra: virginia} {
		idp, _ := signing(t, otherKey())
		updateApp(t, idp, "", func(a *mockidp.App) { a.Profile, a.Issuer = profile, "" })
		signed := func(urls ...string) (mockidp.Form, error) {
			xml := request(urls...)
			return idp.AnswerPost(idp.SSOURL(""), postForm(signedInside(t, xml)), alice)
		}
		updateApp(t, idp, "", func(a *mockidp.App) { a.RequestCertificates = []*x509.Certificate{spCertificate(t)} })
		form, err := signed()
		if want == "" {
			assert.Equal(t, mockidp.ReasonUnlistedURL, reason(t, err))
			_, err = signed(attr("AssertionConsumerServiceURL", elsewhere))
			assert.NoError(t, err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, want, form.URL)
		_, err = signed(attr("AssertionConsumerServiceURL", elsewhere))
		assert.Equal(t, mockidp.ReasonUnlistedURL, reason(t, err))
	}
}
