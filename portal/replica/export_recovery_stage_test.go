package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pass makes a recovery end, as in a crash, at the first step for which stop returns an error.
func Pass(c *Config, stop func(step string) error) { c.passes = stop }

// RenameStreams gives a Node's own streams other names, as a version from before
// there were formats does that is started with Restored.
func RenameStreams(t testing.TB, n *Node) {
	t.Helper()
	for _, k := range streamKinds {
		s, err := n.js.Stream(context.Background(), k.stream(n.cfg.Region))
		require.NoError(t, err)
		c := s.CachedInfo().Config
		c.Metadata[storeID] = n.newStore()
		_, err = n.js.UpdateStream(context.Background(), c)
		require.NoError(t, err)
	}
}
