package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A copier copies one stream of a peer into this Region's own server, message
// by message and in order. Where it is can be read from the copy, so a crash at
// any moment costs nothing but copying a few messages again, which is harmless.
//
// Two copiers may be at work, one in each node of the Region, and no message
// may stand in the copy unless what came before it does. So each message says
// which one it follows: a copier that was overtaken has all that it has in
// flight refused. In a cluster that condition stops a stream for good (a server
// that applies the log again after a restart finds it violated), so there each
// message waits until the one before is kept.
type copier struct {
	n      *Node
	region string
	kind   streamKind
	at     position // in the original, of the last message in the copy
	read   uint64   // how often the original was read from its start again
	proof  shownMessage
	past   uint64 // how far the original is known to hold nothing after that
	last   uint64 // the last sequence of the copy, as far as this copier knows
	id     string // begins the IDs of this copier's messages
	wrote  int    // how many there were
	flight []jetstream.PubAckFuture
	single bool // one message in flight at most
	// heard is how far what ends access has taken effect, in the original, and
	// asm puts together what was heard of its transactions.
	heard position
	asm   merge.Assembler
	// compact is the subject with which the last full transaction begins: all
	// before it has been replaced. "": nothing has.
	compact string
	// finished: what an earlier process left to be removed is removed.
	finished bool
}

func (n *Node) copier(ctx context.Context, region string, k streamKind) (*copier, error) {
	c := &copier{n: n, region: region, kind: k, id: rand.Text()}
	s, err := n.stream(ctx, k.stream(region))
	if err != nil {
		return nil, unavailable("look at the copy", err)
	}
	c.last, c.single = s.CachedInfo().State.LastSeq, s.CachedInfo().Config.Replicas > 1
	msg, err := latest(ctx, s, k.prefix(region)+">")
	if err != nil {
		return nil, unavailable("look at the copy", err)
	} else if msg == nil {
		return c, nil
	}
	c.at = position{msg.Header.Get(headerStore), number(msg.Header.Get(headerSeq))}
	c.heard = c.at
	c.read = number(msg.Header.Get(headerRead))
	c.proof = shownMessage{msg.Subject, msg.Header.Get(headerProof)}
	return c, nil
}

// copy writes a message, without waiting where it needn't. It is refused if the
// copy isn't where this copier thinks it is, or if the message before it was:
// what is in flight is kept up to some message, and nothing after.
func (c *copier) copy(ctx context.Context, store string, m message) error {
	if !strings.HasPrefix(m.Subject, c.kind.prefix(c.region)) {
		return &Error{Reason: ReasonCorrupt, Rule: "message of " + c.kind.stream(c.region), Want: "a subject that begins with " + c.kind.prefix(c.region), Got: m.Subject}
	}
	if p, ok := readPartHeader(m.Part); ok && p.full == 1 && p.part == 0 && c.at.seq > 0 {
		if err := c.pad(ctx); err != nil {
			return err
		}
	}
	out := nats.NewMsg(m.Subject)
	out.Data = m.Data
	maps.Copy(out.Header, m.header())
	out.Header.Set(headerAt, m.At)
	if m.Part != "" {
		out.Header.Set(headerPart, m.Part)
	}
	out.Header.Set(headerSeq, strconv.FormatUint(m.Seq, 10))
	out.Header.Set(headerStore, store)
	if c.read > 0 {
		out.Header.Set(headerRead, strconv.FormatUint(c.read, 10))
	}
	if m.Proof != "" {
		out.Header.Set(headerProof, m.Proof)
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectLastSequence(c.last)}
	if !c.single {
		opts = append(opts, jetstream.WithMsgID(fmt.Sprintf("%s-%d", c.id, c.wrote)))
		if c.wrote > 0 {
			opts = append(opts, jetstream.WithExpectLastMsgID(fmt.Sprintf("%s-%d", c.id, c.wrote-1)))
		}
	}
	if until := number(m.Until); until > 0 {
		out.Header.Set(headerUntil, m.Until)
		opts = append(opts, jetstream.WithMsgTTL(ttl(time.Unix(int64(until), 0), c.n.cfg.Now())))
	}
	ack, err := c.n.js.PublishMsgAsync(out, opts...)
	if err != nil {
		return unavailable("copy of a message", errors.Join(errNotCopied, err))
	}
	c.last++
	c.wrote++
	c.at, c.proof = position{store, m.Seq}, shownMessage{m.Subject, m.Proof}
	c.flight = append(c.flight, ack)
	if p, ok := readPartHeader(m.Part); ok && p.full == 1 && p.part == p.of-1 {
		c.compact = strings.TrimSuffix(m.Subject, strconv.Itoa(p.part)) + "0"
	}
	if c.single {
		return c.awaitAcks(ctx)
	}
	return nil
}

// awaitAcks waits until all that was written is kept.
func (c *copier) awaitAcks(ctx context.Context) error {
	for _, ack := range c.flight {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			if conflict(err) {
				return errConflict
			}
			return unavailable("copy of a message", errors.Join(errNotCopied, err))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c.flight = nil
	c.n.uncopied.copied(c.kind.stream(c.region), c.at)
	return nil
}

// settle waits until all that was written is kept, and lets go of what a full
// transaction replaced. It doesn't wait longer than a write may take: a follower
// goes on hearing where the Region's own server doesn't answer.
func (c *copier) settle(ctx context.Context) error {
	if err := c.awaitAcks(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	tidy := c.clear
	if c.compact == "" {
		tidy = c.finish
	}
	if err := tidy(ctx); err != nil {
		return errors.Join(errNotCopied, err)
	}
	return nil
}

// clear lets go of what a full transaction that was just copied replaced.
func (c *copier) clear(ctx context.Context) error {
	// Parts that were copied twice don't stand side by side.
	s, err := c.n.stream(ctx, c.kind.stream(c.region))
	if err != nil {
		return unavailable("look at the copy", err)
	}
	msg, err := latest(ctx, s, c.compact)
	if err != nil {
		return unavailable("look at the copy", err)
	}
	c.compact = ""
	if msg == nil { // its log has begun after that
		return nil
	}
	return c.n.forgetBefore(ctx, c.region, msg.Sequence)
}

// forgetBefore removes what a full transaction at seq has replaced from a log.
func (n *Node) forgetBefore(ctx context.Context, region string, seq uint64) error {
	s, err := n.stream(ctx, kindConfig.stream(region))
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSequence(seq))
	}
	if err != nil {
		return unavailable("clearing of "+kindConfig.stream(region), err)
	}
	return nil
}
