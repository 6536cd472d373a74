package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Stored is one message on the disk of a Region, opened with the Region's key.
type Stored struct{ Stream, Subject, Body string }

// OnDisk are all messages of all streams of a Node's own server.
func OnDisk(t testing.TB, n *Node) (out []Stored) {
	t.Helper()
	ctx := context.Background()
	for name := range Held(t, n) {
		s, err := n.js.Stream(ctx, name)
		require.NoError(t, err)
		for at := uint64(1); at <= s.CachedInfo().State.LastSeq; at++ {
			msg, err := s.GetMsg(ctx, at)
			if err != nil {
				continue // it expired or was replaced
			}
			if msg.Header.Get(headerBound) == "" { // not sealed
				out = append(out, Stored{name, msg.Subject, string(msg.Data)})
				continue
			}
			o, err := n.cfg.open(msg.Subject, msg.Header, msg.Data)
			require.NoError(t, err, msg.Subject)
			out = append(out, Stored{name, msg.Subject, string(o.body)})
		}
	}
	return out
}
