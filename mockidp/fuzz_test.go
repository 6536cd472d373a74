package mockidp_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// Another parser must agree that an accepted document is an AuthnRequest with the same ID; an error comes with a nil
// result. The fuzzer changes the XML as well as its encodings.
func FuzzAuthnRequest(f *testing.F) {
	for _, xml := range []string{request(),
		request(attr("ForceAuthn", "true"), attr("AssertionConsumerServiceIndex", "1")),
		request(attr("AssertionConsumerServiceURL", frank)), wanting("minimum", mockidp.PasswordProtectedTransport,
			mockidp.MultiFactor),
		mark + request(), about(nameID(bob, mockidp.NameIDEmail)), withoutIssuer(attr("AssertionConsumerServiceURL", frank)),
		`<?xml version="1.0"?><!DOCTYPE a><a/>`, "<a", ""} {
		f.Add(true, true, xml)
		f.Add(false, true, xml)
		f.Add(true, false, base64.StdEncoding.EncodeToString([]byte(xml)))
		f.Add(false, false, deflated(xml))
	}
	f.Fuzz(func(t *testing.T, post, encode bool, param string) {
		switch {
		case encode && post:
			param = base64.StdEncoding.EncodeToString([]byte(param))
		case encode:
			param = deflated(param)
		}
		req, doc, err := mockidp.ParseEncoded(post, param)
		if err != nil {
			require.Nil(t, req, "an error with a result")
			var e *mockidp.Error
			require.ErrorAs(t, err, &e)
			return
		}
		require.LessOrEqual(t, len(doc), mockidp.MaxRequest)
		require.Regexp(t, `^[A-Za-z0-9_.:-]{1,256}$`, req.ID)
		require.LessOrEqual(t, len(req.Classes), 20)
		name, id, classes := readTokens(t, doc)
		require.Equal(t, "AuthnRequest", name)
		require.Equal(t, req.ID, id)
		for _, c := range req.Classes {
			require.Contains(t, classes, c, "a class from another place")
		}
	})
}

// readTokens reads the root's name and ID, and the classes of RequestedAuthnContext, with encoding/xml.
func readTokens(t *testing.T, doc []byte) (root, id string, classes []string) {
	t.Helper()
	var path []string
	for d := xml.NewDecoder(bytes.NewReader(doc)); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root, id, classes
		}
		require.NoError(t, err)
		switch tok := tok.(type) {
		case xml.StartElement:
			if path = append(path, tok.Name.Local); len(path) == 1 {
				root = tok.Name.Local
				for _, a := range tok.Attr {
					if a.Name == (xml.Name{Local: "ID"}) {
						id = a.Value
					}
				}
			}
			if strings.Join(path, "/") == "AuthnRequest/RequestedAuthnContext/AuthnContextClassRef" {
				classes = append(classes, "")
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if strings.Join(path, "/") == "AuthnRequest/RequestedAuthnContext/AuthnContextClassRef" {
				classes[len(classes)-1] = strings.TrimSpace(classes[len(classes)-1] + string(tok))
			}
		}
	}
}

// Every request of an unauthenticated client is answered with a page. Nothing is posted to a URL that isn't listed,
// and where requests must be signed none is answered: the fuzzer has no key.
func FuzzSSO(f *testing.F) {
	cert := started(f, mockidp.Config{Key: otherKey()}).Certificate()
	idps := map[bool]*mockidp.Server{}
	for _, signed := range []bool{false, true} {
		conf := twoRegions()
		conf.BaseURL = "http://idp.localhost:8701"
		conf.Apps[0].SignedRequests = signed
		conf.Apps[0].RequestCertificates = []*x509.Certificate{cert}
		idp, err := mockidp.Open(conf)
		require.NoError(f, err)
		idps[signed] = idp
	}
	md, err := saml.ParseIdPMetadata(idps[true].Metadata(""))
	require.NoError(f, err)
	sp, err := saml.New(saml.Config{EntityID: entityID, IdP: md, Key: otherKey(), Certificate: cert,
		ACS: []saml.Endpoint{{URL: frank}}})
	require.NoError(f, err)
	req := must(sp.NewAuthnRequest(saml.RequestOptions{Binding: saml.HTTPPost}))
	form := must(req.PostForm("opaque"))
	raw := string(must(base64.StdEncoding.DecodeString(form.SAMLRequest)))

	f.Add(true, true, strings.Replace(raw, frank, elsewhere, 1), "RelayState=x")
	f.Add(true, true, strings.Replace(raw, "<ds:Signature ", "<ds:Signature x=\"\" ", 1), "")
	f.Add(false, true, request(), "SigAlg="+url.QueryEscape(string(mockidp.RSASHA256))+"&Signature=AAAA")
	f.Add(false, false, request(attr("AssertionConsumerServiceURL", frank)), "RelayState=a&RelayState=b")
	f.Add(true, false, request(attr("AssertionConsumerServiceURL", elsewhere)), "SAMLEncoding=x")
	f.Fuzz(func(t *testing.T, post, signed bool, xml, rest string) {
		if strings.Contains(xml, req.ID()) && strings.Contains(xml, "SignatureValue") && signed && !strings.Contains(xml,
			elsewhere) {
			return // might be a harmless change of a request that is signed
		}
		idp := idps[signed]
		require.NoError(t, idp.QueueUser(alice)) // so that the page has an answer
		query := "SAMLRequest=" + url.QueryEscape(deflated(xml)) + "&" + rest
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if post {
			query = "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(xml))) + "&" + rest
			r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(query))
		}
		r.URL.Path = strings.TrimPrefix(idp.SSOURL(""), idp.URL)
		if !post {
			r.URL.RawQuery = query
		}
		w := httptest.NewRecorder()
		idp.Handler().ServeHTTP(w, r)
		require.Contains(t, []int{200, 303, 400, 403, 404, 413}, w.Code)
		body := w.Body.String()
		if w.Code == http.StatusSeeOther {
			require.True(t, post && !signed, "an unsigned request waits for the user")
			require.True(t, strings.HasPrefix(w.Header().Get("Location"), "/login/continue?pending="))
		}
		if i := strings.Index(body, `id="answer"`); i >= 0 {
			require.False(t, signed, "answered: %q %q", xml, rest)
			require.True(t, strings.Contains(body, `action="`+virginia+`"`) || strings.Contains(body, `action="`+frank+`"`))
		}
		idp.Reset()
	})
}

func started(f *testing.F, c mockidp.Config) *mockidp.Server {
	f.Helper()
	idp := mockidp.New(c)
	f.Cleanup(idp.Close)
	return idp
}
