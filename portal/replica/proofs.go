package replica

import (
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// contents describes the streams on the Region's own server, its own and copies, as their readers have read them.
type contents struct {
	mu   sync.Mutex
	of   map[string]*integrity.Content // by stream
	ends sync.Map                      // stream → copyEnd, of copies
}

// with calls look with the Content of a stream, which must not keep it.
func (c *contents) with(stream string, look func(*integrity.Content)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]*integrity.Content{}
	}
	if c.of[stream] == nil {
		c.of[stream] = integrity.NewContent()
	}
	look(c.of[stream])
}

// drop forgets a stream that is no longer read.
func (c *contents) drop(stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, stream)
	c.ends.Delete(stream)
}

// forget drops what expired before an instant.
func (c *contents) forget(before int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.of {
		one.Forget(before)
	}
}

// copyEnd returns the last message of a copy, or nil.
func (c *contents) copyEnd(stream string) *copyEnd {
	e, ok := c.ends.Load(stream)
	if !ok {
		return nil
	}
	end := e.(copyEnd)
	return &end
}

// copied notes the last message of a copy that has a proof.
func (c *contents) copied(stream string, e copyEnd) {
	if e.Proof.Token != "" { // otherwise it is from an older version, or padding
		c.ends.Store(stream, e)
	}
}

// note adds a message that was read to the content of its stream. opened is false if it could not be opened.
func (n *Node) note(a arrival, h nats.Header, subject string, sealed []byte, opened bool) {
	m := n.messageOf(a, h, subject, sealed, opened)
	n.contents.with(a.kind.stream(a.region), func(c *integrity.Content) { c.Add(m) })
	n.contents.copied(a.kind.stream(a.region),
		copyEnd{m.Store, integrity.Proof{Seq: m.Seq, Item: m.Item, Token: h.Get(headerProof)}})
}

// messageOf describes a message to a Content.
func (n *Node) messageOf(a arrival, h nats.Header, subject string, sealed []byte, opened bool) integrity.Message {
	m := integrity.Message{
		Store: a.store, Read: number(h.Get(headerRead)), Seq: a.seq, Subject: subject,
		Until: int64(number(h.Get(headerUntil))),
	}
	if a.region == n.cfg.Region {
		m.Store, m.Read = n.identity.Load().Stores[string(a.kind)], 0
	}
	m.Item = itemOf(subject, m.Until, openedOf(a), sealed, opened)
	if p, ok := readPartHeader(h.Get(headerPart)); ok && p.full == 1 && p.part == p.of-1 {
		m.Replaces = integrity.ReplacedBy(subject)
	}
	return m
}

func openedOf(a arrival) opened { return opened{a.body, a.digest} }

// itemOf hashes a message. If the message can't be opened, it hashes the sealed form: a Region that can open it has
// another hash, and reports the difference.
func itemOf(subject string, until int64, plain opened, sealed []byte, isOpen bool) integrity.Item {
	if !isOpen {
		return integrity.HashItem(subject, until, append([]byte("sealed: "), sealed...))
	}
	return plain.item(subject, until)
}

// prove adds this Region's proof to each message of an answer, of the hash of the opened body.
func (n *Node) prove(k streamKind, a *answer) error {
	key := n.identity.Load().Key
	for i := range a.Messages {
		m := &a.Messages[i]
		var seq uint64
		var item integrity.Item
		n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) { seq, item, _ = c.Item(m.Subject) })
		if seq != m.Seq { // the reader is not there yet
			var err error
			if item, err = n.itemOf(*m); err != nil {
				return err
			}
		}
		m.Proof = key.Prove(n.generation, integrity.Place{Line: string(k), Store: a.Store, Seq: m.Seq}, item)
	}
	return nil
}

// itemOf opens a message and hashes it. It fails if the Region's key can't be used now.
func (n *Node) itemOf(m message) (integrity.Item, error) {
	plain, err := n.cfg.openMessage(m)
	if lacksKey(err) {
		return integrity.Item{}, err
	}
	return itemOf(m.Subject, int64(number(m.Until)), plain, m.Data, err == nil), nil
}

// hasAnother reports whether one of this Region's own streams has another message at the sequence of a proof. It
// returns false if there is none any more, or if it can't be read. An earlier start may have been unable to open the
// message.
func (n *Node) hasAnother(ctx context.Context, k streamKind, p integrity.Proof) bool {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return false
	}
	msg, err := getMessage(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.GetMsg(ctx, p.Seq)
	})
	if err != nil || msg == nil {
		return false
	}
	plain, err := n.cfg.open(msg.Subject, msg.Header, msg.Data)
	until := int64(number(msg.Header.Get(headerUntil)))
	return err == nil && p.Item != itemOf(msg.Subject, until, plain, msg.Data, true) &&
		p.Item != itemOf(msg.Subject, until, opened{}, msg.Data, false)
}

