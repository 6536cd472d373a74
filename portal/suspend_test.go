package portal_test

import (
	"net/http"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
)

// suspend moves only the wall clock, as on a suspended machine: its monotonic clock stands still.
// Package time has no other way to make such a time, so this writes into it (seconds are above 30
// bits of nanoseconds), and checks the result.
func suspend(t *testing.T, c *testkit.Clock, d time.Duration) {
	t.Helper()
	before := c.Now()
	after := before
	(*struct{ wall uint64 })(unsafe.Pointer(&after)).wall += uint64(d/time.Second) << 30
	require.Zero(t, after.Sub(before), "monotonic")
	require.Equal(t, d, after.Round(0).Sub(before.Round(0)), "wall")
	c.Set(after)
}

// A machine was suspended for two hours. The session must be idle in its process, as it is in other processes.
func TestSessionEndsWhileTheMachineIsSuspended(t *testing.T) {
	for name, lifetime := range map[string]func(*portal.Config){
		"by idleness": nil,
		"by age":      func(c *portal.Config) { c.SessionLifetime, c.IdleTimeout = time.Hour, 24*time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, lifetime)
			b := w.browser()
			w.signIn(b, "https://"+virginia+"/", "alice@example.com")
			w.clock.Advance(2 * time.Minute)
			requirePage(t, b.click("https://"+virginia+"/"), 200, "/")
			suspend(t, w.clock, 2*time.Hour)
			requireAtIdP(t, w, b.click("https://"+virginia+"/"))
		})
	}
}

// Stored times have no monotonic reading, even if the clock's have one.
func TestStoredTimesAreByTheWallClock(t *testing.T) {
	w := newWorld(t, nil)
	require.Contains(t, w.clock.Now().String(), " m=")
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	user, ok := w.inst.Snapshot().User("alice@example.com")
	require.True(t, ok)
	list := func(s sessions.Store) {
		t.Helper()
		all, err := s.List(t.Context(), user.ID)
		require.NoError(t, err)
		require.NotEmpty(t, all)
		for _, s := range all {
			for _, at := range []time.Time{s.Created, s.Seen, s.Expires} {
				assert.NotContains(t, at.String(), " m=")
			}
		}
	}
	list(w.sessions["us-east-1"])
	own := sessions.NewMemoryStore(sessions.MemoryConfig{})
	now := time.Now()
	require.NoError(t, own.Create(t.Context(), "key",
		sessions.Session{ID: "a", UserID: user.ID, Created: now, Seen: now, Expires: now.Add(time.Hour)}))
	require.NoError(t, own.Touch(t.Context(), "key", now.Add(time.Minute)))
	list(own)
}

// A peer that was last heard before the machine was suspended is not fresh.
func TestMaxStalenessCountsWhileTheMachineIsSuspended(t *testing.T) {
	w, peers := hearing(t, 5*time.Minute)
	hear := func() { peers.set(portal.Peer{Region: "us-east-1", Heard: w.clock.Now()}) }
	hear()
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+frankfurt+"/", "alice@example.com"), 200, "/")
	suspend(t, w.clock, 10*time.Minute)
	requirePage(t, b.click("https://"+frankfurt+"/"), http.StatusServiceUnavailable, "/")
	hear()
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/")
	suspend(t, w.clock, -10*time.Minute) // the clock is set back, and no data arrives from the peer
	w.clock.Advance(5*time.Minute + time.Second)
	requirePage(t, b.click("https://"+frankfurt+"/"), http.StatusServiceUnavailable, "/")
}
