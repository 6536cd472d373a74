package acs_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// logoutWorld is two Regions with sessions, one mock identity provider, and a browser.
type logoutWorld struct {
	t        *testing.T
	idp      *mockidp.Server
	sp       *saml.ServiceProvider
	sessions *sessions.MemoryStore // of both Regions
	origin   map[string]string     // by Region
	log      *safeBuffer
	result   *acs.LoggedOut
	fail     atomic.Bool       // EndSessions fails
	status   saml.LogoutStatus // of EndSessions
	observed observed
	provider string // its entity ID
}

const sessionCookie = "session"

func newLogoutWorld(t *testing.T, binding mockidp.LogoutBinding, change ...func(*saml.Config)) *logoutWorld {
	t.Helper()
	w := &logoutWorld{
		t: t, idp: mockidp.New(mockidp.Config{
			Users: []mockidp.User{{Login: "alice@example.com"}, {Login: "bob@example.com"}},
		}), sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
		origin: map[string]string{}, log: &safeBuffer{},
	}
	t.Cleanup(w.idp.Close)
	hosts := map[string]*http.ServeMux{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if mux, ok := hosts[r.Host]; ok {
			mux.ServeHTTP(rw, r)
			return
		}
		http.NotFound(rw, r)
	}))
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	key := testkit.RSAKey("logout sp")
	cfg := saml.Config{
		EntityID: "https://sp.example", Key: key, Certificate: testkit.Certificate(key, time.Now()), SignRequests: true,
	}
	for _, region := range []string{"us", "eu"} {
		w.origin[region] = "http://" + region + ".localhost" + port
		cfg.ACS = append(cfg.ACS, saml.Endpoint{URL: w.origin[region] + "/acs", Region: region})
		cfg.Logout = append(cfg.Logout, saml.LogoutEndpoint{URL: w.origin[region] + "/logout", Region: region})
	}
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	source := saml.NewSwappableIdP(idp)
	cfg.IdP = source
	for _, f := range change {
		f(&cfg)
	}
	w.sp, err = saml.New(cfg)
	require.NoError(t, err)
	metadata, err := w.sp.Metadata()
	require.NoError(t, err)
	apps, err := w.idp.AddSP(metadata)
	require.NoError(t, err)
	require.NoError(t, w.idp.UpdateApp(apps[0].ID, func(a *mockidp.App) error { a.LogoutBinding = binding; return nil }))
	idp, err = saml.ParseIdPMetadata(w.idp.Metadata(apps[0].ID))
	require.NoError(t, err)
	source.Replace(idp)
	w.provider = idp.EntityID()
	for _, region := range []string{"us", "eu"} {
		hosts[strings.TrimPrefix(w.origin[region], "http://")] = w.app(region)
	}
	return w
}

