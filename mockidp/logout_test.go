package mockidp_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// logoutSP is a service provider of crewjam/saml with single logout, and its app.
type logoutSP struct {
	*crewjam.ServiceProvider
	app     string
	binding string
	index   string // SessionIndex of the last assertion
}

// addLogoutSP registers a service provider by its metadata. binding is that of logout messages; "" is none.
func addLogoutSP(t *testing.T, idp *mockidp.Server, origin, binding string) *logoutSP {
	t.Helper()
	sp := &crewjam.ServiceProvider{EntityID: origin + "/metadata", AcsURL: *must(url.Parse(origin + "/acs")),
		SloURL: *must(url.Parse(origin + "/slo")), Key: otherKey(), Certificate: spCertificate(t),
		SignatureMethod: dsig.RSASHA256SignatureMethod, AuthnNameIDFormat: crewjam.EmailAddressNameIDFormat,
		IDPMetadata: &crewjam.EntityDescriptor{}}
	if binding != "" {
		sp.LogoutBindings = []string{binding}
	}
	apps, err := idp.AddSP(must(xml.Marshal(sp.Metadata())))
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(idp.Metadata(apps[0].ID), sp.IDPMetadata))
	return &logoutSP{ServiceProvider: sp, app: apps[0].ID, binding: binding}
}

// signIn signs the browser in to the service provider.
func (sp *logoutSP) signIn(b *browser) {
	b.t.Helper()
	req, err := sp.MakeAuthenticationRequest(b.idp.SSOURL(sp.app), crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding)
	require.NoError(b.t, err)
	p := b.get(must(req.Redirect("", sp.ServiceProvider)).String())
	if strings.Contains(p.Body, `name="password"`) {
		p = b.signIn(p, alice, mockidp.DefaultPassword)
	}
	raw := must(base64.StdEncoding.DecodeString(p.answer(b.t).SAMLResponse))
	a, err := sp.ParseXMLResponse(raw, []string{req.ID}, sp.AcsURL)
	require.NoError(b.t, private(err))
	sp.index = a.AuthnStatements[0].SessionIndex
}

// request makes a LogoutRequest, which change may change before it is signed.
func (sp *logoutSP) request(change func(*crewjam.LogoutRequest)) *crewjam.LogoutRequest {
	at := sp.GetSLOBindingLocation(sp.binding)
	return must(sp.MakeLogoutRequest(at, alice, crewjam.WithSessionIndex(sp.index), func(r *crewjam.LogoutRequest) {
		if change != nil {
			change(r)
		}
	}))
}

// send sends the browser to the identity provider with a LogoutRequest.
func (sp *logoutSP) send(b *browser, req *crewjam.LogoutRequest) page {
	b.t.Helper()
	if sp.binding == crewjam.HTTPRedirectBinding {
		return b.get(must(sp.RedirectLogoutRequestURL(req, "back & forth")).String())
	}
	return sp.post(b, "SAMLRequest", written(req.Element()))
}

// post posts a message to the single logout address from a page of the service provider.
func (sp *logoutSP) post(b *browser, param string, doc []byte) page {
	b.t.Helper()
	p, err := b.Post(sp.SloURL.Scheme+"://"+sp.SloURL.Host, b.idp.LogoutURL(sp.app),
		url.Values{param: {base64.StdEncoding.EncodeToString(doc)}, "RelayState": {"back & forth"}})
	require.NoError(b.t, err)
	return page{p}
}

// received returns the request with which the browser leaves p for the service provider.
func (sp *logoutSP) received(t *testing.T, p page) *http.Request {
	t.Helper()
	if sp.binding == crewjam.HTTPRedirectBinding {
		to := p.Header.Get("Location")
		require.True(t, strings.HasPrefix(to, sp.SloURL.String()+"?"), "%d %s\n%s", p.Status, to, p.Body)
		return must(http.NewRequest(http.MethodGet, to, nil))
	}
	for _, f := range p.Forms() {
		if f.Action == sp.SloURL.String() {
			r := must(http.NewRequest(http.MethodPost, f.Action, strings.NewReader(f.Values().Encode())))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return r
		}
	}
	require.Fail(t, "the browser doesn't post to "+sp.SloURL.String(), p.Body)
	return nil
}

