package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

const fromVirginia = "https://" + frankfurt + "/?from=us-east-1"

var openLink = regexp.MustCompile(`href="(https://[^"]+from=[^"]+)" aria-label="Open eu-central-1 \(Frankfurt\)">`)

// Rule 67.
func TestOneSignInServesTheOtherRegion(t *testing.T) {
	w, s := newShared(t, nil)
	b := w.browser()
	home := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	link := openLink.FindStringSubmatch(home.body)
	require.NotNil(t, link, home.body)
	require.Equal(t, fromVirginia, link[1])

	w.clock.Advance(time.Hour / 2)
	a := b.get(link[1])
	requirePage(t, a, 200, "/", "Alice Adams", "Production")
	assert.Equal(t, frankfurt, a.url.Host)
	assert.NotEqual(t, b.cookie(virginia, portal.SessionCookie), b.cookie(frankfurt, portal.SessionCookie))
	assert.NotContains(t, strings.Join(names(b, frankfurt), " "), "enter", "the handoff's cookie is gone")

	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 2)
	there, here := list[0], list[1]
	assert.Equal(t, []string{"eu-central-1", "us-east-1"}, []string{there.Region, here.Region})
	assert.Equal(t, here.SignIn, there.SignIn)
	assert.NotEqual(t, here.ID, there.ID)
	assert.Len(t, there.ID, 32)
	assert.False(t, there.Expires.After(here.Expires), "it ends no later than the session that it came from")
	assert.Equal(t, "https://"+frankfurt, there.Host)

	// A user who is signed in at the destination is not redirected.
	w.down(virginia)
	requirePage(t, b.get(fromVirginia), 200, "/?from=us-east-1", "Alice Adams")
	requirePage(t, b.get("https://"+frankfurt+"/login?from=us-east-1&return_to=/applications"), 200, "/applications")
}

// names returns the names of a host's cookies, without the browser's name.
func names(b *browser, host string) []string {
	var out []string
	for name := range b.Jar[host] {
		if name != browserCookie {
			out = append(out, name)
		}
	}
	return out
}

func TestHandoffKeepsTheDeepLink(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.get("https://"+frankfurt+"/accounts/111122223333/ReadOnly?x=1&from=us-east-1"), 200,
		"/accounts/111122223333/ReadOnly?x=1", "Production")
}

func TestHandoffWithoutASessionFallsBackToSignIn(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	a := w.signIn(b, "https://"+frankfurt+"/applications?from=us-east-1", "alice@example.com")
	requirePage(t, a, 200, "/applications", "Wiki")
	assert.Equal(t, frankfurt, a.url.Host)
	requireNoSession(t, b, virginia)
}

func TestUnreachableRegionIsNotAsked(t *testing.T) {
	peers := &heard{}
	w, _ := newShared(t, func(c *portal.Config) { c.Replication = peers })
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable})
	w.down(virginia)
	requirePage(t, w.signIn(w.browser(), fromVirginia, "alice@example.com"), 200, "/", "Alice Adams")
}

func TestNoHandoffWithoutSharedCodes(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	home := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	assert.NotContains(t, home.body, "from=")
	w.down(virginia)
	requireAtIdP(t, w, b.get(fromVirginia))
}

func TestColdVisitAsksNoOtherRegion(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	w.down(virginia)
	requireAtIdP(t, w, b.get("https://"+frankfurt+"/"))
}

func TestSignOutEndsTheSignInEverywhere(t *testing.T) {
	for from, other := range map[string]string{virginia: frankfurt, frankfurt: virginia} {
		t.Run(from, func(t *testing.T) {
			w, s := newShared(t, nil)
			b, elsewhere := w.browser(), w.browser()
			w.signIn(b, "https://"+virginia+"/", "alice@example.com")
			requirePage(t, b.get(fromVirginia), 200, "/")
			w.signIn(elsewhere, "https://"+virginia+"/", "alice@example.com")
			require.Equal(t, 3, s.sessions.Len())

			requirePage(t, b.submit("https://"+from+"/sign-out", url.Values{}), 200, "/signed-out")
			requireAtIdP(t, w, b.get("https://"+other+"/"))
			requirePage(t, elsewhere.get("https://"+virginia+"/"), 200, "/", "Alice Adams")
			assert.Equal(t, 1, s.sessions.Len(), "another sign-in is not affected")
		})
	}
}

// A user who signs in again in between, such as by an unsolicited response, is still signed out everywhere.
func TestSignOutAfterASecondSignInEndsTheFirstToo(t *testing.T) {
	w, s := newShared(t, nil)
	b, elsewhere := w.browser(), w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
	w.signIn(elsewhere, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, w.tile(b, "alice@example.com", ""), 200, "/", "Alice Adams")
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/", "Alice Adams")
	require.Equal(t, 3, s.sessions.Len(), "the earlier session was replaced")

	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.get("https://"+frankfurt+"/"))
	requirePage(t, elsewhere.get("https://"+virginia+"/"), 200, "/", "Alice Adams")
}

