package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A disk that lost a part of a copy has lost what another Region ended. Where
// that Region is heard it says so. Where it is not, as when both were in one
// fire, nothing but the marks beside the streams shows it. What depends on such
// a copy is not served until the other Region has been heard and agrees:
//
//   - on the primary's configuration, and on what any Region ended: everything;
//   - on another Region's sessions: these sessions. Their users sign in again;
//   - on another Region's applications: these applications.

// copies are what is known of copies beside what they hold.
type copies struct {
	mu       sync.Mutex
	marks    copyMarks         // as they are written
	ahead    copyMarks         // as they will be
	moved    bool              // and are to be written
	looked   time.Time         // when that was last found out
	suspects map[copyOf]string // copies that lost something, and what
	remade   map[copyOf]bool   // suspects that were made again
	halfMade map[copyOf]bool   // and those of which that failed: there may be none
}

// A copyOf names a copy.
type copyOf struct {
	region string
	kind   streamKind
}

// causeEnds stops a Region that may lack what others ended. It comes from other
// Regions, so it must not keep the primary from removing one of them.
const (
	causeEnds   = "copy of what another Region ended"
	causeCopied = "copy of the configuration"
)

// suspected says whether any of a Region's streams is suspected here.
func (c *copies) suspected(region string, kinds ...streamKind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(kinds, func(k streamKind) bool { _, ok := c.suspects[copyOf{region, k}]; return ok })
}

// compareCopies compares all copies with their marks. The list of Regions is known
// by now, and which of them were removed.
func (n *Node) compareCopies(ctx context.Context) error {
	c := &n.copies
	none := c.marks == nil
	c.suspects, c.remade, c.halfMade, c.ahead = map[copyOf]string{}, map[copyOf]bool{}, map[copyOf]bool{}, copyMarks{}
	for region, of := range c.marks {
		for k, m := range of {
			why, err := n.compareCopy(ctx, region, k, m)
			if err != nil {
				return err
			}
			if why != "" {
				c.suspects[copyOf{region, k}] = why
				n.cfg.Logger.Error("replica: a copy was damaged", "region", n.cfg.Region, "peer", region, "stream", string(k), "found", why)
			}
		}
	}
	n.stopForSuspects(slices.Collect(maps.Keys(c.suspects)))
	if !none {
		return nil
	}
	c.marks = copyMarks{}
	if err := n.identityStore.put(ctx, copiesName, []byte("{}")); err != nil {
		return n.identityStoreError("write of the marks of copies", err)
	}
	return nil
}

// compareCopy says what a copy lost, or "". That of a Region that was removed may
// have been deleted.
func (n *Node) compareCopy(ctx context.Context, region string, k streamKind, m integrity.CopyMark) (why string, err error) {
	var end uint64
	s, err := n.stream(ctx, k.stream(region))
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) && n.gone(region):
		return "", nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil:
		return "", unavailable("look at the copy", err)
	default:
		end = s.CachedInfo().State.LastSeq
	}
	n.contents.with(k.stream(region), func(c *integrity.Content) {
		why = m.CheckCopy(c, end, n.cfg.Now().Unix(), int64(n.cfg.Skew/time.Second))
	})
	return why, nil
}

// stopForSuspects stops what depends on a suspected copy. changed are copies
// that are suspected now, or were.
func (n *Node) stopForSuspects(changed []copyOf) {
	if len(changed) == 0 {
		return
	}
	n.copies.mu.Lock()
	suspects := maps.Clone(n.copies.suspects)
	n.copies.mu.Unlock()
	var ends, copied *Error
	for _, c := range slices.SortedFunc(maps.Keys(suspects), func(a, b copyOf) int { return cmp.Compare(a.region, b.region) }) {
		e := &Error{Reason: ReasonNotReady, Rule: fmt.Sprintf("copy of Region %s's stream %s", c.region, c.kind), Got: suspects[c],
			Want: "what it held. It is read again when that Region is heard; if that is lost for good, start this one once with Config.Restored"}
		if c.kind == kindRevoked {
			ends = cmp.Or(ends, e)
		} else if c.kind == kindConfig && c.region == n.cfg.Primary {
			copied = e
		}
	}
	n.stop(causeEnds, ends)
	n.stop(causeCopied, copied)
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, c := range changed {
		_, doubted := suspects[c]
		switch c.kind {
		case kindSessions:
			n.ledger.doubt(c.region, doubted)
		case kindConfig:
			n.touched = append(n.touched, n.dir.Doubt(c.region, doubted)...)
		}
	}
	n.apply()
}