// answered asserts that p carries a LogoutResponse to req, and returns its status codes.
func (sp *logoutSP) answered(t *testing.T, p page, req *crewjam.LogoutRequest) (top, second string) {
	t.Helper()
	r := sp.received(t, p)
	resp, err := sp.ParseLogoutResponse(r, []string{req.ID})
	require.NoError(t, private(err))
	require.NoError(t, r.ParseForm())
	assert.Equal(t, "back & forth", r.Form.Get("RelayState"))
	if resp.Status.StatusCode.StatusCode != nil {
		second = resp.Status.StatusCode.StatusCode.Value
	}
	return resp.Status.StatusCode.Value, second
}

// answer asserts that p carries a LogoutRequest for alice, and answers it with a status.
func (sp *logoutSP) answer(b *browser, p page, status string) page {
	b.t.Helper()
	req, err := sp.ValidateLogoutRequest(sp.received(b.t, p))
	require.NoError(b.t, private(err))
	assert.Equal(b.t, alice, req.NameID.Value)
	assert.Equal(b.t, mockidp.NameIDEmail, req.NameID.Format)
	require.NotNil(b.t, req.SessionIndex)
	assert.Equal(b.t, sp.index, req.SessionIndex.Value)
	if sp.binding == crewjam.HTTPRedirectBinding {
		return b.get(must(sp.MakeRedirectLogoutResponseWithStatus(req.ID, "",
			crewjam.Status{StatusCode: crewjam.StatusCode{Value: status}})).String())
	}
	resp, err := sp.MakeLogoutResponseWithStatus(b.idp.LogoutURL(sp.app), req.ID,
		crewjam.Status{StatusCode: crewjam.StatusCode{Value: status}})
	require.NoError(b.t, err)
	return sp.post(b, "SAMLResponse", written(resp.Element()))
}

func (b *browser) signedIn() bool {
	b.t.Helper()
	return strings.Contains(b.get(b.idp.DashboardURL()).Body, "My Apps</h1>")
}

// has asserts that a page has all texts.
func (p page) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		p.contains(t, s)
	}
}

func written(el *etree.Element) []byte { return must(etree.NewDocumentWithRoot(el).WriteToBytes()) }

func rootOf(t *testing.T, doc []byte) string {
	t.Helper()
	var root struct{ XMLName xml.Name }
	require.NoError(t, xml.Unmarshal(doc, &root))
	return root.XMLName.Local
}

const (
	wiki = "http://wiki.localhost:8721"
	mail = "http://mail.localhost:8722"
)

var logoutBindings = map[string]string{"redirect": crewjam.HTTPRedirectBinding, "post": crewjam.HTTPPostBinding}

func TestLogoutBySP(t *testing.T) {
	for name, binding := range logoutBindings {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			sp := addLogoutSP(t, idp, wiki, binding)
			b := newBrowser(t, idp)
			sp.signIn(b)
			require.True(t, b.signedIn())
			req := sp.request(nil)
			top, second := sp.answered(t, sp.send(b, req), req)
			assert.Equal(t, mockidp.StatusSuccess, top)
			assert.Empty(t, second)
			assert.False(t, b.signedIn())

			// Without a session there is nothing to end.
			req = sp.request(nil)
			top, second = sp.answered(t, sp.send(b, req), req)
			assert.Equal(t, mockidp.StatusSuccess+" ", top+" "+second)

			var seen []string
			for _, m := range idp.Messages()[2:] {
				assert.Nil(t, m.Refused)
				seen = append(seen, string(m.Direction)+" "+rootOf(t, m.XML))
			}
			assert.Equal(t, []string{"received LogoutRequest", "sent LogoutResponse", "received LogoutRequest",
				"sent LogoutResponse"}, seen)
		})
	}
}

func TestLogoutTellsTheOtherSPs(t *testing.T) {
	idp := start(t, mockidp.Config{})
	a := addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
	c := addLogoutSP(t, idp, mail, crewjam.HTTPPostBinding)
	mute := addLogoutSP(t, idp, "http://mute.localhost:8723", "")
	logout := func(sps []*logoutSP, status string) (top, second string) {
		b := newBrowser(t, idp)
		for _, sp := range sps {
			sp.signIn(b)
		}
		req := a.request(nil)
		p := a.send(b, req)
		assert.False(t, (&browser{b.Copy(), t, idp}).signedIn(), "the session ends first")
		return a.answered(t, c.answer(b, p, status), req)
	}
	top, second := logout([]*logoutSP{a, c}, crewjam.StatusSuccess)
	assert.Equal(t, mockidp.StatusSuccess+" ", top+" "+second)
	top, second = logout([]*logoutSP{c, a}, crewjam.StatusResponder)
	assert.Equal(t, mockidp.StatusSuccess+" "+mockidp.StatusPartialLogout, top+" "+second)
	// An app that can't be told may keep its session.
	top, second = logout([]*logoutSP{mute, a, c}, crewjam.StatusSuccess)
	assert.Equal(t, mockidp.StatusSuccess+" "+mockidp.StatusPartialLogout, top+" "+second)
}

