package replica

import (
	"context"
	"time"
)

// Check compares Nodes until they have the same state, or ctx ends. It returns the last
// comparison, with ctx's error if there still are differences. When all have the same
// state, everything that was written before Check has reached all of them.
func Check(ctx context.Context, nodes ...*Node) (Report, error) {
	for {
		digests := make([]Digest, len(nodes))
		for i, n := range nodes {
			digests[i] = n.Digest()
		}
		r := Compare(digests...)
		if len(r.Differences) == 0 {
			return r, nil
		}
		pause(ctx, 50*time.Millisecond)
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
}
