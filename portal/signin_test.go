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

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// Rule 43.
func TestColdGetStartsSignIn(t *testing.T) {
	w := newWorld(t, nil)
	for region, host := range regionHosts {
		b := w.browser()
		first := b.send("GET", "https://"+host+"/", "none", nil)
		requirePage(t, first, http.StatusOK, "/", `id="begin" href="/login"`)
		assert.Equal(t, "https://"+host+portal.PathLogin, first.page.Refresh(), "without a script")
		other := b.send("GET", "https://"+host+"/applications", "none", nil)
		assert.Equal(t, http.StatusSeeOther, other.StatusCode)
		assert.Equal(t, "/login?return_to=%2Fapplications", other.Header.Get("Location"))
		a := w.signIn(b, "https://"+host+"/", "alice@example.com")
		requirePage(t, a, 200, "/", "Alice Adams", region, "Production", "ReadOnly")
		assert.Equal(t, host, a.url.Host, "a sign-in ends in the Region where it began")
		got := w.lastSignIn()
		assert.True(t, got.Accepted)
		assert.Equal(t, region, got.Region)
		assert.False(t, got.Unsolicited)
	}
}

func TestSignInReturnsToTheRequestedPage(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	a := w.signIn(b, "https://"+frankfurt+"/accounts/111122223333/ReadOnly?from=mail", "alice@example.com")
	requirePage(t, a, 200, "/accounts/111122223333/ReadOnly?from=mail", "Production", "1 hour 30 minutes")
}

// An address that is too long for a sign-in is not part of the redirect.
func TestSignInDropsALongReturnPath(t *testing.T) {
	w := newWorld(t, nil)
	kept, dropped := "/applications?q="+strings.Repeat("a", 2000), "/applications?q="+strings.Repeat("a", 3000)
	requirePage(t, w.signIn(w.browser(), "https://"+frankfurt+kept, "alice@example.com"), 200, kept)
	b := w.browser()
	assert.Equal(t, portal.PathLogin, b.send("GET", "https://"+frankfurt+dropped, "none", nil).Header.Get("Location"))
	requirePage(t, w.signIn(b, "https://"+frankfurt+dropped, "alice@example.com"), 200, "/", "Alice Adams")
}

func TestUnsolicitedSignInArrivesAtTheFirstRegion(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	requirePage(t, w.tile(b, "alice@example.com", ""), 200, "/", "Alice Adams", "us-east-1")
	assert.True(t, w.lastSignIn().Unsolicited)
	requirePage(t, b.get("https://"+virginia+"/applications"), 200, "/applications", "Farm")
}

// D47: an unsolicited sign-in is restarted, or refused.
func TestD47_UnsolicitedPolicies(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) { c.Unsolicited = portal.Restart })
	b := w.browser()
	requirePage(t, w.atIdP(b, w.tile(b, "alice@example.com", ""), "alice@example.com"), 200, "/", "Alice Adams")
	assert.False(t, w.lastSignIn().Unsolicited, "the unsolicited assertion was dropped")

	w = newWorld(t, func(c *portal.Config) { c.Unsolicited = portal.Refuse })
	b = w.browser()
	assert.Equal(t, http.StatusForbidden, w.tile(b, "alice@example.com", "").StatusCode)
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
}

func TestUnknownAndInactiveUsersAreRefused(t *testing.T) {
	cases := []struct {
		name, login string
		want        portal.Reason
	}{
		{"userName in another case", "Carol@example.com", portal.ReasonUnknownUser},
		{"nobody's userName", "nobody@example.com", portal.ReasonUnknownUser},
		{"inactive user", "dora@example.com", portal.ReasonInactiveUser},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.browser()
			users := len(w.inst.Snapshot().Data().Users)
			for _, sign := range []func() answer{
				func() answer { return w.signIn(b, "https://"+virginia+"/", c.login) },
				func() answer { return w.tile(b, c.login, "") },
			} {
				a := sign()
				requirePage(t, a, http.StatusForbidden, acsPath, "You can&#39;t sign in", "Sign in again", `href="/login"`)
				assert.NotContains(t, a.body, c.login, "the page does not show the NameID")
				got := w.lastSignIn()
				assert.False(t, got.Accepted)
				assert.Equal(t, c.want, got.Reason)
				assert.Equal(t, c.login, got.UserName)
				require.NotEmpty(t, got.Reference)
				assert.Contains(t, a.body, got.Reference)
				line := lineWith(w.logged(), "reference="+got.Reference)
				assert.Contains(t, line, "reason="+string(c.want))
				assert.Contains(t, line, c.login)
			}
			assert.Empty(t, b.cookie(virginia, portal.SessionCookie))
			assert.Zero(t, w.sessions["us-east-1"].Len())
			assert.Len(t, w.inst.Snapshot().Data().Users, users, "signing in creates no user")
		})
	}
}