// app is the program of one Region: it has sessions and a sign-out button.
func (w *logoutWorld) app(name string) *http.ServeMux {
	mux := http.NewServeMux()
	region, err := acs.NewRegion(acs.Config{
		SP: w.sp, Region: name, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Unsolicited: acs.Accept,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)), Observer: &w.observed,
		OnLogin: func(rw http.ResponseWriter, r *http.Request, l *acs.Login) {
			id := fmt.Sprintf("%s-%s", name, l.Assertion.ID())
			s := sessions.Session{
				ID: id, SignIn: id, UserID: l.Assertion.NameID().Value, Region: name, Created: time.Now(), Seen: time.Now(),
				Expires: time.Now().Add(time.Hour), Proof: proofOf(l.Assertion),
			}
			if err := w.sessions.Create(r.Context(), id, s); err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
				return
			}
			http.SetCookie(rw, &http.Cookie{ // SameSite=None, so that CheckSignOut is all that stops other sites
				Name: sessionCookie, Value: id, Path: "/", Secure: true, SameSite: http.SameSiteNoneMode,
			})
			http.Redirect(rw, r, "/", http.StatusSeeOther)
		},
		EndSessions: func(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			if w.fail.Load() {
				return 0, errors.New("down")
			}
			_, err := w.sessions.EndSubject(ctx, sessions.Logout{
				Subject:        sessions.Subject{Provider: l.IdP(), ServiceProvider: w.sp.EntityID(), NameID: nameOf(l.NameID())},
				SessionIndexes: l.SessionIndexes(), Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(),
				Until: l.NotOnOrAfter().Add(3 * time.Hour),
			})
			return w.status, err
		},
		OnLoggedOut: func(rw http.ResponseWriter, r *http.Request, l *acs.LoggedOut) {
			w.result = l
			fmt.Fprintf(rw, "signed out in %s", name)
		},
	})
	require.NoError(w.t, err)
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) {
		s, err := w.current(r)
		if err != nil {
			http.Error(rw, "no session", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(rw, `signed in as %s <form method="post" action="/sign-out"><button>Sign out</button></form>`, s.UserID)
	})
	mux.HandleFunc("/sign-out", func(rw http.ResponseWriter, r *http.Request) {
		s, err := w.current(r)
		if err != nil {
			http.Error(rw, "no session", http.StatusUnauthorized)
			return
		}
		if acs.CheckSignOut(r) == nil {
			_ = w.sessions.End(r.Context(), s.ID)
		}
		n := s.Proof.Subject.NameID
		region.StartLogout(rw, r, acs.LogoutOptions{
			NameID: saml.NameID(n), SessionIndexes: s.Proof.SessionIndexes, ReturnTo: "/bye",
		})
	})
	return mux
}

func proofOf(a *saml.Assertion) sessions.Proof {
	return sessions.Proof{
		Subject:        sessions.Subject{Provider: a.Issuer(), ServiceProvider: "https://sp.example", NameID: nameOf(a.NameID())},
		SessionIndexes: []string{a.SessionIndex()}, Issued: a.IssueInstant(),
	}
}

func nameOf(n saml.NameID) sessions.NameID { return sessions.NameID(n) }

func (w *logoutWorld) current(r *http.Request) (sessions.Session, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return sessions.Session{}, err
	}
	return w.sessions.Get(r.Context(), cookie.Value)
}

func (w *logoutWorld) browser() *testkit.Browser {
	b := testkit.NewBrowser(w.t.Context())
	b.Repeat = func(to *url.URL) bool { return "http://"+to.Host == w.origin["eu"] } // an answer that is forwarded
	return b
}

func (w *logoutWorld) signIn(b *testkit.Browser, region string) *testkit.Page {
	w.t.Helper()
	p, err := b.SignIn(w.origin[region]+"/login", "alice@example.com", mockidp.DefaultPassword)
	require.NoError(w.t, err)
	require.Contains(w.t, p.Text(), "signed in as alice@example.com", p.URL)
	return p
}

func (w *logoutWorld) signedIn(b *testkit.Browser, region string) bool {
	w.t.Helper()
	p, err := b.Open(w.origin[region] + "/")
	require.NoError(w.t, err)
	return p.Status == http.StatusOK
}

// signOut submits the form of the page's button.
func signOut(b *testkit.Browser, p *testkit.Page) (*testkit.Page, error) {
	for _, f := range p.Forms() {
		if strings.Contains(f.Action, "sign") && strings.HasSuffix(f.Action, "out") {
			return b.Submit(p, f, nil)
		}
	}
	return nil, errors.New("no sign-out button: " + p.Text())
}

// submitted submits the form that a page's script submits. Nil: it has none.
func submitted(t *testing.T, b *testkit.Browser, p *testkit.Page) *testkit.Page {
	t.Helper()
	forms := p.Forms()
	if len(forms) == 0 || !strings.Contains(p.Body, "<script") {
		return nil
	}
	next, err := b.Submit(p, forms[0], nil)
	require.NoError(t, err)
	return next
}

// follow submits the forms that a script would.
func (w *logoutWorld) follow(b *testkit.Browser, p *testkit.Page) *testkit.Page {
	w.t.Helper()
	for range 10 {
		next := submitted(w.t, b, p)
		if next == nil {
			return p
		}
		p = next
	}
	require.Fail(w.t, "the browser is sent around")
	return nil
}

