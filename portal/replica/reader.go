package replica

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// load starts to read a Region's streams from this Region's own server, and
// returns when all that is in them has been taken in.
func (n *Node) load(ctx context.Context, region string) error {
	n.mu.Lock()
	running := n.readers[region]
	n.readers[region] = true
	n.mu.Unlock()
	if running {
		return nil
	}
	for _, l := range lines {
		r := &reader{n: n, region: region, line: l, loaded: make(chan struct{})}
		n.start(r.run)
		select {
		case <-r.loaded:
		case <-ctx.Done():
			return unavailable("read of stream "+l.stream(region), ctx.Err())
		case <-n.ctx.Done():
			return unavailable("read of stream "+l.stream(region), n.ctx.Err())
		}
		if err := r.complete(ctx); err != nil {
			return err
		}
	}
	return nil
}

// complete waits until nothing follows what was read.
func (r *reader) complete(ctx context.Context) error {
	what := "read of stream " + r.line.stream(r.region)
	s, err := r.n.stream(ctx, r.line.stream(r.region))
	for err == nil {
		var more uint64
		if more, err = next(ctx, s, r.line.prefix(r.region), r.last.Load()); err == nil && more == 0 {
			return nil
		}
		pause(ctx, 5*time.Millisecond)
		err = errors.Join(err, ctx.Err(), r.n.ctx.Err())
	}
	return unavailable(what, err)
}

// A reader takes one stream of the Region's own server into memory: a stream of
// the Region itself, or the copy of another's. It is the only way into memory
// for what other Regions wrote.
type reader struct {
	n      *Node
	region string
	line   line
	last   atomic.Uint64 // the sequence that was read last, in the Region's own server
	loaded chan struct{}
	behind uint64 // how many messages to go until loaded
	asm    assembler
}

func (r *reader) run() {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := tail{js: r.n.js, stream: r.line.stream(r.region), after: r.last.Load(), started: r.started, each: r.each}.run(r.n.ctx)
		if r.n.ctx.Err() != nil {
			return
		}
		r.n.cfg.Logger.Warn("replica: reading again", "region", r.n.cfg.Region, "stream", r.line.stream(r.region), "error", err)
		pause(r.n.ctx, wait)
	}
}

func (r *reader) started(pending uint64) {
	r.behind = pending
	r.caughtUp()
}

// caughtUp opens the gate once nothing is left of what was there at the start.
func (r *reader) caughtUp() {
	select {
	case <-r.loaded:
	default:
		if r.behind == 0 {
			close(r.loaded)
		}
	}
}

// each never fails: a message that can't be read is reported and passed over,
// so that one bad message does not stop all that come after it.
func (r *reader) each(msg jetstream.Msg, meta *jetstream.MsgMetadata) error {
	a, err := r.n.arrived(r.region, r.line, msg, meta.Sequence.Stream)
	if err == nil && r.line == config {
		err = r.config(a, meta.NumPending)
	} else if err == nil {
		err = r.n.ledger.take(a)
		r.n.applied(a)
	}
	if err != nil {
		r.n.cfg.Logger.Error("replica: message passed over", "region", r.n.cfg.Region, "subject", msg.Subject(), "sequence", meta.Sequence.Stream, "error", err)
	}
	r.last.Store(meta.Sequence.Stream)
	if r.region == r.n.cfg.Region { // whoever waits at the gate
		r.n.marks.set(r.line.stream(r.region), position{seq: meta.Sequence.Stream})
	}
	if r.behind > 0 {
		r.behind--
		r.caughtUp()
	}
	return nil
}

// showEvery is how long a stream of transactions may go on before the instance
// is told; otherwise it is told when there are no more.
const showEvery = 200 * time.Millisecond

func (r *reader) config(a arrival, pending uint64) error {
	var part transaction
	if err := json.Unmarshal(a.body, &part); err != nil {
		return &Error{Reason: ReasonCorrupt, What: "transaction", Want: "JSON", Err: err}
	}
	n := r.n
	n.applying.Lock()
	defer n.applying.Unlock()
	own := a.region == n.cfg.Region
	if own && a.local <= n.log.read {
		return nil // it was written by this very Node
	}
	if own {
		n.log.saw(a.local, part, len(a.body))
	}
	if whole, ok := r.asm.add(a.seq, part); ok {
		n.fold(a.region, whole)
	}
	n.unshown = append(n.unshown, a)
	if pending == 0 || time.Since(n.lastShow) > showEvery {
		n.show()
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