// A second sign-in in the same browser doesn't make the Server forget the apps of the first.
func TestLogoutAfterForceAuthn(t *testing.T) {
	idp := start(t, mockidp.Config{})
	a := addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
	c := addLogoutSP(t, idp, mail, crewjam.HTTPPostBinding)
	b := newBrowser(t, idp)
	c.signIn(b)
	a.ForceAuthn = new(true)
	a.signIn(b)
	assert.NotEqual(t, a.index, c.index)
	req := a.request(nil)
	top, second := a.answered(t, c.answer(b, a.send(b, req), crewjam.StatusSuccess), req)
	assert.Equal(t, mockidp.StatusSuccess+" ", top+" "+second)
}

func TestLogoutAtTheIdentityProvider(t *testing.T) {
	idp := start(t, mockidp.Config{})
	a := addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
	c := addLogoutSP(t, idp, mail, crewjam.HTTPPostBinding)
	mute := addLogoutSP(t, idp, "http://mute.localhost:8723", "")
	out := func(sps ...*logoutSP) (*browser, page) {
		b := newBrowser(t, idp)
		for _, sp := range sps {
			sp.signIn(b)
		}
		return b, b.post(idp.URL+"/login/signout", nil)
	}
	press := func(b *browser, p page, text string) page {
		t.Helper()
		for _, f := range p.Forms() {
			if strings.Contains(f.Text, text) {
				next, err := b.Submit(p.Page, f, nil)
				require.NoError(t, err)
				return page{next}
			}
		}
		require.Fail(t, "no button "+text, p.Body)
		return page{}
	}

	b, p := out(a, c, mute)
	assert.Equal(t, 200, p.Status, "a redirect to an app would fail by the form-action of the page with the button")
	p.has(t, "Signing out", "Not told yet")
	p = c.answer(b, a.answer(b, press(b, p, "Continue"), crewjam.StatusSuccess), crewjam.StatusSuccess)
	p.has(t, "You may still be signed in to some apps", "http://wiki.localhost:8721/metadata</dt><dd>Signed out.",
		"http://mute.localhost:8723/metadata</dt><dd>Not signed out: the app has no single logout.")
	assert.False(t, b.signedIn())

	b, p = out(a, c)
	p = c.answer(b, a.answer(b, press(b, p, "Continue"), crewjam.StatusSuccess), crewjam.StatusSuccess)
	p.contains(t, "You are signed out")
	assert.NotContains(t, p.Body, "Not signed out")

	// An app that answers with an error, one that doesn't answer, and then answers too late.
	b, p = out(a, c)
	here := p.URL.String()
	press(b, p, "Continue")
	p = b.get(here)
	p.contains(t, "hasn't answered")
	late := press(b, p, "Try "+a.EntityID)
	p = press(b, b.get(here), "Go on without")
	p = c.answer(b, p, crewjam.StatusResponder)
	p.has(t, "it didn&#39;t answer", "it answered with the status")
	a.answer(b, late, crewjam.StatusSuccess).refused(t, 404, mockidp.ReasonLogoutNotFound)

	// A forged answer is a failure, too.
	b, p = out(a, c)
	p = press(b, p, "Continue")
	a.Key = rsaKey()
	p = c.answer(b, a.answer(b, p, crewjam.StatusSuccess), crewjam.StatusSuccess)
	p.contains(t, "its answer was refused: the answer&#39;s signature does not verify")

	// No app to tell.
	_, p = out(mute)
	p.contains(t, `name="password"`)
}

