package portal_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// stolen begins a handoff from Virginia to Frankfurt as alice. It returns the browser and the address with the code,
// which it hasn't requested.
func stolen(t *testing.T, edit func(*portal.Config)) (*world, *browser, *url.URL) {
	t.Helper()
	w, _ := newShared(t, edit)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	return w, b, toEnter(t, b, fromVirginia)
}

func TestCodeIsRefusedInAnotherBrowser(t *testing.T) {
	w, b, enter := stolen(t, nil)
	thief := w.browser()
	// The attacker began a handoff too, and uses its tag.
	own := toEnter(t, thief, "https://"+frankfurt+"/?from=us-east-1")
	requireAtIdP(t, w, thief.get(with(enter, "s", own.Query().Get("s"))))
	assert.Contains(t, w.logged(), "reason=HandoffBinding")
	requireNoSession(t, thief, frankfurt)
	// The code is used up, so the user signs in instead.
	requireAtIdP(t, w, b.get(enter.String()))
}

// Mallory began the handoff and sent alice the address at Virginia. Alice's browser did not begin it, so the code is
// dropped.
func TestCodeIsDroppedInABrowserWithoutAHandoff(t *testing.T) {
	w, _ := newShared(t, nil)
	alice, mallory := w.browser(), w.browser()
	w.signIn(alice, "https://"+virginia+"/", "alice@example.com")
	loc, err := mallory.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "none", nil).Location()
	require.NoError(t, err)
	enter := toEnter(t, alice, loc.String())
	requireNotFinished(t, alice.get(enter.String()))
	assert.Contains(t, w.logged(), "reason=HandoffBrowser")
	requireAtIdP(t, w, mallory.get(enter.String()))
	assert.Contains(t, w.logged(), "reason=HandoffCode")
	requireNoSession(t, mallory, frankfurt)
}

// A Region can't hand off another Region's session.
func TestCodeMustComeFromTheRegionItNames(t *testing.T) {
	for _, from := range []string{"", "us-east-1", "eu-central-1", "ap-south-1"} {
		t.Run(from, func(t *testing.T) {
			w, b, enter := stolen(t, func(c *portal.Config) { c.Codes = elsewhere{c.Codes, from} })
			a := b.get(enter.String())
			if from == "" || from == "us-east-1" {
				requirePage(t, a, 200, "/", "Alice Adams")
				return
			}
			requireAtIdP(t, w, a)
			assert.Contains(t, lineWith(w.logged(), "reason=HandoffBinding"), "Region that the code came from")
			requireNoSession(t, b, frankfurt)
		})
	}
}

func TestCodeOfARegionThatIsNotActive(t *testing.T) {
	for _, status := range []center.RegionStatus{center.RegionAdding, center.RegionRemoving, ""} {
		t.Run(string(status), func(t *testing.T) {
			d := data()
			d.Applications = nil
			d.Regions[0], d.Regions[1] = d.Regions[1], d.Regions[0] // the primary stays
			w, _ := newSharedOf(t, d, nil)
			b := w.browser()
			w.signIn(b, "https://"+virginia+"/", "alice@example.com")
			enter := toEnter(t, b, fromVirginia)
			primary, err := w.inst.In("eu-central-1")
			require.NoError(t, err)
			require.NoError(t, primary.Update(func(tx *center.Tx) error {
				if status == "" {
					return tx.RemoveRegion("us-east-1")
				}
				return tx.PutRegion(center.Region{Name: "us-east-1", Status: status})
			}))
			requireAtIdP(t, w, b.get(enter.String()))
			assert.Contains(t, w.logged(), "reason=HandoffBinding")
			requireNoSession(t, b, frankfurt)
		})
	}
}

