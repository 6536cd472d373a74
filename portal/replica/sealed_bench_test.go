package replica_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// What sealing costs: the replication of a large instance to a new Region, and a sign-in, which is a session that is
// written and read. Sealed and plain Regions take turns, so that a machine that is busy with something else slows both.
// The metrics are ratios of the medians: 1 means that sealing costs nothing. Run it with -benchtime 5x.
func BenchmarkSealing(b *testing.B) {
	took := map[string][]time.Duration{}
	k := newKeyring(b, virginia, frankfurt)
	for i := range b.N {
		order := []bool{i%2 == 0, i%2 != 0}
		for _, sealed := range order {
			name := "plain"
			configs := []replica.Config{configOf(virginia, b.TempDir()), configOf(frankfurt, b.TempDir())}
			if sealed {
				name = "sealed"
				configs = []replica.Config{k.config(b, virginia, b.TempDir()), k.config(b, frankfurt, b.TempDir())}
			}
			configs[0].Seed = large(virginia, frankfurt)
			us, eu := open(b, configs[0]), open(b, configs[1])
			began := time.Now()
			mesh(b, us, eu)
			took[name+" replication"] = append(took[name+" replication"], time.Since(began))
			for s := range 200 {
				began := time.Now()
				signIn(b, eu, userName(s), fmt.Sprint("s-", s))
				require.True(b, alive(b, eu, fmt.Sprint("s-", s)))
				took[name+" sign-in"] = append(took[name+" sign-in"], time.Since(began))
			}
			us.Close()
			eu.Close()
		}
	}
	median := func(name string) float64 {
		all := took[name]
		slices.Sort(all)
		return float64(all[len(all)/2])
	}
	b.ReportMetric(median("sealed replication")/median("plain replication"), "replication-ratio")
	b.ReportMetric(median("sealed sign-in")/median("plain sign-in"), "sign-in-ratio")
	b.ReportMetric(median("sealed sign-in")/float64(time.Microsecond), "µs/sign-in")
}
