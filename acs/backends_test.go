package acs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/redisstore"
)

// backend is a server, or the memory, that the stores of a Region's nodes share.
type backend struct {
	node        func() acs.Store // each with its own connection, and a long timeout for slow machines
	hasty       func() acs.Store // with a short timeout, for tests without an answer
	stop, start func()           // of the server; nil where there is none
}

// open makes a backend for one test.
type open func(testing.TB) backend

func memoryBackend(testing.TB) backend {
	m := acs.NewMemoryStore(acs.MemoryConfig{})
	return backend{node: func() acs.Store { return m }}
}

func natsBackend(storage jetstream.StorageType) open {
	return func(t testing.TB) backend {
		n := testserver.StartNATS(t, 1)
		node := func(timeout time.Duration) func() acs.Store {
			return func() acs.Store {
				s, err := natsstore.New(
					t.Context(),
					natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(0), Storage: storage, Timeout: timeout},
				)
				require.NoError(t, err)
				return s
			}
		}
		return backend{stop: n.KillAll, start: n.Start, node: node(time.Minute), hasty: node(10 * time.Second)}
	}
}

func redisBackend(t testing.TB) backend {
	r := testserver.StartRedis(t)
	node := func(timeout time.Duration) func() acs.Store {
		return func() acs.Store {
			s, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true,
				Client: r.Client(), Timeout: timeout})
			require.NoError(t, err)
			return s
		}
	}
	return backend{stop: r.Kill, start: r.Start, node: node(time.Minute), hasty: node(10 * time.Second)}
}

var (
	// backends are the stores that ship with Meridian.
	backends = map[string]open{"memory": memoryBackend, "nats": natsBackend(jetstream.FileStorage), "redis": redisBackend}
	// servers are the backends with a server, which can be stopped.
	servers = map[string]open{"nats": backends["nats"], "redis": redisBackend}
	// forgetful are servers that lose everything when they are restarted.
	forgetful = map[string]open{"nats": natsBackend(jetstream.MemoryStorage), "redis": redisBackend}
)

// onEach runs a test with each backend, and a world by the system's clock, which servers use.
func onEach(t *testing.T, list map[string]open, test func(*testing.T, *world, backend)) {
	for name, open := range list {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t), open(t)) })
	}
}

// catchUp sets the world's clock to a second after now, so that what is issued next is later than what happened
// before, also in whole milliseconds.
func (w *world) catchUp() { w.clock.Advance(time.Since(w.clock.Now()) + time.Second) }

// nodes returns three nodes of one Region.
func (w *world) nodes(store func() acs.Store) (nodes []http.Handler) {
	for range 3 {
		nodes = append(nodes, w.region("us-east-1", accept, func(c *acs.Config) { c.Store = store() }))
	}
	w.catchUp()
	return nodes
}

func (w *world) reasons() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	count := make(map[string]int)
	for _, v := range w.verdicts {
		count[v.Reason]++
	}
	return count
}

// requireOneOf wants one of n responses accepted, and the others refused for a Reason. On a machine that is too slow
// for all at once, some of these wait too long for their turn, and are refused as Busy.
func (w *world) requireOneOf(n int, why acs.Reason) {
	w.t.Helper()
	got := w.reasons()
	require.Equal(w.t, 1, got[""])
	require.NotZero(w.t, got[string(why)], "%v", got)
	require.Equal(w.t, n-1, got[string(why)]+got[string(acs.ReasonBusy)], "%v", got)
}
