package portal_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

const (
	virginia  = "us-east-1.portal.example"
	frankfurt = "eu-central-1.portal.example"
	entityID  = "https://us-east-1.portal.example/platform/saml/d-9067f1a2b3"
	acsPath   = "/platform/saml/acs/4455"
)

var regionHosts = map[string]string{"us-east-1": virginia, "eu-central-1": frankfurt}

// world is an identity provider and two Regions with their portals.
type world struct {
	t        *testing.T
	clock    *testkit.Clock
	idp      *mockidp.Server
	idps     *saml.SwappableIdP // the source of idp's metadata, in a logout world
	key      *rsa.PrivateKey    // the identity provider's
	inst     *center.Instance
	actors   actors                           // of its updates
	sessions map[string]*sessions.MemoryStore // by Region
	hosts    map[string]http.Handler
	seed     map[string]*http.Cookie // of a signed-in browser, for tests that need many

	mu      sync.Mutex
	log     bytes.Buffer
	signIns []portal.SignIn
}

func data() center.Data {
	return center.Data{
		Regions: []center.Region{
			{Name: "us-east-1", Label: "N. Virginia", PortalURLs: []string{"https://" + virginia},
				ACSURLs: []string{"https://" + virginia + acsPath}},
			{Name: "eu-central-1", Label: "Frankfurt", PortalURLs: []string{"https://" + frankfurt},
				ACSURLs: []string{"https://" + frankfurt + acsPath}},
		},
		Users: []center.User{
			{UserName: "alice@example.com", DisplayName: "Alice Adams"},
			{UserName: "bob@example.com"},
			{UserName: "carol@example.com"},
			{UserName: "dora@example.com", Inactive: true},
			{UserName: "eve@example.com", DisplayName: `<script>alert("eve")</script>`},
		},
		Groups: []center.Group{{Name: "Developers", Members: []string{"alice@example.com", "eve@example.com"}}},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly", Description: "Look, don't touch",
			SessionDuration: 90 * time.Minute}, {Name: "Admin"}},
		Accounts: []center.Account{{ID: "111122223333", Name: "Production"},
			{ID: "444455556666", Name: `Lab & <b>"Sons"</b>`}},
		Assignments: []center.Assignment{
			{Principal: center.GroupPrincipal("Developers"), AccountID: "111122223333", PermissionSet: "ReadOnly"},
			{Principal: center.GroupPrincipal("Developers"), AccountID: "444455556666", PermissionSet: "ReadOnly"},
			{Principal: center.UserPrincipal("bob@example.com"), AccountID: "111122223333", PermissionSet: "Admin"},
		},
		Applications: []center.Application{
			{Name: "Wiki", URL: "https://wiki.example/?a=1&b=2", Region: "us-east-1",
				AssignedTo: []center.Principal{center.GroupPrincipal("Developers")}},
			{Name: "Farm", URL: "https://farm.example", Region: "eu-central-1",
				AssignedTo: []center.Principal{center.GroupPrincipal("Developers")}},
		},
	}
}

// actors is a Journal that keeps who made the updates.
type actors struct{ all []center.Actor }

func (a *actors) Commit(_ string, by center.Actor, _ []center.Record) error {
	a.all = append(a.all, by)
	return nil
}

// newWorld starts a world. edit, if not nil, changes each portal's Config.
func newWorld(t *testing.T, edit func(*portal.Config)) *world {
	t.Helper()
	return newWorldOf(t, data(), edit)
}

func newWorldOf(t *testing.T, d center.Data, edit func(*portal.Config)) *world {
	t.Helper()
	w := worldWithIdP(t)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	w.open(d, saml.Config{IdP: idp}, edit, w.idp)
	return w
}

