package acs_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/redisstore"
)

// rounds returns how often the matrix is run: MERIDIAN_REPLAY_ROUNDS, or 10. A full run has 1,000.
func rounds(t *testing.T) int {
	text, set := os.LookupEnv("MERIDIAN_REPLAY_ROUNDS")
	if !set {
		return 10
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "MERIDIAN_REPLAY_ROUNDS")
	return n
}

// killable is a store whose server can be killed and started again.
type killable struct {
	node        func(*testing.T) acs.Store
	kill, start func() // nil: it has no server
}

func killableRedis(kind string, args ...string) func(*testing.T) killable {
	return func(t *testing.T) killable {
		r := testserver.StartLikeRedis(t, kind, args...)
		return killable{kill: r.Kill, start: r.Start, node: func(t *testing.T) acs.Store {
			s, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true,
				Client: r.Client(), Timeout: 2 * time.Second})
			require.NoError(t, err)
			return s
		}}
	}
}

func killableNATS(servers int, storage jetstream.StorageType) func(*testing.T) killable {
	return func(t *testing.T) killable {
		n := testserver.StartNATS(t, servers)
		var dead int
		return killable{
			kill: func() { dead = rand.N(servers); n.Kill(dead) }, start: func() { n.Start() },
			node: func(t *testing.T) (s acs.Store) {
				js := n.JetStream(rand.N(servers))
				require.Eventually(t, func() (ok bool) { // a cluster takes its time to begin
					var err error
					s, err = natsstore.New(
						t.Context(),
						natsstore.Config{InsecurePlaintext: true,
							JetStream: js, Storage: storage, Replicas: servers, Timeout: 2 * time.Second},
					)
					return err == nil
				}, time.Minute, 50*time.Millisecond)
				return s
			},
		}
	}
}

var killables = map[string]func(*testing.T) killable{
	"memory": func(*testing.T) killable {
		m := acs.NewMemoryStore(acs.MemoryConfig{})
		return killable{node: func(*testing.T) acs.Store { return m }}
	},
	"redis":              killableRedis("redis"),
	"redis append-only":  killableRedis("redis", "--appendonly", "yes", "--appendfsync", "always"),
	"valkey":             killableRedis("valkey"),
	"nats files":         killableNATS(1, jetstream.FileStorage),
	"nats memory":        killableNATS(1, jetstream.MemoryStorage),
	"nats three servers": killableNATS(3, jetstream.FileStorage),
}

// presented is a response, and the browsers that can present it.
type presented struct {
	id       string // the assertion's
	form     url.Values
	browsers func() *browser // with the cookies of the one that asked
}

// present returns a response: to a request if solicited and if one can be made, and otherwise unsolicited.
func (w *world) present(node http.Handler, solicited bool) presented {
	w.clock.Advance(time.Since(w.clock.Now()))
	asking, a, relayState := w.browser(), w.good(usACS, ""), ""
	if solicited {
		if rec := asking.get(node, "https://us-east-1.signin.example/login"); rec.Code == http.StatusSeeOther {
			req := w.redirected(rec)
			a, relayState = w.good(usACS, req.id), req.relayState
		}
	}
	return presented{a.assertionID, w.form(a, relayState), asking.copy}
}

// post presents the response at the nodes, concurrently.
func (p presented) post(times int, nodes []http.Handler) {
	concurrently(times, func(i int) { p.browsers().post(nodes[i%len(nodes)], usACS, p.form) })
}

// admissions counts how often each assertion was admitted, which must not be more than once.
func (w *world) admissions() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for _, l := range w.logins {
		out[l.Assertion.ID()]++
	}
	for id, n := range out {
		require.Equal(w.t, 1, n, "%s was admitted more than once", id)
	}
	return out
}

// Nine browsers present one assertion to three nodes at once, and again later, in many rounds, while the store's
// server is killed now and then. No assertion is admitted twice, whatever the store remembers.
func TestInvariant7_D03_D04_RoundsWhileServersAreKilled(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(killables)) {
		t.Run(name, func(t *testing.T) {
			w, b := newWorld(t), killables[name](t)
			w.clock.Advance(time.Since(w.clock.Now()))
			nodes := make([]http.Handler, 3)
			for i := range nodes {
				nodes[i] = w.region("us-east-1", accept, func(c *acs.Config) { c.Store = b.node(t) })
			}
			var all []presented
			kills, late := 0, 0
			for round := range rounds(t) {
				p := w.present(nodes[round%3], round%2 == 0)
				posted := make(chan struct{})
				go func() { defer close(posted); p.post(9, nodes) }()
				kill := b.kill != nil && round%40 == 5
				if kill { // at any moment of it
					<-time.After(rand.N(3 * time.Millisecond))
					b.kill()
					b.start()
				}
				<-posted
				if kill {
					kills++
					w.untilAllAdmit(nodes)
					for _, old := range all[max(0, len(all)-30):] {
						old.post(3, nodes)
						late += 3
					}
				}
				p.post(9, nodes)
				all = append(all, p)
			}
			once, admitted := 0, w.admissions()
			for _, p := range all {
				once += admitted[p.id]
			}
			t.Logf(
				"%d rounds, %d kills, %d late posts of what was used before them: %d admitted once, %d not at all, 0 twice",
				len(all),
				kills,
				late,
				once,
				len(all)-once,
			)
			require.Greater(t, once, len(all)/2)
		})
	}
}

// untilAllAdmit waits until every node admits an assertion again.
func (w *world) untilAllAdmit(nodes []http.Handler) {
	w.t.Helper()
	for i, node := range nodes {
		for limit := time.Now().Add(2 * time.Minute); ; {
			w.clock.Advance(time.Since(w.clock.Now()))
			if w.browser().answer(node, w.good(usACS, ""), "").Code == http.StatusSeeOther {
				break
			}
			require.True(w.t, time.Now().Before(limit), "node %d admits none: %+v", i, w.lastVerdict())
			<-time.After(10 * time.Millisecond) // then look again
		}
	}
}
