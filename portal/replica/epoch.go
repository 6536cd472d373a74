package replica

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// endUser ends all sessions of a user. That takes effect here at once. The message
// never expires: an epoch must not fall below that of a session.
func (n *Node) endUser(ctx context.Context, userID string) error {
	// At least the time in seconds: a Region that lost its disk must not count below
	// what the others remember.
	least, err := n.ledger.raise(userID, n.cfg.Region, uint64(max(0, n.cfg.Now().Unix())))
	if err != nil {
		return err
	}
	return n.durable(ctx, subject(merge.EntryUser, merge.Entry{User: userID}), func(ctx context.Context) error {
		return n.writeEpoch(ctx, userID, least)
	})
}

// writeEpoch writes this Region's component of a user's epoch, at least this count and
// more than the last one, and takes it in. It does nothing if that count has become
// durable since it was raised: see durableEpoch.
func (n *Node) writeEpoch(ctx context.Context, userID string, least uint64) error {
	for n.ledger.epochPending(userID, least) {
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

// durableEpoch makes sure that a count, which new sessions will have as this Region's
// component of the user's epoch, is on disk. If the write failed that raised it, it is
// in this Node's memory alone. Another Node of the Region would then count from less,
// and its revocation would not end those sessions.
func (n *Node) durableEpoch(ctx context.Context, userID string, count uint64) error {
	for !n.ledger.hasEpoch(userID, n.cfg.Region, count) {
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
	w := entryWrite(merge.EntryUser, e, time.Time{})
	w.lastHere = &seq
	if _, err := n.publish(ctx, w); err != nil {
		return err
	}
	n.ledger.wroteEpoch(userID, count)
	return n.ledger.merge(n.cfg.Region, merge.EntryUser, e)
}

// lastEpoch reads this Region's component of a user's epoch from the Region's own
// server, and its sequence; zeros if there is none.
func (n *Node) lastEpoch(ctx context.Context, userID string) (last, seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	subject := kindRevoked.prefix(n.cfg.Region) + subject(merge.EntryUser, merge.Entry{User: userID})
	msg, err := n.latest(ctx, kindRevoked.stream(n.cfg.Region), subject)
	if msg == nil {
		return 0, 0, err
	}
	if err := n.cfg.readable("a user's epoch", msg.Header); err != nil {
		return 0, 0, err
	}
	plain, err := n.cfg.Codec.Open(subject, msg.Data)
	var e merge.Entry
	if err == nil {
		err = json.Unmarshal(plain, &e)
	}
	if err != nil {
		return 0, 0, &Error{Reason: ReasonCorrupt, Rule: "a user's epoch", Want: "one that opens", Err: err}
	}
	return e.Epoch, msg.Sequence, nil
}

// epochPending reports whether a count that was raised in memory is not on disk yet.
func (l *ledger) epochPending(user string, count uint64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	raised, ok := l.raised[user]
	return ok && raised >= count
}

// hasEpoch reports whether a count of a user's epoch is on disk for sure. Of several
// that could not be written, raised has the last.
func (l *ledger) hasEpoch(user, region string, count uint64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, raised := l.raised[user]
	return !raised && l.known.Epoch(user)[region] >= count
}

// wroteEpoch notes that all counts up to this one are on disk.
func (l *ledger) wroteEpoch(user string, count uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.raised[user] <= count {
		delete(l.raised, user)
	}
}
