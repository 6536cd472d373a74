package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// ErrNotCopied is the error after which a follower only hears.
var ErrNotCopied = errNotCopied

// CopyMore has a Node say that it copied one message more of another's log than
// that one has read, with the proof.
func CopyMore(n, of *Node) {
	id, name := of.identity.Load(), kindConfig.stream(of.cfg.Region)
	read, _ := of.progress.get(name)
	at := integrity.Place{Line: string(kindConfig), Store: id.Stores[string(kindConfig)], Seq: read.seq + 1}
	n.contents.copied(name,
		copyEnd{at.Store, integrity.Proof{Seq: at.Seq, Token: id.Key.Prove(of.generation, at, integrity.Item{})}})
}

// HalfMake marks a Node's copy of a Region's log to be created again before it is used.
func HalfMake(n *Node, region string) {
	n.copies.mu.Lock()
	defer n.copies.mu.Unlock()
	n.copies.recopied[regionStream{region, kindConfig}] = false
}

// HalfMade reports whether it still is.
func HalfMade(n *Node, region string) bool {
	return n.copies.isHalfMade(regionStream{region, kindConfig})
}

// Tidying returns the requests to its own server that a new copier of a Region's log makes between
// two answers.
func Tidying(t *testing.T, n *Node, region string) map[string]func(context.Context) error {
	t.Helper()
	made := func() *copier {
		c, err := n.copier(t.Context(), region, kindConfig)
		require.NoError(t, err)
		return c
	}
	require.Positive(t, n.replacedBefore(region), "there is something to finish")
	unfinished, replaced, conflicts := made(), made(), 0
	replaced.compact = kindConfig.prefix(region) + "tx.1.0"
	f := n.follower(region)
	return map[string]func(context.Context) error{
		"finish": unfinished.settle,
		"clear":  replaced.settle,
		"mend":   func(ctx context.Context) error { return f.rebuildCopy(ctx, kindConfig, 0, &conflicts) },
	}
}
