package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// identityKey is the key in a stream's metadata that says that the stream has an
// Identity beside it. A stream from before there were Identities gets one.
const identityKey = "meridian-identity"

// establish checks that the Region's own server keeps what this Region wrote, creates
// the streams that a new Region needs, and begins a new generation. Anything wrong
// fails with Reason Damaged.
func (n *Node) establish(ctx context.Context) error {
	for err := errConflict; errors.Is(err, errConflict); { // another Node of the Region was faster
		if err = n.beginGeneration(ctx); err != nil && !errors.Is(err, errConflict) {
			return err
		}
	}
	if err := n.passes("established"); err != nil {
		return err
	}
	for _, k := range streamKinds {
		if err := n.ensure(ctx, k, n.cfg.Region); err != nil {
			return err
		}
		if err := n.name(ctx, k); err != nil {
			return err
		}
	}
	if n.identity.Load().Made {
		return nil
	}
	return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Made = true })
}

func (n *Node) beginGeneration(ctx context.Context) error {
	d, rev, err := n.readIdentity(ctx)
	if n.vouched() && reasonDamaged(err) {
		n.cfg.Logger.Warn("replica: the Region's identity can't be read, and is created anew", "error", err)
	} else if err != nil {
		return err
	}
	own := map[streamKind]jetstream.StreamInfo{}
	for _, k := range streamKinds {
		s, err := n.stream(ctx, k.stream(n.cfg.Region))
		if err == nil {
			own[k] = *s.CachedInfo()
		} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	if err := n.examine(d, own); err != nil {
		return err
	}
	next := n.nextIdentity(d, len(own) > 0)
	n.generation = next.Start(rand.Text()[:12])
	return n.writeIdentity(ctx, next, rev)
}

// examine checks the Region's own streams, those that exist, against the Identity. d
// is nil if there is none.
func (n *Node) examine(d *integrity.Identity, own map[streamKind]jetstream.StreamInfo) error {
	if d != nil && d.Region != n.cfg.Region {
		return &Error{Reason: ReasonDamaged, Rule: "content of Dir or URL",
			Want: "what Region " + n.cfg.Region + " wrote: is another Region's directory in its place?", Got: "Region " + d.Region}
	}
	for _, k := range streamKinds {
		info, exists := own[k]
		if exists && info.Config.Metadata[storeID] == "" {
			return &Error{Reason: ReasonDamaged, Rule: "stream " + info.Config.Name,
				Want: "the Region's own: is another Region's directory in its place?", Got: "a copy of it, as another Region keeps it"}
		}
		if d == nil && info.Config.Metadata[identityKey] != "" && !n.vouched() {
			return damaged(k, "the Region's identity, beside it, is missing")
		}
	}
	if d == nil || n.vouched() {
		return nil
	}
	if d.Damage != nil {
		return damaged(streamKind(d.Damage.Line), d.Damage.Why)
	}
	for _, k := range streamKinds {
		info, exists := own[k]
		switch {
		case !exists && d.Made:
			return damaged(k, "it is missing")
		case info.Config.Metadata[identityKey] != "" && info.Config.Metadata[storeID] != d.Stores[string(k)]:
			return damaged(k, "another one is in its place, or a version from before there were formats was started with Restored")
		case k == kindConfig && !contiguous(info.State):
			return damaged(k, fmt.Sprintf("of messages %d to %d some are missing", info.State.FirstSeq, info.State.LastSeq))
		}
	}
	return nil
}

// contiguous reports whether no message is missing between a stream's first and
// last. Of config nothing else is ever removed.
func contiguous(s jetstream.StreamState) bool {
	return s.Msgs == 0 || s.Msgs == s.LastSeq-s.FirstSeq+1
}

// vouched reports whether the operator has said, for this start, what counts.
func (n *Node) vouched() bool { return n.cfg.Restored || len(n.cfg.Recover) > 0 }

// nextIdentity is the Identity that this start gives the Region. A Region that had
// none is new, or from before there were Identities. Then all others read its
// streams again, so that their copies hold proofs. existed: it had streams.
func (n *Node) nextIdentity(d *integrity.Identity, existed bool) integrity.Identity {
	var next integrity.Identity
	if d != nil {
		next = *d
	} else {
		next = integrity.New(n.cfg.Region, newKey(), n.cfg.Now().Unix())
		next.Vouched = existed && len(n.cfg.Recover) == 0
		next.Orphaned = existed
	}
	if len(n.cfg.Recover) > 0 { // until that is done
		next.Damage = n.damageOf("", "its recovery was begun and not completed")
	} else if n.cfg.Restored {
		next.Vouch(n.cfg.Now().Unix())
		next.Whole = next.Whole && n.cfg.Region == n.cfg.Primary // an additional Region may begin anew
	}
	next.Restoring = n.cfg.Restored && n.cfg.URL == ""
	if d == nil || n.cfg.Restored && len(n.cfg.Recover) == 0 {
		next.Stores = map[string]string{}
		for _, k := range streamKinds {
			next.Stores[string(k)] = n.newStore()
		}
	}
	return next
}

func (n *Node) damageOf(k streamKind, why string) *integrity.Damage {
	return &integrity.Damage{Line: string(k), Why: why, At: n.cfg.Now().UTC().Round(0)}
}

func newKey() (k integrity.Key) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// name gives a stream the storeID that the Identity says. If it changes, followers
// read the stream from its start.
func (n *Node) name(ctx context.Context, k streamKind) error {
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return err
	}
	have, want := s.CachedInfo().Config.Metadata, n.identity.Load().Stores[string(k)]
	if have[storeID] == want && have[identityKey] != "" {
		return nil
	}
	return n.setMetadata(ctx, s, map[string]string{storeID: want, identityKey: "1"})
}