func lineWith(log, part string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

func TestDisabledUserIsRefusedAtOnce(t *testing.T) {
	for name, change := range map[string]func(*center.Tx) error{
		"disabled": func(tx *center.Tx) error {
			return tx.PutUser(center.User{UserName: "alice@example.com", Inactive: true})
		},
		"removed": func(tx *center.Tx) error { return tx.RemoveUser("alice@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.browser()
			w.signIn(b, "https://"+frankfurt+"/", "alice@example.com")
			primary, err := w.inst.In("us-east-1")
			require.NoError(t, err)
			require.NoError(t, primary.Update(change))
			requirePage(t, b.click("https://"+frankfurt+"/applications"), http.StatusForbidden, "/applications",
				"You can&#39;t sign in")
			assert.Zero(t, w.sessions["eu-central-1"].Len(), "the session is removed, so it isn't valid again later")
		})
	}
}

func TestUserDisabledBetweenProofAndSession(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	a := b.get("https://" + virginia + "/")
	form, err := w.idp.Answer(a.Header.Get("Location"), "alice@example.com")
	require.NoError(t, err)
	a = b.send("POST", form.URL, "cross-site", form.Values())
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, primary.Update(func(tx *center.Tx) error { return tx.RemoveUser("alice@example.com") }))
	assert.Equal(t, http.StatusForbidden, b.follow(a).StatusCode)
	assert.Equal(t, portal.ReasonUnknownUser, w.lastSignIn().Reason)
	assert.Zero(t, w.sessions["us-east-1"].Len())
}

func TestPendingSignInIsForOneBrowserOnce(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	form, err := w.idp.IdPInitiated("", "alice@example.com", "")
	require.NoError(t, err)
	a := b.send("POST", form.URL, "cross-site", form.Values())
	next, err := a.Location()
	require.NoError(t, err)
	require.Equal(t, "/continue", next.Path)

	other := w.browser()
	requireNotFinished(t, other.get(next.String()))
	assert.Zero(t, w.sessions["us-east-1"].Len(), "the address alone gives no access")

	stolen := w.browser()
	stolen.Jar[virginia] = map[string]*http.Cookie{}
	for name, c := range b.Jar[virginia] {
		stolen.Jar[virginia][name] = c
	}
	requirePage(t, b.follow(a), 200, "/", "Alice Adams")
	requireNotFinished(t, stolen.get(next.String()))
	assert.Contains(t, w.logged(), "reason=NotPending")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len(), "the secret works once")
	requirePage(t, b.get(next.String()), 200, "/", "Alice Adams")
}

func TestPendingSignInExpires(t *testing.T) {
	for name, edit := range map[string]func(*portal.Config){
		"in the store":                 nil,
		"in a store that keeps longer": func(c *portal.Config) { c.Store = acs.NewMemoryStore(acs.MemoryConfig{}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, edit)
			b := w.browser()
			form, err := w.idp.IdPInitiated("", "alice@example.com", "")
			require.NoError(t, err)
			a := b.send("POST", form.URL, "cross-site", form.Values())
			require.Equal(t, http.StatusSeeOther, a.StatusCode)
			w.clock.Advance(5 * time.Minute)
			requireNotFinished(t, b.follow(a))
			assert.Zero(t, w.sessions["us-east-1"].Len())
		})
	}
}

// requireNotFinished checks that the page starts no sign-in by itself, because a browser without
// cookies would get into a redirect loop.
func requireNotFinished(t *testing.T, a answer) {
	t.Helper()
	requirePage(t, a, http.StatusForbidden, a.url.RequestURI(), "The sign-in was not finished", `href="/login"`)
	assert.Empty(t, a.Header.Get("Location"))
	assert.NotContains(t, a.body, "refresh")
}