func TestLogoutRefused(t *testing.T) {
	change := func(f func(*crewjam.LogoutRequest)) func(*logoutSP, *browser) page {
		return func(sp *logoutSP, b *browser) page { return sp.send(b, sp.request(f)) }
	}
	cases := map[string]struct {
		why  mockidp.Reason
		send func(*logoutSP, *browser) page
	}{
		"NameID": {mockidp.ReasonSubject, change(func(r *crewjam.LogoutRequest) { r.NameID.Value = bob })},
		"Format": {mockidp.ReasonSubject,
			change(func(r *crewjam.LogoutRequest) { r.NameID.Format = mockidp.NameIDTransient })},
		"NameQualifier": {mockidp.ReasonSubject,
			change(func(r *crewjam.LogoutRequest) { r.NameID.NameQualifier = "x" })},
		"SPNameQualifier": {mockidp.ReasonSubject,
			change(func(r *crewjam.LogoutRequest) { r.NameID.SPNameQualifier = "x" })},
		"SessionIndex": {mockidp.ReasonSubject, change(func(r *crewjam.LogoutRequest) { r.SessionIndex.Value = "x" })},
		"Issuer":       {mockidp.ReasonIssuer, change(func(r *crewjam.LogoutRequest) { r.Issuer.Value = "x" })},
		"IssueInstant": {mockidp.ReasonIssueInstant,
			change(func(r *crewjam.LogoutRequest) { r.IssueInstant = r.IssueInstant.Add(-6 * time.Minute) })},
		"NotOnOrAfter": {mockidp.ReasonIssueInstant,
			change(func(r *crewjam.LogoutRequest) { r.NotOnOrAfter = new(r.IssueInstant.Add(-time.Minute)) })},
		"key": {mockidp.ReasonSignature, func(sp *logoutSP, b *browser) page {
			sp.Key = rsaKey()
			return sp.send(b, sp.request(nil))
		}},
		"unsigned": {mockidp.ReasonSignature, func(sp *logoutSP, b *browser) page {
			sp.SignatureMethod = ""
			return sp.send(b, sp.request(nil))
		}},
		"another app's session": {mockidp.ReasonSubject, func(_ *logoutSP, b *browser) page {
			other := addLogoutSP(b.t, b.idp, mail, crewjam.HTTPRedirectBinding)
			return other.send(b, other.request(nil))
		}},
		"no certificate": {mockidp.ReasonSignature, func(sp *logoutSP, b *browser) page {
			updateApp(b.t, b.idp, sp.app, func(a *mockidp.App) { a.RequestCertificates = nil })
			return sp.send(b, sp.request(nil))
		}},
		"no logout": {mockidp.ReasonNoLogout, func(sp *logoutSP, b *browser) page {
			updateApp(b.t, b.idp, sp.app, func(a *mockidp.App) { a.LogoutURL, a.LogoutResponseURL = "", "" })
			return sp.send(b, sp.request(nil))
		}},
		"AuthnRequest": {mockidp.ReasonMalformed, func(sp *logoutSP, b *browser) page {
			return b.post(b.idp.LogoutURL(sp.app), postForm(request()))
		}},
		"no message": {mockidp.ReasonMalformed, func(sp *logoutSP, b *browser) page {
			return b.get(b.idp.LogoutURL(sp.app))
		}},
		"two messages": {mockidp.ReasonMalformed, func(sp *logoutSP, b *browser) page {
			return b.get(b.idp.LogoutURL(sp.app) + "?SAMLRequest=a&SAMLResponse=b")
		}},
	}
	for name, binding := range logoutBindings {
		for what, c := range cases {
			t.Run(name+"/"+what, func(t *testing.T) {
				idp := start(t, mockidp.Config{})
				sp := addLogoutSP(t, idp, wiki, binding)
				b := newBrowser(t, idp)
				sp.signIn(b)
				c.send(sp, b).refused(t, 400, c.why)
				assert.True(t, b.signedIn(), "the session was ended")
			})
		}
	}
}

// A LogoutRequest ends one session, once: not the next one, which it would name if it had no SessionIndex.
func TestLogoutReplay(t *testing.T) {
	for name, binding := range logoutBindings {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			sp := addLogoutSP(t, idp, wiki, binding)
			b := newBrowser(t, idp)
			sp.signIn(b)
			sp.index = ""
			req := sp.request(nil)
			sp.answered(t, sp.send(b, req), req)
			sp.signIn(b)
			sp.send(b, req).refused(t, 400, mockidp.ReasonReplay)
			assert.True(t, b.signedIn())
			var last mockidp.Message
			for _, m := range idp.Messages() {
				last = m
			}
			require.NotNil(t, last.Refused)
			assert.Equal(t, mockidp.ReasonReplay, last.Refused.Reason)
		})
	}
}

