package replica

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// endUser ends all sessions of a user, here at once. The message never expires:
// an epoch must not fall behind one that a session carries.
func (n *Node) endUser(ctx context.Context, userID string) error {
	// At least the time in seconds: a Region that lost its disk, and with it its
	// count, must not count below what the others remember.
	least, err := n.ledger.raise(userID, n.cfg.Region, uint64(max(0, n.cfg.Now().Unix())))
	if err != nil {
		return err
	}
	return n.durable(ctx, subject(merge.EntryUser, merge.Entry{User: userID}), func(ctx context.Context) error {
		return n.writeEpoch(ctx, userID, least)
	})
}

// writeEpoch writes this Region's component of a user's epoch, which is at least
// that and more than the last one, and takes it in. It does nothing if that count
// has become durable since it was raised: see durableEpoch.
func (n *Node) writeEpoch(ctx context.Context, userID string, least uint64) error {
	for n.ledger.epochPending(userID, least) {
		last, seq, err := n.lastEpoch(ctx, userID)
		if err != nil {
			return err
		}
		err = n.putEpoch(ctx, userID, max(least, last+1), seq)
		if !errors.Is(err, errConflict) { // another node's came first
			return err
		}
	}
	return nil
}

// durableEpoch makes sure that a count which sessions are to carry, as this
// Region's component of the user's epoch, is on disk. It may be in this Node's
// memory alone, as the write failed that was to end the user's sessions.
// Another node of the Region would then count from less, and its revocation
// would leave those sessions alone, made or yet to be made of the same sign-in.
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

// putEpoch writes a count at the place of the one at seq, and takes it in.
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

// lastEpoch reads this Region's component of a user's epoch from the Region's
// own server, and the sequence at which it stands; zeros where there is none.
func (n *Node) lastEpoch(ctx context.Context, userID string) (last, seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	s, err := n.stream(ctx, kindRevoked.stream(n.cfg.Region))
	if err != nil {
		return 0, 0, unavailable("read of a user's epoch", err)
	}
	subject := kindRevoked.prefix(n.cfg.Region) + subject(merge.EntryUser, merge.Entry{User: userID})
	msg, err := latest(ctx, s, subject)
	if err != nil {
		return 0, 0, unavailable("read of a user's epoch", err)
	} else if msg == nil {
		return 0, 0, nil
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

// epochPending says whether a count that was raised in memory is not on disk yet.
func (l *ledger) epochPending(user string, count uint64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	raised, ok := l.raised[user]
	return ok && raised >= count
}

// hasEpoch says whether a count of a user's epoch is on disk for sure. Of several
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