// If the user of a browser changes at one portal, the earlier user's sessions end at the others.
func TestSignInOfAnotherUserEndsTheWholeSignIn(t *testing.T) {
	w, s := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
	requirePage(t, w.signIn(b, "https://"+virginia+"/login", "bob@example.com"), 200, "/", "bob@example.com")
	assert.Equal(t, 1, s.sessions.Len())
	requirePage(t, b.get(fromVirginia), 200, "/", "bob@example.com")
}

// A session that was ended is not replaced by a new handoff from the session that it came from.
func TestEndedSessionIsNotRestoredByAHandoff(t *testing.T) {
	w := newApart(t, nil)
	thief, b := w.browser(), w.browser()
	requirePage(t, w.signIn(thief, "https://"+startVirginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	w.clock.Advance(time.Minute)
	requirePage(t, w.signIn(b, "https://"+startVirginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	list, err := w.sessions["us-east-1"].List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 4, "each browser has one at the consumer's host and one at the portal's")
	for _, s := range list[2:] { // the older ones
		if s.Host == "https://"+startVirginia {
			requirePage(t, b.submit("https://"+startVirginia+"/sessions/end", url.Values{"id": {s.ID}}), 200, "/sessions")
		}
	}
	requireAtIdP(t, w, thief.get("https://"+startVirginia+"/"))
	requirePage(t, b.click("https://"+startVirginia+"/"), 200, "/", "Alice Adams")

	// A session of the same sign-in ends alone.
	for _, s := range list[:2] {
		if s.Host == "https://"+virginia {
			requirePage(t, b.submit("https://"+startVirginia+"/sessions/end", url.Values{"id": {s.ID}}), 200, "/sessions")
		}
	}
	requirePage(t, b.click("https://"+startVirginia+"/"), 200, "/", "Alice Adams")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

// Signing out before a code is used ends that handoff too.
func TestSignOutDuringAHandoffWins(t *testing.T) {
	w, s := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	enter := toEnter(t, b, fromVirginia)
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.get(enter.String()))
	requireNoSession(t, b, frankfurt)
	assert.Zero(t, s.sessions.Len())
	assert.Contains(t, w.logged(), "reason=Revoked")
}

func TestPortalOnAnotherHostThanItsConsumer(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	a := w.signIn(b, "https://"+startFrankfurt+"/applications", "alice@example.com")
	requirePage(t, a, 200, "/applications", "Wiki", "Alice Adams")
	assert.Equal(t, startFrankfurt, a.url.Host)
	assert.NotEmpty(t, b.cookie(frankfurt, portal.SessionCookie))
	assert.NotEmpty(t, b.cookie(startFrankfurt, portal.SessionCookie))

	// If the portal's cookie is lost, the session at the consumer's host is handed off again, without a new sign-in.
	delete(b.Jar, startFrankfurt)
	requirePage(t, b.get("https://"+startFrankfurt+"/"), 200, "/", "Alice Adams")

	requirePage(t, b.submit("https://"+startFrankfurt+"/sign-out", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.get("https://"+startFrankfurt+"/"))
	requireAtIdP(t, w, b.get("https://"+frankfurt+"/"))
	assert.Zero(t, w.sessions["eu-central-1"].Len())
}

func TestTileLeadsOnToThePortalsHost(t *testing.T) {
	w := newApart(t, nil)
	for relayState, want := range map[string]string{"": "/", "/applications": "/applications",
		"https://" + startVirginia + "/applications": "/applications"} {
		a := w.tile(w.browser(), "alice@example.com", relayState)
		requirePage(t, a, 200, want, "Alice Adams")
		assert.Equal(t, startVirginia, a.url.Host)
	}
}

// The form may redirect to the portal's origin.
func TestQuestionOnTheConsumersHostLeadsToThePortal(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	w.tile(b, "bob@example.com", "")
	a := w.tile(b, "alice@example.com", "")
	tag := asked(t, a)
	assert.Contains(t, a.Header.Get("Content-Security-Policy"), "form-action 'self' https://"+startVirginia+";")
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "Alice Adams")
}

// Bob's session at the portal's host is of another sign-in than the one that alice's replaced.
func TestHandoffDoesNotReplaceAnotherUser(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	w.tile(b, "bob@example.com", "")
	delete(b.Jar, virginia)
	requirePage(t, w.tile(b, "alice@example.com", ""), 200, "/", "bob@example.com")
	a := b.get("https://" + startVirginia + "/login")
	requirePage(t, a, http.StatusConflict, a.url.RequestURI(), "signed in here as another user", "bob@example.com")
	requirePage(t, b.submit("https://"+startVirginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requirePage(t, b.get("https://"+startVirginia+"/login"), 200, "/", "Alice Adams")
}

func TestNoRedirectLoopAfterARefusal(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	a := w.signIn(b, "https://"+startVirginia+"/", "nobody@example.com")
	requirePage(t, a, http.StatusForbidden, acsPath, "You can&#39;t sign in")
}

// A browser without cookies reaches an error page, not a redirect loop.
func TestNoRedirectLoopWithoutCookies(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+startVirginia+"/", "alice@example.com")
	delete(b.Jar, startVirginia)
	enter := toEnter(t, b, "https://"+startVirginia+"/")
	delete(b.Jar, startVirginia)
	requireNotFinished(t, b.get(enter.String()))

	w2, _ := newShared(t, nil)
	requireNotFinished(t, w2.browser().get("https://"+virginia+"/continue?s=0123456789abcdef"))
	requireNotFinished(t, w2.browser().get("https://"+virginia+"/enter"))
}

// The consumer's host has no session although the handoff requires one. The portal shows an error page.
func TestNoRedirectLoopWithoutASession(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	a := b.send("GET", "https://"+startVirginia+"/login", "none", nil)
	loc, err := a.Location()
	require.NoError(t, err)
	requireNotFinished(t, b.get(loc.String()+"&signed-in=1"))
	assert.Contains(t, w.logged(), "reason=HandoffCode")
}

func TestHeadUsesNoCode(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	enter := toEnter(t, b, fromVirginia)
	assert.Empty(t, b.send("HEAD", enter.String(), "none", nil).Header.Get("Set-Cookie"))
	requirePage(t, b.get(enter.String()), 200, "/", "Alice Adams")
}

// Many tabs are restored at once, at a portal on another host.
func TestConcurrentHandoffs(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+startVirginia+"/", "alice@example.com")
	delete(b.Jar, startVirginia)
	var codes []*url.URL
	for range 4 {
		codes = append(codes, toEnter(t, b, "https://"+startVirginia+"/applications"))
	}
	for _, enter := range codes {
		requirePage(t, b.get(enter.String()), 200, "/applications", "Alice Adams")
	}
	delete(b.Jar, startVirginia)
	for range 9 {
		b.send("GET", "https://"+startVirginia+"/login", "none", nil)
		w.clock.Advance(time.Second)
	}
	assert.Len(t, names(b, startVirginia), 4, "the oldest cookies were cleared")
}

func TestHandoffNeedsAnActiveUser(t *testing.T) {
	for name, change := range map[string]func(*center.Tx) error{
		"disabled": func(tx *center.Tx) error {
			return tx.PutUser(center.User{UserName: "alice@example.com", Inactive: true})
		},
		"removed": func(tx *center.Tx) error { return tx.RemoveUser("alice@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := newShared(t, nil)
			b := w.browser()
			w.signIn(b, "https://"+virginia+"/", "alice@example.com")
			enter := toEnter(t, b, fromVirginia)
			primary, err := w.inst.In("us-east-1")
			require.NoError(t, err)
			require.NoError(t, primary.Update(change))
			requirePage(t, b.get(enter.String()), http.StatusForbidden, enter.RequestURI(), "You can&#39;t sign in")
			requireNoSession(t, b, frankfurt)
		})
	}
}

// Links on a portal's second address lead to the second address of other portals.
func TestLinksKeepTheAddressFamily(t *testing.T) {
	d := data()
	d.Regions[0].PortalURLs = []string{"https://" + virginia, "https://dual.us-east-1.example",
		"https://classic.example/start"}
	d.Regions[1].PortalURLs = []string{"https://" + frankfurt, "https://dual.eu-central-1.example"}
	w, s := newSharedOf(t, d, nil)
	w.hosts["dual.us-east-1.example"], w.hosts["classic.example"] = w.hosts[virginia], w.hosts[virginia]
	w.hosts["dual.eu-central-1.example"] = w.hosts[frankfurt]
	for from, want := range map[string]string{
		virginia:                 "https://" + frankfurt + "/?from=us-east-1",
		"dual.us-east-1.example": "https://dual.eu-central-1.example/?from=us-east-1",
		"classic.example":        "https://" + frankfurt + "/?from=us-east-1",
	} {
		b := w.browser()
		a := w.signIn(b, "https://"+from+"/", "alice@example.com")
		requirePage(t, a, 200, "/", want)
		assert.Equal(t, from, a.url.Host)
		delete(b.Jar, virginia) // the consumer's session, which is no longer needed
		if from != virginia {
			w.down(virginia)
		}
		if from == "dual.us-east-1.example" {
			requirePage(t, b.get(want), 200, "/", "Alice Adams")
		}
		w.hosts[virginia] = w.hosts["dual.us-east-1.example"]
	}
	assert.NotZero(t, s.sessions.Len())
}
