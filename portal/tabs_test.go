package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
)

const browserCookie = "__Host-meridian-browser"

// verifiedTabs opens n tabs of one browser, each with a verified sign-in, and returns their next addresses. All
// sign-ins began before any had a response.
func verifiedTabs(w *world, b *browser, n int, addr, login string) []string {
	w.t.Helper()
	var next []string
	before := b.copy()
	for range n {
		fresh := before.copy()
		form, err := w.idp.Answer(fresh.get(addr).Header.Get("Location"), login)
		require.NoError(w.t, err)
		loc, err := fresh.send("POST", form.URL, "cross-site", form.Values()).Location()
		require.NoError(w.t, err)
		require.Equal(w.t, "/continue", loc.Path)
		next = append(next, loc.String())
		for host, cookies := range fresh.Jar {
			for _, c := range cookies {
				b.put(host, c)
			}
		}
	}
	return next
}

// atOnce requests all addresses with the browser's current cookies, and stores the responses'
// cookies afterwards.
func atOnce(b *browser, site string, addrs []string) []answer {
	out := make([]answer, len(addrs))
	var wg sync.WaitGroup
	for i, addr := range addrs {
		tab := b.copy()
		wg.Go(func() { out[i] = tab.send("GET", addr, site, nil) })
	}
	wg.Wait()
	for _, a := range out {
		b.put(a.url.Host, a.Cookies()...)
	}
	return out
}

// arrive follows each tab to its last page, one after the other. It returns how many waited.
func arrive(t *testing.T, b *browser, tabs []answer, path string, texts ...string) (waited int) {
	t.Helper()
	for _, a := range tabs {
		if a.Header.Get("Refresh") != "" {
			waited++
			requirePage(t, a, 200, a.url.RequestURI(), "One moment", "Another tab", "Continue")
			a = b.refresh(a)
		}
		requirePage(t, b.follow(a), 200, path, texts...)
	}
	return waited
}

func TestConcurrentTabsMakeOneSession(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	for i := range 2 { // the second time, the user is signed in already
		tabs := atOnce(b, "cross-site",
			verifiedTabs(w, b, 8, "https://"+virginia+"/login?return_to=/applications", "alice@example.com"))
		session := b.cookie(virginia, portal.SessionCookie)
		waited := arrive(t, b, tabs, "/applications", "Wiki")
		if i == 0 {
			assert.Equal(t, 7, waited)
		}
		assert.Equal(t, 1, w.sessions["us-east-1"].Len())
		assert.Equal(t, session, b.cookie(virginia, portal.SessionCookie), "the other tabs change nothing")
		for name := range b.Jar[virginia] {
			assert.NotContains(t, name, "continue", "the cookies of pending sign-ins are cleared")
		}
		next := verifiedTabs(w, b, 2, "https://"+virginia+"/login", "alice@example.com")
		assert.Zero(t, arrive(t, b, atOnce(b, "cross-site", next), "/", "Alice Adams"), "late tabs use the existing session")
		assert.Equal(t, session, b.cookie(virginia, portal.SessionCookie))
		w.clock.Advance(time.Minute)
	}
	assert.Equal(t, 2, strings.Count(w.logged(), "portal: signed in\""))
	assert.Len(t, w.signIns, 2)
}

