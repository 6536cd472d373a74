package replica

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// load starts to read a Region's streams from this Region's own server, if
// nobody has, and returns when all that is in them has been taken in.
func (n *Node) load(ctx context.Context, region string, kinds ...streamKind) error {
	for _, r := range n.readersOf(region, kinds...) {
		if err := r.complete(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readersOf returns the readers of a Region's streams, these among them. They
// run until Close, or until they are stopped.
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

// A reader takes one stream of the Region's own server into memory: a stream of
// the Region itself, or the copy of another's. It is the only way into memory
// for what other Regions wrote.
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
	var made time.Time
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		s, err := r.n.stream(r.ctx, r.kind.stream(r.region))
		if err == nil { // a place in a stream that was made again meanwhile would not be this one's
			if now := s.CachedInfo().Created; !now.Equal(made) {
				if !made.IsZero() { // it was made again
					r.last.Store(0)
					r.n.applying.Lock()
					delete(r.n.fulls, r.region)
					r.n.applying.Unlock()
					r.n.contents.drop(r.kind.stream(r.region))
				}
				made = now
			}
			err = tail{js: r.n.js, stream: r.kind.stream(r.region), after: r.last.Load(), each: r.each}.run(r.ctx)
		}
		if r.ctx.Err() != nil {
			return
		}
		r.n.cfg.Logger.Warn("replica: reading again", "region", r.n.cfg.Region, "stream", r.kind.stream(r.region), "error", err)
		pause(r.ctx, wait)
	}
}

// complete waits until all has been read that is in the stream now. Messages may
// expire meanwhile, and others may come, so there is no number of them to wait
// for.
func (r *reader) complete(ctx context.Context) error {
	s, err := r.n.stream(ctx, r.kind.stream(r.region))
	if err != nil {
		return unavailable("read of stream "+r.kind.stream(r.region), err)
	}
	last := s.CachedInfo().State.LastSeq
	for wait := time.Millisecond; err == nil; wait = min(2*wait, 50*time.Millisecond) {
		var more uint64
		if more, err = next(ctx, s, r.kind.prefix(r.region), r.last.Load()); err == nil && (more == 0 || more > last) {
			return nil
		}
		pause(ctx, wait)
		err = errors.Join(err, ctx.Err(), r.ctx.Err())
	}
	return unavailable("read of stream "+r.kind.stream(r.region), err)
}

// each takes a message in. One that can't be read is reported and passed over,
// so that it does not stop all that come after it.
func (r *reader) each(msg jetstream.Msg, meta *jetstream.MsgMetadata) {
	a, err := r.n.arrived(r.region, r.kind, msg, meta.Sequence.Stream)
	r.n.note(a, msg.Headers(), msg.Subject(), msg.Data(), err == nil)
	if r.kind == kindConfig {
		err = r.config(a, err, meta.NumPending)
	} else {
		opened := err == nil
		if err = r.entry(a, err); opened {
			r.n.applied(a)
		}
	}
	if _, version := later(err); err != nil && !version { // a version is reported once, and not by message
		r.n.cfg.Logger.Error("replica: message passed over", "region", r.n.cfg.Region, "subject", msg.Subject(), "sequence", meta.Sequence.Stream, "error", err)
	}
	r.last.Store(meta.Sequence.Stream)
	if r.region == r.n.cfg.Region { // whoever waits at the gate
		r.n.progress.set(r.kind.stream(r.region), position{seq: meta.Sequence.Stream})
	}
}

// showEvery is how long a stream of transactions may go on before the instance
// is told; otherwise it is told when there are no more.
const applyEvery = 200 * time.Millisecond

// config takes in a part of a transaction, if it was opened.
func (r *reader) config(a arrival, opening error, pending uint64) error {
	var part merge.Transaction
	err := opening
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
		n.missLog(a.region, e)
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
		n.log.saw(a.local, part, len(a.body))
		if !part.Full && slices.ContainsFunc(part.Records, func(r merge.Record) bool { return r.Kind == center.KindUser }) {
			n.outdate() // before a restart, or by another node; it may only have added users
		}
	}
	whole, ok := r.asm.Add(a.seq, part)
	if !own {
		full := n.fulls[a.region]
		full.part(a.local, part, ok)
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

// pause waits, or not if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
