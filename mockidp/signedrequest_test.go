package mockidp_test

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// asked is a signed request of Meridian's, by one of the bindings.
type asked struct {
	redirect string     // the address
	form     url.Values // HTTP-POST's
}

func ask(t *testing.T, sp *saml.ServiceProvider, binding string, o saml.RequestOptions) asked {
	t.Helper()
	o.Binding = binding
	req, err := sp.NewAuthnRequest(o)
	require.NoError(t, err)
	if binding == saml.HTTPRedirect {
		return asked{redirect: must(req.RedirectURL("opaque"))}
	}
	f := must(req.PostForm("opaque"))
	return asked{form: url.Values{"SAMLRequest": {f.SAMLRequest}, "RelayState": {f.RelayState}}}
}

func (a asked) answer(idp *mockidp.Server) (mockidp.Form, error) {
	if a.form == nil {
		return idp.Answer(a.redirect, alice)
	}
	return idp.AnswerPost(idp.SSOURL(""), a.form, alice)
}

const elsewhere = "http://ap-south-1.localhost:8799/acs"

// signing returns a Server whose app requires signatures, and a service provider with a registered key.
func signing(t *testing.T, key crypto.Signer) (*mockidp.Server, *saml.ServiceProvider) {
	t.Helper()
	conf := twoRegions()
	conf.Apps[0].SignedRequests = true
	conf.Apps[0].RequestCertificates = []*x509.Certificate{start(t, mockidp.Config{Key: rsaKey()}).Certificate(),
		start(t, mockidp.Config{Key: key}).Certificate()}
	idp := start(t, conf)
	return idp, meridianSP(t, idp, func(c *saml.Config) {
		c.Key, c.Certificate, c.SignRequests = key, conf.Apps[0].RequestCertificates[1], true
		c.ACS = append(c.ACS, saml.Endpoint{URL: elsewhere})
	})
}

func TestSignedRequests(t *testing.T) {
	for kind, key := range map[string]crypto.Signer{"rsa": otherKey(), "ecdsa": ecdsaKey()} {
		for _, binding := range []string{saml.HTTPRedirect, saml.HTTPPost} {
			t.Run(kind+" "+binding, func(t *testing.T) {
				idp, sp := signing(t, key)
				form, err := ask(t, sp, binding, saml.RequestOptions{ACS: frank}).answer(idp)
				require.NoError(t, err)
				assert.Equal(t, frank, form.URL)
				assert.Equal(t, "opaque", form.RelayState)
				// The request's URL counts, not the list.
				form, err = ask(t, sp, binding, saml.RequestOptions{ACS: elsewhere}).answer(idp)
				require.NoError(t, err)
				assert.Equal(t, elsewhere, form.URL)
				assert.Equal(t, elsewhere, attrOf(t, decode(t, form), "//SubjectConfirmationData", "Recipient"))

				refused := func(a asked, why mockidp.Reason) {
					t.Helper()
					_, err := a.answer(idp)
					assert.Equal(t, why, reason(t, err))
				}
				refused(tampered(t, ask(t, sp, binding, saml.RequestOptions{ACS: frank})), mockidp.ReasonSignature)
				refused(ask(t, sp, binding, saml.RequestOptions{ACS: frank,
					NameIDPolicy: &saml.NameIDPolicy{Format: mockidp.NameIDTransient}}), mockidp.ReasonNameIDPolicy)
				_, err = ask(t, sp, binding, saml.RequestOptions{ACS: frank,
					NameIDPolicy: &saml.NameIDPolicy{Format: mockidp.NameIDEmail}}).answer(idp)
				assert.NoError(t, err)

				// Another service provider's key.
				updateApp(t, idp, "", func(a *mockidp.App) { a.RequestCertificates = a.RequestCertificates[:1] })
				refused(ask(t, sp, binding, saml.RequestOptions{ACS: frank}), mockidp.ReasonSignature)
				updateApp(t, idp, "", func(a *mockidp.App) { a.RequestCertificates = nil })
				refused(ask(t, sp, binding, saml.RequestOptions{ACS: frank}), mockidp.ReasonSignature)
			})
		}
	}
}

// tampered changes the signed content and keeps the signature.
func tampered(t *testing.T, a asked) asked {
	t.Helper()
	if a.form == nil {
		require.Contains(t, a.redirect, "RelayState=opaque")
		return asked{redirect: strings.Replace(a.redirect, "RelayState=opaque", "RelayState=other", 1)}
	}
	xml := string(must(base64.StdEncoding.DecodeString(a.form.Get("SAMLRequest"))))
	require.Contains(t, xml, frank)
	xml = strings.Replace(xml, frank, elsewhere, 1)
	return asked{form: postForm(xml)}
}

