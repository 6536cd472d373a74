package mockidp_test

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// soapSP is a service provider of crewjam/saml that takes LogoutRequests by SOAP, and an app for it.
type soapSP struct {
	*logoutSP
	mu    sync.Mutex
	ended []*crewjam.LogoutRequest                          // in order
	serve func(http.ResponseWriter, *crewjam.LogoutRequest) // nil: answers with a success
}

func addSOAPSP(t *testing.T, idp *mockidp.Server) *soapSP {
	t.Helper()
	out := &soapSP{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := out.ValidateSOAPLogoutRequest(r)
		if err != nil {
			_ = crewjam.WriteSOAPFault(w, private(err).Error())
			return
		}
		out.mu.Lock()
		defer out.mu.Unlock()
		out.ended = append(out.ended, req)
		if out.serve != nil {
			out.serve(w, req)
			return
		}
		out.succeed(w, req.ID)
	}))
	t.Cleanup(server.Close)
	out.logoutSP = addLogoutSP(t, idp, server.URL, crewjam.SOAPBinding)
	out.AllowInsecureSOAPEndpoints = true
	return out
}

func (sp *soapSP) succeed(w http.ResponseWriter, id string) {
	resp := must(sp.MakeSOAPLogoutResponse(id,
		crewjam.Status{StatusCode: crewjam.StatusCode{Value: crewjam.StatusSuccess}}))
	_ = crewjam.WriteSOAPLogoutResponse(w, resp)
}

func (sp *soapSP) requests() []*crewjam.LogoutRequest {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.ended
}

func (sp *soapSP) soapRequest(change func(*crewjam.LogoutRequest)) (*crewjam.LogoutRequest, error) {
	return sp.MakeSOAPLogoutRequest(crewjam.NameID{Value: alice, Format: mockidp.NameIDEmail},
		crewjam.WithSessionIndex(sp.index), func(r *crewjam.LogoutRequest) {
			if change != nil {
				change(r)
			}
		})
}

// A LogoutRequest by SOAP ends the session in the browser that it names, and no other one of the user.
func TestLogoutBySOAP(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp, other := addSOAPSP(t, idp), addSOAPSP(t, idp)
	kept := newBrowser(t, idp)
	sp.signIn(kept)
	b := newBrowser(t, idp)
	sp.signIn(b)
	other.signIn(b)
	req := must(sp.soapRequest(nil))
	resp, err := sp.SendSOAPLogoutRequest(t.Context(), req)
	require.NoError(t, private(err))
	assert.Equal(t, mockidp.StatusSuccess, resp.Status.StatusCode.Value)
	assert.Nil(t, resp.Status.StatusCode.StatusCode)
	assert.False(t, b.signedIn())
	assert.True(t, kept.signedIn())
	require.Len(t, other.requests(), 1, "the session's other app")
	assert.Equal(t, []string{alice, other.index},
		[]string{other.requests()[0].NameID.Value, other.requests()[0].SessionIndex.Value})
	assert.Empty(t, sp.requests())

	_, err = sp.SendSOAPLogoutRequest(t.Context(), req)
	require.ErrorContains(t, err, "500", "a replay")

	req = must(sp.MakeSOAPLogoutRequest(crewjam.NameID{Value: alice, Format: mockidp.NameIDEmail}))
	_, err = sp.SendSOAPLogoutRequest(t.Context(), req)
	require.NoError(t, private(err))
	assert.False(t, kept.signedIn(), "without a SessionIndex all sessions of the NameID end")
}

func TestLogoutBySOAPIsPartial(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addSOAPSP(t, idp)
	front := addLogoutSP(t, idp, wiki, crewjam.HTTPPostBinding)
	b := newBrowser(t, idp)
	sp.signIn(b)
	front.signIn(b)
	resp, err := sp.SendSOAPLogoutRequest(t.Context(), must(sp.soapRequest(nil)))
	require.NoError(t, private(err))
	require.NotNil(t, resp.Status.StatusCode.StatusCode)
	assert.Equal(t, mockidp.StatusPartialLogout, resp.Status.StatusCode.StatusCode.Value)
	assert.False(t, b.signedIn())
}

// envelopeOf returns a SOAP message with an element.
func envelopeOf(el *etree.Element) *etree.Element {
	out := etree.NewElement("S:Envelope")
	out.CreateAttr("xmlns:S", "http://schemas.xmlsoap.org/soap/envelope/")
	out.CreateElement("S:Body").AddChild(el)
	return out
}

func postSOAP(t *testing.T, idp *mockidp.Server, to string, doc []byte) (status int, body string) {
	t.Helper()
	resp, err := idp.Client().Post(to, "text/xml", bytes.NewReader(doc))
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body)))
}

