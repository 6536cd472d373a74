package hostile_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// Each attack of the catalogue is offered, or Missing says why not, and never both.
func TestMissingIsExact(t *testing.T) {
	var c mockidp.Config
	hostile.Arm(&c)
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	missing, used := hostile.Missing(), map[string]bool{}
	for _, e := range run.List() {
		row, _, _ := strings.Cut(e.ID, "/")
		why := missing[e.ID] + missing[row]
		used[e.ID], used[row] = true, true
		assert.NotEqual(t, why == "", idp.QueueMutation(e.ID, "", "") != nil, "%s: %q", e.ID, why)
	}
	for id, why := range missing {
		assert.True(t, used[id], "%s is no attack", id)
		assert.NotEmpty(t, why, id)
	}
}

// signedIn is an application with logout, artifacts and attributes, and an armed mock.
type signedIn struct {
	idp    *mockidp.Server
	url    string
	store  *sessions.MemoryStore
	entity string
}

// newSignedIn starts them. The app of the mock is changed by change.
func newSignedIn(t testing.TB, change func(*mockidp.App)) *signedIn {
	t.Helper()
	c := mockidp.Config{TenantKeys: true}
	hostile.Arm(&c)
	s := &signedIn{idp: mockidp.New(c), store: sessions.NewMemoryStore(sessions.MemoryConfig{})}
	t.Cleanup(s.idp.Close)
	_, err := s.idp.Tenant("other")
	require.NoError(t, err)
	require.NoError(t, s.idp.UpdateApp("", func(a *mockidp.App) error {
		a.AttributeQueries, a.ResponseBinding = true, mockidp.ResponseArtifact
		return nil
	}))
	trusted, err := saml.ParseIdPMetadata(s.idp.Metadata(""))
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url, s.entity = server.URL, server.URL+"/saml"
	key := testkit.RSAKey("hostile sp")
	certificate := testkit.Certificate(key, time.Now())
	cfg := saml.Config{
		EntityID: s.entity, IdP: trusted, Key: key, Certificate: certificate, LogoutSOAP: true,
		ACS: []saml.Endpoint{
			{URL: s.url + "/acs", Region: "here", ArtifactIndex: new(uint16(1000))},
			{URL: s.url + "/there", Region: "there"},
		},
		Logout:         []saml.LogoutEndpoint{{URL: s.url + "/logout", Region: "here"}},
		DecryptionKeys: []crypto.Decrypter{key}, EncryptionCertificate: certificate,
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, s.idp.RegisterSP("", metadata))
	cfg.IdP, err = saml.ParseIdPMetadata(s.idp.Metadata("")) // which now has logout
	require.NoError(t, err)
	sp, err = saml.New(cfg)
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: "here", Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		SOAP: acs.SOAPConfig{AllowPrivateAddresses: true}, OnLogin: s.signIn, EndSessions: s.end,
		LoginOptions: func(*http.Request) acs.LoginOptions { return acs.LoginOptions{ResponseBinding: saml.HTTPArtifact} },
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login"})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if in, ok := s.session(r); ok {
			fmt.Fprint(w, "Hello, ", in.UserID)
		}
	})
	mux.HandleFunc("GET /attributes", func(w http.ResponseWriter, r *http.Request) {
		in, _ := s.session(r)
		if _, err := region.QueryAttributes(r.Context(), saml.AttributeQueryOptions{
			NameID: saml.NameID(in.Proof.Subject.NameID),
		}); err != nil {
			http.Error(w, "refused", http.StatusForbidden)
		}
	})
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		in, _ := s.session(r)
		region.StartLogout(w, r, acs.LogoutOptions{
			IdP: in.Proof.Subject.Provider, NameID: saml.NameID(in.Proof.Subject.NameID),
			SessionIndexes: in.Proof.SessionIndexes,
		})
	})
	require.NoError(t, s.idp.UpdateApp("", func(a *mockidp.App) error {
		change(a)
		return nil
	}))
	return s
}

func (s *signedIn) signIn(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	id := rand.Text()
	_ = s.store.Create(r.Context(), id, sessions.Session{
		ID: id, SignIn: id, UserID: l.Assertion.NameID().Value, Created: time.Now(), Seen: time.Now(),
		Expires: time.Now().Add(time.Hour), Proof: sessions.Proof{
			Subject: sessions.Subject{
				Provider: l.Assertion.Issuer(), ServiceProvider: s.entity, NameID: sessions.NameID(l.Assertion.NameID()),
			},
			SessionIndexes: l.Assertion.SessionIndexes(), Issued: l.Assertion.IssueInstant(),
		},
	})
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *signedIn) session(r *http.Request) (sessions.Session, bool) {
	c, err := r.Cookie("session")
	if err != nil {
		return sessions.Session{}, false
	}
	in, err := s.store.Get(r.Context(), c.Value)
	return in, err == nil
}

func (s *signedIn) end(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	_, err := s.store.EndSubject(ctx, sessions.Logout{
		Subject: sessions.Subject{
			Provider: l.IdP(), ServiceProvider: s.entity, NameID: sessions.NameID(l.NameID()),
		},
		SessionIndexes: l.SessionIndexes(), Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(),
		Until: l.NotOnOrAfter().Add(time.Hour),
	})
	return saml.LogoutSuccess, err
}