// An unsolicited sign-in makes a new session, and several at once make one.
func TestConcurrentUnsolicitedSignInsReplaceTheSessionOnce(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	first := b.cookie(virginia, portal.SessionCookie)
	w.clock.Advance(time.Minute)
	var next []string
	for range 5 {
		form, err := w.idp.IdPInitiated("", "alice@example.com", "/applications")
		require.NoError(t, err)
		loc, err := b.send("POST", form.URL, "cross-site", form.Values()).Location()
		require.NoError(t, err)
		next = append(next, loc.String())
	}
	assert.Equal(t, 4, arrive(t, b, atOnce(b, "cross-site", next), "/applications", "Wiki"))
	assert.NotEqual(t, first, b.cookie(virginia, portal.SessionCookie))
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

// The session's cookie is on its way to the browser. A tab that continues meanwhile, or too early,
// makes no other session.
func TestTabsWaitForTheFirstTabsCookie(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	next := verifiedTabs(w, b, 3, "https://"+virginia+"/", "alice@example.com")
	winner := b.copy().send("GET", next[0], "cross-site", nil)
	tabs := []answer{b.send("GET", next[1], "cross-site", nil), b.send("GET", next[2], "cross-site", nil)}
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
	b.put(winner.url.Host, winner.Cookies()...)
	assert.Equal(t, 2, arrive(t, b, tabs, "/", "Alice Adams"))
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

// A tab that exceeded the browser's number of requests waits for the others, once.
func TestRefusedTabWaitsForTheOtherTabs(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	next := verifiedTabs(w, b, 1, "https://"+virginia+"/", "alice@example.com")
	refused := b.send("GET", "https://"+virginia+"/refused?reference=MRD-7F3K-29QX", "cross-site", nil)
	requirePage(t, refused, 200, refused.url.RequestURI(), "One moment")
	again := b.copy().refresh(refused)
	assert.Equal(t, http.StatusForbidden, again.StatusCode)
	assert.Contains(t, again.body, "MRD-7F3K-29QX")
	assert.Empty(t, again.Header.Get("Refresh"))
	requirePage(t, b.follow(b.send("GET", next[0], "cross-site", nil)), 200, "/", "Alice Adams")
	requirePage(t, b.refresh(refused), 200, "/", "Alice Adams")
}

// The tab that made the session never received its cookie. Another tab makes a session, and no tab waits forever.
func TestTabsMakeTheSessionIfTheFirstFails(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	next := verifiedTabs(w, b, 4, "https://"+virginia+"/", "alice@example.com")
	b.copy().send("GET", next[0], "cross-site", nil) // its window was closed
	var again []string
	for _, a := range atOnce(b, "cross-site", next[1:]) {
		again = append(again, refreshed(t, a))
	}
	assert.Equal(t, 2, arrive(t, b, atOnce(b, "same-origin", again), "/", "Alice Adams"))
	assert.Equal(t, 2, w.sessions["us-east-1"].Len(), "the session without a browser ends when idle")

	// The user can sign in however often this happens within a minute.
	b = w.browser()
	next = verifiedTabs(w, b, 1, "https://"+virginia+"/", "alice@example.com")
	name := b.cookie(virginia, browserCookie)
	for range 4 {
		lost := b.copy()
		lost.Jar[virginia][browserCookie] = b.Jar[virginia][browserCookie]
		other := verifiedTabs(w, lost, 1, "https://"+virginia+"/", "alice@example.com")
		a := lost.send("GET", other[0], "cross-site", nil)
		for range 3 {
			if a.Header.Get("Refresh") != "" {
				a = lost.refresh(a)
			}
		}
		require.NotEmpty(t, lost.cookie(virginia, portal.SessionCookie))
	}
	a := b.send("GET", next[0], "cross-site", nil)
	for range 3 {
		a = b.refresh(a)
	}
	requirePage(t, a, 200, "/", "Alice Adams")
	assert.Equal(t, name, b.cookie(virginia, browserCookie))
}

func TestSignInAfterSignOutDoesNotWait(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	for _, out := range []string{portal.PathSignOut, "/sessions/end-all", portal.PathSignOut} {
		requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
		require.NotEmpty(t, b.cookie(virginia, browserCookie))
		requirePage(t, b.submit("https://"+virginia+out, url.Values{}), 200, "/signed-out")
		assert.Empty(t, b.cookie(virginia, browserCookie))
		assert.Empty(t, b.cookie(virginia, portal.SessionCookie))
	}
}

// A user who signs out stays signed out, although other tabs still wait.
func TestSignOutEndsWaiting(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	tabs := atOnce(b, "cross-site", verifiedTabs(w, b, 3, "https://"+virginia+"/", "alice@example.com"))
	requirePage(t, b.submit("https://"+virginia+portal.PathSignOut, url.Values{}), 200, "/signed-out")
	assert.Equal(t, 2, arrive(t, b, tabsThatWait(tabs), "/signed-out", "You are signed out"))
	assert.Zero(t, w.sessions["us-east-1"].Len())
}

func tabsThatWait(tabs []answer) (out []answer) {
	for _, a := range tabs {
		if a.Header.Get("Refresh") != "" {
			out = append(out, a)
		}
	}
	return out
}

// A sign-in that was verified before the user was revoked makes no session after its wait. A new sign-in is possible
// within the same minute.
func TestRevokedWhileTabsWait(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	tabs := atOnce(b, "cross-site", verifiedTabs(w, b, 3, "https://"+virginia+"/", "alice@example.com"))
	require.NoError(t, w.sessions["us-east-1"].RevokeUser(t.Context(), "alice@example.com"))
	for _, a := range tabsThatWait(tabs) {
		a = b.refresh(a)
		assert.Equal(t, http.StatusForbidden, a.StatusCode)
		assert.Contains(t, a.body, "You were signed out")
	}
	assert.Zero(t, w.sessions["us-east-1"].Len())
	a := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	arrive(t, b, []answer{a}, "/", "Alice Adams")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

func TestAnotherUserSignsInWithinAMinute(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	requirePage(t, w.signIn(b, "https://"+virginia+"/login", "bob@example.com"), 200, "/", "bob@example.com")
	requirePage(t, w.signIn(b, "https://"+virginia+"/login", "alice@example.com"), 200, "/", "Alice Adams")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

// Two browsers are independent, even if an attacker gave one the name of the other. The attacker has no session.
func TestBrowsersAreIndependent(t *testing.T) {
	w := newWorld(t, nil)
	for range 2 {
		requirePage(t, w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	}
	assert.Equal(t, 2, w.sessions["us-east-1"].Len())

	user, attacker := w.browser(), w.browser()
	user.get("https://" + virginia + "/")
	attacker.put(virginia, user.Jar[virginia][browserCookie])
	requirePage(t, w.signIn(attacker, "https://"+virginia+"/", "bob@example.com"), 200, "/", "bob@example.com")
	requirePage(t, w.signIn(user, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")

	attacker.submit("https://"+virginia+portal.PathSignOut, url.Values{})
	attacker.put(virginia, user.Jar[virginia][browserCookie])
	requireAtIdP(t, w, attacker.get("https://"+virginia+"/"))
}

// claimless is a store that fails to write claims.
type claimless struct{ acs.Store }

var errClaim = errors.New("claims are down")

func (s claimless) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if string(v) == "1" {
		return errClaim
	}
	return s.Store.Add(ctx, key, v, exp)
}

func TestFailingClaimGivesNoAccess(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) {
		c.Store = claimless{acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})}
	})
	b := w.browser()
	a := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	assert.Contains(t, w.logged(), errClaim.Error())
	requireNoSession(t, b, virginia)
	assert.Zero(t, w.sessions["us-east-1"].Len())
}

// A session that could not be written releases its claim.
func TestFailedSessionReleasesItsClaim(t *testing.T) {
	down := new(atomic.Bool)
	w := newWorld(t, func(c *portal.Config) { c.Sessions = cannotCreate{c.Sessions, down} })
	b := w.browser()
	down.Store(true)
	assert.Equal(t, http.StatusServiceUnavailable, w.signIn(b, "https://"+virginia+"/", "alice@example.com").StatusCode)
	down.Store(false)
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
}

type cannotCreate struct {
	sessions.Store
	down *atomic.Bool
}

func (s cannotCreate) Create(ctx context.Context, key string, v sessions.Session) error {
	if s.down.Load() {
		return errClaim
	}
	return s.Store.Create(ctx, key, v)
}

// Only a verified sign-in writes a claim.
func TestBrowserNameStoresNothing(t *testing.T) {
	adds := new(atomic.Int32)
	w := newWorld(t, func(c *portal.Config) {
		c.Store = countingStore{acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now}), adds}
	})
	b := w.browser()
	b.get("https://" + virginia + "/")
	name := b.cookie(virginia, browserCookie)
	assert.Len(t, name, 43)
	adds.Store(0)
	for _, path := range []string{"/continue", "/continue?s=0123456789abcdef", "/enter?s=0123456789abcdef&code=" + name,
		"/signed-out"} {
		b.get("https://" + virginia + path)
	}
	assert.Zero(t, adds.Load())
	b.get("https://" + virginia + "/")
	assert.Equal(t, name, b.cookie(virginia, browserCookie), "the name stays while the browser signs in")
}

