package replica

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// An entry that ends sessions takes effect here first, and is acknowledged when it is on disk. If the write fails, the
// error is returned, because other Regions may not receive the entry. Here the sessions stay ended. The Node keeps the
// write and repeats it until its server accepts it.
type pendingEnds struct {
	mu     sync.Mutex
	writes map[string]func(context.Context) error // by subject
}

// end applies an entry that ends sessions, and then writes it.
func (n *Node) end(ctx context.Context, kind merge.EntryKind, e merge.Entry, until time.Time) error {
	if err := n.ledger.merge(n.cfg.Region, kind, e); err != nil {
		return err
	}
	return n.durable(ctx, n.subject(kind, e), func(ctx context.Context) error {
		if kind == merge.EntrySignedOut { // an entry of another Region may have arrived meanwhile
			known := n.ledger.signedOut(e.User, e.ID, e.Until)
			until, e.Until = until.Add(known.Sub(e.Until)), known
		}
		_, err := n.publish(ctx, n.entryWrite(kind, e, until))
		return err
	})
}

// durable writes an entry that has taken effect already.
func (n *Node) durable(ctx context.Context, subject string, write func(context.Context) error) error {
	if at := n.removedAt.Load(); at > 0 {
		return removedError(n.cfg.Region, at)
	}
	err := write(ctx)
	if e, ok := errors.AsType[*Error](err); ok && (e.Reason == ReasonUnavailable || e.Reason == ReasonKey) {
		o := &n.pendingEnds
		o.mu.Lock()
		defer o.mu.Unlock()
		if _, known := o.writes[subject]; known || len(o.writes) < maxPendingEnds {
			o.writes[subject] = write // the later one is remembered for longer
		}
	}
	return err
}

// repeatEnds repeats pending writes until Close.
func (n *Node) repeatEnds() {
	for ; n.ctx.Err() == nil; pause(n.ctx, repeatEndsEvery) {
		o := &n.pendingEnds
		o.mu.Lock()
		due := maps.Clone(o.writes)
		clear(o.writes)
		o.mu.Unlock()
		for _, subject := range slices.Sorted(maps.Keys(due)) {
			if n.removedAt.Load() > 0 {
				break // the streams are gone
			}
			err := due[subject](n.ctx)
			// One write that fails permanently must not block the others.
			e, ok := errors.AsType[*Error](err)
			permanent := ok && (e.Reason == ReasonCorrupt || e.Reason == ReasonVersion)
			if err != nil && !permanent {
				o.mu.Lock()
				maps.Copy(due, o.writes) // a later one counts
				o.writes = due
				o.mu.Unlock()
				break
			}
			if err != nil && n.ctx.Err() == nil {
				n.cfg.Logger.Error("replica: entries that end access can't be written, so other Regions don't receive them",
					"error", err)
			}
			delete(due, subject)
		}
	}
}

// endUser ends all sessions of a user, here at once. The message never expires: an epoch must not fall.
func (n *Node) endUser(ctx context.Context, userID string) error {
	// At least the time in seconds: after a Region has lost its disk, its count must not be lower than the others
	// remember.
	least := uint64(max(0, n.cfg.Now().Unix()))
	var err error
	n.ledger.update(func(s *merge.Sessions) {
		least = s.NextEpoch(userID, n.cfg.Region, least)
		if err = s.Take(n.cfg.Region, merge.EntryUser, merge.Entry{User: userID, Epoch: least}); err == nil {
			n.ledger.raised[userID] = least
		}
	})
	if err != nil {
		return mergeError(ReasonCorrupt, err)
	}
	return n.durable(ctx, n.subject(merge.EntryUser, merge.Entry{User: userID}), func(ctx context.Context) error {
		return n.writeEpoch(ctx, userID, least)
	})
}

// writeEpoch writes and applies this Region's component of a user's epoch: at least this count, and more than the last
// one. It does nothing if that count has become durable since it was raised: see durableEpoch.
func (n *Node) writeEpoch(ctx context.Context, userID string, least uint64) error {
	pending := func() (yes bool) {
		n.ledger.read(func(*merge.Sessions) { yes = n.ledger.raised[userID] >= least })
		return yes
	}
	for pending() {
		last, seq, err := n.lastEpoch(ctx, userID)
		if err != nil {
			return err
		}
		err = n.putEpoch(ctx, userID, max(least, last+1), seq)
		if !errors.Is(err, errConflict) { // another Node's came first
			return err
		}
	}
	return nil
}

// durableEpoch makes sure that a count is on disk before new sessions have it as this Region's component of the user's
// epoch. If the write that raised the count failed, it is only in this Node's memory. Another Node of the Region would
// then start from a lower count, and its revocation would not end those sessions.
func (n *Node) durableEpoch(ctx context.Context, userID string, count uint64) error {
	durable := func() (yes bool) { // if several counts could not be written, raised has the last
		n.ledger.read(func(s *merge.Sessions) {
			yes = n.ledger.raised[userID] == 0 && s.Epoch(userID)[n.cfg.Region] >= count
		})
		return yes
	}
	for !durable() {
		last, seq, err := n.lastEpoch(ctx, userID)
		if err != nil || last >= count {
			return err
		}
		err = n.putEpoch(ctx, userID, count, seq)
		if !errors.Is(err, errConflict) {
			return err
		}
	}
	return nil
}

// putEpoch replaces the count at seq, and takes it in.
func (n *Node) putEpoch(ctx context.Context, userID string, count, seq uint64) error {
	e := merge.Entry{User: userID, Epoch: count}
	w := n.entryWrite(merge.EntryUser, e, time.Time{})
	w.lastHere = &seq
	if _, err := n.publish(ctx, w); err != nil {
		return err
	}
	n.ledger.update(func(*merge.Sessions) {
		if n.ledger.raised[userID] <= count {
			delete(n.ledger.raised, userID)
		}
	})
	return n.ledger.merge(n.cfg.Region, merge.EntryUser, e)
}

// lastEpoch reads this Region's component of a user's epoch, and its sequence; zeros if there is none.
func (n *Node) lastEpoch(ctx context.Context, userID string) (last, seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	subject := kindRevoked.prefix(n.cfg.Region) + n.subject(merge.EntryUser, merge.Entry{User: userID})
	msg, err := n.latest(ctx, kindRevoked.stream(n.cfg.Region), subject)
	if msg == nil {
		return 0, 0, err
	}
	o, err := n.cfg.open(subject, msg.Header, msg.Data)
	if _, version := later(err); version || lacksKey(err) {
		return 0, 0, err
	}
	var e merge.Entry
	if err == nil {
		err = json.Unmarshal(o.body, &e)
	}
	if err != nil {
		return 0, 0, &Error{Reason: ReasonCorrupt, Rule: "a user's epoch", Want: "one that opens", Err: err}
	}
	return e.Epoch, msg.Sequence, nil
}
