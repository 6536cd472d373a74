package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
)

func TestSessionCookie(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	c := b.Jar[virginia][portal.SessionCookie]
	require.NotNil(t, c)
	assert.GreaterOrEqual(t, len(c.Value), 43, "256 bits")
	assert.True(t, c.Secure)
	assert.True(t, c.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
	assert.Equal(t, "/", c.Path)
	assert.Empty(t, c.Domain)
	for name := range b.Jar[virginia] {
		assert.NotContains(t, name, "continue", "the cookie of the sign-in is gone")
	}
	_, err := w.sessions["us-east-1"].Get(t.Context(), c.Value)
	assert.ErrorIs(t, err, sessions.ErrNoSession, "the store has only hashes of identifiers")
}

func TestSessionEndsByAge(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) { c.SessionLifetime = 2 * time.Hour; c.IdleTimeout = 40 * time.Minute })
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for range 3 {
		w.clock.Advance(30 * time.Minute) // not idle
		requirePage(t, b.click("https://"+virginia+"/"), 200, "/")
	}
	w.clock.Advance(30*time.Minute - time.Second)
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/")
	w.clock.Advance(time.Second)
	requireAtIdP(t, w, b.click("https://"+virginia+"/"))
	assert.Zero(t, w.sessions["us-east-1"].Len())
}

func TestSessionEndsByIdleness(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	w.clock.Advance(time.Hour - time.Second)
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/")
	w.clock.Advance(time.Hour - time.Second)
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/")
	w.clock.Advance(time.Hour)
	requireAtIdP(t, w, b.click("https://"+virginia+"/"))
	requireAtIdP(t, w, b.click("https://"+virginia+"/sessions"))
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len(), "the new session replaced it")
}

func TestSessionFixation(t *testing.T) {
	w := newWorld(t, nil)
	// An identifier that an attacker chose is not valid after sign-in.
	b := w.browser()
	b.Jar[virginia] = map[string]*http.Cookie{portal.SessionCookie: {Name: portal.SessionCookie, Value: "chosen",
		SameSite: http.SameSiteLaxMode}}
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	first := b.cookie(virginia, portal.SessionCookie)
	assert.NotEqual(t, "chosen", first)

	// A new sign-in makes a new identifier and ends the earlier session. The test waits a minute first, because an
	// earlier one would count as another tab of the same sign-in.
	w.clock.Advance(time.Minute)
	requirePage(t, w.signIn(b, "https://"+virginia+"/login", "alice@example.com"), 200, "/")
	second := b.cookie(virginia, portal.SessionCookie)
	assert.NotEqual(t, first, second)
	requirePage(t, w.tile(b, "alice@example.com", ""), 200, "/", "Alice Adams")
	third := b.cookie(virginia, portal.SessionCookie)
	assert.NotEqual(t, second, third)
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
	for _, old := range []string{"chosen", first, second} {
		thief := w.browser()
		thief.Jar[virginia] = map[string]*http.Cookie{portal.SessionCookie: {Name: portal.SessionCookie, Value: old,
			SameSite: http.SameSiteLaxMode}}
		requireAtIdP(t, w, thief.get("https://"+virginia+"/"))
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	stolen := *b.Jar[virginia][portal.SessionCookie]

	a := b.submit("https://"+virginia+"/sign-out", url.Values{})
	requirePage(t, a, 200, "/signed-out", "You are signed out", `href="/login"`)
	assert.NotContains(t, a.body, "refresh", "no sign-in starts without the user")
	assert.Empty(t, b.cookie(virginia, portal.SessionCookie))
	assert.Zero(t, w.sessions["us-east-1"].Len())

	b.Jar[virginia][portal.SessionCookie] = &stolen
	requireAtIdP(t, w, b.get("https://"+virginia+"/"))
	requirePage(t, b.get("https://"+virginia+"/signed-out"), 200, "/signed-out", "You are signed out")
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
}

func TestCrossSiteSignOutIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for _, site := range []string{"cross-site", "same-site"} {
		requirePage(t, b.send("POST", "https://"+virginia+"/sign-out", site, url.Values{}), http.StatusForbidden,
			"/sign-out", "Refused")
	}
	requirePage(t, b.send("GET", "https://"+virginia+"/sign-out", "cross-site", nil), http.StatusMethodNotAllowed,
		"/sign-out")
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/", "Alice Adams")
	assert.Contains(t, w.logged(), "reason=CrossSite")
	// The signed-out page redirects a signed-in user home.
	requirePage(t, b.get("https://"+virginia+"/signed-out"), 200, "/")
}

func TestSessionIsNotValidInAnotherRegion(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	b.Jar[frankfurt] = b.Jar[virginia]
	requireAtIdP(t, w, b.get("https://"+frankfurt+"/"))
}

// broken is a sessions.Store that can fail.
type broken struct {
	sessions.Store
	get, create, end atomic.Bool
}

var errDown = errors.New("the store is down")

func (b *broken) Get(ctx context.Context, key string) (sessions.Session, error) {
	if b.get.Load() {
		return sessions.Session{}, errDown
	}
	return b.Store.Get(ctx, key)
}

func (b *broken) Create(ctx context.Context, key string, s sessions.Session) error {
	if b.create.Load() {
		return errDown
	}
	return b.Store.Create(ctx, key, s)
}

func (b *broken) End(ctx context.Context, key string) error {
	if b.end.Load() {
		return errDown
	}
	return b.Store.End(ctx, key)
}

func TestFailingStoreGivesNoAccess(t *testing.T) {
	down := &broken{Store: sessions.NewMemoryStore(sessions.MemoryConfig{})}
	w := newWorld(t, func(c *portal.Config) { c.Sessions = down })
	down.create.Store(true)
	a := w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com")
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	assert.Equal(t, portal.ReasonUnavailable, w.lastSignIn().Reason)
	assert.NotContains(t, a.body, errDown.Error())
	assert.Contains(t, w.logged(), errDown.Error())

	down.create.Store(false)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	down.get.Store(true)
	requirePage(t, b.click("https://"+virginia+"/"), http.StatusServiceUnavailable, "/", "Try again")
	requirePage(t, b.get("https://"+virginia+"/signed-out"), http.StatusServiceUnavailable, "/signed-out")
	down.get.Store(false)
	down.end.Store(true)
	a = b.submit("https://"+virginia+"/sign-out", url.Values{})
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode, "the page must not claim a sign-out")
	assert.NotEmpty(t, b.cookie(virginia, portal.SessionCookie), "a user who is still signed in can try again")
	down.end.Store(false)
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requireNoSession(t, b, virginia)
}

func TestConcurrentBrowsers(t *testing.T) {
	w := newWorld(t, nil)
	var wg sync.WaitGroup
	for i := range 16 {
		host := []string{virginia, frankfurt}[i%2]
		wg.Go(func() {
			b := w.browser()
			a := b.get("https://" + host + "/")
			form, err := w.idp.Answer(a.Header.Get("Location"), "alice@example.com")
			if err != nil {
				t.Error(err)
				return
			}
			a = b.post(form.URL, form.Values())
			assert.Equal(t, 200, a.StatusCode)
			a = b.submit("https://"+host+"/sign-out", url.Values{})
			assert.Equal(t, "/signed-out", a.url.Path)
		})
	}
	wg.Wait()
	assert.Zero(t, w.sessions["us-east-1"].Len()+w.sessions["eu-central-1"].Len())
}
