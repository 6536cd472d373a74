package replica

import (
	"context"
	"errors"
)

// A brokenCopy counts how often in a row the embedded server refused to go on
// with a copy that no other Node writes to. Where the files of a stream were
// damaged, the server may think of two different ends of it, and takes nothing
// any more.
type brokenCopy struct{ times int }

// mend makes a copy again that is broken. The Region that it is a copy of
// answers at this moment, so all of it comes again. began is where the copy
// ended when it was last tried.
func (b *brokenCopy) mend(ctx context.Context, f *follower, k streamKind, began uint64) error {
	n := f.n
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := n.stream(asking, k.stream(f.region))
	if err != nil {
		return unavailable("look at the copy", errors.Join(errNotCopied, err))
	}
	if b.times++; n.server == nil || s.CachedInfo().State.LastSeq != began {
		b.times = 0 // another Node wrote
	}
	if b.times < 3 {
		return nil
	}
	b.times = 0
	return f.makeAgain(k)
}
