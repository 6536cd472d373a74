package replica

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// What ends sessions takes effect here first, and is acknowledged when it is on disk. If
// the write fails the caller gets the error, because other Regions may not hear of it;
// here the sessions stay ended. The Node keeps the write, and repeats it until its server
// accepts it.
type pendingEnds struct {
	mu      sync.Mutex
	writes  map[string]func(context.Context) error // by subject
	writing bool
}

// maxPendingEnds bounds how many such writes a Node keeps in memory. Further ones are
// not repeated; their callers got an error, too.
const maxPendingEnds = 10_000

// retryEndsEvery is how often the Node repeats them.
const retryEndsEvery = time.Second

// end takes an entry in that ends sessions, and then writes it.
func (n *Node) end(ctx context.Context, kind merge.EntryKind, e merge.Entry, until time.Time) error {
	if err := n.ledger.merge(n.cfg.Region, kind, e); err != nil {
		return err
	}
	return n.durable(ctx, subject(kind, e), func(ctx context.Context) error {
		if kind == merge.EntrySignedOut { // another Region's may have been heard meanwhile
			known := n.ledger.signedOut(e.User, e.ID, e.Until)
			until, e.Until = until.Add(known.Sub(e.Until)), known
		}
		_, err := n.publish(ctx, entryWrite(kind, e, until))
		return err
	})
}

// durable writes what has taken effect already.
func (n *Node) durable(ctx context.Context, subject string, write func(context.Context) error) error {
	if at := n.removedAt.Load(); at > 0 {
		return removedError(n.cfg.Region, at)
	}
	err := write(ctx)
	if e, ok := errors.AsType[*Error](err); ok && e.Reason == ReasonUnavailable {
		n.keepPending(subject, write)
	}
	return err
}

func (n *Node) keepPending(subject string, write func(context.Context) error) {
	o := &n.pendingEnds
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writes == nil {
		o.writes = map[string]func(context.Context) error{}
	}
	if _, known := o.writes[subject]; known || len(o.writes) < maxPendingEnds {
		o.writes[subject] = write // the later one is remembered for longer
	}
	if !o.writing {
		o.writing = n.start(n.writePending)
	}
}

// writePending repeats the pending writes, until there are none.
func (n *Node) writePending() {
	o := &n.pendingEnds
	for n.ctx.Err() == nil {
		pause(n.ctx, retryEndsEvery)
		o.mu.Lock()
		due := maps.Clone(o.writes)
		clear(o.writes)
		o.mu.Unlock()
		if n.removedAt.Load() > 0 { // nothing is left to write to
			due = nil
		}
		for _, subject := range slices.Sorted(maps.Keys(due)) {
			err := due[subject](n.ctx)
			if err != nil && !isPermanent(err) {
				o.mu.Lock()
				maps.Copy(due, o.writes) // a later one counts
				o.writes = due
				o.mu.Unlock()
				break
			}
			if err != nil && n.ctx.Err() == nil {
				n.cfg.Logger.Error("replica: what ended access here can't be written, and other Regions don't hear of it", "error", err)
			}
			delete(due, subject)
		}
		o.mu.Lock()
		if len(o.writes) == 0 {
			o.writing = false
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
	}
}

// isPermanent reports whether a write fails because of what it would replace, such as a
// user's epoch that can't be read. It must not keep others from being written.
func isPermanent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Reason == ReasonCorrupt || e.Reason == ReasonVersion)
}
