package replica

import (
	"context"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A Region is followed at the address that others know, which may be that of its
// old machine, or of a second Region that runs from a copy of its directory. So
// each answer also says how far the Region that answers has copied the one that
// asks, with the proof: a Region that merely follows others is shown what it
// lacks, too.

// A copyEnd is the last message of a copy.
type copyEnd struct {
	Store string          `json:"store"`
	Proof integrity.Proof `json:"proof"`
}

// copied notes the last message of a copy that has a proof.
func (c *contents) copied(stream string, e copyEnd) {
	if e.Proof.Token == "" {
		return // from an older version, or padding
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[stream] = e
}

// copyEnd returns the last message of a copy, or nil.
func (c *contents) copyEnd(stream string) *copyEnd {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.ends[stream]; ok {
		return &e
	}
	return nil
}

// beShown compares what a peer has of one of this Region's own streams. Without a
// proof it is a claim, which is looked into or reported, as the gate does.
func (f *follower) beShown(ctx context.Context, k streamKind, e *copyEnd) {
	n := f.n
	if e == nil || n.condemned() != nil || !f.news(k, *e) {
		return
	}
	judge := func(d *integrity.Identity, end uint64) (integrity.Verdict, string) {
		return d.Judge(integrity.Shown{Line: string(k), Store: e.Store, Position: e.Proof.Seq, Proof: &e.Proof}, end)
	}
	id := n.identity.Load()
	read, _ := n.progress.get(k.stream(n.cfg.Region))
	v, why := judge(id, read.seq)
	switch {
	case v == integrity.Damaged:
		if why = n.confirm(ctx, k, judge); why != "" {
			_ = n.condemn(n.ctx, k, why)
		}
		return // it may be this Node that isn't there yet: compared again with the next answer
	case v == integrity.Claim && e.Store != id.Stores[string(k)]:
		n.checkClaim(f.region, k, why)
		return
	case v == integrity.Claim:
		n.reportClaim(suspect{f.region, k}, "a peer claims what it doesn't show", why)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.judged[k] = *e
}

// news says whether this was not compared yet.
func (f *follower) news(k streamKind, e copyEnd) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.judged[k] != e
}
