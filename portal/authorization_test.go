package portal_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// letIn is a world in which alice has let a program in at Virginia, with a browser that is signed in there.
func letIn(t *testing.T, edit func(*portal.Config)) (w *world, s *shared, p map[string]*portal.Portal, b *browser,
	by portal.Approval) {
	t.Helper()
	w, s = newShared(t, edit)
	p, b, by = w.letIn()
	return w, s, p, b, by
}

func (w *world) letIn() (p map[string]*portal.Portal, b *browser, by portal.Approval) {
	t := w.t
	t.Helper()
	c := &programs{requests: map[string]portal.ClientRequest{
		"here": {Name: "cli", Redirect: callback, Until: w.clock.Now().Add(time.Minute)},
	}}
	p = map[string]*portal.Portal{}
	for region, host := range regionHosts {
		p[region] = w.hosts[host].(*portal.Portal)
		w.hosts[host] = p[region].WithClients(c)
	}
	b = w.browser()
	a := w.signIn(b, atClient+"?request=here", "alice@example.com")
	b.submit(atClient, formOf(t, a, "here", "allow"))
	require.NotEmpty(t, c.by)
	_, err := p["us-east-1"].Authorize(t.Context(), secret, "cli", c.by)
	require.NoError(t, err)
	return p, b, c.by
}

const secret = "a secret of a program"

func requireReason(t *testing.T, want portal.Reason, err error) {
	t.Helper()
	var e *portal.Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.Equal(t, want, e.Reason, "%v", err)
}

// Rule 49: an authorization is of one Region, and lets in there only.
func TestRule49AuthorizationsAreOfOneRegion(t *testing.T) {
	w, s, p, b, by := letIn(t, nil)
	got, err := p["us-east-1"].Authorized(t.Context(), secret)
	require.NoError(t, err)
	assert.Equal(t, "alice@example.com", got.User.ID)
	assert.Equal(t, "cli", got.Session.Client)
	_, err = p["eu-central-1"].Authorized(t.Context(), secret)
	requireReason(t, portal.ReasonClientSession, err)
	_, err = p["us-east-1"].Authorized(t.Context(), "another secret")
	requireReason(t, portal.ReasonClientSession, err)
	_, err = p["eu-central-1"].Authorize(t.Context(), "s", "cli", by)
	requireReason(t, portal.ReasonClientSession, err)

	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, list[0].SignIn, list[1].SignIn)
	assert.Equal(t, list[0].Expires, list[1].Expires)
	assert.Equal(t, list[0].Proof, list[1].Proof)
	requirePage(t, b.click("https://"+virginia+"/sessions"), 200, "/sessions", "<q>cli</q>", "Program", "This session")
	assert.NotContains(t, w.logged(), secret)

	// An authorization's secret is no cookie, and a cookie is no authorization's secret.
	forged := w.browser()
	forged.put(virginia, &http.Cookie{Name: portal.SessionCookie, Value: secret, Path: "/", Secure: true})
	requireAtIdP(t, w, forged.get("https://"+virginia+"/"))
	_, err = p["us-east-1"].Authorized(t.Context(), b.cookie(virginia, portal.SessionCookie))
	requireReason(t, portal.ReasonClientSession, err)
	nested := portal.Approval{Key: portal.AuthorizationKey(secret), ID: got.Session.ID, UserID: "alice@example.com"}
	_, err = p["us-east-1"].Authorize(t.Context(), "s", "cli", nested)
	requireReason(t, portal.ReasonClientSession, err)
}

// An authorization ends with its sign-in, in whichever Region that ends.
func TestAuthorizationsEndWithTheSignIn(t *testing.T) {
	for name, end := range map[string]func(w *world, s *shared, p map[string]*portal.Portal, b *browser){
		"sign-out": func(_ *world, _ *shared, _ map[string]*portal.Portal, b *browser) {
			b.submit("https://"+virginia+"/sign-out", url.Values{})
		},
		"sign-out in the other Region": func(_ *world, _ *shared, _ map[string]*portal.Portal, b *browser) {
			requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
			b.submit("https://"+frankfurt+"/sign-out", url.Values{})
		},
		"sign-out everywhere": func(w *world, _ *shared, _ map[string]*portal.Portal, _ *browser) {
			other := w.browser()
			w.signIn(other, "https://"+frankfurt+"/", "alice@example.com")
			other.submit("https://"+frankfurt+"/sessions/end-all", url.Values{})
		},
		"sign-out of the program in the other Region": func(_ *world, _ *shared, p map[string]*portal.Portal, _ *browser) {
			require.NoError(t, p["eu-central-1"].SignOutAuthorization(t.Context(), secret))
		},
		"revocation of the user": func(_ *world, s *shared, _ map[string]*portal.Portal, _ *browser) {
			require.NoError(t, s.sessions.RevokeUser(t.Context(), "alice@example.com"))
		},
		"end of this authorization": func(_ *world, _ *shared, p map[string]*portal.Portal, _ *browser) {
			require.NoError(t, p["us-east-1"].EndAuthorization(t.Context(), secret))
		},
		"another user": func(w *world, _ *shared, _ map[string]*portal.Portal, b *browser) {
			w.tile(b, "bob@example.com", "")
			a := w.tile(b, "bob@example.com", "")
			form := url.Values{"s": {a.url.Query().Get("s")}, "answer": {"continue"}}
			b.submit("https://"+virginia+"/continue", form)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, s, p, b, _ := letIn(t, nil)
			_, err := p["us-east-1"].Authorized(t.Context(), secret)
			require.NoError(t, err)
			end(w, s, p, b)
			_, err = p["us-east-1"].Authorized(t.Context(), secret)
			requireReason(t, portal.ReasonClientSession, err)
			requireReason(t, portal.ReasonClientSession, p["us-east-1"].SignOutAuthorization(t.Context(), secret))
		})
	}
}