// SP-initiated logout in each Region, by both bindings: the answer comes to the first Region's URL, and the browser to
// the Region that asked.
// Obligations: IIP-SP14, IIP-SP15, SDP-SP24, SDP-SP32, SDP-SP36.
func TestLogoutReturnsToTheRegionThatAsked(t *testing.T) {
	for name, binding := range map[string]mockidp.LogoutBinding{
		"Redirect": mockidp.LogoutRedirect, "POST": mockidp.LogoutPOST,
	} {
		for _, region := range []string{"us", "eu"} {
			t.Run(name+" "+region, func(t *testing.T) {
				w := newLogoutWorld(t, binding)
				b := w.browser()
				p := w.signIn(b, region)
				p, err := signOut(b, p)
				require.NoError(t, err)
				p = w.follow(b, p)
				assert.Equal(t, "signed out in "+region, p.Text(), w.log)
				require.NotNil(t, w.result)
				assert.True(t, w.result.Success, "%+v", w.result)
				assert.Equal(t, "/bye", w.result.ReturnTo)
				assert.Equal(t, w.origin[region]+"/logout", strings.SplitN(p.URL.String(), "?", 2)[0])
				assert.False(t, w.signedIn(b, region))
				// The session at the identity provider has ended, too.
				p, err = b.Open(w.origin[region] + "/login")
				require.NoError(t, err)
				assert.Contains(t, p.Body, `name="password"`)
			})
		}
	}
}

// IdP-initiated logout arrives at the first Region and ends the sessions of both.
// Obligations: IIP-SP14, SDP-SP24, SDP-SP26, SDP-SP36.
func TestLogoutOfTheIdPEndsEverywhere(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	b := w.browser()
	w.signIn(b, "us")
	w.signIn(b, "eu")
	other := w.browser()
	_, err := other.SignIn(w.origin["us"]+"/login", "bob@example.com", mockidp.DefaultPassword)
	require.NoError(t, err)
	p, err := b.Open(w.idp.URL + "/")
	require.NoError(t, err)
	p, err = signOut(b, p)
	require.NoError(t, err)
	p = w.follow(b, p)
	assert.NotContains(t, p.Text(), "not accepted", w.log)
	assert.False(t, w.signedIn(b, "us"), w.log)
	assert.False(t, w.signedIn(b, "eu"))
	assert.True(t, w.signedIn(other, "us"), "another user")
	w.signIn(b, "eu") // again
	assert.True(t, w.signedIn(b, "eu"))
}