// errSuspected: a copy has lost something, and its Region answers.
var errSuspected = errors.New("replica: the copy was damaged")

// toRemake says whether a copy is to be made again before anything is written to
// it. The embedded server may hang at a write to damaged files. What was readable
// in it stays in memory, and its Region has confirmed its last message.
func (c *copies) toRemake(of copyOf) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, suspected := c.suspects[of]
	return suspected && !c.remade[of]
}

// makeAgain makes a copy again, empty, when its Region answers: all of it comes
// again. If that is interrupted, the marks say that it isn't complete. It isn't
// read meanwhile: a reader must not go on in the new one where it was in the old.
// Where it fails, it is called again before the copy is used: what was deleted has
// to be made. The Region is heard meanwhile.
func (f *follower) makeAgain(k streamKind) error {
	n, of := f.n, copyOf{f.region, k}
	n.cfg.Logger.Warn("replica: a copy that was damaged is made again", "region", n.cfg.Region, "peer", f.region, "stream", string(k))
	n.stopReaders(f.region, k)
	n.progress.forget(k.stream(f.region))
	ctx, cancel := context.WithTimeout(n.ctx, writeTimeout)
	defer cancel()
	err := n.remake(ctx, k, f.region)
	if err == nil {
		n.readersOf(f.region, k)
	}
	n.copies.mu.Lock()
	defer n.copies.mu.Unlock()
	n.copies.remade[of], n.copies.halfMade[of] = err == nil, err != nil
	if err != nil {
		return errors.Join(errNotCopied, err)
	}
	return nil
}

// isHalfMade says whether a copy is to be made again before it is used.
func (c *copies) isHalfMade(of copyOf) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.halfMade[of]
}

// trust takes a copy out of suspicion that agrees with what its Region says the
// log holds.
func (n *Node) trust(c *copier, a answer) {
	of := copyOf{c.region, c.kind}
	if !n.copies.suspected(c.region, c.kind) || !n.confirmed(c, a) {
		return
	}
	n.cfg.Logger.Warn("replica: a copy that was damaged is whole again", "region", n.cfg.Region, "peer", c.region, "stream", string(c.kind))
	n.clearCopy(of)
}

func (n *Node) clearCopy(of copyOf) {
	n.copies.mu.Lock()
	delete(n.copies.suspects, of)
	n.copies.mu.Unlock()
	n.stopForSuspects([]copyOf{of})
}

// confirmed says whether a copy is all that an answer says the log holds. A
// version from before there were digests doesn't say; then it is where the log
// ends.
func (n *Node) confirmed(c *copier, a answer) (ok bool) {
	if a.Generation == nil {
		return true
	}
	d := a.Digest
	if d == nil || d.Position != max(c.at.seq, c.past) || d.Store != c.at.store {
		return false
	}
	n.contents.with(c.kind.stream(c.region), func(have *integrity.Content) {
		store, seq := have.At()
		if c.at.seq == 0 {
			ok = d.Sum == (integrity.Sum{})
		} else {
			ok = store == c.at.store && have.Read() == c.read && seq == c.at.seq && have.Sum(d.Cutoff) == d.Sum
		}
	})
	return ok
}

// forgetCopy lets go of what is known of a copy that was deleted.
func (n *Node) forgetCopy(region string, k streamKind) {
	n.copies.mu.Lock()
	delete(n.copies.marks[region], k)
	n.copies.moved = true
	delete(n.copies.ahead[region], k)
	delete(n.copies.halfMade, copyOf{region, k})
	_, suspected := n.copies.suspects[copyOf{region, k}]
	n.copies.mu.Unlock()
	if suspected {
		n.clearCopy(copyOf{region, k})
	}
}
