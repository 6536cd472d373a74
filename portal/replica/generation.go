package replica

import (
	"context"
	"fmt"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// Each start of a Region has a number, and a follower goes back to no lower one.
// Proofs show the owner an older copy of its disks where it has the key that
// made them. It hasn't where its disk was lost and recovered, and a backup from
// before that, which the operator once vouched for, is put back. Then only the
// followers know.
//
// What they have heard is kept in the copy: the proof of its last message says in
// which start the message was given away.

// heardGeneration is the number of a Region's last start that the copy of its log
// says. The log's last message never expires. What is kept of a Region that was
// removed, and may be added again on a new disk, doesn't count.
func (n *Node) heardGeneration(ctx context.Context, region string) (uint64, error) {
	s, err := n.stream(ctx, kindConfig.stream(region))
	if err != nil {
		return 0, unavailable("look at the copy", err)
	}
	msg, err := latest(ctx, s, kindConfig.prefix(region)+">")
	if err != nil {
		return 0, unavailable("look at the copy", err)
	} else if msg == nil {
		return 0, nil
	}
	return integrity.NumberIn(msg.Header.Get(headerProof)), nil
}

// older says why an answer is of an older start than its question said was heard
// of, or "". A version from before there were generations says none.
func older(q question, a answer) string {
	if a.Latest != 0 && a.Latest < q.Heard {
		return fmt.Sprintf("its last start has number %d, and start number %d was heard of: an older copy of its disks is in their place; it is to be started with Config.Recover or Config.Restored, and with a clock that is right", a.Latest, q.Heard)
	}
	return ""
}

// heardStart takes note of the last start of a Region whose answer is believed.
func (f *follower) heardStart(a answer) {
	for heard := f.latest.Load(); a.Latest > heard && !f.latest.CompareAndSwap(heard, a.Latest); {
		heard = f.latest.Load()
	}
}

// newer looks at what number a follower has heard of that is higher than any that
// this Node knows. Another Node of the Region may have started. Otherwise it is a
// claim: it is reported, and the follower goes its own way.
func (n *Node) newer(ctx context.Context, q question) {
	if q.Heard <= n.identity.Load().Latest() {
		return
	}
	if n.cfg.URL != "" {
		if d, _, err := n.readIdentity(ctx); err == nil && d != nil {
			d.Self = n.generation
			n.identity.Store(d)
		}
	}
	if known := n.identity.Load().Latest(); q.Heard > known {
		n.reportClaim(suspect{q.From, " start"}, "a follower has heard of a later start of this Region", fmt.Sprintf("start number %d; the last one known here is %d", q.Heard, known))
	}
}