// The message of a logout, as the identity provider sends it to the first Region.
func (w *logoutWorld) sentByIdP(b *testkit.Browser) string {
	w.t.Helper()
	p, err := b.Open(w.idp.URL + "/")
	require.NoError(w.t, err)
	var sent string
	keep := b.Transport
	b.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/logout" && strings.HasPrefix(w.origin["us"], "http://"+r.URL.Host) {
			sent = r.URL.RawQuery
			return nil, errors.New("held back")
		}
		if keep == nil {
			return testkit.NewBrowser(r.Context()).Client().Transport.RoundTrip(r)
		}
		return keep.RoundTrip(r)
	})
	if p, err = signOut(b, p); err == nil {
		_, _ = b.Submit(p, p.Forms()[0], nil)
	}
	b.Transport = keep
	require.NotEmpty(w.t, sent)
	return sent
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// G15, G31: a LogoutRequest needs no cookie, and is used once in a Region.
func TestLogoutRequestIsUsedOnce(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	b := w.browser()
	w.signIn(b, "us")
	query := w.sentByIdP(b)
	client := &http.Client{
		Transport:     &http.Transport{DialContext: testkit.DialLoopback},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	get := func() *http.Response {
		res, err := client.Get(w.origin["us"] + "/logout?" + query)
		require.NoError(t, err)
		_ = res.Body.Close()
		return res
	}
	w.fail.Store(true)
	assert.Equal(t, http.StatusServiceUnavailable, get().StatusCode)
	assert.True(t, w.signedIn(b, "us"))
	w.fail.Store(false) // and it is sent again
	res := get()
	assert.Equal(t, http.StatusSeeOther, res.StatusCode, w.log)
	assert.Contains(t, res.Header.Get("Location"), "SAMLResponse=")
	assert.False(t, w.signedIn(b, "us"))
	assert.Equal(t, http.StatusForbidden, get().StatusCode)
	assert.Contains(t, w.log.String(), "Replay")
}

// G20, G25, G23 and refusals that change nothing.
// Obligations: SDP-SP35.
func TestLogoutRefusals(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	b := w.browser()
	p := w.signIn(b, "us")
	client := &http.Client{
		Transport:     &http.Transport{DialContext: testkit.DialLoopback},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	do := func(method, path, kind, body string) (int, string) {
		r, err := http.NewRequest(method, w.origin["us"]+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", kind)
		res, err := client.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text)
	}
	const form = "application/x-www-form-urlencoded"
	for name, row := range map[string]struct {
		method, path, kind, body string
		want                     int
	}{
		"nothing":          {"GET", "/logout", "", "", 400},
		"put":              {"PUT", "/logout", form, "", 405},
		"json":             {"POST", "/logout", "application/json", "{}", 415},
		"both":             {"POST", "/logout", form, "SAMLRequest=a&SAMLResponse=b", 400},
		"both, one empty":  {"POST", "/logout", form, "SAMLRequest=&SAMLResponse=b", 400},
		"twice":            {"POST", "/logout", form, "SAMLRequest=a&SAMLRequest=b", 400},
		"in the query":     {"POST", "/logout?SAMLRequest=a", form, "SAMLRequest=b", 400},
		"an artifact":      {"POST", "/logout", form, "SAMLRequest=a&SAMLart=b", 400},
		"unsigned":         {"POST", "/logout", form, "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<a/>"))), 403},
		"soap, no message": {"POST", "/logout", "text/xml", "<a/>", 500},
		"too large":        {"POST", "/logout", form, strings.Repeat(" ", 5<<20), 413},
		"soap, too large":  {"POST", "/logout", "text/xml", strings.Repeat(" ", 5<<20), 500},
	} {
		status, body := do(row.method, row.path, row.kind, row.body)
		assert.Equal(t, row.want, status, name)
		assert.NotContains(t, body, "SAMLRe", name)
	}
	// G25: another site's page can't begin a logout.
	forms := p.Forms()
	require.Len(t, forms, 1)
	page, err := b.Post("https://evil.example", w.origin["us"]+"/sign-out", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, page.Status)
	assert.Contains(t, page.Text(), "Use the button of this service")
	assert.Contains(t, w.log.String(), "reason=CrossSite")
	assert.Nil(t, w.result)
	assert.True(t, w.signedIn(b, "us"), "the session lives on")
	page, err = b.Open(w.origin["us"] + "/sign-out")
	require.NoError(t, err)
	assert.Equal(t, http.StatusMethodNotAllowed, page.Status)
	assert.Equal(t, "POST", page.Header.Get("Allow"))
	assert.True(t, w.signedIn(b, "us"))

	// G20: an answer of another browser, or a second one.
	w.signIn(b, "us")
	p, err = b.Open(w.origin["us"] + "/")
	require.NoError(t, err)
	var answer string
	keep := b.Transport
	b.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/logout" && r.URL.Query().Has("SAMLResponse") {
			answer = r.URL.String()
			return nil, errors.New("held back")
		}
		if keep == nil {
			return (&http.Transport{DialContext: testkit.DialLoopback}).RoundTrip(r)
		}
		return keep.RoundTrip(r)
	})
	_, _ = signOut(b, p)
	b.Transport = keep
	require.NotEmpty(t, answer)
	page, err = w.browser().Open(answer)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, page.Status)
	assert.Nil(t, w.result)
	page, err = b.Open(answer)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, page.Status, w.log)
	page, err = b.Open(answer)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, page.Status)
}

