package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/keys"
)

func benchLog(b *testing.B) *audit.Log {
	b.Helper()
	ring, id := newRing(b, virginia, time.Now)
	sealer, err := keys.NewSealer(keys.Config{Key: ring.Use(id, "meridian"), Instance: "ssoins-7223aaaabbbbcccc"})
	require.NoError(b, err)
	l, err := audit.Open(audit.Small(audit.Config{
		Dir: filepath.Join(b.TempDir(), "audit"), Region: virginia, Sealer: sealer, AccessPerHour: 1 << 30,
	}))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Close()) })
	return l
}

// One event, on disk, by one caller and by many at a time.
func BenchmarkAccess(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(callers, " callers"), func(b *testing.B) {
			l, n := benchLog(b), atomic.Int64{}
			b.SetParallelism(max(1, callers/2))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := l.Access(context.Background(), signIn(fmt.Sprint(n.Add(1)))); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(n.Load())/float64(max(1, l.Blocks(audit.Access))), "events/fsync")
		})
	}
}

// What an unauthenticated client costs: a refusal that is written, and one above the quota.
func BenchmarkRefused(b *testing.B) {
	l := benchLog(b)
	e := refusal("198.51.100.9")
	e.UserAgent = string(bytes.Repeat([]byte{'\n'}, 4096))
	for b.Loop() {
		l.Refused(context.Background(), e)
	}
}
