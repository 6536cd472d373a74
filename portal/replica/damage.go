package replica

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// remedy tells the operator what to do.
const remedy = "start it once with Config.Recover, the names of those Config.Peers that hold copies of it, " +
	"or once with Config.Restored to accept the data that is here; see OPERATING.md"

// damaged returns the error for a damaged stream, or for any of them if it is "".
func damaged(k streamKind, why string) *Error {
	what := "the Region's streams"
	if k != "" {
		what = "the Region's stream " + string(k)
	}
	return newError(ReasonDamaged, what, "all that the Region wrote; "+remedy, why)
}

func reasonDamaged(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == ReasonDamaged
}

// damageFound returns how the Region's streams are damaged, or nil. Nothing is written to them then.
func (n *Node) damageFound() error { return asError(n.damage.Load()) }

// stopDamaged stops the Region's writes and service in this Node, and, through the Identity, in all others and
// after a restart. Questions about undamaged streams are still answered.
func (n *Node) stopDamaged(ctx context.Context, k streamKind, why string) error {
	e := damaged(k, why)
	if !n.damage.CompareAndSwap(nil, e) {
		return n.damageFound()
	}
	n.stop("damage", e)
	err := n.changeIdentity(ctx, func(d *integrity.Identity) {
		if d.Damage == nil {
			d.Damage = n.damageOf(k, why)
		}
	})
	if err != nil {
		n.cfg.Logger.Error("replica: the stop of this Region is not stored, so a restart would start it again", "error", err)
	}
	return e
}

// lastOf returns the last sequence of one of the Region's own streams: with replicas, by a majority of the servers.
func (n *Node) lastOf(ctx context.Context, k streamKind) (uint64, jetstream.Stream, error) {
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return 0, nil, err
	}
	if s.CachedInfo().Config.Replicas <= 1 {
		return s.CachedInfo().State.LastSeq, s, nil
	}
	end, err := asking(ctx, func(ctx context.Context) (uint64, error) {
		return endByQuorum(ctx, s, k.prefix(n.cfg.Region)+unused)
	})
	if err != nil {
		return 0, nil, unavailable("end of stream "+k.stream(n.cfg.Region), err)
	}
	return end, s, nil
}

// A verdictFunc compares something with an Identity and the end of the stream.
type verdictFunc = func(d *integrity.Identity, end uint64) (integrity.Verdict, string)

// verdictOn checks the proof that a follower sends from its copy of one of this Region's streams.
func (n *Node) verdictOn(
	ctx context.Context, k streamKind, store string, position uint64, p *integrity.Proof,
) verdictFunc {
	return func(d *integrity.Identity, end uint64) (integrity.Verdict, string) {
		shown := integrity.Shown{Line: string(k), Store: store, Position: position, Proof: p}
		return d.Judge(shown, end, func(p integrity.Proof) bool { return n.hasAnother(ctx, k, p) })
	}
}

// confirm checks again, and stops the Region if the verdict is still Damaged. It uses the current Identity, in which
// another Node of the Region may have begun a generation, and the current end of the stream. A server of a cluster that
// was cut off may answer without the latest messages, so a majority of the servers must agree.
func (n *Node) confirm(ctx context.Context, k streamKind, verdict verdictFunc) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout) // the follower continues meanwhile
	defer cancel()
	d, err := n.reloadIdentity(ctx)
	if err != nil || d == nil {
		return nil
	}
	end, s, err := n.lastOf(ctx, k)
	if err != nil {
		return nil
	}
	v, why := verdict(d, end)
	if v != integrity.Damaged || s.CachedInfo().Config.Replicas > 1 && !n.lasts(k) {
		return nil
	}
	return n.stopDamaged(n.ctx, k, why)
}

// A history remembers when something last happened, for maxSuspects keys at most.
type history[K comparable] struct {
	mu sync.Mutex
	at map[K]time.Time
}

// due reports whether an event may happen again, after this duration. If so it notes the event.
func (h *history[K]) due(k K, every time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, known := h.at[k]
	if !known && len(h.at) >= maxSuspects {
		maps.DeleteFunc(h.at, func(_ K, last time.Time) bool { return time.Since(last) >= every })
	}
	if known && time.Since(last) < every || !known && len(h.at) >= maxSuspects {
		return false
	}
	if h.at == nil {
		h.at = map[K]time.Time{}
	}
	h.at[k] = time.Now()
	return true
}

// lasts reports whether the leader of a stream has seemed wrong repeatedly for longer than deposed.
func (n *Node) lasts(k streamKind) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	since, known := n.leaders[k]
	if !known || time.Since(since) > 10*deposed { // that was another time
		n.leaders[k] = time.Now()
		return false
	}
	return time.Since(since) >= deposed
}

