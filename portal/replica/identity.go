package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// identityKey is the key in a stream's metadata that says that an Identity stands
// beside it. Streams from before that have no such key, and get one.
const identityKey = "meridian-identity"

// establish finds out whether what the Region's own server keeps is what this
// Region wrote, makes the streams that a new Region needs, and begins a new
// generation. Whatever is wrong ends Open, with Reason Damaged.
func (n *Node) establish(ctx context.Context) error {
	for {
		d, rev, err := n.readIdentity(ctx)
		if n.vouched() && reasonDamaged(err) {
			n.cfg.Logger.Warn("replica: the Region's identity can't be read, and is made anew", "region", n.cfg.Region, "error", err)
		} else if err != nil {
			return err
		}
		own, err := n.ownStreams(ctx)
		if err != nil {
			return err
		}
		if err := n.examine(d, own); err != nil {
			return err
		}
		next := n.nextIdentity(d, own)
		n.generation = next.Start(rand.Text()[:12])
		if err := n.writeIdentity(ctx, next, rev); errors.Is(err, errConflict) {
			continue // another node of the Region was faster
		} else if err != nil {
			return err
		}
		break
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

// ownStreams looks at the Region's own streams, those that are there.
func (n *Node) ownStreams(ctx context.Context) (map[streamKind]*jetstream.StreamInfo, error) {
	own := map[streamKind]*jetstream.StreamInfo{}
	for _, k := range streamKinds {
		s, err := n.stream(ctx, k.stream(n.cfg.Region))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		} else if err != nil {
			return nil, unavailable("look at stream "+k.stream(n.cfg.Region), err)
		}
		own[k] = s.CachedInfo()
	}
	return own, nil
}

// examine says whether the streams go with the Identity. d is nil where there is
// none.
func (n *Node) examine(d *integrity.Identity, own map[streamKind]*jetstream.StreamInfo) error {
	if d != nil && d.Region != n.cfg.Region {
		return &Error{Reason: ReasonDamaged, Rule: "what Dir or URL keeps", Want: "what Region " + n.cfg.Region + " wrote: is another Region's directory in its place?", Got: "Region " + d.Region}
	}
	for _, k := range streamKinds {
		info := own[k]
		if info == nil {
			continue
		}
		if info.Config.Metadata[storeID] == "" {
			return &Error{Reason: ReasonDamaged, Rule: "stream " + info.Config.Name, Want: "the Region's own: is another Region's directory in its place?", Got: "a copy of it, as another Region keeps it"}
		}
		if d == nil && info.Config.Metadata[identityKey] != "" && !n.vouched() {
			return damaged(k, "what stands beside it, the Region's identity, is missing")
		}
	}
	if d == nil || n.vouched() {
		return nil
	}
	if d.Damage != nil {
		return damaged(streamKind(d.Damage.Line), d.Damage.Why)
	}
	for _, k := range streamKinds {
		info := own[k]
		switch {
		case info == nil && d.Made:
			return damaged(k, "it is missing")
		case info == nil:
		case info.Config.Metadata[identityKey] != "" && info.Config.Metadata[storeID] != d.Stores[string(k)]:
			return damaged(k, "another one is in its place, or a version from before there were formats was started with Restored")
		case k == kindConfig && !contiguous(info.State):
			return damaged(k, fmt.Sprintf("of messages %d to %d some are missing", info.State.FirstSeq, info.State.LastSeq))
		}
	}
	return nil
}

// contiguous says whether a stream from which nothing expires, and from which
// only its beginning is removed, holds all of the rest.
func contiguous(s jetstream.StreamState) bool {
	return s.Msgs == 0 || s.Msgs == s.LastSeq-s.FirstSeq+1
}

// vouched says whether the operator has said what is to count, for this start.
func (n *Node) vouched() bool { return n.cfg.Restored || len(n.cfg.Recover) > 0 }

// nextIdentity is the Identity that this start gives the Region. A Region that
// had none gets one: it is new, or from before there were any. The latter has
// its streams read again by all others, so that their copies hold proofs.
func (n *Node) nextIdentity(d *integrity.Identity, own map[streamKind]*jetstream.StreamInfo) integrity.Identity {
	var next integrity.Identity
	if d != nil {
		next = *d
	} else {
		next = integrity.New(n.cfg.Region, newKey(), n.cfg.Now().Unix())
		next.Vouched = len(own) > 0 && len(n.cfg.Recover) == 0
		next.Orphaned = len(own) > 0
	}
	if len(n.cfg.Recover) > 0 { // until that is done
		next.Damage = &integrity.Damage{Why: "its recovery was begun and not completed", At: n.cfg.Now().UTC().Round(0)}
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

func newKey() (k integrity.Key) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// name gives a stream the storeID that the Identity says. Under another one
// than before, followers read it from its start.
func (n *Node) name(ctx context.Context, k streamKind) error {
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return unavailable("look at stream "+k.stream(n.cfg.Region), err)
	}
	c, want := s.CachedInfo().Config, n.identity.Load().Stores[string(k)]
	if c.Metadata[storeID] == want && c.Metadata[identityKey] != "" {
		return nil
	}
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[storeID], c.Metadata[identityKey] = want, "1"
	if _, err := asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.UpdateStream(ctx, c) }); err != nil {
		return unavailable("naming of stream "+c.Name, err)
	}
	return nil
}
