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

// What ends sessions takes effect here first, and is acknowledged when it is on
// disk. If the write fails the caller gets the error, because other Regions may
// not hear of it; here the sessions stay ended. The Node keeps that write, and
// makes it as soon as its server takes one.
type pendingEnds struct {
	mu      sync.Mutex
	writes  map[string]func(context.Context) error // by subject
	writing bool
}

// maxPendingEnds bounds how many such writes a Node keeps in memory. Of more than that
// the callers alone know, who got an error.
const maxPendingEnds = 10_000

// retryEndsEvery is how often the Node tries.
const retryEndsEvery = time.Second

// end takes what ends sessions in, and then writes it.
func (n *Node) end(ctx context.Context, kind merge.EntryKind, e merge.Entry, until time.Time) error {
	if err := n.ledger.merge(n.cfg.Region, kind, e); err != nil {
		return err
	}
	return n.durable(ctx, subject(kind, e), func(ctx context.Context) error {
		if kind == merge.EntrySignedOut { // see EndSignIn: it may have been heard meanwhile
			if known := n.ledger.signedOut(e.User, e.ID); known.After(e.Until) {
				until, e.Until = until.Add(known.Sub(e.Until)), known
			}
		}
		_, err := n.publish(ctx, entryWrite(kind, e, until))
		return err
	})
}

// durable makes a write of what has taken effect already.
func (n *Node) durable(ctx context.Context, subject string, write func(context.Context) error) error {
	if at := n.removedAt.Load(); at > 0 {
		return removedError(n.cfg.Region, at)
	}
	err := write(ctx)
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonUnavailable {
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
		o.writes[subject] = write // a later end of the same is remembered for longer
	}
	if !o.writing {
		o.writing = n.start(n.writePending)
	}
}

// writePending makes the pending writes, until there are none.
func (n *Node) writePending() {
	o := &n.pendingEnds
	for n.ctx.Err() == nil {
		pause(n.ctx, retryEndsEvery)
		o.mu.Lock()
		due := maps.Clone(o.writes)
		clear(o.writes)
		o.mu.Unlock()
		if n.removedAt.Load() > 0 { // there is nothing left to write to
			due = nil
		}
		for _, subject := range slices.Sorted(maps.Keys(due)) {
			err := due[subject](n.ctx)
			if err != nil && !isPermanent(err) {
				n.putBack(due)
				break
			}
			if err != nil && n.ctx.Err() == nil {
				n.cfg.Logger.Error("replica: what ended access here can't be written, and other Regions don't hear of it", "region", n.cfg.Region, "error", err)
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

// isPermanent says whether a write fails for what is in its place already, such as a
// user's epoch that can't be read. It must not keep others from being made.
func isPermanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Reason == ReasonCorrupt || e.Reason == ReasonVersion)
}

// putBack keeps writes again that could not be made. One that came meanwhile counts.
func (n *Node) putBack(due map[string]func(context.Context) error) {
	o := &n.pendingEnds
	o.mu.Lock()
	defer o.mu.Unlock()
	for subject, write := range due {
		if _, newer := o.writes[subject]; !newer {
			o.writes[subject] = write
		}
	}
}
