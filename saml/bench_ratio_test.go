//go:build unix

package saml_test

import (
	"crypto"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// BenchmarkRatio measures the ratios in the README. It runs Verify, the floor and
// the peers in turn over the same bytes, and reports the medians of their ratios. It
// compares CPU time and not wall time, so that a busy machine changes little. Run it
// with -benchtime 9x. If a peer refuses a document, the time of a refusal by Verify
// is used.
func BenchmarkRatio(b *testing.B) {
	sp := newSP(b, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
	for _, d := range append(benchDocs(), refusedDocs()...) {
		b.Run(d.name, func(b *testing.B) {
			raw := d.doc.base64(b)
			runs := map[string]func() error{
				"crewjam": byCrewjam(
					b,
					raw,
				), "goxmldsig": byGoxmldsig(b, raw), "floor": floor(b, raw, max(1, d.sigs), d.doc.Encrypt != nil),
				"ours": func() error { _, err := sp.Verify(raw, unsolicited); return err },
			}
			require.Equal(b, d.sigs > 0, runs["ours"]() == nil)
			spent := map[string][]float64{}
			for b.Loop() {
				for name, run := range runs {
					spent[name] = append(spent[name], cpuTime(run))
				}
			}
			ratio := func(over, under string) float64 {
				var all []float64
				for i := range spent[over] {
					all = append(all, spent[over][i]/spent[under][i])
				}
				slices.Sort(all)
				return all[len(all)/2]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ratio("ours", "floor"), "ours/floor")
			if d.doc.Encrypt == nil {
				b.ReportMetric(ratio("goxmldsig", "ours"), "goxmldsig/ours")
			}
			b.ReportMetric(ratio("crewjam", "ours"), "crewjam/ours")
		})
	}
}

// cpuTime is the CPU time of one run, in seconds, garbage collection included.
func cpuTime(run func() error) float64 {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	runtime.GC()
	start, n := used(), 0
	for n < 3 || used()-start < 50*time.Millisecond {
		_ = run()
		n++
	}
	return (used() - start).Seconds() / float64(n)
}
