package acs_test

import (
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

func TestInvariant7_D03_ThousandPresentationsToThreeNodes(t *testing.T) {
	onEach(t, backends, func(t *testing.T, w *world, b backend) {
		nodes := w.nodes(b.node)
		form := w.form(w.good(usACS, ""), "")
		concurrently(1000, func(i int) { w.browser().post(nodes[i%len(nodes)], usACS, form) })
		require.Equal(t, 1, w.loginCount())
		w.requireOneOf(1000, acs.ReasonReplay)
	})
}

// One request is answered many times: one answer is accepted.
func TestInvariant6_ManyAnswersToThreeNodes(t *testing.T) {
	onEach(t, backends, func(t *testing.T, w *world, b backend) {
		nodes := w.nodes(b.node)
		asking := w.browser()
		req := asking.login(nodes[0], usACS, "")
		form := w.form(w.good(usACS, req.id), req.relayState)
		concurrently(200, func(i int) {
			asking.copy().post(nodes[i%len(nodes)], usACS, form)
		})
		require.Equal(t, 1, w.loginCount())
		w.requireOneOf(200, acs.ReasonRequest)
	})
}

func TestInvariant7_D04_StoppedServerRefusesAll(t *testing.T) {
	onEach(t, servers, func(t *testing.T, w *world, b backend) {
		nodes := w.nodes(b.hasty)
		waiting := w.browser()
		req := waiting.login(nodes[0], usACS, "")
		solicited := w.form(w.good(usACS, req.id), req.relayState)
		used := w.good(usACS, "")
		w.accepted(w.browser().answer(nodes[0], used, ""))
		b.stop()

		const tries = 60
		bodies := make([]url.Values, tries)
		for i := range bodies {
			switch i % 3 {
			case 0:
				bodies[i] = w.form(w.good(usACS, ""), "")
			case 1:
				bodies[i] = w.form(used, "")
			case 2:
				bodies[i] = solicited
			}
		}
		var clear atomic.Int64
		concurrently(tries, func(i int) {
			rec := waiting.copy().post(nodes[i%len(nodes)], usACS, bodies[i])
			if rec.Code == http.StatusServiceUnavailable && rec.Header().Get("Retry-After") != "" {
				clear.Add(1)
			}
		})
		require.EqualValues(t, tries, clear.Load(), "a 503 with Retry-After")
		w.requireOneOf(tries+1, acs.ReasonStore)
		rec := w.browser().get(nodes[1], "https://us-east-1.signin.example/login")
		require.Equal(t, http.StatusServiceUnavailable, rec.Code)
		require.Equal(t, 1, w.loginCount())

		b.start()
		w.untilAccepted(nodes[2])
		for _, node := range nodes {
			rec := w.browser().answer(node, used, "")
			require.NotEqual(t, http.StatusSeeOther, rec.Code)
		}
		require.Equal(t, 2, w.loginCount())
	})
}

// untilAccepted presents new assertions until one is accepted.
func (w *world) untilAccepted(node http.Handler) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		w.catchUp()
		return w.browser().answer(node, w.good(usACS, ""), "").Code == http.StatusSeeOther
	}, 2*time.Minute, 20*time.Millisecond, "no assertion is accepted again")
}

func TestInvariant7_D04_RestartOfAForgetfulServer(t *testing.T) {
	onEach(t, forgetful, func(t *testing.T, w *world, b backend) {
		nodes := w.nodes(b.hasty)
		used, unused := w.good(usACS, ""), w.good(usACS, "")
		w.accepted(w.browser().answer(nodes[0], used, ""))
		require.Eventually(t, func() bool { return time.Now().After(w.clock.Now()) }, time.Minute, time.Millisecond)
		b.stop()
		b.start()
		// Each node must notice the loss by itself. Its first answers may be 503; none accepts.
		for _, node := range append(nodes, w.nodes(b.hasty)...) {
			for range 5 {
				for _, a := range []answer{used, unused} {
					rec := w.browser().answer(node, a, "")
					require.Contains(t, []int{http.StatusServiceUnavailable, http.StatusForbidden}, rec.Code)
				}
			}
		}
		before := w.loginCount()
		require.Equal(t, 1, before)
		for _, node := range nodes {
			w.untilAccepted(node)
			w.refused(w.browser().answer(node, w.old(used), ""), http.StatusForbidden, acs.ReasonForgotten)
			w.refused(w.browser().answer(node, used, ""), http.StatusForbidden, acs.ReasonReplay)
		}
		require.Equal(t, before+len(nodes), w.loginCount())
	})
}

// old is another assertion of the same age.
func (w *world) old(a answer) answer {
	a.assertionID = fmt.Sprint("old-", w.n.Add(1))
	return a
}

// D07 on servers, whose clock the test can't move: the nodes are as far behind it as allowed, and the assertion ends
// within seconds.
func TestInvariant7_D07_ServersRememberLongerThanNodesAccept(t *testing.T) {
	onEach(t, backends, func(t *testing.T, w *world, b backend) {
		us := w.region("us-east-1", accept, func(c *acs.Config) {
			c.Store = struct{ acs.Store }{b.node()} // no Since: all this is long ago
		})
		skew := w.sp.Skew()
		a := w.good(usACS, "")
		began := time.Now()
		a.notOnOrAfter = began.Add(1500*time.Millisecond - 2*skew).Truncate(time.Millisecond)
		a.issued, a.authn = a.notOnOrAfter.Add(-5*time.Minute), a.notOnOrAfter.Add(-5*time.Minute)
		behind := func() time.Time { return time.Now().Add(-skew) }
		w.clock.Advance(began.Add(-skew).Sub(w.clock.Now()))
		w.accepted(w.browser().answer(us, a, ""))

		last := a.notOnOrAfter.Add(skew - time.Millisecond) // by the nodes' clock
		require.Eventually(t, func() bool { return behind().After(last) }, time.Minute, time.Millisecond)
		w.clock.Advance(last.Sub(w.clock.Now()))
		w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, acs.ReasonReplay)
		w.clock.Advance(time.Millisecond)
		w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, "Expired")
	})
}

// BenchmarkReplayRecord measures the record of one used assertion, by one caller at a time and by many.
func BenchmarkReplayRecord(b *testing.B) {
	for _, name := range []string{"memory", "nats", "redis"} {
		var n atomic.Int64
		remember := func(b *testing.B, s acs.Store) {
			err := s.Add(
				b.Context(),
				acs.AssertionKey(idpID, fmt.Sprint(n.Add(1))),
				[]byte("2026-06-01T12:00:00Z"),
				time.Now().Add(10*time.Minute),
			)
			if err != nil {
				b.Error(err)
			}
		}
		b.Run(name+"/one", func(b *testing.B) {
			s := backends[name](b).node()
			for b.Loop() {
				remember(b, s)
			}
		})
		b.Run(name+"/many", func(b *testing.B) {
			s := backends[name](b).node()
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					remember(b, s)
				}
			})
		})
	}
}
