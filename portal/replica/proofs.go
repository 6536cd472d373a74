package replica

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// prove adds this Region's proof to each message of an answer. It covers the hash of
// the opened body, so sealing doesn't matter.
func (n *Node) prove(k streamKind, a *answer) {
	key := n.identity.Load().Key
	for i := range a.Messages {
		m := &a.Messages[i]
		var seq uint64
		var item integrity.Item
		n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) { seq, item, _ = c.Item(m.Subject) })
		if seq != m.Seq { // the reader is not there yet
			item = n.itemOf(*m)
		}
		m.Proof = key.Prove(n.generation, integrity.Place{Line: string(k), Store: a.Store, Seq: m.Seq}, item)
	}
}

// itemOf opens a message and hashes it.
func (n *Node) itemOf(m message) integrity.Item {
	plain, err := n.cfg.Codec.Open(m.Subject, m.Data)
	return itemOf(m.Subject, int64(number(m.Until)), plain, m.Data, err == nil)
}

// state adds to an answer what the Region says of the whole stream: the generation
// and, if this Node has read all of it, the digest at its end.
func (n *Node) state(ctx context.Context, s jetstream.Stream, q question, a *answer) error {
	id := n.identity.Load()
	a.Generation, a.Latest, a.Vouched = &n.generation, id.Latest(), id.Vouched
	a.Again = q.Differs && n.isCleared(q)
	if a.Pending > 0 {
		return nil
	}
	d := integrity.Digest{Store: a.Store, Position: max(a.Last, a.end()), Cutoff: integrity.Cutoff(n.latestClock(), n.skewSeconds())}
	var at uint64
	n.contents.with(q.Line.stream(n.cfg.Region), func(c *integrity.Content) {
		_, at = c.At()
		d.Sum = c.Sum(d.Cutoff)
	})
	if at < d.Position { // what is between may have expired
		more, err := nextSeq(ctx, s, q.Line.prefix(n.cfg.Region), at)
		if err != nil || more > 0 {
			return err
		}
	}
	if at <= d.Position {
		a.Digest = &d
	}
	return nil
}

// checkProof checks what a follower shows of its copy of one of this Region's own
// streams. It returns why the follower gets no answer, or "".
func (n *Node) checkProof(ctx context.Context, q question, info *jetstream.StreamInfo) (refusedReason, error) {
	if err := n.damage.Load(); err != nil && n.isDamaged(q.Line) {
		return refusedDamaged, err
	}
	n.noteHeardStart(ctx, q)
	current, ahead := q.Store == info.Config.Metadata[storeID], q.After > info.State.LastSeq
	by := judgeOf(q.Line, q.Store, q.After, q.Proof)
	v, why := by(n.identity.Load(), info.State.LastSeq)
	if v == integrity.Damaged {
		if err := n.confirmAndCondemn(ctx, q.Line, by); err != nil {
			return refusedDamaged, err
		}
		if current && ahead {
			return refusedAhead, errBehind // this server may not lead the stream any more
		}
		v = integrity.Fine
	}
	if q.Proof != nil && current && v != integrity.Claim {
		n.noteFollowed(ctx)
	}
	if q.Differs {
		n.checkClaim(q.From, q.Line, "its copy holds something else")
	}
	if v != integrity.Claim {
		return "", nil
	}
	if !current {
		n.checkClaim(q.From, q.Line, why)
		return "", nil
	}
	if ahead && info.Config.Replicas > 1 && !n.lasts(regionStream{leader, q.Line}) {
		return refusedAhead, errBehind // this server may not lead the stream any more
	}
	n.reportClaim(regionStream{q.From, q.Line}, "a follower claims what it doesn't prove", why)
	if ahead {
		return refusedAhead, fmt.Errorf("the log ends at %d and the question begins after that, with no proof that the log ever went on", info.State.LastSeq)
	}
	return "", nil
}

// judgeUnlisted judges what a Region shows that this one doesn't list: a primary that
// was restored to a state from before it listed the Region hears of that from no
// other. It returns the answer. The list of a Region that has stopped doesn't count,
// so the Region that asks hears of the damage, and goes on with what it has.
func (n *Node) judgeUnlisted(ctx context.Context, q question, a answer) answer {
	if !a.Unlisted || a.Removed > 0 || q.Of != "" {
		return a
	}
	if q.Proof != nil && n.condemned() == nil {
		by := judgeOf(q.Line, q.Store, q.After, q.Proof)
		read, _ := n.progress.get(q.Line.stream(n.cfg.Region))
		if v, _ := by(n.identity.Load(), read.seq); v == integrity.Damaged {
			_ = n.confirmAndCondemn(ctx, q.Line, by)
		}
	}
	if err := n.condemned(); err != nil {
		return answer{Error: err.Error(), Refused: refusedDamaged}
	}
	return a
}

// noteFollowed notes that another Region has shown a message that this one wrote to
// the streams that it has.
func (n *Node) noteFollowed(ctx context.Context) {
	if d := n.identity.Load(); d.Followed || d.Vouched {
		return
	}
	if err := n.changeIdentity(ctx, func(d *integrity.Identity) { d.Followed = true }); err != nil {
		n.cfg.Logger.Warn("replica: not noted that this Region is followed", "error", err)
	}
}

// noteHeardStart compares the number of the last start that a follower has heard of
// with those that this Node knows. If it is higher, another Node of the Region may
// have started. Otherwise it is a claim: it is logged.
func (n *Node) noteHeardStart(ctx context.Context, q question) {
	if q.Heard <= n.identity.Load().Latest() {
		return
	}
	if n.cfg.URL != "" {
		_, _ = n.reloadIdentity(ctx)
	}
	if known := n.identity.Load().Latest(); q.Heard > known {
		n.reportClaim(regionStream{q.From, " start"}, "a follower has heard of a later start of this Region",
			fmt.Sprintf("start number %d; the last one known here is %d", q.Heard, known))
	}
}