func TestLogoutBySOAPRefused(t *testing.T) {
	past := func(r *crewjam.LogoutRequest) { r.NotOnOrAfter = new(time.Now().Add(-time.Minute)) }
	cases := map[string]struct {
		why    mockidp.Reason // "": it ends nothing, and is answered with Success
		change func(*crewjam.LogoutRequest)
		before func(*soapSP)
	}{
		"unsigned":     {why: mockidp.ReasonSignature, before: func(sp *soapSP) { sp.Key = nil }},
		"other key":    {why: mockidp.ReasonSignature, before: func(sp *soapSP) { sp.Key = rsaKey() }},
		"expired":      {why: mockidp.ReasonIssueInstant, change: past},
		"Destination":  {why: mockidp.ReasonDestination, change: func(r *crewjam.LogoutRequest) { r.Destination = wiki }},
		"Issuer":       {why: mockidp.ReasonIssuer, change: func(r *crewjam.LogoutRequest) { r.Issuer.Value = "x" }},
		"NameID":       {change: func(r *crewjam.LogoutRequest) { r.NameID.Value = bob }},
		"SessionIndex": {change: func(r *crewjam.LogoutRequest) { r.SessionIndex.Value = "x" }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			sp := addSOAPSP(t, idp)
			b := newBrowser(t, idp)
			sp.signIn(b)
			if c.before != nil {
				c.before(sp)
			}
			req := must(sp.soapRequest(c.change))
			status, body := postSOAP(t, idp, idp.LogoutSOAPURL(sp.app), written(envelopeOf(req.Element())))
			assert.True(t, b.signedIn(), "the session was ended")
			if c.why == "" {
				assert.Equal(t, 200, status, body)
				return
			}
			assert.Equal(t, 500, status)
			assert.Contains(t, body, "<faultcode>S:Client</faultcode><faultstring>mockidp: ")
			last := idp.Messages()[len(idp.Messages())-1]
			require.NotNil(t, last.Refused)
			assert.Equal(t, c.why, last.Refused.Reason)
		})
	}
}

func TestSOAPIsBounded(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addSOAPSP(t, idp)
	const open, end = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/">`, `</S:Envelope>`
	for name, c := range map[string]struct{ doc, want string }{
		"large":     {open + "<S:Body>" + strings.Repeat(" ", 64<<10) + "</S:Body>" + end, "is over 65536 bytes"},
		"deep":      {open + "<S:Body>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</S:Body>" + end, "is not XML"},
		"DTD":       {"<!DOCTYPE a>" + open + "<S:Body><a/></S:Body>" + end, "DOCTYPE"},
		"PI":        {open + "<?a b?><S:Body><a/></S:Body>" + end, "processing instruction"},
		"header":    {open + `<S:Header><a S:mustUnderstand="1"/></S:Header><S:Body><a/></S:Body>` + end, "must be understood"},
		"two":       {open + "<S:Body><a/><a/></S:Body>" + end, "a Body with one element"},
		"empty":     {open + "<S:Body/>" + end, "a Body with one element"},
		"no body":   {open + end, "a Body with one element"},
		"SOAP 1.2":  {strings.Replace(open, "schemas.xmlsoap.org/soap/envelope/", "www.w3.org/2003/05/soap-envelope", 1) + end, "no Envelope"},
		"a message": {open + "<S:Body><a/></S:Body>" + end, "holds another element"},
	} {
		status, body := postSOAP(t, idp, idp.LogoutSOAPURL(sp.app), []byte(c.doc))
		assert.Equal(t, 500, status, name)
		assert.Contains(t, body, c.want, name)
	}
	resp, err := http.Post(idp.LogoutSOAPURL(sp.app), "application/xml", strings.NewReader(open+end))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 500, resp.StatusCode, "another Content-Type")
}

// A sign-out in the browser tells the apps of the back channel by SOAP, before the browser goes to the others.
func TestLogoutByBackChannel(t *testing.T) {
	idp := start(t, mockidp.Config{})
	back, front := addSOAPSP(t, idp), addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
	status := func() string {
		b := newBrowser(t, idp)
		back.signIn(b)
		front.signIn(b)
		req := front.request(nil)
		_, second := front.answered(t, front.send(b, req), req)
		return second
	}
	assert.Empty(t, status())
	require.Len(t, back.requests(), 1)
	assert.Equal(t, back.index, back.requests()[0].SessionIndex.Value)
	assert.NotNil(t, back.requests()[0].NotOnOrAfter)
	for name, serve := range map[string]func(http.ResponseWriter, *crewjam.LogoutRequest){
		"error page": func(w http.ResponseWriter, _ *crewjam.LogoutRequest) {
			http.Error(w, "no", http.StatusServiceUnavailable)
		},
		"fault": func(w http.ResponseWriter, _ *crewjam.LogoutRequest) { _ = crewjam.WriteSOAPFault(w, "no") },
		"redirect": func(w http.ResponseWriter, _ *crewjam.LogoutRequest) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(307)
		},
		"InResponseTo": func(w http.ResponseWriter, _ *crewjam.LogoutRequest) { back.succeed(w, "other") },
		"endless": func(w http.ResponseWriter, _ *crewjam.LogoutRequest) {
			for _, err := w.Write(bytes.Repeat([]byte(" "), 1<<10)); err == nil; {
				_, err = w.Write(bytes.Repeat([]byte(" "), 1<<10))
			}
		},
		"unsigned": func(w http.ResponseWriter, req *crewjam.LogoutRequest) {
			resp := must(back.MakeSOAPLogoutResponse(req.ID,
				crewjam.Status{StatusCode: crewjam.StatusCode{Value: crewjam.StatusSuccess}}))
			resp.Signature = nil
			_ = crewjam.WriteSOAPLogoutResponse(w, resp)
		},
	} {
		back.serve = serve
		assert.Equal(t, mockidp.StatusPartialLogout, status(), name)
	}
}