// Bob signs in here while alice's code is on its way.
func TestCodeDoesNotReplaceAnotherUser(t *testing.T) {
	w, b, enter := stolen(t, nil)
	w.signIn(b, "https://"+frankfurt+"/", "bob@example.com")
	a := b.get(enter.String())
	requirePage(t, a, http.StatusConflict, enter.RequestURI(), "signed in here as another user", "bob@example.com",
		"/sign-out")
	assert.Contains(t, w.logged(), "reason=HandoffUser")
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/", "bob@example.com")
	requirePage(t, b.submit("https://"+frankfurt+"/sign-out", url.Values{}), 200, "/signed-out")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
}

func TestCodesOfOneSignInAreBounded(t *testing.T) {
	var puts atomic.Int32
	w, _ := newShared(t, func(c *portal.Config) { c.Codes = counting{c.Codes, &puts} })
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	ask := func(to string) answer {
		return b.send("GET", "https://"+virginia+handoffTo("https://"+to), "none", nil)
	}
	for range 50 {
		require.Equal(t, http.StatusSeeOther, ask(frankfurt).StatusCode)
	}
	assert.EqualValues(t, 20, puts.Load())
	assert.Contains(t, w.logged(), "reason=HandoffOften")
	assert.NotContains(t, ask(frankfurt).Header.Get("Location"), "code=")
	a := ask(virginia)
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	assert.Equal(t, "60", a.Header.Get("Retry-After"))

	other := w.browser() // the other sign-in has codes of its own
	w.signIn(other, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, other.get(fromVirginia), 200, "/", "Alice Adams")
	w.clock.Advance(time.Minute)
	assert.Contains(t, ask(frankfurt).Header.Get("Location"), "code=")
}

// An attacker can't sign a victim's browser in to the attacker's session.
func TestCodeOfAnotherHandoffIsRefused(t *testing.T) {
	w, victim, enter := stolen(t, nil)
	mallory := w.browser()
	w.signIn(mallory, "https://"+virginia+"/", "bob@example.com")
	theirs := toEnter(t, mallory, fromVirginia)
	requireAtIdP(t, w, victim.get(with(enter, "code", theirs.Query().Get("code"))))
	requireNoSession(t, victim, frankfurt)
}

func TestCodeWorksOnce(t *testing.T) {
	w, b, enter := stolen(t, nil)
	copied := w.browser()
	copied.Jar[frankfurt] = map[string]*http.Cookie{}
	for name, c := range b.Jar[frankfurt] {
		copied.Jar[frankfurt][name] = c
	}
	requirePage(t, b.get(enter.String()), 200, "/", "Alice Adams")
	requireAtIdP(t, w, copied.get(enter.String()))
	requireNoSession(t, copied, frankfurt)
	requirePage(t, b.get(enter.String()), 200, "/", "Alice Adams") // goes home
}

func TestCodeExpires(t *testing.T) {
	for name, edit := range map[string]func(*portal.Config){
		"in the store": nil,
		"here":         func(c *portal.Config) { c.Codes = everlasting{c.Codes} },
	} {
		t.Run(name, func(t *testing.T) {
			w, b, enter := stolen(t, edit)
			w.clock.Advance(time.Minute - time.Second)
			requirePage(t, b.get(enter.String()), 200, "/", "Alice Adams")

			w, b, enter = stolen(t, edit)
			w.clock.Advance(time.Minute)
			requireAtIdP(t, w, b.get(enter.String()))
			assert.Contains(t, w.logged(), "reason=HandoffCode")
			requireNoSession(t, b, frankfurt)
		})
	}
}

func TestHandoffThatTookTooLong(t *testing.T) {
	w, b, enter := stolen(t, func(c *portal.Config) { c.Codes = everlasting{c.Codes} })
	w.clock.Advance(15 * time.Minute)
	requireNotFinished(t, b.get(enter.String()))
	requireNoSession(t, b, frankfurt)
}