func TestAuthorizationOfAUserWithoutAccess(t *testing.T) {
	w, _, p, _, _ := letIn(t, nil)
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	set := func(inactive bool) {
		require.NoError(t, primary.Update(func(tx *center.Tx) error {
			return tx.PutUser(center.User{UserName: "alice@example.com", DisplayName: "Alice Adams", Inactive: inactive})
		}))
	}
	set(true)
	_, err = p["us-east-1"].Authorized(t.Context(), secret)
	requireReason(t, portal.ReasonInactiveUser, err)
	set(false)
	_, err = p["us-east-1"].Authorized(t.Context(), secret)
	requireReason(t, portal.ReasonClientSession, err)
}

// Idleness ends the browser's session and not the program's. A session's lifetime ends both.
func TestAuthorizationsAreNotIdle(t *testing.T) {
	w, _, p, b, by := letIn(t, nil)
	w.clock.Advance(2 * time.Hour)
	requireAtIdP(t, w, b.get("https://"+virginia+"/"))
	_, err := p["us-east-1"].Authorized(t.Context(), secret)
	require.NoError(t, err)
	_, err = p["us-east-1"].Authorize(t.Context(), "late", "cli", by)
	requireReason(t, portal.ReasonClientSession, err)
	w.clock.Advance(5*time.Hour + 59*time.Minute)
	_, err = p["us-east-1"].Authorized(t.Context(), secret)
	require.NoError(t, err)
	w.clock.Advance(time.Minute)
	_, err = p["us-east-1"].Authorized(t.Context(), secret)
	requireReason(t, portal.ReasonClientSession, err)
}

// A user ends one program, and keeps the browser's session.
func TestEndOneAuthorization(t *testing.T) {
	_, _, p, b, by := letIn(t, nil)
	_, err := p["us-east-1"].Authorize(t.Context(), "second", "other", by)
	require.NoError(t, err)
	a := b.click("https://" + virginia + "/sessions")
	got, err := p["us-east-1"].Authorized(t.Context(), secret)
	require.NoError(t, err)
	require.Contains(t, a.body, got.Session.ID)
	requirePage(t, b.submit("https://"+virginia+"/sessions/end", url.Values{"id": {got.Session.ID}}), 200, "/sessions")
	_, err = p["us-east-1"].Authorized(t.Context(), secret)
	requireReason(t, portal.ReasonClientSession, err)
	_, err = p["us-east-1"].Authorized(t.Context(), "second")
	require.NoError(t, err)
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/", "Alice Adams")
}

func TestAuthorizationsAreBounded(t *testing.T) {
	w, _, p, b, by := letIn(t, nil)
	for i := 1; i < 64; i++ {
		_, err := p["us-east-1"].Authorize(t.Context(), strings.Repeat("x", i), "cli", by)
		require.NoError(t, err)
	}
	_, err := p["us-east-1"].Authorize(t.Context(), "one more", "cli", by)
	requireReason(t, portal.ReasonSessions, err)
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams") // programs don't count as browsers
	other := w.browser()
	w.signIn(other, "https://"+virginia+"/", "bob@example.com")
}

func TestOriginOfAPortalURL(t *testing.T) {
	_, _, p, _, _ := letIn(t, nil)
	for _, path := range []string{"", "/start", "/#/", "/?x"} {
		raw := "https://" + virginia + path
		got, ok := p["us-east-1"].Origin(raw)
		assert.True(t, ok, raw)
		assert.Equal(t, "https://"+virginia, got)
	}
	first, ok := p["us-east-1"].Origin("")
	assert.True(t, ok)
	assert.Equal(t, "https://"+virginia, first)
	for _, raw := range []string{"https://" + frankfurt, "http://" + virginia, "https://evil.example", "x", "https://"} {
		_, ok := p["us-east-1"].Origin(raw)
		assert.False(t, ok, raw)
	}
}