// browser returns one that is signed in.
func (s *signedIn) browser(t testing.TB) *testkit.Browser {
	t.Helper()
	b := testkit.NewBrowser(t.Context())
	page, err := b.SignInAs(s.idp, s.url+"/login", mockidp.DefaultLogin)
	require.NoError(t, err)
	require.Contains(t, page.Body, "Hello, alice")
	return b
}

// signOut signs the user out at the mock, which tells the application.
func (s *signedIn) signOut(b *testkit.Browser) (*testkit.Page, error) {
	page, err := b.Post(s.idp.DashboardURL(), s.idp.URL+"/login/signout", url.Values{})
	if err != nil {
		return nil, err
	}
	return b.Continue(page)
}

// user returns who is signed in with a browser.
func (s *signedIn) user(t testing.TB, b *testkit.Browser) string {
	t.Helper()
	page, err := b.Open(s.url + "/")
	require.NoError(t, err)
	return strings.TrimPrefix(page.Body, "Hello, ")
}

// attacked returns the last attack that was sent.
func (s *signedIn) attacked() string {
	last := ""
	for _, m := range s.idp.Messages() {
		if m.Attack != "" {
			last = m.Attack
		}
	}
	return last
}

// Every logout message of the catalogue is sent by the mock, through the browser or by SOAP. No hostile one ends the
// session of Meridian's service provider, and the unusual ones do, as good ones do.
func TestLogoutMessages(t *testing.T) {
	bindings := map[attack.LogoutBinding]*signedIn{
		attack.ByRedirect: newSignedIn(t, func(a *mockidp.App) { a.LogoutBinding = mockidp.LogoutRedirect }),
		attack.ByPOST:     newSignedIn(t, func(a *mockidp.App) { a.LogoutBinding = mockidp.LogoutPOST }),
		attack.BySOAP:     newSignedIn(t, func(a *mockidp.App) { a.LogoutChannel = mockidp.BackChannel }),
	}
	for binding, s := range bindings {
		b := s.browser(t)
		_, err := s.signOut(b)
		require.NoError(t, err, binding)
		require.Empty(t, s.user(t, b), "a good logout by %s", binding)
	}
	sent := 0
	for _, x := range attack.LogoutCases() {
		s := bindings[x.Binding]
		if x.Answer && x.Binding == attack.BySOAP {
			continue // the mock answers a LogoutRequest by SOAP, which this service provider sends through the browser
		}
		if x.Key == attack.ECDSA {
			continue // the mock signs with RSA
		}
		b := s.browser(t)
		require.NoError(t, s.idp.SetMutation(x.ID, "", ""))
		var page *testkit.Page
		var err error
		if x.Answer {
			if page, err = b.Post(s.url+"/", s.url+"/sign-out", url.Values{}); err == nil {
				page, err = b.Continue(page)
			}
		} else {
			page, err = s.signOut(b)
		}
		require.NoError(t, err, x.ID)
		assert.Equal(t, x.ID, s.attacked(), "%s: %.300s", x.ID, page.Text())
		if !x.Answer { // the service provider's own session ends before it asks
			assert.Equal(t, x.Outcome.Ends(), s.user(t, b) == "", x.ID)
		}
		require.NoError(t, s.idp.SetMutation("", "", ""))
		sent++
	}
	assert.Greater(t, sent, 100)
}

// Every artifact and every answer of the catalogue is sent by the mock.
func TestArtifactsAndAttributes(t *testing.T) {
	s := newSignedIn(t, func(*mockidp.App) {})
	for _, x := range attack.ArtifactCases() {
		if x.Needs.SP.OtherIdP && x.ID != "H10/answer" {
			continue // this service provider trusts one identity provider
		}
		require.NoError(t, s.idp.QueueMutation(x.ID, "", ""))
		page, err := testkit.NewBrowser(t.Context()).SignInAs(s.idp, s.url+"/login", mockidp.DefaultLogin)
		require.NoError(t, err, x.ID)
		assert.Equal(t, x.ID, s.attacked(), x.ID)
		if x.Outcome.Accepted() {
			assert.Contains(t, page.Body, "Hello, alice", x.ID)
		} else {
			assert.GreaterOrEqual(t, page.Status, 400, x.ID)
		}
	}
	b := s.browser(t)
	page, err := b.Open(s.url + "/attributes")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, page.Status, "a good answer")
	for _, x := range attack.AttributeCases() {
		require.NoError(t, s.idp.QueueMutation(x.ID, "", ""))
		page, err := b.Open(s.url + "/attributes")
		require.NoError(t, err, x.ID)
		assert.Equal(t, x.ID, s.attacked(), x.ID)
		assert.Equal(t, http.StatusForbidden, page.Status, x.ID)
	}
}

// An attack that can't be made, such as one by another binding, is an error: no good message is sent in its place.
func TestMessagesThatCannotBeMade(t *testing.T) {
	s := newSignedIn(t, func(a *mockidp.App) { a.LogoutBinding = mockidp.LogoutPOST })
	b := s.browser(t)
	require.NoError(t, s.idp.SetMutation("G01", "", ""))
	page, err := s.signOut(b)
	require.NoError(t, err)
	assert.NotEqual(t, s.url, page.Origin(), "nothing is sent")
	assert.Empty(t, s.attacked())
	assert.Equal(t, mockidp.DefaultLogin, s.user(t, b))
}
