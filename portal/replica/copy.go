package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A copier copies one stream of a peer into this Region's own server, message by message and in order. Its position
// is read from the copy, so after a crash at any moment a few messages are copied again, which is harmless.
//
// Each Node of the Region has a copier, so two may run at the same time. A message may be in the copy only if the one
// before it is. So each message names the one that it follows, and the server refuses all of a copier's pending
// messages if another copier was faster. In a cluster that condition would stop a stream permanently: after a restart,
// a server that applies the log again finds it violated. So there each message waits until the one before is stored.
type copier struct {
	n      *Node
	region string
	kind   streamKind
	at     position // in the original, of the last message in the copy
	read   uint64   // how often the original was read from its start again
	proof  shownMessage
	past   uint64 // the original has no messages from at to here
	last   uint64 // the last sequence of the copy, as far as this copier knows
	id     string // begins the IDs of this copier's messages
	wrote  int    // how many there were
	flight []jetstream.PubAckFuture
	single bool // one message in flight at most
	// heard is the position in the original up to which messages that end access have taken effect. asm assembles their
	// transactions.
	heard position
	asm   merge.Assembler
	// compact is the subject of the first part of the last full transaction, which replaced all before; "": none.
	compact string
	// unsealed: the copy has plain text of an earlier version, which this Node would seal.
	unsealed bool
	// finished: messages that an earlier process should have removed are removed.
	finished bool
}

func (n *Node) copier(ctx context.Context, region string, k streamKind) (*copier, error) {
	c := &copier{n: n, region: region, kind: k, id: rand.Text()}
	s, err := n.stream(ctx, k.stream(region))
	if err != nil {
		return nil, err
	}
	c.last, c.single = s.CachedInfo().State.LastSeq, s.CachedInfo().Config.Replicas > 1
	msg, err := latest(ctx, s, k.prefix(region)+">")
	if err != nil {
		return nil, err
	} else if msg == nil {
		return c, nil
	}
	c.at = position{msg.Header.Get(headerStore), number(msg.Header.Get(headerSeq))}
	c.heard = c.at
	c.read = number(msg.Header.Get(headerRead))
	if n.cfg.Sealer != nil && n.server != nil {
		first, err := next(ctx, s, k.prefix(region), 0)
		if err != nil {
			return nil, err
		}
		c.unsealed = first != nil && first.Header.Get(headerBound) == ""
	}
	c.proof = shownMessage{msg.Subject, msg.Header.Get(headerProof)}
	return c, nil
}

// anew begins to read an original from its start.
func (c *copier) anew(store string) {
	if c.read++; store != c.at.store {
		c.read = 0
	}
	c.at, c.past, c.proof = position{store: store}, 0, shownMessage{}
}

// copy writes a message, without waiting if possible. The server refuses it if the copy doesn't end where this
// copier thinks it does, or if it refused the message before.
func (c *copier) copy(ctx context.Context, store string, m message) error {
	if prefix := c.kind.prefix(c.region); !strings.HasPrefix(m.Subject, prefix) {
		return newError(ReasonCorrupt, "message of "+c.kind.stream(c.region), "a subject that begins with "+prefix, m.Subject)
	}
	p, ok := readPartHeader(m.Part)
	full := ok && p.full == 1
	if full && p.part == 0 && c.at.seq > 0 {
		if err := c.pad(ctx); err != nil {
			return err
		}
	}
	out := nats.NewMsg(m.Subject)
	out.Data, out.Header = m.Data, m.headers(store)
	if c.read > 0 {
		out.Header.Set(headerRead, strconv.FormatUint(c.read, 10))
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectLastSequence(c.last)}
	if !c.single {
		opts = append(opts, jetstream.WithMsgID(fmt.Sprintf("%s-%d", c.id, c.wrote)))
		if c.wrote > 0 {
			opts = append(opts, jetstream.WithExpectLastMsgID(fmt.Sprintf("%s-%d", c.id, c.wrote-1)))
		}
	}
	if until := number(m.Until); until > 0 {
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
	if full && p.part == p.of-1 {
		c.compact = strings.TrimSuffix(m.Subject, strconv.Itoa(p.part)) + "0"
	}
	if c.single {
		return c.awaitAcks(ctx)
	}
	return nil
}

// awaitAcks waits until everything that was written is stored.
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
	c.n.uncopied.copied(regionStream{c.region, c.kind}, c.at)
	return nil
}

// settle waits until all writes are stored, and removes the messages that a full transaction replaced. It waits at most
// as long as for a write: a follower continues while the Region's own server doesn't answer.
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

// clear removes the messages that the last copied full transaction replaced.
func (c *copier) clear(ctx context.Context) error {
	// Parts that were copied twice are not next to each other, so the subject is looked up.
	msg, err := c.n.latest(ctx, c.kind.stream(c.region), c.compact)
	if err != nil {
		return err
	}
	c.compact = ""
	if msg == nil { // its log has begun after that
		return nil
	}
	return c.n.clearBefore(ctx, c.region, msg.Sequence)
}

// finish calls clear once for each copier, in case an earlier process ended before its own call.
func (c *copier) finish(ctx context.Context) error {
	if c.finished || c.kind != kindConfig {
		return nil
	}
	if before := c.n.replacedBefore(c.region); before > 0 {
		s, err := c.n.stream(ctx, c.kind.stream(c.region))
		if err == nil && s.CachedInfo().State.FirstSeq < before {
			err = c.n.clearBefore(ctx, c.region, before)
		}
		if err != nil {
			return err
		}
	}
	c.finished = true
	return nil
}

// A fullAt finds the last complete full transaction in a copy. Messages before it are not needed.
type fullAt struct {
	first uint64 // of the transaction whose parts are read
	from  uint64 // where the first of them was read
	at    uint64 // where the last whole one begins; 0: there is none
}

// add adds a part. whole: it completes its transaction.
func (f *fullAt) add(local uint64, p merge.Transaction, whole bool) {
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

// replacedBefore is the sequence in a copy of a log before which everything is replaced; 0: nothing is.
func (n *Node) replacedBefore(region string) uint64 {
	n.applying.Lock()
	defer n.applying.Unlock()
	return n.fulls[region].at
}

// rebuildCopy creates a broken copy again, now that its Region answers. began is the end of the copy at the last
// attempt.
func (f *follower) rebuildCopy(ctx context.Context, k streamKind, began uint64, conflicts *int) error {
	n := f.n
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := n.stream(asking, k.stream(f.region))
	if err != nil {
		return errors.Join(errNotCopied, err)
	}
	if *conflicts++; n.server == nil || s.CachedInfo().State.LastSeq != began {
		*conflicts = 0 // another Node wrote
	}
	if *conflicts < maxConflicts {
		return nil
	}
	*conflicts = 0
	return f.recopy(k)
}
