package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
)

// idleBut makes every session idle except the one at this address.
func (w *world) idleBut(b *browser, addr string) {
	w.t.Helper()
	for range 2 {
		w.clock.Advance(time.Hour / 2)
		requirePage(w.t, b.click(addr), 200, "/", "Alice Adams")
	}
}

// twoPortals signs alice in at both Regions, and makes Virginia's session idle.
func twoPortals(t *testing.T) (*world, *shared, *browser) {
	t.Helper()
	w, s := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
	w.idleBut(b, "https://"+frankfurt+"/")
	requireAtIdP(t, w, b.get("https://"+virginia+"/"))
	requirePage(t, b.click("https://"+virginia+"/signed-out"), 200, "/signed-out")
	return w, s, b
}

// An open page still shows the user as signed in.
func TestSignOutOfAnIdleSessionEndsTheSignIn(t *testing.T) {
	w, s, b := twoPortals(t)
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.get("https://"+frankfurt+"/"))
	assert.Zero(t, s.sessions.Len())
}

func TestSignInAfterAnIdleSessionJoinsItsSignIn(t *testing.T) {
	w, s, b := twoPortals(t)
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/", "Alice Adams")
	assert.Equal(t, 2, s.sessions.Len())
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.get("https://"+frankfurt+"/"))
}

func TestSignInOfAnotherUserEndsAnIdleSessionsSignIn(t *testing.T) {
	w, s, b := twoPortals(t)
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "bob@example.com"), 200, "/", "bob@example.com")
	assert.Equal(t, 1, s.sessions.Len())
	requirePage(t, b.get(fromVirginia), 200, "/", "bob@example.com")
}

// An attacker's link can't sign a user out.
func TestUnsolicitedSignInOfAnotherUserKeepsAnIdleSessionsSignIn(t *testing.T) {
	w, _, b := twoPortals(t)
	requirePage(t, w.tile(b, "bob@example.com", ""), 200, "/", "bob@example.com")
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/", "Alice Adams")
}

// Users don't visit the consumer's host, so sessions there go idle while those at the portal's host
// are in use.
func TestUnsolicitedSignInAfterAnIdleSessionAtTheConsumersHost(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+startVirginia+"/", "alice@example.com")
	w.idleBut(b, "https://"+startVirginia+"/")
	requirePage(t, w.tile(b, "alice@example.com", ""), 200, "/", "Alice Adams")
	requirePage(t, b.submit("https://"+startVirginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.get("https://"+startVirginia+"/login"))
	assert.Zero(t, w.sessions["us-east-1"].Len())
}

// The session from the consumer's host is of another sign-in than the portal's session, and can't
// join it.
func TestSignOutAfterAnotherSignInWasHandedOff(t *testing.T) {
	d := data()
	d.Regions[0].PortalURLs = []string{"https://" + startVirginia}
	d.Regions[1].PortalURLs = []string{"https://" + startFrankfurt}
	w, s := newSharedOf(t, d, nil)
	w.hosts[startVirginia], w.hosts[startFrankfurt] = w.hosts[virginia], w.hosts[frankfurt]
	b := w.browser()
	w.signIn(b, "https://"+startVirginia+"/", "alice@example.com")
	requirePage(t, b.get("https://"+startFrankfurt+"/?from=us-east-1"), 200, "/", "Alice Adams")
	requirePage(t, w.signIn(b, "https://"+startFrankfurt+"/login", "alice@example.com"), 200, "/", "Alice Adams")
	requirePage(t, b.submit("https://"+startFrankfurt+"/sign-out", url.Values{}), 200, "/signed-out")
	assert.Zero(t, s.sessions.Len())
	requireAtIdP(t, w, b.get("https://"+startVirginia+"/"))
}

// flaky is a store whose second Get after a reset returns an error.
type flaky struct {
	sessions.Store
	asked atomic.Int64
}

func (f *flaky) Get(ctx context.Context, key string) (sessions.Session, error) {
	if f.asked.Add(1) == 2 {
		return sessions.Session{}, errors.New("no answer")
	}
	return f.Store.Get(ctx, key)
}

func TestFailingReadOfAnIdleSession(t *testing.T) {
	var stores []*flaky
	w := newWorld(t, func(c *portal.Config) {
		f := &flaky{Store: c.Sessions}
		f.asked.Store(2)
		stores = append(stores, f)
		c.Sessions, c.ProbeEvery = f, time.Hour
	})
	b := w.browser()
	for _, host := range regionHosts { // wait for the first probe, which reads too
		assert.Equal(t, 200, b.send("GET", "https://"+host+"/health", "none", nil).StatusCode)
	}
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	w.clock.Advance(time.Hour + time.Minute)
	form, err := w.idp.IdPInitiated("", "alice@example.com", "")
	require.NoError(t, err)
	next := b.send("POST", form.URL, "cross-site", form.Values())
	for _, f := range stores {
		f.asked.Store(0)
	}
	requirePage(t, b.follow(next), http.StatusServiceUnavailable, next.Header.Get("Location"))
}
