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
// that and more than the last one, and takes it in.
func (n *Node) writeEpoch(ctx context.Context, userID string, least uint64) error {
	for {
		next, seq, err := n.nextEpoch(ctx, userID, least)
		if err != nil {
			return err
		}
		e := merge.Entry{User: userID, Epoch: next}
		w := entryWrite(merge.EntryUser, e, time.Time{})
		w.lastHere = &seq
		_, err = n.put(ctx, w)
		if errors.Is(err, errConflict) { // another node's came first
			continue
		} else if err != nil {
			return err
		}
		return n.ledger.merge(n.cfg.Region, merge.EntryUser, e)
	}
}

// nextEpoch reads this Region's component of a user's epoch from the Region's
// own server, and returns the next one with the sequence at which the last one
// stands.
func (n *Node) nextEpoch(ctx context.Context, userID string, least uint64) (next, seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	s, err := n.stream(ctx, revoked.stream(n.cfg.Region))
	if err != nil {
		return 0, 0, unavailable("read of a user's epoch", err)
	}
	subject := revoked.prefix(n.cfg.Region) + subject(merge.EntryUser, merge.Entry{User: userID})
	msg, err := latest(ctx, s, subject)
	if err != nil {
		return 0, 0, unavailable("read of a user's epoch", err)
	} else if msg == nil {
		return least, 0, nil
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
		return 0, 0, &Error{Reason: ReasonCorrupt, What: "a user's epoch", Want: "one that opens", Err: err}
	}
	return max(least, e.Epoch+1), msg.Sequence, nil
}