func requireAtIdP(t *testing.T, w *world, a answer) {
	t.Helper()
	require.True(t, strings.HasPrefix(a.Header.Get("Location"), w.idp.URL+"/"),
		"want the identity provider, got %d %s %q", a.StatusCode, a.url, a.Header.Get("Location"))
}

func TestSignInNeverLeadsToAnotherOrigin(t *testing.T) {
	hostile := []string{
		"https://evil.example/", "//evil.example/", `/\evil.example/`, `\\evil.example`, "/%5cevil.example",
		"javascript:alert(1)", "https:evil.example",
		"https://" + virginia + "@evil.example/", "https://" + virginia + ".evil.example/", "/\t/evil.example",
		"///evil.example", "http:///evil.example",
	}
	for _, to := range hostile {
		t.Run(to, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.browser()
			a := b.get("https://" + virginia + "/login?return_to=" + url.QueryEscape(to))
			if a.StatusCode != http.StatusBadRequest { // refusing the sign-in is fine too
				requireStays(t, w.atIdP(b, a, "alice@example.com"))
			}
			requireStays(t, w.tile(w.browser(), "alice@example.com", to))
		})
	}
}

// requireStays checks that the browser is on a page of the portal. It follows redirects only to
// known hosts, so it would stop at an open redirect.
func requireStays(t *testing.T, a answer) {
	t.Helper()
	assert.Empty(t, a.Header.Get("Location"))
	assert.Equal(t, virginia, a.url.Host)
}

func TestRelayStateLeadsToOwnPagesAndAllowedOrigins(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) { c.RelayStateOrigins = []string{"https://wiki.example"} })
	requirePage(t, w.tile(w.browser(), "alice@example.com", "/applications"), 200, "/applications", "Wiki")
	requirePage(t, w.tile(w.browser(), "alice@example.com", "https://"+virginia+"/applications"), 200, "/applications",
		"Wiki")
	a := w.tile(w.browser(), "alice@example.com", "https://wiki.example/start")
	assert.Equal(t, "https://wiki.example/start", a.Header.Get("Location"))
}

func TestReturnPathIsEscaped(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	a := w.signIn(b, "https://"+virginia+`/applications?q="><script>alert(1)</script>`, "alice@example.com")
	require.Equal(t, 200, a.StatusCode)
	assert.NotContains(t, a.body, "<script>")
	a = b.get("https://" + virginia + `/"><script>alert(1)</script>`)
	require.Equal(t, 404, a.StatusCode)
	assert.NotContains(t, a.body, "<script>")
}

func TestNoSecretIsLogged(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	form, err := w.idp.IdPInitiated("", "alice@example.com", "/applications")
	require.NoError(t, err)
	b.post(form.URL, form.Values())
	w.tile(b, "nobody@example.com", "")
	id := b.cookie(virginia, portal.SessionCookie)
	require.NotEmpty(t, id)
	b.submit("https://"+virginia+"/sign-out", url.Values{})
	log := w.logged()
	assert.Contains(t, log, "signed in")
	assert.Contains(t, log, "signed out")
	assert.NotContains(t, log, id)
	assert.NotContains(t, log, form.SAMLResponse[:100])
	assert.NotRegexp(t, regexp.MustCompile(`(?i)<\w*:?assertion|__Host-`), log)
}

func TestSessionNotOnOrAfter(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.idp.UpdateApp("",
		func(a *mockidp.App) error { a.SessionLifetime = 10 * time.Minute; return nil }))
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/")
	w.clock.Advance(10*time.Minute - time.Second)
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/")
	w.clock.Advance(time.Second)
	requireAtIdP(t, w, b.click("https://"+virginia+"/"))
	assert.Zero(t, w.sessions["us-east-1"].Len())
}

func TestSessionNotOnOrAfterInThePast(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.idp.UpdateApp("", func(a *mockidp.App) error { a.SessionLifetime = time.Minute; return nil }))
	b := w.browser()
	a := b.get("https://" + virginia + "/")
	form, err := w.idp.Answer(a.Header.Get("Location"), "alice@example.com")
	require.NoError(t, err)
	// The assertion is valid within the skew, but a session would begin after its end.
	w.clock.Advance(90 * time.Second)
	a = b.post(form.URL, form.Values())
	assert.Equal(t, http.StatusForbidden, a.StatusCode, "a page, not a redirect loop")
	assert.Contains(t, a.body, "has ended")
	assert.Equal(t, portal.ReasonSessionOver, w.lastSignIn().Reason)
}