func (n *Node) reportClaim(s regionStream, what, why string) {
	if n.claims.due(s, claimEvery) {
		n.cfg.Logger.Error("replica: "+what, "peer", refusal.Quote(s.region), "stream", string(s.kind), "claim", why)
	}
}

// checkClaim checks a follower's copy of one of this Region's own streams, message by message, unless that was done
// recently. It reads the copy from the peer, at the address in Config.Peers. If the copy has a message that this Region
// wrote and has lost, this Region stops. Otherwise the copy is wrong, and the follower may read the stream from the
// start.
func (n *Node) checkClaim(from string, k streamKind, why string) {
	f, s := n.follower(from), regionStream{from, k}
	if !n.claims.due(s, claimEvery) {
		return
	}
	log := n.cfg.Logger.With("peer", refusal.Quote(from), "stream", string(k), "claim", why)
	if f == nil {
		log.Error("replica: the claim of a follower can't be checked, because it is not a peer of this Region")
		return
	}
	n.start(func() {
		ctx, cancel := context.WithTimeout(n.ctx, claimTimeout)
		defer cancel()
		claims, err := n.inspect(ctx, f, k)
		if n.ctx.Err() != nil || n.damageFound() != nil {
			return
		}
		if err != nil {
			log.Error("replica: a follower's copy differs and can't be checked", "error", err)
			return
		}
		log.Error("replica: a follower's copy differs, but contains no message that this Region lost", "unproved", claims)
		n.cleared.Store(s, true)
	})
}

// inspect compares all messages of a peer's copy. It returns the number of messages without a valid proof.
func (n *Node) inspect(ctx context.Context, f *follower, k streamKind) (claims int, err error) {
	end, _, err := n.lastOf(ctx, k)
	if err != nil {
		return 0, err
	}
	err = n.eachOfCopy(ctx, f, k, func(m message) error {
		v, err := n.inspectMessage(ctx, k, m, &end)
		if v == integrity.Claim {
			claims++
		}
		return err
	})
	return claims, err
}

// inspectMessage compares a message with what this Node has read of its own stream, which ended at end. It repeats
// that until it is sure: a message that this Node has not read yet may have replaced the one in the copy.
func (n *Node) inspectMessage(
	ctx context.Context, k streamKind, m message, end *uint64,
) (v integrity.Verdict, err error) {
	item, err := n.itemOf(m)
	if err != nil {
		return v, err
	}
	r := integrity.Record{Line: string(k), Store: m.Store, Subject: m.Subject, Until: int64(number(m.Until)),
		Proof: integrity.Proof{Seq: m.Orig, Item: item, Token: m.Proof}}
	by := func(d *integrity.Identity, end uint64) (v integrity.Verdict, why string) {
		n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) {
			v, why = d.JudgeRecord(r, c, end, n.latestClock(), n.skewSeconds())
		})
		return v, why
	}
	v, _ = by(n.identity.Load(), *end)
	for v == integrity.Behind || v == integrity.Damaged {
		if err := n.readToEnd(ctx, k); err != nil {
			return v, err
		}
		if *end, _, err = n.lastOf(ctx, k); err != nil {
			return v, err
		}
		if v, _ = by(n.identity.Load(), *end); v == integrity.Damaged {
			if err := n.confirm(ctx, k, by); err != nil {
				return v, err
			}
			pause(ctx, time.Second)
		}
		pause(ctx, 20*time.Millisecond)
		if err := ctx.Err(); err != nil {
			return v, err
		}
	}
	return v, nil
}

// eachOfCopy calls each with the messages of a peer's copy of one of this Region's own streams, in order.
func (n *Node) eachOfCopy(ctx context.Context, f *follower, k streamKind, each func(message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	nc, err := f.connect(func(err error) { cancel(err) })
	if err != nil {
		return unavailable("connection to Region "+f.region, err)
	}
	defer nc.Close()
	for q := f.question(k, position{store: ofCopy}); ; {
		q.Of, q.Wait = n.cfg.Region, 0
		a, err := f.ask(ctx, nc, q)
		if err != nil {
			return err
		}
		if a.Store != ofCopy { // an older version without such questions
			return newError(ReasonUnavailable, "answer of Region "+f.region, "its copy of this Region's stream",
				"something else")
		}
		for _, m := range a.Messages {
			if !strings.HasPrefix(m.Subject, k.prefix(n.cfg.Region)) {
				return newError(ReasonCorrupt, "answer of Region "+f.region, "messages of this Region's stream", m.Subject)
			}
			if err := each(m); err != nil {
				return err
			}
		}
		if a.Pending == 0 {
			return nil
		}
		q = f.question(k, position{ofCopy, a.end()})
	}
}
