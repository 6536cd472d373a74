package portal_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// counted is a Store that counts added records, and can fail or hang.
type counted struct {
	acs.Store
	adds  atomic.Int64
	down  atomic.Bool
	hangs atomic.Pointer[chan struct{}] // until this is closed, ignoring the context
}

func (c *counted) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	c.adds.Add(1)
	if until := c.hangs.Load(); until != nil {
		<-*until
	}
	if c.down.Load() {
		return errDown
	}
	return c.Store.Add(ctx, key, v, exp)
}

// probed is a sessions.Store that is a Prober.
type probed struct {
	sessions.Store
	down atomic.Bool
}

func (p *probed) Probe(context.Context) error {
	if p.down.Load() {
		return errDown
	}
	return nil
}

// requireHealth checks the whole response, which contains only whether users can sign in.
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

// eventuallyHealth waits for the probe's result.
func eventuallyHealth(t *testing.T, w *world, status int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return w.browser().send("GET", "https://"+frankfurt+"/health", "none", nil).StatusCode == status
	}, time.Minute, time.Millisecond)
	requireHealth(t, w, status)
}

// Rule 69. The probe does what a sign-in does.
func TestHealth(t *testing.T) {
	store := &counted{}
	all := &broken{Store: sessions.NewMemoryStore(sessions.MemoryConfig{})}
	writes := &probed{Store: all}
	peers := &heard{}
	w := newWorld(t, func(c *portal.Config) {
		c.ProbeEvery = time.Millisecond
		if c.Region == "eu-central-1" {
			store.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})
			c.Store, c.Sessions, c.Replication = store, writes, peers
		}
	})
	requireHealth(t, w, 200)
	assert.Equal(t, 200, w.browser().send("HEAD", "https://"+frankfurt+"/health", "none", nil).StatusCode)
	assert.Equal(t, http.StatusMethodNotAllowed,
		w.browser().send("POST", "https://"+frankfurt+"/health", "none", nil).StatusCode)

	// Invariant 14: an unreachable Region doesn't make this one unhealthy.
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: w.clock.Now().Add(-time.Minute),
		Lag: 5 * time.Millisecond})
	seen := store.adds.Load()
	require.Eventually(t, func() bool { return store.adds.Load() > seen+1 }, time.Minute, time.Millisecond)
	requireHealth(t, w, 200)

	for name, down := range map[string]*atomic.Bool{"store": &store.down, "read": &all.get, "write": &writes.down} {
		down.Store(true)
		eventuallyHealth(t, w, 503)
		down.Store(false)
		eventuallyHealth(t, w, 200)
		t.Log(name)
	}
	assert.Contains(t, w.logged(), errDown.Error())
	assert.Contains(t, w.logged(), "healthy again")
}

// Invariant 17: a request writes nothing, however often it is made.
func TestInvariant17HealthWritesNothing(t *testing.T) {
	store := &counted{}
	w := newWorld(t, func(c *portal.Config) {
		c.ProbeEvery = time.Hour
		if c.Region == "eu-central-1" {
			store.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})
			c.Store = store
		}
	})
	requireHealth(t, w, 200) // waits for the first probe
	for range 100 {
		w.clock.Advance(time.Minute)
		requireHealth(t, w, 200)
	}
	assert.EqualValues(t, 1, store.adds.Load())
}

// A probe that hangs has no result. A sign-in would hang too.
func TestHealthOfAStoreThatHangs(t *testing.T) {
	store := &counted{}
	w := newWorld(t, func(c *portal.Config) {
		c.ProbeEvery = time.Millisecond
		if c.Region == "eu-central-1" {
			store.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})
			c.Store = store
		}
	})
	requireHealth(t, w, 200)
	until := make(chan struct{})
	store.hangs.Store(&until)
	eventuallyHealth(t, w, 503)
	close(until)
	store.hangs.Store(nil)
	eventuallyHealth(t, w, 200)
}

// A probe that hangs from the start has no first result. Requests wait for one only in the portal's
// first seconds, so that they don't pile up.
func TestInvariant17HealthDoesNotWaitForAProbeThatHangs(t *testing.T) {
	store, until := &counted{}, make(chan struct{})
	store.hangs.Store(&until)
	w := newWorld(t, func(c *portal.Config) {
		if c.Region == "eu-central-1" {
			store.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})
			c.Store = store
		}
	})
	t.Cleanup(func() { close(until) })
	began := time.Now()
	for range 20 {
		requireHealth(t, w, 503)
	}
	assert.Less(t, time.Since(began), 50*time.Second, "five seconds each would take 100")
}

func TestHealthEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t, func(c *portal.Config) { c.Context = ctx })
	requireHealth(t, w, 200)
	cancel()
	requireHealth(t, w, 503)
}

func TestHealthOfAnInactiveRegion(t *testing.T) {
	w := newWorld(t, nil)
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	for status, want := range map[center.RegionStatus]int{center.RegionAdding: 503, center.RegionRemoving: 503,
		center.RegionActive: 200} {
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
