package replica

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// codeStore is the portal.Codes of a Node. A code is put in one Region, replicated to
// the others as sessions are, and taken in the Region that it is for.
type codeStore struct{ n *Node }

// PutCode implements portal.Codes.
func (c codeStore) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	if err := c.n.stopped(); err != nil {
		return err
	}
	exp = exp.Round(0) // as it is read from the log
	return c.n.record(ctx, merge.EntryCode, merge.Entry{Key: key, Value: bytes.Clone(v), Until: exp}, exp)
}

// TakeCode implements portal.Codes. The Region that put the code is the one whose
// stream it came from, whatever the value says. One Node of this Region gets the code:
// the Region's own server accepts the mark that it is taken once. Another Region could
// take it too, if the code were sent there, so a portal binds a code to its origin.
func (c codeStore) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	if err := c.n.stopped(); err != nil {
		return nil, "", err
	}
	found, err := c.await(ctx, key)
	if err == nil {
		err = c.mark(ctx, key, found)
	}
	if err != nil {
		return nil, "", err
	}
	return found.Value, found.Region, nil
}

// DropCode implements portal.Codes.
func (c codeStore) DropCode(ctx context.Context, key string) error {
	found, ok, _ := c.n.ledger.code(key)
	if !ok {
		return nil
	}
	if err := c.mark(ctx, key, found); !errors.Is(err, portal.ErrNoCode) {
		return err
	}
	return nil
}

// mark notes that a code is taken in this Region, once.
func (c codeStore) mark(ctx context.Context, key string, found merge.Code) error {
	none := uint64(0)
	w := entryWrite(merge.EntryTaken, merge.Entry{Key: key}, found.Until.Add(c.n.cfg.Skew))
	w.lastHere = &none
	_, err := c.n.publish(ctx, w)
	if errors.Is(err, errConflict) {
		return portal.ErrNoCode
	}
	return err
}

// maxCodeWaits is how many callers may wait for codes at once. Any client can ask for
// a code that doesn't exist, so attackers may take all places. A code that is here
// already, such as any of this Region's own, needs none.
const maxCodeWaits = 256

// await returns the code if it is here, and otherwise waits for CodeWait, if there is
// room.
func (c codeStore) await(ctx context.Context, key string) (merge.Code, error) {
	found, ok, came := c.n.ledger.code(key)
	if !ok {
		defer c.n.ledger.codeWaits.Add(-1)
		if c.n.ledger.codeWaits.Add(1) > maxCodeWaits {
			return merge.Code{}, portal.ErrNoCode
		}
	}
	timer := time.NewTimer(c.n.cfg.CodeWait)
	defer timer.Stop()
	for ; ; found, ok, came = c.n.ledger.code(key) {
		if ok && !c.n.cfg.Now().Before(found.Until) {
			return merge.Code{}, portal.ErrNoCode
		} else if ok {
			return found, nil
		}
		select {
		case <-came:
		case <-timer.C:
			return merge.Code{}, portal.ErrNoCode
		case <-ctx.Done():
			return merge.Code{}, ctx.Err()
		case <-c.n.ctx.Done():
			return merge.Code{}, &Error{Reason: ReasonClosed, Rule: "wait for a code", Err: c.n.ctx.Err()}
		}
	}
}
