//go:build unix

package portal_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/keys"
)

// BenchmarkAuditCost compares sign-ins with and without their events, sealed and on disk with fsync, in turns: each
// iteration is 512 sign-ins of each, by 128 browsers at a time. It reports the medians of CPU time and of elapsed time
// for a sign-in, and their ratios. -benchtime 15x is enough.
func BenchmarkAuditCost(b *testing.B) {
	const each, browsers = 512, 128
	ring, err := keys.CreateRing(keys.RingConfig{
		Path: filepath.Join(b.TempDir(), "keys"), Region: "us-east-1", Key: bytes.Repeat([]byte{7}, 32),
	})
	require.NoError(b, err)
	key, err := ring.Create(keys.KeyConfig{Policy: keys.Allow("meridian")})
	require.NoError(b, err)
	sealer, err := keys.NewSealer(keys.Config{Key: ring.Use(key.ID, "meridian"), Instance: "ssoins-7223aaaabbbbcccc"})
	require.NoError(b, err)
	l, err := audit.Open(audit.Config{
		Dir: filepath.Join(b.TempDir(), "audit"), Region: "us-east-1", Sealer: sealer, AccessPerHour: 1 << 30,
	})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Close()) })
	portals, idps := [2]http.Handler{}, [2]*mockidp.Server{}
	portals[0], idps[0] = benchPortal(b, nil)
	portals[1], idps[1] = benchPortal(b, l)
	var cpu, elapsed [2][]time.Duration
	for b.Loop() {
		for i, p := range portals {
			b.StopTimer()
			all := make([]arrival, each)
			for j := range all {
				all[j] = comeBack(b, p, idps[i])
			}
			runtime.GC()
			b.StartTimer()
			before, began := cpuTime(b), time.Now()
			var next, failed atomic.Int64
			var wg sync.WaitGroup
			for range browsers {
				wg.Go(func() {
					for {
						n := next.Add(1)
						if n > each {
							return
						}
						if finish(p, all[n-1]) != http.StatusSeeOther {
							failed.Add(1)
						}
					}
				})
			}
			wg.Wait()
			elapsed[i] = append(elapsed[i], time.Since(began)/each)
			cpu[i] = append(cpu[i], (cpuTime(b)-before)/each)
			require.Zero(b, failed.Load())
		}
	}
	median := func(all []time.Duration) float64 { return float64(slices.Sorted(slices.Values(all))[len(all)/2]) }
	b.ReportMetric(0, "ns/op")
	for i, name := range []string{"off", "on"} {
		b.ReportMetric(median(cpu[i])/1e3, "µs-cpu-"+name)
		b.ReportMetric(median(elapsed[i])/1e3, "µs-"+name)
	}
	b.ReportMetric(median(cpu[1])/median(cpu[0]), "ratio-cpu")
	b.ReportMetric(median(elapsed[1])/median(elapsed[0]), "ratio")
}

// cpuTime returns the CPU time of this process.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
