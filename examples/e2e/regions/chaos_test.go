//go:build unix

package regions_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// chaosTime is how long the test lasts: MERIDIAN_CHAOS, or 1 % of ten minutes.
func chaosTime(t *testing.T) time.Duration {
	text, set := os.LookupEnv("MERIDIAN_CHAOS")
	if !set {
		return 6 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "MERIDIAN_CHAOS")
	return d
}

// Faults occur in three Regions in random order: processes are killed and
// frozen, wires cut, servers of a cluster lost. At the same time users sign in,
// move between Regions and sign out anywhere, and the directory changes. No
// acknowledged data is missing. No Region that has received a sign-out accepts
// the session. No response is accepted twice. At the end all Regions are
// healthy and have the same data, and nothing on a disk or a wire names a user.
func TestInvariant7_Invariant14_Invariant19_Chaos(t *testing.T) {
	length := chaosTime(t)
	users := 100 + int(length.Seconds())*10
	w := newChaosWorld(t, users)
	w.start()
	r := &record{admitted: map[string]int{}}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	next := make(chan int)
	var load sync.WaitGroup
	for range 6 {
		load.Go(func() {
			for i := range next {
				w.story(ctx, r, chaosUser(i))
			}
		})
	}
	load.Go(func() { w.update(ctx, r) })
	load.Go(func() {
		defer close(next)
		for i := range users {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	faults := w.injectFaults(ctx)
	load.Wait()
	w.settle(r)
	t.Logf("%d damaged disks were noticed, and the Region recovered", w.recovered.Load())
	t.Logf("%v: faults %v; %d posts of %d responses, %d admitted; "+
		"%d sign-ins, %d handoffs, %d ended, %d checked as ended; %d users made",
		length, faults, r.posts, len(r.answers), len(r.admitted), r.signIns, r.handoffs, r.ends, r.heard, len(r.users))
	w.requireSealed()
	require.Empty(t, r.wrong)
	require.NotZero(t, r.signIns)
}

// settle waits until all nodes are healthy again, and compares the data with what
// was acknowledged.
func (w *chaosWorld) settle(r *record) {
	t := w.t
	began := time.Now()
	w.healthy()
	back := time.Since(began)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	digests := w.agree(ctx)
	t.Logf("healthy %v after the last fault, and the same everywhere after %v", back.Round(time.Millisecond),
		time.Since(began).Round(time.Millisecond))
	for _, d := range digests {
		for _, u := range r.users {
			_, known := d.Items["instance user "+u]
			assert.True(t, known, "%s was acknowledged, and %s does not know it", u, d.Region)
		}
	}
	for _, s := range r.alive {
		w.checkSession(ctx, s, true)
	}
	for _, s := range r.over {
		w.checkSession(ctx, s, false)
	}
	for _, a := range r.answers {
		w.post(ctx, r, a)
	}
	for id, n := range r.admitted {
		assert.Equal(t, 1, n, "how often a response was admitted: %.40s…", id)
	}
}

// agree waits until all nodes have the same data.
func (w *chaosWorld) agree(ctx context.Context) (digests []replica.Digest) {
	w.t.Helper()
	why := ""
	same := func() bool {
		digests = nil
		for _, n := range w.nodes() {
			d, err := controlOf(n).digest(ctx)
			if err != nil {
				why = n.name() + ": " + err.Error()
				return false
			}
			digests = append(digests, d)
		}
		report := replica.Compare(digests...)
		why = report.String()
		return len(report.Differences) == 0
	}
	for !same() {
		pauseFor(ctx, 200*time.Millisecond)
		require.NoError(w.t, ctx.Err(), "not the same: %s", why)
	}
	return digests
}

// checkSession checks whether every node of a session's Region has it.
func (w *chaosWorld) checkSession(ctx context.Context, s chaosSession, want bool) {
	for _, n := range s.at.nodes {
		require.Eventually(w.t, func() bool {
			in, known := s.browser.in(ctx, s.at.Origin, n)
			if known {
				assert.Equal(w.t, want, in, "the session of %s at %s; ended: %q", s.user, n.name(), s.ended)
			}
			return known
		}, time.Minute, 50*time.Millisecond, "no answer of %s", n.name())
	}
}

// broken ends the test after a failure.
func (w *chaosWorld) broken(err error) { assert.NoError(w.t, err) }
