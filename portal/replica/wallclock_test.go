package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The Node that made a session keeps its times as those do that read it from
// the log: without Go's monotonic reading, which stops while a machine is
// suspended.
func TestSessionsHaveNoMonotonicReadings(t *testing.T) {
	n := open(t, configOf(virginia, t.TempDir()))
	s := at(n, session("u-1", "s-1", nil))
	s.Created, s.Seen, s.Expires = time.Now(), time.Now(), time.Now().Add(time.Hour)
	require.Contains(t, s.Seen.String(), " m=")
	ctx := background(t)
	require.NoError(t, n.Sessions().Create(ctx, "key", s))
	check := func(seen time.Time) {
		t.Helper()
		got, err := n.Sessions().Get(ctx, "key")
		require.NoError(t, err)
		for _, at := range []time.Time{got.Created, got.Seen, got.Expires} {
			assert.NotContains(t, at.String(), " m=")
		}
		assert.True(t, seen.Equal(got.Seen))
	}
	check(s.Seen)
	later := time.Now().Add(time.Second)
	require.NoError(t, n.Sessions().Touch(ctx, "key", later))
	check(later)
}