func TestTamperedHandoff(t *testing.T) {
	for name, tamper := range map[string]func(*url.URL) string{
		"no code":         func(u *url.URL) string { return with(u, "code", "") },
		"short code":      func(u *url.URL) string { return with(u, "code", u.Query().Get("code")[1:]) },
		"other code":      func(u *url.URL) string { return with(u, "code", strings.Repeat("A", 43)) },
		"long code":       func(u *url.URL) string { return with(u, "code", strings.Repeat("A", 4300)) },
		"code of NUL":     func(u *url.URL) string { return with(u, "code", "\x00") },
		"no tag":          func(u *url.URL) string { return with(u, "s", "") },
		"another tag":     func(u *url.URL) string { return with(u, "s", "0123456789abcdef") },
		"tag of a cookie": func(u *url.URL) string { return with(u, "s", "../../session") },
	} {
		t.Run(name, func(t *testing.T) {
			_, b, enter := stolen(t, nil)
			b.get(tamper(enter))
			requireNoSession(t, b, frankfurt)
		})
	}
}

// The state in the address is that of another handoff.
func TestTamperedState(t *testing.T) {
	w, b, _ := stolen(t, nil)
	a := b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "none", nil)
	loc, err := a.Location()
	require.NoError(t, err)
	for _, state := range []string{"", "x", strings.Repeat("A", 64), strings.Repeat("0", 63),
		loc.Query().Get("state") + "0"} {
		requirePage(t, b.get(with(loc, "state", state)), http.StatusBadRequest,
			"/handoff?"+mustQuery(t, with(loc, "state", state)), "Refused")
	}
	requireAtIdP(t, w, b.get(with(loc, "state", strings.Repeat("0", 64))))
	assert.Contains(t, w.logged(), "reason=HandoffBinding")
	requireNoSession(t, b, frankfurt)
}

func mustQuery(t *testing.T, addr string) string {
	t.Helper()
	u, err := url.Parse(addr)
	require.NoError(t, err)
	return u.RawQuery
}

// A code for Frankfurt is sent to Virginia by a browser that began a handoff there.
func TestCodeIsForOneOrigin(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.get(fromVirginia), 200, "/")
	delete(b.Jar[virginia], portal.SessionCookie)
	toVirginia := toEnter(t, b, "https://"+virginia+"/?from=eu-central-1")

	delete(b.Jar[frankfurt], portal.SessionCookie)
	b2 := w.browser()
	w.signIn(b2, "https://"+virginia+"/", "alice@example.com")
	toFrankfurt := toEnter(t, b2, fromVirginia)

	// The cookie's secret is the same; only the origin differs.
	for name, c := range b2.Jar[frankfurt] {
		b.Jar[virginia][name] = c
	}
	requireNotFinished(t, b.get("https://"+virginia+toFrankfurt.RequestURI()))
	line := lineWith(w.logged(), "reason=HandoffBinding")
	assert.Contains(t, line, "origin that the code is for")
	requireNoSession(t, b, virginia)
	requirePage(t, b.get(toVirginia.String()), 200, "/", "Alice Adams")
}

func TestHandoffLeadsToPortalsOfTheInstanceOnly(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for _, to := range []string{
		"", "https://evil.example", "https://" + frankfurt + ".evil.example", "https://" + frankfurt + "@evil.example",
		"https://" + frankfurt + "/",
		"https://" + frankfurt + ":443", "http://" + frankfurt, "//" + frankfurt, "https:" + frankfurt,
		"https://" + strings.ToUpper(frankfurt),
		"https://" + frankfurt + "\\@evil.example", "https://" + frankfurt + "#", "javascript:alert(1)",
		"https://" + frankfurt + "\n", "https://evil.example/https://" + frankfurt,
	} {
		a := b.send("GET", "https://"+virginia+handoffTo(to), "cross-site", nil)
		assert.Equal(t, http.StatusBadRequest, a.StatusCode, to)
		assert.Empty(t, a.Header.Get("Location"), to)
	}
	assert.Contains(t, w.logged(), "reason=HandoffTarget")
	a := b.send("GET", "https://"+virginia+handoffTo("https://"+frankfurt), "cross-site", nil)
	assert.Equal(t, http.StatusSeeOther, a.StatusCode, "the same request for a portal")
}