func TestUnsignedRequests(t *testing.T) {
	idp, sp := signing(t, otherKey())
	plain := request(attr("AssertionConsumerServiceURL", frank))
	for name, a := range map[string]asked{
		"redirect":       {redirect: redirect(idp, plain, "x")},
		"post":           {form: postForm(plain)},
		"empty SigAlg":   {redirect: redirect(idp, plain, "x") + "&SigAlg=&Signature="},
		"unknown SigAlg": {redirect: redirect(idp, plain, "x") + "&SigAlg=none&Signature=AAAA"},
		"SHA-1": {
			redirect: redirect(idp, plain, "x") + "&SigAlg=" + url.QueryEscape(string(mockidp.InsecureRSASHA1)) +
				"&Signature=AAAA"},
		"signature of junk": {
			redirect: redirect(idp, plain, "x") + "&SigAlg=" + url.QueryEscape(string(mockidp.RSASHA256)) + "&Signature=%21"},
		"signature left out": {
			redirect: strings.Split(ask(t, sp, saml.HTTPRedirect, saml.RequestOptions{}).redirect, "&Signature")[0]},
		"signature by the name": {
			redirect: strings.Replace(ask(t, sp, saml.HTTPRedirect, saml.RequestOptions{}).redirect, "&Signature=",
				"&Sign%61ture=", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.answer(idp)
			assert.Equal(t, mockidp.ReasonSignature, reason(t, err))
		})
	}
	b := newBrowser(t, idp)
	b.get(redirect(idp, plain, "x")).refused(t, 400, mockidp.ReasonSignature)
	b.post(idp.SSOURL(""), postForm(plain)).refused(t, 400, mockidp.ReasonSignature)
	// The tile needs no request.
	form, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	assert.Equal(t, virginia, form.URL)
	assert.Contains(t, string(idp.Metadata("")), `WantAuthnRequestsSigned="true"`)
}

// The signature covers parameters by their names as written. One whose name is percent-encoded would be read without
// being covered.
func TestUnsignedParametersAreRefused(t *testing.T) {
	idp, sp := signing(t, otherKey())
	signed := must(must(sp.NewAuthnRequest(saml.RequestOptions{Binding: saml.HTTPRedirect, ACS: frank})).RedirectURL(""))
	form, err := idp.Answer(signed, alice)
	require.NoError(t, err)
	assert.Empty(t, form.RelayState)
	for name, address := range map[string]string{
		"RelayState is added":            signed + "&RelayState=x",
		"RelayState is added in escapes": signed + "&Relay%53tate=x",
		"RelayState is replaced": strings.Replace(ask(t, sp, saml.HTTPRedirect, saml.RequestOptions{ACS: frank}).redirect,
			"RelayState=opaque", "Relay%53tate=x", 1),
		"the message's name is in escapes": strings.Replace(signed, "SAMLRequest=", "SAML%52equest=", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := idp.Answer(address, alice)
			assert.Equal(t, mockidp.ReasonSignature, reason(t, err))
		})
	}
}

func TestSignedRequestsMustNameTheURL(t *testing.T) {
	idp, _ := signing(t, otherKey())
	sp := meridianSP(t, idp, func(c *saml.Config) {
		c.Key, c.Certificate, c.ACSByIndex = otherKey(), spCertificate(t), true
	})
	updateApp(t, idp, "", func(a *mockidp.App) { a.RequestCertificates = []*x509.Certificate{spCertificate(t)} })
	for _, binding := range []string{saml.HTTPRedirect, saml.HTTPPost} {
		_, err := ask(t, sp, binding, saml.RequestOptions{}).answer(idp)
		assert.Equal(t, mockidp.ReasonUnlistedURL, reason(t, err))
	}
}

// In a browser the request waits during sign-in.
func TestSignedRequestInABrowser(t *testing.T) {
	idp, sp := signing(t, otherKey())
	b := newBrowser(t, idp)
	form := b.signIn(b.get(ask(t, sp, saml.HTTPRedirect, saml.RequestOptions{ACS: elsewhere}).redirect), alice,
		mockidp.DefaultPassword).answer(t)
	assert.Equal(t, elsewhere, form.URL)
	form = b.post(idp.SSOURL(""), ask(t, sp, saml.HTTPPost, saml.RequestOptions{ACS: frank}).form).answer(t)
	assert.Equal(t, frank, form.URL)
}