func TestLogoutDestination(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addLogoutSP(t, idp, wiki, crewjam.HTTPPostBinding)
	b := newBrowser(t, idp)
	sp.signIn(b)
	for _, to := range []string{"", idp.LogoutURL("") + "x"} {
		req := sp.request(func(r *crewjam.LogoutRequest) { r.Destination = to })
		sp.post(b, "SAMLRequest", written(req.Element())).refused(t, 400, mockidp.ReasonDestination)
	}
	assert.True(t, b.signedIn())
}

func TestInsecureUnsignedLogout(t *testing.T) {
	for name, binding := range logoutBindings {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			sp := addLogoutSP(t, idp, wiki, binding)
			updateApp(t, idp, sp.app, func(a *mockidp.App) { a.InsecureUnsignedLogout = true })
			b := newBrowser(t, idp)
			sp.signIn(b)
			sp.SignatureMethod = ""
			req := sp.request(func(r *crewjam.LogoutRequest) { r.NameID.Format = "" })
			top, _ := sp.answered(t, sp.send(b, req), req)
			assert.Equal(t, mockidp.StatusSuccess, top)
			assert.False(t, b.signedIn())
		})
	}
}

// The parts of the query that a signature doesn't cover aren't read.
func TestLogoutQuerySignature(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
	b := newBrowser(t, idp)
	sp.signIn(b)
	good := must(sp.RedirectLogoutRequestURL(sp.request(nil), "")).String()
	for _, bad := range []string{good + "&RelayState=x", strings.Replace(good, "SAMLRequest=", "SAML%52equest=", 1)} {
		b.get(bad).refused(t, 400, mockidp.ReasonSignature)
	}
	assert.True(t, b.signedIn())
}

func TestLogoutMetadata(t *testing.T) {
	idp := start(t, mockidp.Config{})
	assert.NotContains(t, string(idp.Metadata("")), "SingleLogoutService")
	sp := addLogoutSP(t, idp, wiki, crewjam.HTTPPostBinding)
	assert.Equal(t, idp.LogoutURL(sp.app), sp.GetSLOBindingLocation(crewjam.HTTPPostBinding))
	assert.Equal(t, idp.LogoutURL(sp.app), sp.GetSLOBindingLocation(crewjam.HTTPRedirectBinding))
	app := idp.Apps()[0]
	assert.Equal(t, wiki+"/slo", app.LogoutURL)
	assert.Equal(t, mockidp.LogoutPOST, app.LogoutBinding)
	// Metadata without the endpoint changes nothing.
	plain := addLogoutSP(t, idp, wiki, "")
	assert.Equal(t, sp.app, plain.app)
	assert.Equal(t, wiki+"/slo", idp.Apps()[0].LogoutURL)

	updateApp(t, idp, "", func(a *mockidp.App) { a.Profile, a.Issuer, a.ExternalKey = mockidp.Entra, "", "" })
	entra := string(idp.Metadata(""))
	assert.Equal(t, 1, strings.Count(entra, "<SingleLogoutService "))
	assert.Contains(t, entra, idp.LogoutURL(""))
}

func TestLogoutSettings(t *testing.T) {
	idp := start(t, mockidp.Config{})
	for name, f := range map[string]func(*mockidp.App){
		"relative URL":        func(a *mockidp.App) { a.LogoutURL = "/slo" },
		"script":              func(a *mockidp.App) { a.LogoutURL = "javascript:alert(1)" },
		"response URL":        func(a *mockidp.App) { a.LogoutURL, a.LogoutResponseURL = wiki, "x" },
		"only a response URL": func(a *mockidp.App) { a.LogoutResponseURL = wiki },
		"binding":             func(a *mockidp.App) { a.LogoutBinding = 2 },
	} {
		err := idp.UpdateApp("", func(a *mockidp.App) error { f(a); return nil })
		assert.Equal(t, mockidp.ReasonConfig, reason(t, err), name)
	}
}

// Clients without a session fill a bounded table only.
func TestPendingLogoutsAreBounded(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addLogoutSP(t, idp, wiki, crewjam.HTTPPostBinding)
	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.InsecureUnsignedLogout = true })
	sp.SignatureMethod = ""
	b := newBrowser(t, idp)
	b.Stay = func(*url.URL) bool { return true }
	for range 1005 {
		sp.send(b, sp.request(nil))
	}
	pending, heard := idp.Logouts()
	assert.Equal(t, []int{1000, 1000}, []int{pending, heard})
}

