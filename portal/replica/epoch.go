package replica

import (
	"context"
	"encoding/json"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// nextEpoch reads this Region's component of a user's epoch from the Region's
// own server, and returns the next one with the sequence at which the last one
// stands. It is at least the time in seconds: a Region that lost its disk, and
// with it its count, must not count below what the others remember.
func (n *Node) nextEpoch(ctx context.Context, userID string) (next, seq uint64, err error) {
	least := max(n.ledger.epoch(userID)[n.cfg.Region]+1, uint64(max(0, n.cfg.Now().Unix())))
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
