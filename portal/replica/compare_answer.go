package replica

import (
	"cmp"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A shownMessage is the last message of a copy, and what its Region recognises
// it by.
type shownMessage struct{ subject, token string }

// shown is the proof of the last message of a copy, or nil where there is none.
func (n *Node) shown(c *copier) (p *integrity.Proof) {
	if c.proof.token == "" {
		return nil
	}
	n.contents.with(c.kind.stream(c.region), func(have *integrity.Content) {
		store, _ := have.At()
		if seq, item, ok := have.Item(c.proof.subject); ok && store == c.at.store && seq == c.at.seq {
			p = &integrity.Proof{Seq: seq, Item: item, Token: c.proof.token}
		}
	})
	return p
}

// anew begins to read an original from its start.
func (c *copier) anew(store string) {
	if c.read++; store != c.at.store {
		c.read = 0
	}
	c.at, c.past, c.proof = position{store: store}, 0, shownMessage{}
}

// doubt says why an answer is not believed, or "". A Region that refuses says
// itself that something is wrong. One with another log than before, which
// doesn't say that this one replaces the other, has lost its disk: what is here
// may be all that is left of it.
func (n *Node) doubt(c *copier, a answer) string {
	switch {
	case a.Refused != "":
		return cmp.Or(a.Error, string(a.Refused))
	case c.at.store != "" && a.Store != c.at.store && a.Generation != nil && !a.Vouched:
		return "it has a new log, and doesn't say that this replaces the one that was copied here: if it lost its disk, it is to be started with Config.Recover or Config.Restored"
	}
	return ""
}

// A likeness is how a copy that is at the end of the original compares with what
// the original's Region says that it holds.
type likeness int

const (
	unsaid    likeness = iota // the answer doesn't let it be said
	overtaken                 // another Node of this Region is further
	alike
	unlike
)

// compare compares a copy with what an answer says. If they are unlike it says
// why. Where it is unsaid, nothing says that the copy is right, either.
func (n *Node) compare(c *copier, a answer) (is likeness, why string) {
	if a.Digest == nil || a.Digest.Position != max(c.at.seq, c.past) || a.Digest.Store != c.at.store {
		return unsaid, ""
	}
	n.contents.with(c.kind.stream(c.region), func(have *integrity.Content) {
		store, seq := have.At() // of the last message, which may be gone by now
		sum := have.Sum(a.Digest.Cutoff)
		switch {
		case c.at.seq == 0: // nothing was copied of this read
			sum, why = integrity.Sum{}, "the copy holds nothing, and the log does"
		case store != c.at.store || have.Read() != c.read || seq < c.at.seq || seq > a.Digest.Position:
			is = overtaken
			return
		default:
			why = "the copy holds something else than the log"
		}
		if is = unlike; sum == a.Digest.Sum {
			is, why = alike, ""
		}
	})
	return is, why
}

// doubts notes, and logs once, that what a peer says of a stream isn't believed.
func (f *follower) doubts(k streamKind, why string, differs bool) {
	f.mu.Lock()
	f.connected = true
	w := f.flows[k]
	first := w.doubt == ""
	w.doubt, w.differs = why, differs
	f.mu.Unlock()
	if first {
		f.n.cfg.Logger.Error("replica: a peer's log is not what it was", "region", f.n.cfg.Region, "peer", f.region, "stream", string(k), "found", refusal.Quote(why))
	}
}

func (f *follower) differs(k streamKind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flows[k].differs
}
