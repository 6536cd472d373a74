package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// load reads a Region's streams, from now on, and returns when all that they hold has been read.
func (n *Node) load(ctx context.Context, region string, kinds ...streamKind) error {
	for _, r := range n.readersOf(region, kinds...) {
		if err := r.complete(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readersOf returns the readers of a Region's streams, and starts those of these kinds.
func (n *Node) readersOf(region string, kinds ...streamKind) []*reader {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range kinds {
		if n.closed || slices.ContainsFunc(n.readers[region], func(r *reader) bool { return r.kind == k }) {
			continue
		}
		r := &reader{n: n, region: region, kind: k, done: make(chan struct{})}
		r.ctx, r.cancel = context.WithCancel(n.ctx)
		n.readers[region] = append(n.readers[region], r)
		n.tasks.Go(r.run)
	}
	return slices.Clone(n.readers[region])
}

// stopReaders stops reading these of a Region's streams, and returns when that is done.
func (n *Node) stopReaders(region string, kinds ...streamKind) {
	var stopped []*reader
	n.mu.Lock()
	n.readers[region] = slices.DeleteFunc(n.readers[region], func(r *reader) bool {
		stop := slices.Contains(kinds, r.kind)
		if stop {
			stopped = append(stopped, r)
		}
		return stop
	})
	if len(n.readers[region]) == 0 {
		delete(n.readers, region)
	}
	n.mu.Unlock()
	for _, r := range stopped {
		r.cancel()
	}
	for _, r := range stopped {
		<-r.done
		r.forget()
	}
}

// A reader takes one stream of the Region's own server, its own or a copy, into memory.
type reader struct {
	n      *Node
	region string
	kind   streamKind
	ctx    context.Context // until it is stopped
	cancel context.CancelFunc
	done   chan struct{} // closed when it has stopped
	last   atomic.Uint64 // the sequence that was read last, in the Region's own server
	asm    merge.Assembler
}

func (r *reader) run() {
	defer close(r.done)
	defer r.cancel()
	var created time.Time
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		s, err := r.n.stream(r.ctx, r.kind.stream(r.region))
		if err == nil { // a position in a stream that was created again means nothing in the new one
			if now := s.CachedInfo().Created; !now.Equal(created) {
				if !created.IsZero() {
					r.last.Store(0)
					r.forget()
				}
				created = now
			}
			err = r.tail(r.ctx, s)
		}
		if r.ctx.Err() != nil {
			return
		}
		r.n.cfg.Logger.Warn("replica: reading again", "stream", r.kind.stream(r.region), "error", err)
		pause(r.ctx, wait)
	}
}

// forget drops the state of the messages in the stream.
func (r *reader) forget() {
	r.n.contents.drop(r.kind.stream(r.region))
	if r.kind == kindConfig {
		r.n.applying.Lock()
		delete(r.n.fulls, r.region)
		r.n.applying.Unlock()
	}
}

// tail reads the stream to its end and waits for more, until the first error. The next call continues.
func (r *reader) tail(ctx context.Context, s jetstream.Stream) error {
	cons, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.last.Load() + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	it, err := cons.Messages(jetstream.PullMaxMessages(500), jetstream.PullExpiry(10*time.Second),
		jetstream.PullHeartbeat(time.Second), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	defer it.Stop()
	for next := uint64(1); ; next++ {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next message: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("message: %w", err)
		}
		if meta.Sequence.Consumer != next {
			return errGap
		}
		r.each(msg, meta)
	}
}

// complete waits until all messages that are in the stream now have been read, even if messages expire or others
// arrive.
func (r *reader) complete(ctx context.Context) error {
	name := r.kind.stream(r.region)
	s, err := r.n.stream(ctx, name)
	if err != nil {
		return err
	}
	last := s.CachedInfo().State.LastSeq
	for wait := time.Millisecond; err == nil; wait = min(2*wait, 50*time.Millisecond) {
		var more uint64
		if more, err = nextSeq(ctx, s, r.kind.prefix(r.region), r.last.Load()); err == nil && (more == 0 || more > last) {
			return nil
		}
		pause(ctx, wait)
		err = errors.Join(err, ctx.Err(), r.ctx.Err())
	}
	return unavailable("read of stream "+name, err)
}

// each applies a message. An unreadable one is logged and skipped, so that it does not block later ones.
func (r *reader) each(msg jetstream.Msg, meta *jetstream.MsgMetadata) {
	var a arrival
	var err error
	opened := r.n.awaitKey(r.ctx, func() error {
		a, err = r.n.arrived(r.region, r.kind, msg.Subject(), msg.Headers(), msg.Data(), meta.Sequence.Stream)
		return err
	})
	if !opened { // it is read again
		return
	}
	switch {
	case r.region == r.n.cfg.Region && r.n.cfg.stale(msg.Data()):
		r.n.staleRead.Store(true)
	case r.region != r.n.cfg.Region && r.n.cfg.refusesPlain(msg.Headers()):
		r.n.plainCopy.Store(&regionStream{r.region, r.kind})
	}
	r.n.note(a, msg.Headers(), msg.Subject(), msg.Data(), err == nil)
	if r.kind == kindConfig {
		err = r.config(a, err, meta.NumPending)
	} else {
		opened := err == nil
		if err = r.entry(a, err); opened {
			r.n.applied(a)
		}
	}
	if _, version := later(err); err != nil && !version { // a version is logged once, not for each message
		r.n.cfg.Logger.Error("replica: message skipped",
			"subject", msg.Subject(), "sequence", meta.Sequence.Stream, "error", err)
	}
	r.last.Store(meta.Sequence.Stream)
	if r.region == r.n.cfg.Region { // wakes the questions that wait for it
		r.n.progress.set(r.kind.stream(r.region), position{seq: meta.Sequence.Stream})
	}
}

// config applies a part of a transaction, if it was opened.
func (r *reader) config(a arrival, err error, pending uint64) error {
	var part merge.Transaction
	if err == nil {
		if err = json.Unmarshal(a.body, &part); err != nil {
			err = &Error{Reason: ReasonCorrupt, Rule: "transaction", Want: "JSON", Err: err}
		}
	}
	n := r.n
	n.applying.Lock()
	defer n.applying.Unlock()
	own := a.region == n.cfg.Region
	if e, ok := later(err); ok {
		n.noteUnreadableLog(a.region, e)
	}
	if own {
		n.stall.end(nil) // the log moves
	}
	switch {
	case own && n.log.mine(a.local):
		return nil
	case own && err != nil:
		n.log.read, n.log.unread = max(n.log.read, a.local), a.local
		return err
	case err != nil:
		return err
	case own:
		n.log.count(a.local, part, len(a.body))
		if !part.Full && slices.ContainsFunc(part.Records, func(r merge.Record) bool { return r.Kind == center.KindUser }) {
			n.outdate() // before a restart, or by another Node; it may only have added users
		}
	}
	whole, ok := r.asm.Add(a.seq, part)
	if !own {
		full := n.fulls[a.region]
		full.add(a.local, part, ok)
		n.fulls[a.region] = full
	}
	if ok {
		n.fold(a.region, whole)
		if own && whole.Full {
			n.log.unread = 0
			n.log.full = whole.First
		}
	}
	n.unapplied = append(n.unapplied, a)
	if pending == 0 || time.Since(n.lastApply) > applyEvery {
		n.apply()
	}
	return nil
}

// An arrival is a message of some Region's stream, as it was read from the Region's own server.
type arrival struct {
	region  string // of the stream
	kind    streamKind
	seq     uint64 // in the original
	local   uint64 // in the Region's own server
	store   string // the original's storeID; "" for own streams
	subject string // without the prefix
	at      time.Time
	until   time.Time // when it may be forgotten, by its header; zero: never
	body    []byte
	digest  []byte // the key of the message's digest
	sealed  bool
}

// arrived opens a message. With an error, the returned arrival has no body.
func (n *Node) arrived(
	region string, k streamKind, subject string, h nats.Header, sealed []byte, seq uint64,
) (a arrival, err error) {
	a = arrival{region: region, kind: k, seq: seq, local: seq, subject: strings.TrimPrefix(subject, k.prefix(region))}
	if region != n.cfg.Region {
		a.seq, a.store = number(h.Get(headerSeq)), h.Get(headerStore)
	}
	a.at = time.UnixMicro(int64(number(h.Get(headerAt))))
	a.until = untilOf(h.Get(headerUntil))
	o, err := n.cfg.open(subject, h, sealed)
	a.body, a.digest, a.sealed = o.body, o.digest, o.digest != nil
	return a, err
}

// number parses a header. A value that is no number counts as 0.
func number(s string) uint64 {
	v, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0
	}
	return v
}

// untilOf parses headerUntil. Zero: never.
func untilOf(header string) time.Time {
	if s := number(header); s > 0 {
		return time.Unix(int64(s), 0)
	}
	return time.Time{}
}

// partHeader is what a copier can read of a part: its number, the number of parts, the numbers of elements in it and in
// the whole transaction, and whether that is full.
func partHeader(p merge.Transaction, total int) string {
	full := 0
	if p.Full {
		full = 1
	}
	return fmt.Sprintf("%d/%d/%d/%d/%d", p.Part, p.Of, len(p.Records), total, full)
}

type partInfo struct{ part, of, elements, total, full int }

func readPartHeader(s string) (p partInfo, ok bool) {
	k, err := fmt.Sscanf(s, "%d/%d/%d/%d/%d", &p.part, &p.of, &p.elements, &p.total, &p.full)
	return p, err == nil && k == 5 && p.part >= 0 && p.part < p.of && p.elements >= 0 && p.total >= p.elements
}

// pause waits for a duration, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
