package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

var sessionID = regexp.MustCompile(`name="id" value="([0-9a-f]{32})"`)

// twice signs alice in at Virginia and, in another browser, at Frankfurt.
func twice(t *testing.T, edit func(*portal.Config)) (w *world, s *shared, here, there *browser) {
	t.Helper()
	w, s = newShared(t, edit)
	here, there = w.browser(), w.browser()
	w.signIn(here, "https://"+virginia+"/", "alice@example.com")
	w.clock.Advance(10 * time.Minute)
	w.signIn(there, "https://"+frankfurt+"/", "alice@example.com")
	return w, s, here, there
}

func TestOwnSessionsOfAllRegions(t *testing.T) {
	w, _, here, _ := twice(t, nil)
	w.signIn(w.browser(), "https://"+frankfurt+"/", "bob@example.com")
	a := here.click("https://" + virginia + "/sessions")
	requirePage(t, a, 200, "/sessions", "Your sessions", "N. Virginia", "Frankfurt", "This session",
		"https://"+frankfurt, "Sign out everywhere", "just now")
	assert.Len(t, sessionID.FindAllString(a.body, -1), 1, "only her other session has an End button")
	assert.Equal(t, 1, strings.Count(a.body, "This session"))
	for _, c := range []string{here.cookie(virginia, portal.SessionCookie)} {
		assert.NotContains(t, a.body, c)
	}
	requireAtIdP(t, w, w.browser().get("https://"+virginia+"/sessions"))
}

func TestEndOneSession(t *testing.T) {
	w, s, here, there := twice(t, nil)
	id := sessionID.FindStringSubmatch(here.click("https://" + virginia + "/sessions").body)[1]

	for _, site := range []string{"cross-site", "same-site"} {
		requirePage(t, here.send("POST", "https://"+virginia+"/sessions/end", site, url.Values{"id": {id}}),
			http.StatusForbidden, "/sessions/end", "Refused")
		requirePage(t, here.send("POST", "https://"+virginia+"/sessions/end-all", site, url.Values{}), http.StatusForbidden,
			"/sessions/end-all", "Refused")
	}
	requirePage(t, here.send("GET", "https://"+virginia+"/sessions/end?id="+id, "same-origin", nil),
		http.StatusMethodNotAllowed, "/sessions/end?id="+id)
	bob := w.browser()
	w.signIn(bob, "https://"+virginia+"/", "bob@example.com")
	requirePage(t, bob.submit("https://"+virginia+"/sessions/end", url.Values{"id": {id}}), 200, "/sessions")
	requirePage(t, there.click("https://"+frankfurt+"/"), 200, "/", "Alice Adams")

	a := here.submit("https://"+virginia+"/sessions/end", url.Values{"id": {id}})
	requirePage(t, a, 200, "/sessions")
	assert.NotContains(t, a.body, id)
	requireAtIdP(t, w, there.click("https://"+frankfurt+"/"))
	requirePage(t, here.submit("https://"+virginia+"/sessions/end", url.Values{"id": {id}}), 200, "/sessions")
	requirePage(t, here.submit("https://"+virginia+"/sessions/end", url.Values{}), http.StatusBadRequest, "/sessions/end")

	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 1)
	requirePage(t, here.submit("https://"+virginia+"/sessions/end", url.Values{"id": {list[0].ID}}), 200, "/signed-out")
	requireNoSession(t, here, virginia)
	requirePage(t, here.submit("https://"+virginia+"/sessions/end", url.Values{"id": {"x"}}), 200, "/signed-out")
}

func TestSignOutEverywhere(t *testing.T) {
	w, s, here, there := twice(t, nil)
	requirePage(t, there.submit("https://"+frankfurt+"/sessions/end-all", url.Values{}), 200, "/signed-out",
		"You are signed out")
	requireAtIdP(t, w, here.click("https://"+virginia+"/"))
	requireAtIdP(t, w, there.click("https://"+frankfurt+"/"))
	assert.Zero(t, s.sessions.Len())
	requirePage(t, w.signIn(here, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	assert.Contains(t, w.logged(), "all sessions ended")
}

func TestIdleSessionOfAnotherRegionIsNotListed(t *testing.T) {
	w, _, here, _ := twice(t, nil)
	for range 2 {
		w.clock.Advance(35 * time.Minute)
		here.click("https://" + virginia + "/")
	}
	a := here.click("https://" + virginia + "/sessions")
	requirePage(t, a, 200, "/sessions", "This session")
	assert.NotContains(t, a.body, `action="/sessions/end"`)
}

// A user who was disabled and is active again has none of the old sessions, not even those that
// were not used meanwhile.
func TestReactivatedUserHasNoOldSessions(t *testing.T) {
	w, _, here, there := twice(t, nil)
	setActive(t, w, false)
	requirePage(t, here.click("https://"+virginia+"/"), http.StatusForbidden, "/")
	setActive(t, w, true)
	requireAtIdP(t, w, here.click("https://"+virginia+"/"))
	requireAtIdP(t, w, there.click("https://"+frankfurt+"/"))
}

func TestNotFoundPageShowsTheUser(t *testing.T) {
	w, _, here, _ := twice(t, nil)
	requirePage(t, here.click("https://"+virginia+"/nope"), http.StatusNotFound, "/nope", "Not found", "Alice Adams",
		"Sign out")
	assert.NotContains(t, w.browser().get("https://"+virginia+"/nope").body, "Alice")
}

// A Region that was removed, with its copy of the directory, ends no sessions in other Regions.
func TestRegionWithAnEmptyDirectoryRevokesNoUser(t *testing.T) {
	empty := map[string]*lost{}
	w, _, here, there := twice(t, func(c *portal.Config) {
		l := &lost{Directory: c.Directory}
		c.Directory, empty[c.Region] = l, l
	})
	empty["eu-central-1"].gone.Store(true)
	requirePage(t, there.click("https://"+frankfurt+"/"), http.StatusForbidden, "/")
	requirePage(t, here.click("https://"+virginia+"/"), 200, "/", "Alice Adams")
	empty["eu-central-1"].gone.Store(false)
	requireAtIdP(t, w, there.click("https://"+frankfurt+"/"))
}

// lost is a Directory whose content can be lost.
type lost struct {
	portal.Directory
	gone atomic.Bool
}

func (l *lost) UserByID(id string) (center.User, bool) {
	if l.gone.Load() {
		return center.User{}, false
	}
	return l.Directory.UserByID(id)
}

func (l *lost) Regions() []center.Region {
	if l.gone.Load() {
		return nil
	}
	return l.Directory.Regions()
}
