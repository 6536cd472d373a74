package replica

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// claimTimeout bounds one look at a follower's copy.
const claimTimeout = 2 * time.Minute

// checkClaim looks at a follower's copy of one of this Region's own streams,
// message by message, if that wasn't done a moment ago. This Region asks the
// peer itself, at the address that it knows. If the copy holds what this Region
// once had and lacks, this Region stops. If it doesn't, the copy is what is
// wrong, and may be read from the start.
func (n *Node) checkClaim(from string, k streamKind, why string) {
	n.mu.Lock()
	f := n.followers[from]
	n.mu.Unlock()
	s := suspect{from, k}
	if !n.due(s) {
		return
	}
	if f == nil {
		n.cfg.Logger.Error("replica: a follower claims what can't be looked into, as it is no peer here", "region", n.cfg.Region, "peer", refusal.Quote(from), "stream", string(k), "claim", why)
		return
	}
	n.start(func() {
		ctx, cancel := context.WithTimeout(n.ctx, claimTimeout)
		defer cancel()
		claims, err := n.inspect(ctx, f, k)
		if n.ctx.Err() != nil || n.condemned() != nil {
			return
		}
		if err != nil {
			n.cfg.Logger.Error("replica: a follower's copy differs and can't be looked at", "region", n.cfg.Region, "peer", from, "stream", string(k), "error", err)
			return
		}
		n.cfg.Logger.Error("replica: a follower's copy differs, and shows nothing that this Region lost", "region", n.cfg.Region, "peer", from, "stream", string(k), "claim", why, "unproved", claims)
		n.mu.Lock()
		n.cleared[s] = true
		n.mu.Unlock()
	})
}

// isCleared says, once, that the copy that a question is about may be read from
// the start.
func (n *Node) isCleared(q question) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := suspect{q.From, q.Line}
	ok := n.cleared[s]
	delete(n.cleared, s)
	return ok
}

// inspect compares all messages of a peer's copy. It returns how many prove
// nothing.
func (n *Node) inspect(ctx context.Context, f *follower, k streamKind) (claims int, err error) {
	end, _, err := n.lastOf(ctx, k)
	if err != nil {
		return 0, err
	}
	return claims, n.eachOfCopy(ctx, f, k, func(m message) error {
		r := integrity.Record{Line: string(k), Store: m.Store, Subject: m.Subject, Until: int64(number(m.Until)),
			Proof: integrity.Proof{Seq: m.Orig, Item: n.itemOf(m), Token: m.Proof}}
		v, _ := n.verifyRecord(n.identity.Load(), k, r, end)
		for v == integrity.Behind || v == integrity.Damaged {
			// It may be this Node that isn't there yet: a message that it has not
			// read took the place of this one.
			if err = n.readToEnd(ctx, k); err != nil {
				return err
			}
			if end, _, err = n.lastOf(ctx, k); err != nil {
				return err
			}
			if v, _ = n.verifyRecord(n.identity.Load(), k, r, end); v == integrity.Damaged {
				why := n.confirm(ctx, k, func(d *integrity.Identity, end uint64) (integrity.Verdict, string) {
					return n.verifyRecord(d, k, r, end)
				})
				if why != "" {
					return n.condemn(n.ctx, k, why)
				}
				pause(ctx, time.Second)
			}
			pause(ctx, 20*time.Millisecond)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if v == integrity.Claim {
			claims++
		}
		return nil
	})
}

// verifyRecord compares one message by what this Node has read of its own stream.
func (n *Node) verifyRecord(d *integrity.Identity, k streamKind, r integrity.Record, end uint64) (v integrity.Verdict, why string) {
	n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) {
		v, why = d.JudgeRecord(r, c, end, n.latestClock(), int64(n.cfg.Skew/time.Second))
	})
	return v, why
}

// eachOfCopy asks a peer for its copy of one of this Region's own streams, and
// gives its messages out in the order of the copy.
func (n *Node) eachOfCopy(ctx context.Context, f *follower, k streamKind, each func(message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	nc, err := f.connect(func(err error) { cancel(err) })
	if err != nil {
		return unavailable("connection to Region "+f.region, err)
	}
	defer nc.Close()
	return n.pages(ctx, nc, f, k, each)
}

func (n *Node) pages(ctx context.Context, nc *nats.Conn, f *follower, k streamKind, each func(message) error) error {
	for after := uint64(0); ; {
		q := f.question(k, position{ofCopy, after})
		q.Of, q.Wait = n.cfg.Region, 0
		a, err := f.ask(ctx, nc, q)
		if err != nil {
			return err
		}
		if a.Store != ofCopy { // a version that doesn't know such questions
			return &Error{Reason: ReasonUnavailable, Rule: "answer of Region " + f.region, Want: "its copy of this Region's stream", Got: "something else"}
		}
		for _, m := range a.Messages {
			if !strings.HasPrefix(m.Subject, k.prefix(n.cfg.Region)) {
				return &Error{Reason: ReasonCorrupt, Rule: "answer of Region " + f.region, Want: "messages of this Region's stream", Got: m.Subject}
			}
			if err := each(m); err != nil {
				return err
			}
		}
		if a.Pending == 0 {
			return nil
		}
		after = a.end()
	}
}