// A portal and its consumer on different hosts have one session each, of the same sign-in.
func TestTabsOfAPortalOnAnotherHost(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	tabs := atOnce(b, "cross-site", verifiedTabs(w, b, 4, "https://"+startVirginia+"/applications", "alice@example.com"))
	var enter []string
	for _, a := range tabs {
		if a.Header.Get("Refresh") != "" {
			a = b.send("GET", refreshed(t, a), "same-origin", nil)
		}
		for {
			loc, err := a.Location()
			require.NoError(t, err, "%d %s", a.StatusCode, a.body)
			if loc.Path == "/enter" {
				enter = append(enter, loc.String())
				break
			}
			a = b.send("GET", loc.String(), "cross-site", nil)
		}
	}
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
	assert.Equal(t, 3, arrive(t, b, atOnce(b, "cross-site", enter), "/applications", "Wiki"))
	all, err := w.sessions["us-east-1"].List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, all[0].SignIn, all[1].SignIn)
	assert.Len(t, w.signIns, 1, "a handoff is not reported as a sign-in")
}

// A waiting handoff does not replace another user.
func TestWaitingHandoffDoesNotReplaceAnotherUser(t *testing.T) {
	w, s := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	enter := []string{toEnter(t, b, fromVirginia).String(), toEnter(t, b, fromVirginia).String()}
	b.copy().send("GET", enter[0], "cross-site", nil) // its cookie is lost
	a := b.send("GET", enter[1], "cross-site", nil)
	requirePage(t, w.signIn(b, "https://"+frankfurt+"/", "bob@example.com"), 200, "/", "bob@example.com")
	a = b.refresh(a)
	assert.Equal(t, http.StatusConflict, a.StatusCode)
	assert.Contains(t, a.body, "signed in as another user")
	assert.Len(t, w.signIns, 2, "a handoff is not reported as a sign-in")
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/", "bob@example.com")
	assert.Equal(t, 3, s.sessions.Len())
}