// G34: if the identity provider can't be asked, the user is told, and the session here has ended.
func TestLogoutWithoutAnIdP(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect, func(c *saml.Config) {
		idp, err := saml.NewIdP(saml.IdPConfig{EntityID: "https://idp.example", Certificates: nil, Keys: nil})
		if err == nil {
			c.IdP = idp
		}
	})
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, w.origin["us"]+"/sign-out", nil)
	region, err := acs.NewRegion(acs.Config{
		SP: w.sp, Region: "us", Store: acs.NewMemoryStore(acs.MemoryConfig{}), EndSessions: endNothing,
		OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {}, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	require.NoError(t, err)
	region.StartLogout(rec, r, acs.LogoutOptions{IdP: "https://unknown.example", NameID: saml.NameID{Value: "a"}})
	assert.Equal(t, http.StatusOK, rec.Code)
	assert.Contains(t, rec.Body.String(), "could not be told")
	assert.Contains(t, w.log.String(), "MetadataEntity")
}

// The identity provider may show the answer in a frame; other sites may not (G31).
func TestLogoutAnswerInAFrame(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutPOST)
	b := w.browser()
	w.signIn(b, "us")
	p, err := b.Open(w.idp.URL + "/")
	require.NoError(t, err)
	p, err = signOut(b, p)
	require.NoError(t, err)
	p = submitted(t, b, p)
	require.Contains(t, p.Body, "SAMLRequest")
	p, err = b.Submit(p, p.Forms()[0], nil)
	require.NoError(t, err)
	require.Contains(t, p.Body, "SAMLResponse", w.log)
	assert.Empty(t, p.Header.Get("X-Frame-Options"))
	assert.Contains(t, p.Header.Get("Content-Security-Policy"), "frame-ancestors "+w.idp.URL+";")
	w.follow(b, p)
	page, err := b.Open(w.origin["us"] + "/logout")
	require.NoError(t, err)
	assert.Equal(t, "DENY", page.Header.Get("X-Frame-Options"))
	assert.False(t, bytes.Contains([]byte(w.log.String()), []byte("panic")))
}

// A LogoutRequest by SOAP ends sessions without the browser, and is answered in the HTTP response.
func TestLogoutBySOAP(t *testing.T) {
	const logoutURL = "https://us-east-1.signin.example/logout"
	w := newWorld(t, func(c *saml.Config) {
		key := testkit.RSAKey("logout sp")
		c.Key, c.Certificate = key, testkit.Certificate(key, time.Now())
		c.Logout, c.LogoutSOAP = []saml.LogoutEndpoint{{URL: logoutURL, Region: "us-east-1"}}, true
	})
	var ended []string
	h := w.region("us-east-1", func(c *acs.Config) {
		c.EndSessions = func(_ context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			ended = append(ended, l.NameID().Value)
			return saml.LogoutPartial, nil
		}
	})
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" `+
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" IssueInstant="`+
		w.clock.Now().UTC().Format(time.RFC3339)+`" Destination="`+logoutURL+`"><saml:Issuer>`+idpID+
		`</saml:Issuer><saml:NameID>alice</saml:NameID></samlp:LogoutRequest>`))
	signed := etree.NewDocumentWithRoot(w.idp.sign(doc.Root()))
	message, err := signed.WriteToString()
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, logoutURL, strings.NewReader(
		`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+message+`</S:Body></S:Envelope>`))
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	assert.Equal(t, []string{"alice"}, ended)
	assert.Equal(t, "text/xml; charset=utf-8", rec.Header().Get("Content-Type"))
	answer := etree.NewDocument()
	require.NoError(t, answer.ReadFromBytes(rec.Body.Bytes()))
	el := answer.FindElement("./Envelope/Body/LogoutResponse")
	require.NotNil(t, el)
	assert.Equal(t, "_1", el.SelectAttrValue("InResponseTo", ""))
	assert.NotNil(t, el.FindElement("./Signature"))
	assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:status:PartialLogout",
		el.FindElement("./Status/StatusCode/StatusCode").SelectAttrValue("Value", ""))
}
