package replica

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// remedy is what an operator can do.
const remedy = "start it once with Config.Recover, the names of those Config.Peers that hold copies of it, or, if what is here is to count, once with Config.Restored; see OPERATING.md"

// damaged makes the error of a damaged log.
func damaged(k streamKind, why string) *Error {
	what := "the Region's streams"
	if k != "" {
		what = "the Region's stream " + string(k)
	}
	return &Error{Reason: ReasonDamaged, Rule: what, Want: "what the Region wrote; " + remedy, Got: why}
}

func reasonDamaged(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == ReasonDamaged
}

// condemned returns how the Region's log is damaged, or nil. Nothing is written
// to any of its streams then.
func (n *Node) condemned() error {
	if e := n.damage.Load(); e != nil {
		return e
	}
	return nil
}

// condemn ends what this Region does on its own authority, in this Node and, as
// that is written beside the streams, in all others and after a restart. What it
// can still say of its other streams, it goes on to say.
func (n *Node) condemn(ctx context.Context, k streamKind, why string) error {
	e := damaged(k, why)
	if !n.damage.CompareAndSwap(nil, e) {
		return n.condemned()
	}
	n.stop("damage", e)
	err := n.changeIdentity(ctx, func(d *integrity.Identity) {
		if d.Damage == nil {
			d.Damage = &integrity.Damage{Line: string(k), Why: why, At: n.cfg.Now().UTC().Round(0)}
		}
	})
	if err != nil {
		n.cfg.Logger.Error("replica: a restart will not know that this Region has stopped", "region", n.cfg.Region, "error", err)
	}
	return e
}

// lastOf is the last sequence of one of the Region's own streams: with replicas,
// by a majority of the servers.
func (n *Node) lastOf(ctx context.Context, k streamKind) (uint64, jetstream.Stream, error) {
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return 0, nil, unavailable("look at stream "+k.stream(n.cfg.Region), err)
	}
	if s.CachedInfo().Config.Replicas <= 1 {
		return s.CachedInfo().State.LastSeq, s, nil
	}
	end, err := asking(ctx, func(ctx context.Context) (uint64, error) {
		return endByQuorum(ctx, s, k.prefix(n.cfg.Region)+nothing)
	})
	if err != nil {
		return 0, nil, unavailable("look at the end of stream "+k.stream(n.cfg.Region), err)
	}
	return end, s, nil
}