func TestServerLogout(t *testing.T) {
	idp := start(t, mockidp.Config{})
	back, front := addSOAPSP(t, idp), addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
	b, second := newBrowser(t, idp), newBrowser(t, idp)
	back.signIn(b)
	front.signIn(b)
	back.signIn(second)
	done, err := idp.Logout(t.Context(), alice)
	require.NoError(t, err)
	assert.False(t, b.signedIn() || second.signedIn())
	assert.Len(t, back.requests(), 2, "one for each session")
	assert.Len(t, done.Told, 2)
	for _, told := range done.Told {
		assert.Equal(t, back.app, told.App)
		assert.Empty(t, told.Problem)
	}
	require.NotEmpty(t, done.URL)
	p := b.get(done.URL)
	p.contains(t, "Not told yet")
	p = front.answer(b, b.get(done.URL+"&go=1"), crewjam.StatusSuccess)
	p.contains(t, "You are signed out")

	done, err = idp.Logout(t.Context(), alice)
	require.NoError(t, err)
	assert.Equal(t, mockidp.LogoutResult{}, done, "no session is left")
	_, err = idp.Logout(t.Context(), "none")
	assert.Equal(t, mockidp.ReasonNoSuchUser, reason(t, err))
}

// A TLS client with a key of the service provider needs no signature.
func TestSOAPWithAClientCertificate(t *testing.T) {
	idp := mockidp.NewUnstarted(mockidp.Config{Key: rsaKey()})
	idp.StartTLS()
	t.Cleanup(idp.Close)
	sp := addSOAPSP(t, idp)
	b := newBrowser(t, idp)
	sp.signIn(b)
	sp.Key = nil
	req := must(sp.soapRequest(nil))
	client := idp.Client()
	transport := client.Transport.(*http.Transport).Clone()
	client.Transport = transport
	for _, c := range []struct {
		key  any
		want int
	}{{nil, 500}, {rsaKey(), 500}, {otherKey(), 200}} {
		if c.key != nil {
			cert := spCertificate(t)
			if c.key == any(rsaKey()) {
				cert = idp.Certificate()
			}
			transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: c.key}}
			transport.CloseIdleConnections()
		}
		resp, err := client.Post(idp.LogoutSOAPURL(sp.app), "text/xml",
			bytes.NewReader(written(envelopeOf(req.Element()))))
		require.NoError(t, err)
		body := must(io.ReadAll(resp.Body))
		resp.Body.Close()
		assert.Equal(t, c.want, resp.StatusCode, "%s", body)
		assert.Equal(t, c.want != 200, b.signedIn())
	}
}

func TestLogoutChannelIsChecked(t *testing.T) {
	idp := start(t, mockidp.Config{})
	for name, f := range map[string]func(*mockidp.App){
		"no address": func(a *mockidp.App) { a.LogoutChannel = mockidp.BackChannel },
		"URL":        func(a *mockidp.App) { a.LogoutSOAPURL = "x" },
		"unknown":    func(a *mockidp.App) { a.LogoutChannel = 9 },
	} {
		assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.UpdateApp("", func(a *mockidp.App) error { f(a); return nil })),
			name)
	}
	sp := addSOAPSP(t, idp)
	app, _ := idp.App(sp.app)
	assert.Equal(t, sp.SloURL.String(), app.LogoutSOAPURL)
	assert.Empty(t, app.LogoutURL)
	var md crewjam.EntityDescriptor
	require.NoError(t, xml.Unmarshal(idp.Metadata(sp.app), &md))
	require.Len(t, md.IDPSSODescriptors[0].SingleLogoutServices, 1)
	assert.Equal(t, crewjam.Endpoint{Binding: crewjam.SOAPBinding, Location: idp.LogoutSOAPURL(sp.app)},
		md.IDPSSODescriptors[0].SingleLogoutServices[0])
}
