package portal_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// counted is a Store that counts what is added, and fails when told to.
type counted struct {
	acs.Store
	adds atomic.Int64
	down atomic.Bool
}

func (c *counted) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	c.adds.Add(1)
	if c.down.Load() {
		return errDown
	}
	return c.Store.Add(ctx, key, v, exp)
}

// healthEvery is how long an answer holds.
const healthEvery = time.Second

// hanging is a Store that answers no look of the portal's at itself: each takes
// as long as it may, and fails.
type hanging struct {
	acs.Store
	clock *clock
	looks atomic.Int64
}

func (h *hanging) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if !strings.HasPrefix(key, "portal.health.") {
		return h.Store.Add(ctx, key, v, exp)
	}
	h.looks.Add(1)
	h.clock.advance(2 * healthEvery)
	return context.DeadlineExceeded
}

// A look that takes longer than its answer holds is still one look for all who
// ask: they wait for one another, and would wait for ever.
func TestHealthOfAStoreThatHangs(t *testing.T) {
	store := &hanging{}
	w := newWorld(t, func(c *portal.Config) {
		if c.Region == "eu-central-1" {
			store.Store = acs.NewMemoryStoreWith(acs.MemoryConfig{Now: c.SP.Now})
			c.Store = store
		}
	})
	store.clock = w.clock
	for range 100 {
		requireHealth(t, w, 503)
	}
	assert.EqualValues(t, 1, store.looks.Load())
	w.clock.advance(healthEvery)
	requireHealth(t, w, 503)
	assert.EqualValues(t, 2, store.looks.Load())
}

// requireHealth checks the whole answer: whoever asks learns whether people can
// sign in here, and nothing else.
func requireHealth(t *testing.T, w *world, status int) {
	t.Helper()
	a := w.browser().send("GET", "https://"+frankfurt+"/health", "none", nil)
	require.Equal(t, status, a.StatusCode, a.body)
	assert.Equal(t, "application/json", a.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	assert.Empty(t, a.Header.Get("Set-Cookie"))
	want := `{"status":"ok"}`
	if status != http.StatusOK {
		want = `{"status":"unavailable"}`
	}
	assert.Equal(t, want+"\n", a.body)
}

// Rule 69.
func TestHealth(t *testing.T) {
	store := &counted{}
	sessions := &broken{Sessions: portal.NewMemorySessions()}
	peers := &heard{}
	w := newWorld(t, func(c *portal.Config) {
		if c.Region == "eu-central-1" {
			store.Store = acs.NewMemoryStoreWith(acs.MemoryConfig{Now: c.SP.Now})
			c.Store, c.Sessions, c.Replication = store, sessions, peers
		}
	})
	next := func() { w.clock.advance(time.Second) }

	requireHealth(t, w, 200)
	assert.Equal(t, 200, w.browser().send("HEAD", "https://"+frankfurt+"/health", "none", nil).StatusCode)
	assert.Equal(t, http.StatusMethodNotAllowed, w.browser().send("POST", "https://"+frankfurt+"/health", "none", nil).StatusCode)

	next()
	before := store.adds.Load()
	for range 100 {
		requireHealth(t, w, 200)
	}
	assert.Equal(t, before+1, store.adds.Load(), "a hundred that ask cost as much as one")

	// Invariant 14: the others' trouble is not ours.
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: w.clock.Now().Add(-time.Minute), Lag: 5 * time.Millisecond})
	next()
	requireHealth(t, w, 200)

	store.down.Store(true)
	requireHealth(t, w, 200) // as it was a moment ago
	next()
	requireHealth(t, w, 503)
	assert.Contains(t, w.logged(), errDown.Error())
	store.down.Store(false)
	next()
	requireHealth(t, w, 200)
	sessions.get.Store(true)
	next()
	requireHealth(t, w, 503)
	sessions.get.Store(false)
	next()
	requireHealth(t, w, 200)
}

func TestHealthOfARegionOnItsWayInOrOut(t *testing.T) {
	w := newWorld(t, nil)
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	for status, want := range map[center.RegionStatus]int{center.RegionAdding: 503, center.RegionRemoving: 503, center.RegionActive: 200} {
		require.NoError(t, primary.Update(func(tx *center.Tx) error {
			return tx.PutRegion(center.Region{Name: "eu-central-1", Status: status})
		}))
		requireHealth(t, w, want)
	}
}

func TestHealthOfAStaleRegion(t *testing.T) {
	peers := &heard{}
	w := newWorld(t, func(c *portal.Config) { c.Replication, c.MaxStaleness = peers, time.Minute })
	requireHealth(t, w, 503)
	peers.set(portal.Peer{Region: "us-east-1", Heard: w.clock.Now()})
	requireHealth(t, w, 200)
}
