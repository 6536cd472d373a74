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
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A disk that lost a part of a copy has lost what another Region ended. That Region
// says so when it is heard. If it isn't heard, only the marks beside the streams show it.
// Until the other Region has been heard and agrees, what depends on the copy is not
// served:
//
//   - on the primary's configuration, and on what any Region ended: everything;
//   - on another Region's sessions: these sessions. Their users sign in again;
//   - on another Region's applications: these applications.

// copies is the state of the copies beside their content.
type copies struct {
	mu       sync.Mutex
	marks    copyMarks               // as they are written
	ahead    copyMarks               // as they will be
	moved    bool                    // and are to be written
	checked  time.Time               // when that was last checked
	suspects map[regionStream]string // copies that lost messages, and which
	recopied map[regionStream]bool   // suspects that were created anew
	halfMade map[regionStream]bool   // suspects for which that failed: the stream may not exist
}

// suspected reports whether any of these copies of a Region is suspected.
func (c *copies) suspected(region string, kinds ...streamKind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(kinds, func(k streamKind) bool { return c.suspects[regionStream{region, k}] != "" })
}

// compareCopies compares all copies with their marks. The list of Regions, and of those
// that were removed, is known by now.
func (n *Node) compareCopies(ctx context.Context) error {
	c := &n.copies
	none := c.marks == nil
	c.suspects, c.ahead = map[regionStream]string{}, copyMarks{}
	c.recopied, c.halfMade = map[regionStream]bool{}, map[regionStream]bool{}
	for region, of := range c.marks {
		for k, m := range of {
			why, err := n.compareCopy(ctx, region, k, m)
			if err != nil {
				return err
			}
			if why != "" {
				c.suspects[regionStream{region, k}] = why
				n.cfg.Logger.Error("replica: a copy was damaged", "peer", region, "stream", string(k), "found", why)
			}
		}
	}
	n.stopForSuspects(slices.Collect(maps.Keys(c.suspects)))
	if !none {
		return nil
	}
	c.marks = copyMarks{}
	return n.putJSON(ctx, copiesName, c.marks)
}

// compareCopy returns what a copy lost, or "". A copy of a Region that was removed may
// have been deleted.
func (n *Node) compareCopy(ctx context.Context, region string, k streamKind, m integrity.CopyMark) (why string, err error) {
	var end uint64
	s, err := n.stream(ctx, k.stream(region))
	switch {
	case err == nil:
		end = s.CachedInfo().State.LastSeq
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return "", err
	case n.gone(region):
		return "", nil
	}
	n.contents.with(k.stream(region), func(c *integrity.Content) {
		why = m.CheckCopy(c, end, n.cfg.Now().Unix(), n.skewSeconds())
	})
	return why, nil
}

// stopForSuspects stops what depends on a suspected copy. changed are copies that are
// suspected now, or were.
func (n *Node) stopForSuspects(changed []regionStream) {
	if len(changed) == 0 {
		return
	}
	n.copies.mu.Lock()
	suspects := maps.Clone(n.copies.suspects)
	n.copies.mu.Unlock()
	var ends, copied *Error
	for _, c := range slices.SortedFunc(maps.Keys(suspects), func(a, b regionStream) int { return cmp.Compare(a.region, b.region) }) {
		e := &Error{Reason: ReasonNotReady, Rule: fmt.Sprintf("copy of Region %s's stream %s", c.region, c.kind), Got: suspects[c],
			Want: "its whole content. It is copied again when that Region is heard; " +
				"if that Region is lost for good, start this one once with Config.Restored"}
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
			n.ledger.update(func(s *merge.Sessions) { s.Doubt(c.region, doubted) })
		case kindConfig:
			n.touched = append(n.touched, n.dir.Doubt(c.region, doubted)...)
		}
	}
	n.apply()
}

// errSuspected: a copy has lost messages, and its Region answers.
var errSuspected = errors.New("replica: the copy was damaged")

// toRecopy reports whether a copy is to be created anew before it is written to. The
// embedded server may hang at a write to damaged files. What was readable in the copy
// stays in memory, and its Region has confirmed its last message.
func (c *copies) toRecopy(of regionStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.suspects[of] != "" && !c.recopied[of]
}

// recopy replaces a copy by an empty one while its Region answers: all of it comes again.
// If that is interrupted, the marks say that it isn't complete. No reader runs meanwhile,
// as it would continue in the new stream at its position in the old one. If recopy fails,
// it is called again before the copy is used, as the stream may not exist, and the Region
// is heard meanwhile.
func (f *follower) recopy(k streamKind) error {
	n, of := f.n, regionStream{f.region, k}
	n.cfg.Logger.Warn("replica: a copy that was damaged is created again", "peer", f.region, "stream", string(k))
	n.stopReaders(f.region, k)
	n.progress.forget(k.stream(f.region))
	ctx, cancel := context.WithTimeout(n.ctx, writeTimeout)
	defer cancel()
	err := n.recreate(ctx, k, f.region)
	if err == nil {
		n.readersOf(f.region, k)
	}
	n.copies.mu.Lock()
	defer n.copies.mu.Unlock()
	n.copies.recopied[of], n.copies.halfMade[of] = err == nil, err != nil
	if err != nil {
		return errors.Join(errNotCopied, err)
	}
	return nil
}

// isHalfMade reports whether a copy is to be created anew before it is used.
func (c *copies) isHalfMade(of regionStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.halfMade[of]
}

// trust clears the suspicion of a copy that agrees with its Region's answer.
func (n *Node) trust(c *copier, a answer) {
	if !n.copies.suspected(c.region, c.kind) || !n.confirmed(c, a) {
		return
	}
	n.cfg.Logger.Warn("replica: a copy that was damaged is whole again", "peer", c.region, "stream", string(c.kind))
	n.clearCopy(regionStream{c.region, c.kind})
}

func (n *Node) clearCopy(of regionStream) {
	n.copies.mu.Lock()
	delete(n.copies.suspects, of)
	n.copies.mu.Unlock()
	n.stopForSuspects([]regionStream{of})
}

// confirmed reports whether a copy has the digest in an answer. A version from before
// digests doesn't state one; then it is enough that the copy is at the log's end.
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

// forgetCopy drops the state of a copy that was deleted.
func (n *Node) forgetCopy(region string, k streamKind) {
	of := regionStream{region, k}
	n.copies.mu.Lock()
	delete(n.copies.marks[region], k)
	n.copies.moved = true
	delete(n.copies.ahead[region], k)
	delete(n.copies.halfMade, of)
	suspected := n.copies.suspects[of] != ""
	n.copies.mu.Unlock()
	if suspected {
		n.clearCopy(of)
	}
}
