package replica

import (
	"cmp"
	"context"
	"fmt"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A shownMessage is the last message of a copy, and its proof.
type shownMessage struct{ subject, token string }

// shown is the proof of the last message of a copy, or nil if there is none.
func (n *Node) shown(c *copier) (p *integrity.Proof) {
	if c.proof.token == "" {
		return nil
	}
	n.contents.with(c.kind.stream(c.region), func(have *integrity.Content) {
		store, _ := have.At()
		if seq, item, ok := have.Item(c.proof.subject); ok && store == c.at.store && seq == c.at.seq {
			p = &integrity.Proof{Seq: seq, Item: item, Token: c.proof.token}
		}
	})
	return p
}

// doubt says why an answer is not believed, or "". A Region with a new log that doesn't replace the other on
// purpose has lost its disk, and the copy here may be all that is left.
func (n *Node) doubt(c *copier, q question, a answer) string {
	switch {
	case a.Latest != 0 && a.Latest < q.Heard: // 0: a version from before generations
		return fmt.Sprintf("its last start has number %d, and start number %d was heard of: "+
			"an older copy of its disks is in their place; it is to be started with Config.Recover or Config.Restored, "+
			"and with a correct clock", a.Latest, q.Heard)
	case a.Refused != "":
		return cmp.Or(a.Error, string(a.Refused))
	case c.at.store != "" && a.Store != c.at.store && a.Generation != nil && !a.Vouched:
		return "it has a new log, and doesn't say that this replaces the one that was copied here: if it lost its disk, " +
			"it is to be started with Config.Recover or Config.Restored"
	}
	return ""
}

// A likeness is how a copy at the end of the original compares with the digest that the original's Region states.
type likeness int

const (
	unsaid    likeness = iota // the answer has no digest for this position
	overtaken                 // another Node of this Region is further
	alike
	unlike
)

// compare compares a copy with an answer. If they are unlike it says why.
func (n *Node) compare(c *copier, a answer) (is likeness, why string) {
	if a.Digest == nil || a.Digest.Position != max(c.at.seq, c.past) || a.Digest.Store != c.at.store {
		return unsaid, ""
	}
	n.contents.with(c.kind.stream(c.region), func(have *integrity.Content) {
		store, seq := have.At() // of the last message, which may be gone by now
		sum := have.Sum(a.Digest.Cutoff)
		switch {
		case c.at.seq == 0: // nothing was copied of this read
			sum, why = integrity.Sum{}, "the copy holds nothing, and the log does"
		case store != c.at.store || have.Read() != c.read || seq < c.at.seq || seq > a.Digest.Position:
			is = overtaken
			return
		default:
			why = "the copy holds something else than the log"
		}
		if is = unlike; sum == a.Digest.Sum {
			is, why = alike, ""
		}
	})
	return is, why
}

// doubts notes, and logs once, that what a peer says of a stream isn't believed.
func (f *follower) doubts(k streamKind, why string, differs bool) {
	f.mu.Lock()
	f.connected = true
	w := f.flows[k]
	first := w.doubt == ""
	w.doubt, w.differs = why, differs
	f.mu.Unlock()
	if first {
		f.n.cfg.Logger.Error("replica: a peer's log is not what it was",
			"peer", f.region, "stream", string(k), "found", refusal.Quote(why))
	}
}

// Others follow a Region at the address that they know. That may be the address of its old machine, or of a second
// Region that runs from a copy of its directory. So each answer also says how far the Region that answers has
// copied the one that asks: a Region that merely follows others is shown what it lacks, too.

// A copyEnd is the last message of a copy.
type copyEnd struct {
	Store string          `json:"store"`
	Proof integrity.Proof `json:"proof"`
}

// checkShown compares what a peer has of one of this Region's own streams. Without a proof it is a claim.
func (f *follower) checkShown(ctx context.Context, k streamKind, e *copyEnd) {
	n := f.n
	if e == nil || n.damageFound() != nil || f.flow(k).compared == *e {
		return
	}
	by := verdictOn(k, e.Store, e.Proof.Seq, &e.Proof)
	id := n.identity.Load()
	read, _ := n.progress.get(k.stream(n.cfg.Region))
	v, why := by(id, read.seq)
	switch {
	case v == integrity.Damaged:
		_ = n.confirm(ctx, k, by)
		return // this Node may not be there yet: it is compared again with the next answer
	case v == integrity.Claim && e.Store != id.Stores[string(k)]:
		n.checkClaim(f.region, k, why)
		return
	case v == integrity.Claim:
		n.reportClaim(regionStream{f.region, k}, "a peer claims what it doesn't prove", why)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flows[k].compared = *e
}

// Each start of a Region has a number, and a follower accepts no lower one than it has heard of. Proofs show the
// owner an older copy of its disks only if it has the key that made them. After a disk was lost and recovered, and
// a backup from before that is put back, only the followers know. The proof of a copy's last message holds the
// number of the start in which the message was sent.

// heardGeneration returns the number of a Region's last start, by the last message in the copy of its log.
func (n *Node) heardGeneration(ctx context.Context, region string) (uint64, error) {
	msg, err := n.latest(ctx, kindConfig.stream(region), kindConfig.prefix(region)+">")
	if msg == nil {
		return 0, err
	}
	return integrity.NumberIn(msg.Header.Get(headerProof)), nil
}

// heardStart notes the last start of a Region whose answer is believed.
func (f *follower) heardStart(a answer) {
	for heard := f.latest.Load(); a.Latest > heard && !f.latest.CompareAndSwap(heard, a.Latest); {
		heard = f.latest.Load()
	}
}