// state adds to an answer the generation and, if this Node has read the whole stream, the digest at its end.
func (n *Node) state(ctx context.Context, s jetstream.Stream, q question, a *answer) error {
	id := n.identity.Load()
	a.Generation, a.Latest, a.Vouched = &n.generation, id.Latest(), id.Vouched
	if q.Differs {
		_, a.Again = n.cleared.LoadAndDelete(regionStream{q.From, q.Line})
	}
	if a.Pending > 0 {
		return nil
	}
	d := integrity.Digest{Store: a.Store, Position: max(a.Last, a.end()),
		Cutoff: integrity.Cutoff(n.latestClock(), n.skewSeconds())}
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

// checkProof checks the proof from a follower's copy of a stream. It returns the reason for refusing an answer, or "".
func (n *Node) checkProof(ctx context.Context, q question, info *jetstream.StreamInfo) (refusedReason, error) {
	d := n.identity.Load().Damage // the other streams of a Region that has stopped may be undamaged
	if err := n.damage.Load(); err != nil && (d == nil || d.Line == "" || streamKind(d.Line) == q.Line) {
		return refusedDamaged, err
	}
	n.noteHeardStart(ctx, q)
	current, ahead := q.Store == info.Config.Metadata[storeID], q.After > info.State.LastSeq
	by := n.verdictOn(ctx, q.Line, q.Store, q.After, q.Proof)
	v, why := by(n.identity.Load(), info.State.LastSeq)
	if v == integrity.Damaged {
		if err := n.confirm(ctx, q.Line, by); err != nil {
			return refusedDamaged, err
		}
		if v, _ = by(n.identity.Load(), info.State.LastSeq); current && (ahead || v == integrity.Damaged) {
			return refusedAhead, errBehind // this server may not lead the stream any more
		}
		v = integrity.Fine
	}
	if q.Proof != nil && current && v != integrity.Claim {
		n.noteFollowed(ctx)
	}
	if q.Differs {
		n.checkClaim(q.From, q.Line, "the content of its copy differs")
	}
	if v != integrity.Claim {
		return "", nil
	}
	if !current {
		n.checkClaim(q.From, q.Line, why)
		return "", nil
	}
	if ahead && info.Config.Replicas > 1 && !n.lasts(q.Line) {
		return refusedAhead, errBehind // this server may not lead the stream any more
	}
	n.reportClaim(regionStream{q.From, q.Line}, "a follower makes a claim without a proof", why)
	if ahead {
		return refusedAhead, fmt.Errorf("the log ends at %d, before the question, which has no proof", info.State.LastSeq)
	}
	return "", nil
}

// checkUnlisted checks the proof from a Region that this one doesn't list, and returns the answer. A primary may have
// been restored to a state from before it listed that Region; then only that Region can show the damage. The list of a
// Region that has stopped doesn't count. So the asking Region is told of the damage, and continues with its data.
func (n *Node) checkUnlisted(ctx context.Context, q question, a answer) answer {
	if !a.Unlisted || a.Removed > 0 || q.Of != "" {
		return a
	}
	if q.Proof != nil && n.damageFound() == nil {
		by := n.verdictOn(ctx, q.Line, q.Store, q.After, q.Proof)
		read, _ := n.progress.get(q.Line.stream(n.cfg.Region))
		if v, _ := by(n.identity.Load(), read.seq); v == integrity.Damaged {
			_ = n.confirm(ctx, q.Line, by)
		}
	}
	if err := n.damageFound(); err != nil {
		return answer{Error: err.Error(), Refused: refusedDamaged}
	}
	return a
}

// noteFollowed notes that another Region has shown a message that this one wrote to the streams that it has.
func (n *Node) noteFollowed(ctx context.Context) {
	if d := n.identity.Load(); d.Followed || d.Vouched {
		return
	}
	if err := n.changeIdentity(ctx, func(d *integrity.Identity) { d.Followed = true }); err != nil {
		n.cfg.Logger.Warn("replica: failed to store that this Region is followed", "error", err)
	}
}

// noteHeardStart compares the number of the last start that a follower has heard of with those that this Node
// knows. If it is higher, another Node of the Region may have started. Otherwise it is a claim: it is logged.
func (n *Node) noteHeardStart(ctx context.Context, q question) {
	if q.Heard <= n.identity.Load().Latest() {
		return
	}
	if n.cfg.URL != "" {
		_, _ = n.reloadIdentity(ctx)
	}
	if known := n.identity.Load().Latest(); q.Heard > known {
		n.reportClaim(regionStream{q.From, " start"}, "a follower knows of a later start of this Region",
			fmt.Sprintf("start number %d; the last one known here is %d", q.Heard, known))
	}
}
