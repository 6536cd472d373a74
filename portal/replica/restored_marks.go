package replica

import (
	"context"
	"encoding/json"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// markFresh writes the marks of streams that were just made by a recovery, before
// it counts as done. No reader has seen them yet, and no other Region: nothing
// else would show what is lost of them from here on.
func (n *Node) markFresh(ctx context.Context) error {
	marks := map[string]integrity.Mark{}
	for _, k := range streamKinds {
		c := integrity.NewContent()
		c.Begin(n.identity.Load().Stores[string(k)], 0)
		_, s, err := n.lastOf(ctx, k)
		if err != nil {
			return err
		}
		for at := uint64(0); ; {
			msg, err := nextMessage(ctx, s, k.prefix(n.cfg.Region), at)
			if err != nil {
				return unavailable("read of stream "+k.stream(n.cfg.Region), err)
			} else if msg == nil {
				break
			}
			at = msg.Sequence
			plain, err := n.cfg.Codec.Open(msg.Subject, msg.Data)
			c.Add(n.messageOf(arrival{region: n.cfg.Region, kind: k, seq: at, body: plain}, msg.Header, msg.Subject, msg.Data, err == nil))
		}
		m := c.Mark()
		m.At = n.latestClock()
		marks[string(k)] = m
	}
	b, err := json.Marshal(marks)
	if err != nil {
		return err
	}
	if err := n.identityStore.put(ctx, marksName, b); err != nil {
		return n.identityStoreError("write of the marks", err)
	}
	return nil
}