// worldWithIdP is a world without Regions.
func worldWithIdP(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock(time.Now()), key: testkit.RSAKey("idp"),
		sessions: map[string]*sessions.MemoryStore{}, hosts: map[string]http.Handler{}}
	var users []mockidp.User
	for _, login := range []string{"alice", "bob", "Carol", "dora", "eve", "nobody"} {
		users = append(users, mockidp.User{Login: login + "@example.com"})
	}
	w.idp = mockidp.New(mockidp.Config{Now: w.clock.Now, Users: users, Key: w.key})
	t.Cleanup(w.idp.Close)
	return w
}

// open starts the Regions, with the identity provider or providers of a service provider's Config.
func (w *world) open(d center.Data, cfg saml.Config, edit func(*portal.Config), idps ...*mockidp.Server) {
	t := w.t
	t.Helper()
	cfg.EntityID, cfg.Now = entityID, w.clock.Now
	cfg.ACS = []saml.Endpoint{
		{URL: "https://" + virginia + acsPath, Region: "us-east-1"},
		{URL: "https://" + frankfurt + acsPath, Region: "eu-central-1"},
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	for _, idp := range idps {
		require.NoError(t, idp.RegisterSP("", metadata))
	}
	_, err = center.New(d)
	require.NoError(t, err)
	w.inst, err = center.NewJournaled(d, &w.actors)
	require.NoError(t, err)
	for region, host := range regionHosts {
		w.start(region, host, sp, edit)
	}
	// The store refuses unsolicited assertions that are older than itself, and instants in messages
	// are rounded down.
	w.clock.Advance(2 * time.Second)
}

func (w *world) start(region, host string, sp *saml.ServiceProvider, edit func(*portal.Config)) {
	w.t.Helper()
	view, err := w.inst.In(region)
	require.NoError(w.t, err)
	w.sessions[region] = sessions.NewMemoryStore(sessions.MemoryConfig{Region: region})
	cfg := portal.Config{
		Region: region, SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{Now: sp.Now}),
		Sessions: w.sessions[region], Context: w.t.Context(),
		Logger: slog.New(slog.NewTextHandler(w, nil)),
		OnSignIn: func(_ context.Context, s portal.SignIn) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.signIns = append(w.signIns, s)
		},
	}
	if edit != nil {
		edit(&cfg)
	}
	p, err := portal.New(cfg)
	require.NoError(w.t, err)
	w.hosts[host] = p
}

// Write stores the log.
func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) lastSignIn() portal.SignIn {
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(w.t, w.signIns)
	return w.signIns[len(w.signIns)-1]
}

func (w *world) browser() *browser { return newBrowser(w.t, w.hosts) }

// atIdP checks that a browser was redirected to the identity provider, and signs the user in there.
func (w *world) atIdP(b *browser, a answer, login string) answer {
	w.t.Helper()
	loc := a.Header.Get("Location")
	require.True(w.t, strings.HasPrefix(loc, w.idp.URL+"/"), "want a redirect to the identity provider, got %d %q",
		a.StatusCode, loc)
	form, err := w.idp.Answer(loc, login)
	require.NoError(w.t, err)
	return b.post(form.URL, form.Values())
}

// signIn visits an address and signs in.
func (w *world) signIn(b *browser, addr, login string) answer {
	w.t.Helper()
	return w.atIdP(b, b.get(addr), login)
}

// tile posts an unsolicited response, as a tile at the identity provider does.
func (w *world) tile(b *browser, login, relayState string) answer {
	w.t.Helper()
	form, err := w.idp.IdPInitiated("", login, relayState)
	require.NoError(w.t, err)
	return b.post(form.URL, form.Values())
}

// requirePage checks a page's status, address and texts, and what holds for every page.
func requirePage(t *testing.T, a answer, status int, path string, texts ...string) {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.body)
	require.Equal(t, path, a.url.RequestURI())
	for _, text := range texts {
		assert.Contains(t, a.body, text)
	}
	assert.Equal(t, "text/html; charset=utf-8", a.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	assert.Equal(t, "same-origin", a.Header.Get("Referrer-Policy"))
	assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
	csp := a.Header.Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'",
		"form-action 'self'"} {
		assert.Contains(t, csp, rule)
	}
	assert.NotContains(t, csp, "unsafe")
}
