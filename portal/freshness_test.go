package portal_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// hearing is a world in which the test sets the state of Frankfurt's replication from Virginia.
func hearing(t *testing.T, limit time.Duration) (*world, *heard) {
	t.Helper()
	peers := &heard{}
	w, _ := newShared(t, func(c *portal.Config) { c.Replication, c.MaxStaleness = peers, limit })
	return w, peers
}

func TestPagesShowDataAge(t *testing.T) {
	w, peers := hearing(t, 0)
	now := w.clock.Now()
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerReplicated, Heard: now.Add(-3 * time.Second)})
	b := w.browser()
	a := w.signIn(b, "https://"+frankfurt+"/", "alice@example.com")
	requirePage(t, a, 200, "/", "Data from us-east-1 as of 3 s ago", "Data as of 3 s ago")
	assert.NotContains(t, a.body, "reached")
	for d, want := range map[time.Duration]string{-time.Minute: "just now", 200 * time.Millisecond: "just now",
		59 * time.Second: "59 s ago", 61 * time.Second: "1 min ago", 3 * time.Hour: "3 h ago", 72 * time.Hour: "3 days ago"} {
		peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerReplicated, Heard: w.clock.Now().Add(-d)})
		assert.Contains(t, b.click("https://"+frankfurt+"/").body, "Data from us-east-1 as of "+want)
	}
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerReplicating})
	a = b.click("https://" + frankfurt + "/")
	assert.Contains(t, a.body, "Not heard yet")
	assert.NotContains(t, a.body, "Data from")
}

// An additional Region serves while every other one is down, and its pages say so.
func TestInvariant14PagesWorkWithAnUnreachablePeer(t *testing.T) {
	w, peers := hearing(t, 0)
	w.down(virginia)
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: w.clock.Now().Add(-4 * time.Minute)})
	b := w.browser()
	a := w.signIn(b, "https://"+frankfurt+"/", "alice@example.com")
	requirePage(t, a, 200, "/", "us-east-1 (N. Virginia) can't be reached from here", "last heard 4 min ago",
		"provisioned before still works", "Production")
	requirePage(t, b.submit("https://"+frankfurt+"/sessions/end-all", url.Values{}), 200, "/signed-out")
	requireAtIdP(t, w, b.click("https://"+frankfurt+"/"))
}

func TestMaxStaleness(t *testing.T) {
	w, peers := hearing(t, 5*time.Minute)
	fresh := func() { peers.set(portal.Peer{Region: "us-east-1", Heard: w.clock.Now()}) }
	fresh()
	b, other := w.browser(), w.browser()
	requirePage(t, w.signIn(b, "https://"+frankfurt+"/", "alice@example.com"), 200, "/")
	w.clock.Advance(5 * time.Minute)
	requirePage(t, b.click("https://"+frankfurt+"/"), 200, "/")
	w.clock.Advance(time.Second)
	a := b.click("https://" + frankfurt + "/")
	requirePage(t, a, http.StatusServiceUnavailable, "/", "Not available in this Region", "us-east-1",
		"Nothing is wrong with your account", "Sign out", "https://"+virginia)
	assert.NotContains(t, a.body, "Production")
	assert.Equal(t, "5", a.Header.Get("Retry-After"))
	assert.Contains(t, lineWith(w.logged(), "reason=Stale"), "us-east-1 5 min ago")
	requirePage(t, b.click("https://"+frankfurt+"/signed-out"), http.StatusServiceUnavailable, "/signed-out")

	// No user can sign in, but users can sign out.
	requirePage(t, b.click("https://"+frankfurt+"/sessions"), 200, "/sessions", "Sign out everywhere")
	peers.set()
	requirePage(t, b.click("https://"+frankfurt+"/"), http.StatusServiceUnavailable, "/")
	assert.Equal(t, http.StatusServiceUnavailable,
		w.signIn(other, "https://"+frankfurt+"/", "alice@example.com").StatusCode)
	requirePage(t, b.submit("https://"+frankfurt+"/sign-out", url.Values{}), 200, "/signed-out")

	fresh()
	requirePage(t, w.signIn(other, "https://"+frankfurt+"/", "alice@example.com"), 200, "/", "Alice Adams")
}

// A Region that refuses sessions makes none, by sign-in or by handoff.
func TestStaleRegionMakesNoSession(t *testing.T) {
	peers := &heard{}
	w, shared := newShared(t, func(c *portal.Config) {
		if c.Region == "eu-central-1" {
			c.Replication, c.MaxStaleness = peers, time.Minute
		}
	})
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/")
	made := func() int {
		list, err := shared.sessions.List(t.Context(), "alice@example.com")
		require.NoError(t, err)
		return len(list)
	}
	before := made()
	require.Equal(t, 1, before)
	for name, a := range map[string]answer{
		"sign-in": w.signIn(w.browser(), "https://"+frankfurt+"/", "alice@example.com"),
		// The handoff falls back to a sign-in.
		"handoff": w.atIdP(b, b.get("https://"+frankfurt+"/?from=us-east-1"), "alice@example.com"),
	} {
		assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode, name)
		assert.Contains(t, a.body, "Not available in this Region", name)
	}
	assert.Equal(t, before, made())
}

func TestMaxStalenessIgnoresInactiveRegions(t *testing.T) {
	w, peers := hearing(t, time.Minute)
	peers.set(portal.Peer{Region: "us-east-1", Heard: w.clock.Now()})
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, primary.Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: "ap-south-1", Status: center.RegionAdding})
	}))
	requirePage(t, w.signIn(w.browser(), "https://"+frankfurt+"/", "alice@example.com"), 200, "/")
}
