package acs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
)

// losses are the ways in which a store loses records: it goes back to an older state, starts empty, or drops records
// to make room.
var losses = func() map[string]func(*testing.T, *world) revert {
	all := maps.Clone(reverts)
	all["redis restarted empty"] = loseRedis
	all["redis evicts by another policy"] = loseRedisByPolicy
	all["nats memory restarted"] = loseNATS
	all["nats files"] = loseNATSFiles
	return all
}()

func loseRedis(t *testing.T, _ *world) revert {
	r := testserver.StartRedis(t)
	return revert{node: redisNode(t, r.Client()), save: func() {}, back: func() { r.Kill(); r.Start() }}
}

// Another client's writes evict the records; then the policy is corrected.
func loseRedisByPolicy(t *testing.T, _ *world) revert {
	c := testserver.StartRedis(t).Client()
	set := func(name, value string) { require.NoError(t, c.ConfigSet(t.Context(), name, value).Err()) }
	return revert{
		node: redisNode(t, c),
		save: func() {},
		back: func() {
			set("maxmemory-policy", "volatile-ttl")
			set("maxmemory", c.InfoMap(t.Context(), "memory").Item("Memory", "used_memory"))
			require.Eventually(t, func() bool {
				c.Set(t.Context(), "elsewhere", strings.Repeat("x", 1<<18), 0)
				left, _, err := c.Scan(t.Context(), 0, "meridian:{region}:"+acs.KeyPrefixAssertion+"*", 100_000).Result()
				return err == nil && len(left) == 0
			}, time.Minute, time.Millisecond)
			set("maxmemory", "0")
			set("maxmemory-policy", "noeviction")
		},
	}
}

func loseNATS(t *testing.T, _ *world) revert {
	n := testserver.StartNATS(t, 1)
	js := n.JetStream(0)
	becomes := func(want bool) {
		require.Eventually(
			t,
			func() bool { return (js.Conn().Status() == nats.CONNECTED) == want },
			time.Minute,
			time.Millisecond,
		)
	}
	return revert{
		node: func() acs.Store {
			s, err := natsstore.New(
				t.Context(),
				natsstore.Config{InsecurePlaintext: true, JetStream: js, Storage: jetstream.MemoryStorage, Timeout: time.Minute},
			)
			require.NoError(t, err)
			return s
		},
		save: func() {},
		back: func() { n.KillAll(); becomes(false); n.Start(); becomes(true) },
	}
}

// Older files are restored without the marker, as package natsstore's documentation says. Otherwise a node that had
// seen none of the later sequence numbers can't notice.
func loseNATSFiles(t *testing.T, _ *world) revert {
	r, js := natsFiles(t)
	back := r.back
	r.back = func() {
		back()
		s, err := js.Stream(t.Context(), "meridian_records")
		require.NoError(t, err)
		require.NoError(t, s.Purge(t.Context(), jetstream.WithPurgeSubject("meridian.since.>")))
	}
	return r
}

// Assertions are used, half of them before the state that the store goes back to. After the loss nine browsers
// present each again at three nodes: at once, and when others have been admitted. None is admitted again.
func TestInvariant7_D04_RoundsAfterALoss(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(losses)) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := losses[name](t, w)
			nodes := w.nodes(store.node)
			require.Eventually(t, func() bool { return time.Now().After(w.clock.Now()) }, time.Minute, time.Millisecond)
			n := max(4, rounds(t)/2)
			var used []presented
			use := func(count int) {
				for i := range count {
					p := w.present(nodes[i%3], i%2 == 0)
					p.post(3, nodes)
					used = append(used, p)
				}
			}
			use(n / 2)
			waiting := w.present(nodes[0], true) // its request is there when the state is saved
			store.save()
			waiting.post(3, nodes)
			used = append(used, waiting)
			use(n / 2)
			require.Len(t, w.admissions(), len(used))

			store.back()
			for _, p := range used {
				p.post(9, nodes)
			}
			w.untilAllAdmit(nodes)
			others := w.loginCount() - len(used)
			for _, p := range used {
				p.post(9, nodes)
			}
			require.Len(t, w.admissions(), len(used)+others)
			t.Logf("%d used, %d presented after the loss: 0 admitted again, and %d others were", len(used), 18*len(used), others)
		})
	}
}
