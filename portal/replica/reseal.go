package replica

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// When the key has a new version, everything in the Region's own streams is sealed again in the background. What a
// message says stays, and so does the key of its digest: the proofs in other Regions' copies stay valid. Copies follow,
// message by message. Until then earlier versions of the key open the rest.

// resealAll seals everything again that is sealed under an earlier version of the key. It does nothing if it has been
// done since the key's last version. sample is a value that was sealed then; nil: after a start, it is not known.
func (n *Node) resealAll(ctx context.Context, sample []byte) ([]byte, error) {
	if sample != nil && !n.cfg.stale(sample) || n.stopped() != nil || n.removedAt.Load() > 0 {
		return sample, nil
	}
	next, err := n.cfg.seal("sample", n.cfg.Region, nil)
	if err != nil || sample == nil && !n.staleRead.Load() && !n.cfg.stale(n.identity.Load().Names) {
		return next, err // the reader has seen the messages of earlier starts
	}
	for _, k := range []streamKind{kindRevoked, kindSessions} {
		if err := n.resealStream(ctx, k); err != nil {
			return sample, err
		}
	}
	if err := n.resealLog(ctx); err != nil {
		return sample, err
	}
	if n.cfg.stale(n.identity.Load().Names) {
		if err := n.resealNames(ctx); err != nil {
			return sample, err
		}
	}
	return next, nil
}

// resealStream seals the messages of one of the Region's own streams again.
func (n *Node) resealStream(ctx context.Context, k streamKind) error {
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return err
	}
	for msg, err := range messages(ctx, s, k.prefix(n.cfg.Region)) {
		if err != nil {
			return err
		}
		if msg.Header.Get(headerBound) == "" || !n.cfg.stale(msg.Data) {
			continue
		}
		if err := n.reseal(ctx, k, msg); err != nil && !errors.Is(err, errConflict) { // a later message counts
			return err
		}
	}
	return nil
}

// reseal replaces a message by one that says the same.
func (n *Node) reseal(ctx context.Context, k streamKind, msg *jetstream.RawStreamMsg) error {
	framed, err := n.cfg.unseal("message", msg.Subject, msg.Data)
	if lacksKey(err) {
		return err
	} else if err != nil {
		return nil // the reader has logged it
	}
	out := nats.NewMsg(msg.Subject)
	maps.Copy(out.Header, msg.Header)
	maps.DeleteFunc(out.Header, func(key string, _ []string) bool { return !strings.HasPrefix(key, "Meridian-") })
	if out.Data, err = n.cfg.seal("message", msg.Subject, framed); err != nil {
		return err
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(msg.Sequence)}
	if until := untilOf(msg.Header.Get(headerUntil)); !until.IsZero() {
		now := n.cfg.Now()
		if until.Before(now) {
			return nil
		}
		opts = append(opts, jetstream.WithMsgTTL(ttl(until.Add(-time.Second), now)))
	}
	_, err = n.send(ctx, k.stream(n.cfg.Region), out, opts...)
	return err
}

// resealLog writes the whole state, if the log has a message that is sealed under an earlier version.
func (n *Node) resealLog(ctx context.Context) error {
	s, err := n.stream(ctx, kindConfig.stream(n.cfg.Region))
	if err != nil {
		return err
	}
	for msg, err := range messages(ctx, s, kindConfig.prefix(n.cfg.Region)) {
		if err != nil {
			return err
		}
		if !n.cfg.stale(msg.Data) {
			continue
		}
		n.applying.Lock()
		defer n.applying.Unlock()
		if !n.dir.Complete(n.cfg.Region) {
			return nil
		}
		err := n.writeLog(ctx, nil, true)
		if err == nil {
			n.wakeMaintenance() // which removes the earlier messages
		}
		return err
	}
	return nil
}

// resealNames seals the keys in the Identity again.
func (n *Node) resealNames(ctx context.Context) error {
	sealed, err := n.cfg.seal("names", n.cfg.Region, n.ledger.names)
	if err != nil {
		return err
	}
	return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Names, d.SealedKey = sealed, nil })
}
