package failover_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/failover"
)

func TestControls(t *testing.T) {
	w := &world{}
	w.down("eu-central-1")
	rd := start(t, w, failover.Config{})
	require.NoError(t, rd.Probe(t.Context()))
	require.Equal(t, virginia+"/", leads(rd))

	// Off: drained, though healthy. The Region that is down is skipped.
	require.NoError(t, rd.Set("us-east-1", failover.Off))
	require.Equal(t, tokyo+"/", leads(rd))
	s := status(t, rd, "us-east-1")
	require.True(t, s.Healthy)
	require.False(t, s.Usable)
	require.Equal(t, failover.Off, s.Control)

	// On: used, though down. It keeps its place in the order.
	require.NoError(t, rd.Set("eu-central-1", failover.On))
	require.Equal(t, frankfurt+"/", leads(rd))
	s = status(t, rd, "eu-central-1")
	require.False(t, s.Healthy)
	require.True(t, s.Usable)

	// Auto: the probes decide again. They never stopped.
	require.NoError(t, rd.Set("us-east-1", failover.Auto))
	require.Equal(t, virginia+"/", leads(rd))
	require.NoError(t, rd.Set("us-east-1", failover.Off))
	require.NoError(t, rd.Set("eu-central-1", failover.Auto))
	require.Equal(t, tokyo+"/", leads(rd))
}

func TestControlsFromTheStart(t *testing.T) {
	rs := regions()
	rs[0].Control, rs[2].Control = failover.Off, failover.On
	rd := start(t, nil, failover.Config{Regions: rs})
	require.Equal(t, tokyo+"/", leads(rd)) // nothing was probed
}

func TestSetRefuses(t *testing.T) {
	rd := start(t, nil, failover.Config{})
	requireReason(t, rd.Set("eu-central-2", failover.Off), failover.ReasonUnknownRegion)
	requireReason(t, rd.Set("eu-central-1", 3), failover.ReasonConfig)
}

// A drained Region is not used even as a last resort, so the last one can't be drained.
func TestLastRegionCannotBeTurnedOff(t *testing.T) {
	rd := start(t, nil, failover.Config{AssumeHealthy: true})
	require.NoError(t, rd.Set("us-east-1", failover.Off))
	require.NoError(t, rd.Set("eu-central-1", failover.Off))
	requireReason(t, rd.Set("ap-northeast-1", failover.Off), failover.ReasonLastRegion)
	require.Equal(t, failover.Auto, status(t, rd, "ap-northeast-1").Control)
	require.Equal(t, tokyo+"/", leads(rd))
	require.NoError(t, rd.Set("eu-central-1", failover.Off)) // the Region is Off already
	require.NoError(t, rd.Set("us-east-1", failover.Auto))
	require.NoError(t, rd.Set("ap-northeast-1", failover.Off))
}

// Concurrent calls of Set can't drain the last Region either.
func TestLastRegionStaysUnderConcurrency(t *testing.T) {
	for range 200 {
		rd := start(t, nil, failover.Config{AssumeHealthy: true})
		errs := make([]error, 3)
		var all sync.WaitGroup
		for i, r := range regions() {
			all.Go(func() { errs[i] = rd.Set(r.Name, failover.Off) })
		}
		all.Wait()
		refused := 0
		for _, err := range errs {
			if err != nil {
				requireReason(t, err, failover.ReasonLastRegion)
				refused++
			}
		}
		require.Equal(t, 1, refused)
		require.NotEmpty(t, leads(rd))
	}
}

func TestOnChangeAndLog(t *testing.T) {
	var log bytes.Buffer
	var reported []failover.Status
	w := &world{}
	w.down("eu-central-1")
	cfg := failover.Config{
		Regions:            regions()[:2],
		UnhealthyThreshold: 1,
		Logger:             slog.New(slog.NewTextHandler(&log, nil)),
	}
	var rd *failover.Redirector
	cfg.OnChange = func(s failover.Status) {
		assert.Contains(t, rd.Status(), s) // the change is in effect already
		reported = append(reported, s)
	}
	rd = start(t, w, cfg)
	require.NoError(t, rd.Probe(t.Context()))
	require.Len(t, reported, 1) // Frankfurt was unhealthy before, too
	require.Contains(t, log.String(), `msg="failover: probe failed" region=eu-central-1`)

	require.NoError(t, rd.Set("us-east-1", failover.Auto)) // no change
	require.Len(t, reported, 1)
	require.NoError(t, rd.Set("us-east-1", failover.On))
	require.NoError(t, rd.Set("us-east-1", failover.Auto))
	require.Len(t, reported, 3)
	w.down("us-east-1")
	require.NoError(t, rd.Probe(t.Context()))
	require.Len(t, reported, 4)
	require.False(t, reported[3].Usable)
	require.Contains(t, log.String(), `level=ERROR msg="failover: no Region can be used"`)

	// Requests write nothing to the log.
	length := log.Len()
	require.Equal(t, http.StatusServiceUnavailable, get(rd, "GET", "https://portal.example/").StatusCode)
	require.Equal(t, length, log.Len())
}

// OnChange may call Set for any Region. Here two concurrent calls set their own Region and each other's.
func TestOnChangeMaySet(t *testing.T) {
	other := map[string]string{"us-east-1": "eu-central-1", "eu-central-1": "us-east-1"}
	both := make(chan bool)
	var rd *failover.Redirector
	var mu sync.Mutex
	reported := map[string][]failover.Control{}
	rd = start(t, &world{}, failover.Config{Regions: regions()[:2], OnChange: func(s failover.Status) {
		mu.Lock()
		reported[s.Region] = append(reported[s.Region], s.Control)
		mu.Unlock()
		if s.Control != failover.Auto {
			return
		}
		select { // wait for the other call
		case both <- true:
		case <-both:
		}
		assert.NoError(t, rd.Set(other[s.Region], failover.On))
		assert.NoError(t, rd.Set(s.Region, failover.On))
		assert.Equal(t, failover.On, status(t, rd, s.Region).Control, "in effect at once")
	}})
	require.NoError(t, rd.Probe(t.Context()))
	each := []failover.Control{failover.Auto, failover.On}
	require.Equal(t, map[string][]failover.Control{"us-east-1": each, "eu-central-1": each}, reported)
}

func TestChangesAreReportedAfterAPanic(t *testing.T) {
	calls := 0
	rd := start(t, nil, failover.Config{OnChange: func(failover.Status) {
		if calls++; calls == 1 {
			panic("broken")
		}
	}})
	require.Panics(t, func() { _ = rd.Set("us-east-1", failover.On) })
	require.NoError(t, rd.Set("us-east-1", failover.Auto))
	require.Equal(t, 2, calls)
}

func TestControlAsText(t *testing.T) {
	for c, want := range map[failover.Control]string{failover.Auto: `"Auto"`, failover.On: `"On"`, failover.Off: `"Off"`} {
		b, err := json.Marshal(c)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
		back := failover.Control(9)
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, c, back)
	}
	var c failover.Control
	requireReason(t, c.UnmarshalText([]byte("off")), failover.ReasonConfig)
	_, err := failover.Control(3).MarshalText()
	requireReason(t, err, failover.ReasonConfig)
}
