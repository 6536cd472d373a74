package acs_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/redisstore"
)

// revert is a store that can go back to the state that it had at save, as a server does that restarts from an older
// file.
type revert struct {
	node       func() acs.Store
	save, back func()
}

// reverts are the ways in which a consumed request can be pending again.
var reverts = map[string]func(*testing.T, *world) revert{
	"memory":         revertMemory,
	"redis file":     revertRedisFile,
	"redis failover": revertRedisFailover,
	"nats files":     revertNATS,
}

// A MemoryStore doesn't go back by itself, so this one simulates it.
func revertMemory(t *testing.T, w *world) revert {
	saved := &keepingStore{Store: acs.NewMemoryStore(acs.MemoryConfig{})}
	s := &flushedStore{Store: saved, onAdd: func() {}}
	return revert{
		node: func() acs.Store { return s },
		save: func() {},
		back: func() {
			saved.Store = acs.NewMemoryStore(acs.MemoryConfig{})
			saved.giveBack(t)
			s.since = time.Now()
		},
	}
}

func redisNode(t *testing.T, c redis.UniversalClient) func() acs.Store {
	return func() acs.Store {
		s, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: c, Timeout: time.Minute})
		require.NoError(t, err)
		return s
	}
}

func revertRedisFile(t *testing.T, _ *world) revert {
	r := testserver.StartRedis(t)
	return revert{
		node: redisNode(t, r.Client()),
		save: func() { require.NoError(t, r.Client().Save(t.Context()).Err()) },
		back: func() { r.Kill(); r.Start() },
	}
}

// The replica misses the last writes, and is promoted.
func revertRedisFailover(t *testing.T, _ *world) revert {
	primary := testserver.StartRedis(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	require.NoError(t, err)
	replica := testserver.StartRedis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	front := redis.NewClient(&redis.Options{Addr: "failover", Dialer: primary.OrElse(replica), ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = front.Close() })
	c := replica.Client()
	return revert{
		node: redisNode(t, front),
		save: func() {
			want := primary.Client().DBSize(t.Context()).Val()
			require.Eventually(t, func() bool { return c.DBSize(t.Context()).Val() == want }, time.Minute, 10*time.Millisecond)
			require.NoError(t, c.ReplicaOf(t.Context(), "NO", "ONE").Err())
		},
		back: primary.Kill,
	}
}

func revertNATS(t *testing.T, _ *world) revert {
	r, _ := natsFiles(t)
	return r
}

// natsFiles is a server whose files are saved and restored.
func natsFiles(t *testing.T) (revert, jetstream.JetStream) {
	n := testserver.StartNATS(t, 1)
	backup := t.TempDir()
	js := n.JetStream(0)
	restart := func(between func()) { // the connection has noticed both when it is over
		becomes := func(want bool) {
			require.Eventually(
				t,
				func() bool { return (js.Conn().Status() == nats.CONNECTED) == want },
				time.Minute,
				time.Millisecond,
			)
		}
		n.KillAll()
		becomes(false)
		between()
		n.Start()
		becomes(true)
	}
	return revert{
		node: func() acs.Store {
			s, err := natsstore.New(t.Context(), natsstore.Config{InsecurePlaintext: true, JetStream: js, Timeout: time.Minute})
			require.NoError(t, err)
			return s
		},
		save: func() { restart(func() { require.NoError(t, os.CopyFS(backup, os.DirFS(n.Dir))) }) },
		back: func() {
			restart(func() {
				require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, "0")))
				require.NoError(t, os.CopyFS(n.Dir, os.DirFS(backup)))
			})
		},
	}, js
}

// A consumed request is pending again, and the record of the assertion that answered it is lost. The same response
// with the browser's cookie is not admitted again, nor is another answer to that request.
func TestInvariant7_D04_ConsumedRequestAfterALoss(t *testing.T) {
	for name, open := range reverts {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := open(t, w)
			nodes := w.nodes(store.node)
			asking := w.browser()
			req := asking.login(nodes[0], usACS, "")
			store.save()
			used, again := asking.copy(), asking.copy()
			a := w.good(usACS, req.id)
			w.accepted(asking.answer(nodes[0], a, req.relayState))
			require.Eventually(t, func() bool { return time.Now().After(w.clock.Now()) }, time.Minute, time.Millisecond)
			store.back()

			w.untilAccepted(nodes[0]) // the node notices the loss
			before := w.loginCount()
			w.refused(used.answer(nodes[0], a, req.relayState), http.StatusForbidden, acs.ReasonForgotten)
			w.refused(again.answer(nodes[0], w.good(usACS, req.id), req.relayState), http.StatusForbidden, acs.ReasonRequest)
			require.Equal(t, before, w.loginCount())

			b := w.browser() // a new sign-in succeeds at once
			req = b.login(nodes[0], usACS, "")
			w.accepted(b.answer(nodes[0], w.good(usACS, req.id), req.relayState))
		})
	}
}

// Another answer to a consumed request that is pending again is refused too, although it was issued after the
// loss.
func TestInvariant6_D04_SecondAnswerAfterALoss(t *testing.T) {
	for name, open := range reverts {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := open(t, w)
			nodes := w.nodes(store.node)
			asking := w.browser()
			req := asking.login(nodes[0], usACS, "")
			store.save()
			used := asking.copy()
			w.accepted(asking.answer(nodes[0], w.good(usACS, req.id), req.relayState))
			require.Eventually(t, func() bool { return time.Now().After(w.clock.Now()) }, time.Minute, time.Millisecond)
			store.back()
			w.untilAccepted(nodes[0])
			w.catchUp()
			v := w.refused(
				used.answer(nodes[0], w.good(usACS, req.id), req.relayState),
				http.StatusForbidden,
				acs.ReasonForgotten,
			)
			require.Contains(t, v.Want, "requested at or after ")
		})
	}
}

// A request is accepted if Since has not changed, or if its instant is not before Since.
func TestRequestsAreCheckedBySince(t *testing.T) {
	w := newWorld(t)
	start := w.clock.Now()
	w.clock.Advance(10 * time.Second) // the requests are made then
	for _, test := range []struct {
		name           string
		made, answered time.Duration // what Since is at either time, from start on
		reason         acs.Reason
	}{
		{name: "nothing was forgotten", made: 0, answered: 0},
		{name: "the margin is not over", made: time.Minute, answered: time.Minute},
		{name: "another node has noticed an older loss already", made: 0, answered: 5 * time.Second},
		{name: "the loss came as the request was made", made: 0, answered: 10 * time.Second},
		{name: "the loss came later", made: 0, answered: 11 * time.Second, reason: acs.ReasonForgotten},
		{name: "the loss came later, and Since has a margin", made: time.Minute, answered: 2 * time.Minute,
			reason: acs.ReasonForgotten},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := &flushedStore{Store: w.store, since: start.Add(test.made), onAdd: func() {}}
			us := w.region("us-east-1", func(c *acs.Config) { c.Store = store })
			b := w.browser()
			req := b.login(us, usACS, "")
			store.since = start.Add(test.answered)
			rec := b.answer(us, w.good(usACS, req.id), req.relayState)
			if test.reason == "" {
				w.accepted(rec)
				return
			}
			w.refused(rec, http.StatusForbidden, test.reason)
		})
	}
}