// logoutMessages returns a LogoutRequest and a LogoutResponse of the Server: its first app asks, after a browser signed
// in to it and to another one.
func logoutMessages(t *testing.T, idp *mockidp.Server) (docs [][]byte) {
	t.Helper()
	other := addLogoutSP(t, idp, mail, crewjam.HTTPPostBinding)
	updateApp(t, idp, other.app, func(a *mockidp.App) { a.InsecureUnsignedLogout = true })
	b := newBrowser(t, idp)
	idp.ClearMessages()
	form := b.signInWithFactor(t, b.get(redirect(idp, request(), "")))
	require.NotEmpty(t, form.SAMLResponse)
	b.get(idp.TileURL(other.app)) // its sign-in; crewjam/saml can't verify ECDSA
	p := b.post(idp.LogoutURL(""), postForm(logoutRequest()))
	_, sent := p.FormWith("SAMLRequest")
	require.True(t, sent, p.Body)
	id := regexp.MustCompile(` ID="([^"]*)"`).FindSubmatch(idp.Messages()[len(idp.Messages())-1].XML)
	resp, err := other.MakeLogoutResponseWithStatus(idp.LogoutURL(other.app), string(id[1]),
		crewjam.Status{StatusCode: crewjam.StatusCode{Value: crewjam.StatusResponder}})
	require.NoError(t, err)
	other.post(b, "SAMLResponse", written(resp.Element()))
	for _, m := range idp.Messages() {
		if m.Direction == mockidp.Sent && strings.HasPrefix(rootOf(t, m.XML), "Logout") {
			docs = append(docs, m.XML)
		}
	}
	require.Len(t, docs, 2)
	return docs
}

// logoutRequest returns an unsigned LogoutRequest for alice, with a new ID.
func logoutRequest() string {
	now := time.Now().UTC()
	return `<p:LogoutRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="a` + strconv.FormatInt(now.UnixNano(), 10) +
		`" Version="2.0" IssueInstant="` + now.Format(time.RFC3339) + `"><Issuer>` + entityID + `</Issuer><NameID>` + alice +
		`</NameID></p:LogoutRequest>`
}

// signInWithFactor signs alice in, with her second factor.
func (b *browser) signInWithFactor(t *testing.T, p page) mockidp.Form {
	t.Helper()
	p = b.signIn(p, alice, mockidp.DefaultPassword)
	if f, ok := p.FormWith("code"); ok {
		next, err := b.Submit(p.Page, f, url.Values{"code": {"1"}})
		require.NoError(t, err)
		p = page{next}
	}
	return p.answer(t)
}

// An ECDSA signature of HTTP-Redirect is r‖s, as in XML, over the octets of the query.
func TestLogoutQueryOfECDSA(t *testing.T) {
	conf := twoRegions()
	conf.Key = ecdsaKey()
	conf.Apps[0].LogoutURL, conf.Apps[0].InsecureUnsignedLogout = virginia+"?a=1", true
	idp := start(t, conf)
	v := url.Values{"SAMLRequest": {deflated(logoutRequest())}, "RelayState": {"a b&c"}}
	p := newBrowser(t, idp).get(idp.LogoutURL("") + "?" + v.Encode())
	query, ok := strings.CutPrefix(p.Header.Get("Location"), virginia+"?a=1&")
	require.True(t, ok)
	signed, sig, _ := strings.Cut(query, "&Signature=")
	raw := must(base64.StdEncoding.DecodeString(must(url.QueryUnescape(sig))))
	require.Len(t, raw, 64)
	digest := sha256.Sum256([]byte(signed))
	assert.True(t, ecdsa.Verify(&ecdsaKey().PublicKey, digest[:], new(big.Int).SetBytes(raw[:32]),
		new(big.Int).SetBytes(raw[32:])))
	assert.Contains(t, signed, "&RelayState=a+b%26c&SigAlg=")
}

// Many service providers keep the NameID's value only.
func TestLogoutWithoutFormat(t *testing.T) {
	for _, strict := range []bool{false, true} {
		idp := start(t, mockidp.Config{Strict: strict})
		sp := addLogoutSP(t, idp, wiki, crewjam.HTTPRedirectBinding)
		b := newBrowser(t, idp)
		sp.signIn(b)
		req := sp.request(func(r *crewjam.LogoutRequest) { r.NameID.Format = "" })
		if p := sp.send(b, req); strict {
			p.refused(t, 400, mockidp.ReasonSubject)
		} else {
			sp.answered(t, p, req)
		}
		assert.Equal(t, strict, b.signedIn())
	}
}
