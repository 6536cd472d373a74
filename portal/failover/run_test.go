package failover_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/failover"
)

// Rule 77: a Region that hangs delays neither another Region's probes nor the reports about it.
func TestRule77SlowRegionDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		w.hang("us-east-1")
		rd := start(t, w, failover.Config{Interval: 10 * time.Second, Timeout: 5 * time.Second, UnhealthyThreshold: 1})
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- rd.Run(ctx) }()

		synctest.Wait() // every first probe is made at once
		require.Zero(t, time.Since(began))
		require.Equal(t, frankfurt+"/", leads(rd))
		require.Equal(t, 1, w.times("us-east-1"))
		require.True(t, status(t, rd, "us-east-1").LastProbe.IsZero())

		time.Sleep(5 * time.Second) // of the bubble's clock
		synctest.Wait()
		requireReason(t, status(t, rd, "us-east-1").LastError, failover.ReasonTimeout)

		time.Sleep(95 * time.Second)
		synctest.Wait()
		healthy, hung := w.times("eu-central-1"), w.times("us-east-1")
		require.InDelta(t, 10.5, float64(healthy), 1.6) // the first probe, and one every 9 to 11 s for 100 s
		require.InDelta(t, 7, float64(hung), 1)         // 5 s longer each

		cancel()
		require.NoError(t, <-done)
		require.Equal(t, hung, w.times("us-east-1"))
	}) // synctest fails if a goroutine is left
}

func TestRunFailsOverAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		changes := make(chan failover.Status, 16)
		rd := start(t, w, failover.Config{OnChange: func(s failover.Status) { changes <- s }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- rd.Run(ctx) }()
		for range regions() {
			require.True(t, (<-changes).Healthy)
		}

		w.down("us-east-1")
		lost := time.Now()
		s := <-changes
		require.Equal(t, "us-east-1", s.Region)
		require.False(t, s.Usable)
		require.Equal(t, frankfurt+"/", leads(rd))
		require.LessOrEqual(t, time.Since(lost), 3*(11*time.Second+2*time.Second)) // as Config.Interval says

		w.up("us-east-1")
		back := time.Now()
		s = <-changes
		require.True(t, s.Usable)
		require.Equal(t, virginia+"/", leads(rd))
		require.LessOrEqual(t, time.Since(back), 2*11*time.Second)

		cancel()
		require.NoError(t, <-done)
	})
}

func TestOneRunAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rd := start(t, &world{}, failover.Config{})
		for range 2 { // it may run again after it has returned
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- rd.Run(ctx) }()
			synctest.Wait()
			requireReason(t, rd.Run(t.Context()), failover.ReasonRunning)
			cancel()
			require.NoError(t, <-done)
		}
	})
}

func TestRunWithAnEndedContext(t *testing.T) {
	w := &world{}
	w.say("us-east-1", func(ctx context.Context) (int, error) { return 0, ctx.Err() })
	rd := start(t, w, failover.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, rd.Run(ctx))
	require.True(t, status(t, rd, "us-east-1").LastProbe.IsZero())
}

// TestConcurrentUse is for the race detector, and checks that every answer is one of the possible
// ones.
func TestConcurrentUse(t *testing.T) {
	w := &world{}
	var running sync.Map
	rd := start(t, w, failover.Config{
		Interval: time.Microsecond, HealthyThreshold: 1, UnhealthyThreshold: 1, AssumeHealthy: true, KeepPath: true,
		OnChange: func(s failover.Status) {
			_, twice := running.LoadOrStore(s.Region, true)
			if twice {
				t.Error("two concurrent calls for one Region")
			}
			running.Delete(s.Region)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- rd.Run(ctx) }()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 500 {
				region := regions()[(n+i)%3].Name
				switch n % 4 {
				case 0:
					w.down(region)
				case 1:
					w.up(region)
				case 2:
					_ = rd.Set(region, failover.Control(n%3))
				}
				resp := get(rd, "GET", "https://portal.example/a")
				if to := resp.Header.Get("Location"); resp.StatusCode == http.StatusFound {
					assert.Contains(t, []string{virginia + "/a", frankfurt + "/a", tokyo + "/a"}, to)
				} else {
					assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
				}
				assert.Len(t, rd.Status(), 3)
			}
		})
	}
	all.Wait()
	cancel()
	require.NoError(t, <-done)
}
