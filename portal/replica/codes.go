package replica

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// codeStore is the portal.Codes of a Node. A code is put in one Region, travels
// to the others as sessions do, and is taken in the Region that it is for.
type codeStore struct{ n *Node }

// PutCode implements portal.Codes.
func (c codeStore) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	exp = exp.Round(0) // as it is read from the log
	w := write{line: sessions, subject: about(subjectCode, key), body: entry{Key: key, Value: v, Until: exp}, until: exp}
	if _, err := c.n.put(ctx, w); err != nil {
		return err
	}
	c.n.ledger.putCode(c.n.cfg.Region, key, v, exp)
	return nil
}

// TakeCode implements portal.Codes. The Region that put the code is the one
// whose stream it came from, whatever the value says of itself. Of all nodes of
// this Region one gets the code: the mark that it is taken is one that the
// Region's own server takes once. Another Region could take it too, if the code
// were shown there, which is why a portal binds a code to the origin that it is
// for.
func (c codeStore) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	found, err := c.await(ctx, key)
	if err != nil {
		return nil, "", err
	}
	if err := c.mark(ctx, key, found); err != nil {
		return nil, "", err
	}
	return found.value, found.region, nil
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
func (c codeStore) mark(ctx context.Context, key string, found heldCode) error {
	none := uint64(0)
	w := write{line: sessions, subject: about(subjectTaken, key), body: entry{Key: key}, until: found.until.Add(c.n.cfg.Skew), lastHere: &none}
	if _, err := c.n.put(ctx, w); errors.Is(err, errConflict) {
		return portal.ErrNoCode
	} else if err != nil {
		return err
	}
	return nil
}

// maxCodeWaits is how many may wait for codes at once. Anybody can ask for a
// code that never was, so the places may all be taken by strangers; what is
// here already, such as every code of this Region's own, needs none.
const maxCodeWaits = 256

// await returns the code that is here, and waits a little, if there is room,
// for one that may be on its way.
func (c codeStore) await(ctx context.Context, key string) (heldCode, error) {
	found, ok, came := c.n.ledger.code(key)
	if !ok {
		defer c.n.ledger.codeWaits.Add(-1)
		if c.n.ledger.codeWaits.Add(1) > maxCodeWaits {
			return heldCode{}, portal.ErrNoCode
		}
	}
	timer := time.NewTimer(c.n.cfg.CodeWait)
	defer timer.Stop()
	for ; ; found, ok, came = c.n.ledger.code(key) {
		if ok && !c.n.cfg.Now().Before(found.until) {
			return heldCode{}, portal.ErrNoCode
		} else if ok {
			return found, nil
		}
		select {
		case <-came:
		case <-timer.C:
			return heldCode{}, portal.ErrNoCode
		case <-ctx.Done():
			return heldCode{}, ctx.Err()
		case <-c.n.ctx.Done():
			return heldCode{}, &Error{Reason: ReasonClosed, What: "wait for a code", Err: c.n.ctx.Err()}
		}
	}
}

func (l *ledger) putCode(region, key string, v []byte, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.codes[key]; ok {
		return
	}
	l.codes[key] = heldCode{region, v, until}
	close(l.codeCame)
	l.codeCame = make(chan struct{})
}

func (l *ledger) code(key string) (heldCode, bool, <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	c, ok := l.codes[key]
	return c, ok, l.codeCame
}
