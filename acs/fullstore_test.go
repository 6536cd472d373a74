package acs_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/redisstore"
)

// filling is a store that soon has no more room for replay records.
type filling struct {
	store acs.Store
	room  func() // makes some, as an operator would
}

var fillings = map[string]func(*testing.T, *world) filling{
	"memory": func(_ *testing.T, w *world) filling {
		return filling{store: acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now, MaxAssertions: 100}), room: func() {}}
	},
	"redis": func(t *testing.T, _ *world) filling {
		c := testserver.StartRedis(t).Client()
		s, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: c, Timeout: time.Minute})
		require.NoError(t, err)
		info, err := c.InfoMap(t.Context(), "memory").Result()
		require.NoError(t, err)
		used, err := strconv.Atoi(info["Memory"]["used_memory"])
		require.NoError(t, err)
		limit := used + 200<<10
		require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", strconv.Itoa(limit)).Err())
		return filling{s, func() { require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "0").Err()) }}
	},
	"nats": func(t *testing.T, _ *world) filling {
		js := testserver.StartNATS(t, 1).JetStream(0)
		s, err := natsstore.New(t.Context(), natsstore.Config{InsecurePlaintext: true, JetStream: js, Timeout: time.Minute})
		require.NoError(t, err)
		limit := func(bytes int64) {
			stream, err := js.Stream(t.Context(), "meridian_records")
			require.NoError(t, err)
			cfg := stream.CachedInfo().Config
			cfg.MaxBytes = bytes
			_, err = js.UpdateStream(t.Context(), cfg)
			require.NoError(t, err)
		}
		limit(20 << 10)
		return filling{s, func() { limit(-1) }}
	},
}

// J16: valid assertions fill the store. From then on sign-ins are refused, because the store can't remember them, and
// none of the used assertions is admitted again, neither then nor when there is room.
func TestInvariant7_J16_FullStoreForgetsNothing(t *testing.T) {
	for name, open := range fillings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := open(t, w)
			us := w.region("us-east-1", accept, func(c *acs.Config) { c.Store = f.store })
			if name != "memory" {
				w.catchUp()
			}
			var used []answer
			var late answer
			for {
				require.Less(t, len(used), 3000, "the store is never full")
				late = w.good(usACS, "")
				if w.browser().answer(us, late, "").Code != http.StatusSeeOther {
					break
				}
				used = append(used, late)
			}
			require.Greater(t, len(used), 20)
			again := func(a answer) int { return w.browser().answer(us, a, "").Code }
			require.Equal(t, http.StatusServiceUnavailable, again(late))
			require.Equal(t, string(acs.ReasonStore), w.lastVerdict().Reason)
			for _, a := range used {
				require.NotEqual(t, http.StatusSeeOther, again(a), "while it is full")
			}
			require.Equal(t, len(used), w.loginCount())

			f.room()
			for _, a := range used {
				w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, acs.ReasonReplay)
			}
			if name == "memory" { // there is room when the first ones have expired
				w.clock.Advance(used[0].notOnOrAfter.Add(2*w.sp.Skew() + time.Minute).Sub(w.clock.Now()))
				late = w.good(usACS, "")
			}
			w.accepted(w.browser().answer(us, late, ""))
			w.refused(w.browser().answer(us, late, ""), http.StatusForbidden, acs.ReasonReplay)
			require.Equal(t, len(used)+1, w.loginCount())
		})
	}
}
