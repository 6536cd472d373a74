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

// rejectReason returns why an answer is not accepted, or "". If a Region has a new log without having replaced the
// earlier one on purpose, it has lost its disk, and the copy here may be the only one.
func (n *Node) rejectReason(c *copier, q question, a answer) string {
	switch {
	case a.Latest != 0 && a.Latest < q.Heard: // 0: a version from before generations
		return fmt.Sprintf("the number of its last start is %d, but a later start has number %d: "+
			"its disks are an older copy; start it with Config.Recover or Config.Restored, "+
			"and with a correct clock", a.Latest, q.Heard)
	case a.Refused != "":
		return cmp.Or(a.Error, string(a.Refused))
	case c.at.store != "" && a.Store != c.at.store && a.Generation != nil && !a.Vouched:
		return "it has a new log, and did not replace the copied one on purpose: if it lost its disk, " +
			"start it with Config.Recover or Config.Restored"
	}
	return ""
}

// A comparison is the result of comparing a copy, at the end of the original, with the digest from the original's
// Region.
type comparison int

const (
	noDigest      comparison = iota // the answer has no digest for this position
	copyOvertaken                   // another Node of this Region has copied more
	copyEqual
	copyDiffers
)

// compare compares a copy with an answer. If they differ, why is the reason.
func (n *Node) compare(c *copier, a answer) (result comparison, why string) {
	if a.Digest == nil || a.Digest.Position != max(c.at.seq, c.past) || a.Digest.Store != c.at.store {
		return noDigest, ""
	}
	n.contents.with(c.kind.stream(c.region), func(have *integrity.Content) {
		store, seq := have.At() // position of the last message, which may have expired
		sum := have.Sum(a.Digest.Cutoff)
		switch {
		case c.at.seq == 0: // nothing is copied since the original is read again
			sum, why = integrity.Sum{}, "the copy is empty, the log is not"
		case store != c.at.store || have.Read() != c.read || seq < c.at.seq || seq > a.Digest.Position:
			result = copyOvertaken
			return
		default:
			why = "the content of the copy differs from the log"
		}
		if result = copyDiffers; sum == a.Digest.Sum {
			result, why = copyEqual, ""
		}
	})
	return result, why
}

// noteRejected notes that a peer's answer about a stream is not accepted. It logs this once.
func (f *follower) noteRejected(k streamKind, why string, differs bool) {
	f.mu.Lock()
	f.connected = true
	w := f.flows[k]
	first := w.rejected == ""
	w.rejected, w.differs = why, differs
	f.mu.Unlock()
	if first {
		f.n.cfg.Logger.Error("replica: a peer's log is not accepted",
			"peer", f.region, "stream", string(k), "found", refusal.Quote(why))
	}
}

// The other Regions may follow a Region at a wrong address: that of its old machine, or of a second Region that runs
// from a copy of its directory. So each answer also has the last message that the answering Region has copied from the
// one that asks. This shows even a Region that no other follows whether it has lost messages.

// A copyEnd is the last message of a copy.
type copyEnd struct {
	Store string          `json:"store"`
	Proof integrity.Proof `json:"proof"`
}

// checkShown checks the end of a peer's copy of one of this Region's own streams. Without a proof it is only a claim.
func (f *follower) checkShown(ctx context.Context, k streamKind, e *copyEnd) {
	n := f.n
	if e == nil || n.damageFound() != nil || f.flow(k).compared == *e {
		return
	}
	by := n.verdictOn(ctx, k, e.Store, e.Proof.Seq, &e.Proof)
	id := n.identity.Load()
	read, _ := n.progress.get(k.stream(n.cfg.Region))
	v, why := by(id, read.seq)
	switch {
	case v == integrity.Damaged:
		_ = n.confirm(ctx, k, by)
		return // this Node may not have read so far: the next answer is compared again
	case v == integrity.Claim && e.Store != id.Stores[string(k)]:
		n.checkClaim(f.region, k, why)
		return
	case v == integrity.Claim:
		n.reportClaim(regionStream{f.region, k}, "a peer makes a claim without a proof", why)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flows[k].compared = *e
}

// Each start of a Region has a number, and a follower rejects a lower number than the last one that it has seen. By
// proofs alone, a Region detects that its disks are outdated only if it has the key of the proofs. It doesn't have the
// key if its disk was lost and recovered and then replaced by a backup from before that. Only the followers detect
// this. The proof of a copy's last message contains the number of the start in which the message was sent.

// heardGeneration returns the number of a Region's last start, by the last message in the copy of its log.
func (n *Node) heardGeneration(ctx context.Context, region string) (uint64, error) {
	msg, err := n.latest(ctx, kindConfig.stream(region), kindConfig.prefix(region)+">")
	if msg == nil {
		return 0, err
	}
	return integrity.NumberIn(msg.Header.Get(headerProof)), nil
}

// heardStart notes the last start of a Region whose answer is accepted.
func (f *follower) heardStart(a answer) {
	for heard := f.latest.Load(); a.Latest > heard && !f.latest.CompareAndSwap(heard, a.Latest); {
		heard = f.latest.Load()
	}
}
