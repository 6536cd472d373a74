package replica

import (
	"context"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A fullAt is where the last full transaction that is whole begins in a stream of
// the Region's own server: nothing before it is needed.
type fullAt struct {
	first uint64 // of the transaction whose parts are read
	from  uint64 // where the first of them was read
	at    uint64 // where the last whole one begins; 0: there is none
}

// part takes a part in. whole: it completes its transaction.
func (f *fullAt) part(local uint64, p merge.Transaction, whole bool) {
	if !p.Full {
		return
	}
	if p.First != f.first {
		f.first, f.from = p.First, local
	}
	if whole {
		f.at = f.from
	}
}

// replacedBefore is the sequence, in a copy of a Region's log, before which all is
// replaced, as far as it was read; 0: nothing is.
func (n *Node) replacedBefore(region string) uint64 {
	n.applying.Lock()
	defer n.applying.Unlock()
	return n.fulls[region].at
}

// finish lets go of what a full transaction replaced in the copy, where a process
// ended when it had copied that, and before it did so. A copier does it once.
func (c *copier) finish(ctx context.Context) error {
	if c.finished || c.kind != kindConfig {
		return nil
	}
	if before := c.n.replacedBefore(c.region); before > 0 {
		s, err := c.n.stream(ctx, c.kind.stream(c.region))
		if err != nil {
			return unavailable("look at the copy", err)
		}
		if s.CachedInfo().State.FirstSeq < before {
			if err := c.n.forgetBefore(ctx, c.region, before); err != nil {
				return err
			}
		}
	}
	c.finished = true
	return nil
}