func TestRevocationDuringAHandoff(t *testing.T) {
	w, s := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	enter := toEnter(t, b, fromVirginia)
	require.NoError(t, s.sessions.RevokeUser(t.Context(), "alice@example.com"))
	a := b.get(enter.String())
	requireAtIdP(t, w, a)
	requireNoSession(t, b, frankfurt)
	requirePage(t, w.atIdP(b, a, "alice@example.com"), 200, "/", "Alice Adams")
}

// The user is revoked between the proof and the session, in the Region that signs in.
func TestRevokedBetweenProofAndSession(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	form, err := w.idp.IdPInitiated("", "alice@example.com", "")
	require.NoError(t, err)
	a := b.send("POST", form.URL, "cross-site", form.Values())
	require.NoError(t, w.sessions["us-east-1"].RevokeUser(t.Context(), "alice@example.com"))
	a = b.follow(a)
	assert.Equal(t, http.StatusForbidden, a.StatusCode)
	assert.Contains(t, a.body, "You were signed out")
	assert.Equal(t, portal.ReasonRevoked, w.lastSignIn().Reason)
	requireNoSession(t, b, virginia)
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
}

func TestNoSecretOfAHandoffIsLoggedOrLeft(t *testing.T) {
	w, b, enter := stolen(t, nil)
	var secret string
	for name, c := range b.Jar[frankfurt] {
		if strings.Contains(name, "enter") {
			secret = strings.Split(c.Value, ".")[1]
		}
	}
	require.Len(t, secret, 43)
	assert.NotContains(t, enter.String(), secret)
	b.get(with(enter, "code", strings.Repeat("A", 43)))
	_, b2, enter2 := stolen(t, nil)
	a := b2.get(enter2.String())
	requirePage(t, a, 200, "/")
	assert.NotContains(t, w.logged(), secret)
	assert.NotContains(t, w.logged(), enter.Query().Get("code"))
}

// Unauthenticated clients that wait for unknown codes don't block other clients.
func TestUnauthenticatedClientsDoNotBlockSignIn(t *testing.T) {
	s := &slow{waiting: make(chan struct{}), release: make(chan struct{})}
	w := newApart(t, func(c *portal.Config) {
		s.Codes = portal.NewCodes(acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now}))
		c.Codes = s
	})
	tag, code := strings.Repeat("a", 16), strings.Repeat("A", 43)
	cookie := &http.Cookie{Name: "__Host-meridian-enter-" + tag,
		Value: strconv.FormatInt(w.clock.Now().Unix(), 10) + "." + code + ".dXMtZWFzdC0x..2", SameSite: http.SameSiteLaxMode}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(s.release)
	for range 300 {
		attacker := w.browser()
		attacker.Jar[startVirginia] = map[string]*http.Cookie{cookie.Name: cookie}
		gone := make(chan int, 1)
		wg.Go(func() {
			gone <- attacker.send("GET", "https://"+startVirginia+"/enter?s="+tag+"&code="+code, "none", nil).StatusCode
		})
		select {
		case <-s.waiting:
		case <-gone:
			require.Fail(t, "a request was refused")
		}
	}
	requirePage(t, w.signIn(w.browser(), "https://"+startVirginia+"/", "bob@example.com"), 200, "/", "bob@example.com")
}

func TestCodesThatFail(t *testing.T) {
	for _, f := range []failing{{put: true}, {take: true}, {}} {
		w, _ := newShared(t, func(c *portal.Config) { c.Codes = f })
		b := w.browser()
		w.signIn(b, "https://"+virginia+"/", "alice@example.com")
		requireAtIdP(t, w, b.get(fromVirginia))
		assert.Contains(t, w.logged(), "reason=Unavailable")

		apart := newApart(t, func(c *portal.Config) { c.Codes = f })
		a := apart.signIn(apart.browser(), "https://"+startVirginia+"/", "alice@example.com")
		assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	}
}
