package replica

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// copyMarks are the marks of copies when they last agreed with their originals, by Region and stream.
type copyMarks map[string]map[streamKind]integrity.CopyMark

// readCopyMarks reads the marks of copies. They stay nil if there are none, or if the operator has accepted the copies
// as they are.
func (n *Node) readCopyMarks(ctx context.Context) error {
	b, _, err := n.identityStore.read(ctx, copiesName)
	if err == nil && b != nil && !n.operatorDecided() && json.Unmarshal(b, &n.copies.marks) != nil {
		return damaged("", "marks of the copies that can be read")
	}
	return err
}

// writeCopyMarks moves the marks of copies that agree with their originals, and writes them. Other marks stay.
// Copies of sessions are flushed in the background, so their marks are those of the time before, unless the Node is
// closed.
func (n *Node) writeCopyMarks(ctx context.Context, last bool) error {
	if n.damageFound() != nil || n.removedAt.Load() > 0 {
		return nil
	}
	agreed, c := n.copiesThatAgree(), &n.copies
	c.mu.Lock()
	defer c.mu.Unlock()
	for region, of := range agreed {
		for k, now := range of {
			if c.suspects[regionStream{region, k}] != "" {
				continue
			}
			write, old := now, c.marks[region][k]
			if k == kindSessions && !last {
				write = c.ahead[region][k]
				c.ahead.set(region, k, now)
			}
			same := write.End == old.End && write.Read == old.Read && write.Last == old.Last && write.Store == old.Store
			if write.Store != "" && !same {
				c.marks.set(region, k, write)
				c.moved = true
			}
		}
	}
	if !c.moved {
		return nil
	}
	err := n.store(ctx, copiesName, c.marks, nil)
	c.moved = err != nil
	return err
}

func (m copyMarks) set(region string, k streamKind, mark integrity.CopyMark) {
	if m[region] == nil {
		m[region] = map[streamKind]integrity.CopyMark{}
	}
	m[region][k] = mark
}

// copiesThatAgree returns the marks of the copies that were complete, and that no answer has put in doubt.
func (n *Node) copiesThatAgree() copyMarks {
	out := copyMarks{}
	n.mu.Lock()
	defer n.mu.Unlock()
	for region, f := range n.followers {
		for _, r := range n.readers[region] {
			m := integrity.CopyMark{End: r.last.Load()}
			n.contents.with(r.kind.stream(region), func(c *integrity.Content) { m.Mark, m.Read = c.Mark(), c.Read() })
			m.At = n.cfg.Now().Unix()
			if w := f.flow(r.kind); !w.heard.IsZero() && w.rejected == "" {
				out.set(region, r.kind, m)
			}
		}
	}
	return out
}

// If a copy has lost messages, this Region may lack sessions that another Region ended. The other Region's answers show
// such a loss. While it doesn't answer, only the marks beside the streams show it. Until the other Region answers and
// the copy agrees, this Region does not serve what depends on the copy:
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
	suspects map[regionStream]string // copies that lost messages, and which
	recopied map[regionStream]bool   // copies that were created anew; false: the stream may not exist
}

// suspected reports whether any of these copies of a Region is suspected.
func (c *copies) suspected(region string, kinds ...streamKind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(kinds, func(k streamKind) bool { return c.suspects[regionStream{region, k}] != "" })
}

// compareCopies compares all copies with their marks. The list of Regions is known by now.
func (n *Node) compareCopies(ctx context.Context) error {
	c := &n.copies
	none := c.marks == nil
	c.suspects, c.recopied, c.ahead = map[regionStream]string{}, map[regionStream]bool{}, copyMarks{}
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
	return n.store(ctx, copiesName, c.marks, nil)
}

// compareCopy returns what a copy lost, or "". A copy of a Region that was removed may have been deleted.
func (n *Node) compareCopy(ctx context.Context, region string, k streamKind, m integrity.CopyMark) (string, error) {
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
	why := ""
	n.contents.with(k.stream(region), func(c *integrity.Content) {
		why = m.CheckCopy(c, end, n.cfg.Now().Unix(), n.skewSeconds())
	})
	return why, nil
}

// stopForSuspects stops what depends on a suspected copy. changed are copies that are suspected now, or were.
func (n *Node) stopForSuspects(changed []regionStream) {
	if len(changed) == 0 {
		return
	}
	n.copies.mu.Lock()
	suspects := maps.Clone(n.copies.suspects)
	n.copies.mu.Unlock()
	var ends, copied *Error
	byRegion := func(a, b regionStream) int { return cmp.Compare(a.region, b.region) }
	for _, c := range slices.SortedFunc(maps.Keys(suspects), byRegion) {
		e := newError(ReasonNotReady, fmt.Sprintf("copy of Region %s's stream %s", c.region, c.kind),
			"a complete copy; it is copied again when that Region answers, "+
				"or, if that Region is lost permanently, start this one once with Config.Restored", suspects[c])
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

// toRecopy reports whether a copy must be created again before it is written to, because the embedded server may hang
// at damaged files. The readable messages stay in memory, and their Region has confirmed the last one.
func (c *copies) toRecopy(of regionStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.suspects[of] != "" && !c.recopied[of]
}

// recopy replaces a copy by an empty one while its Region answers. If that is interrupted, the marks say that the copy
// isn't complete. No reader runs meanwhile, because it would continue at its old position. If recopy fails, the stream
// may not exist, and recopy is called again before the copy is used.
func (f *follower) recopy(k streamKind) error {
	n, of := f.n, regionStream{f.region, k}
	n.cfg.Logger.Warn("replica: a damaged copy is created again", "peer", f.region, "stream", string(k))
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
	n.copies.recopied[of] = err == nil
	if err != nil {
		return errors.Join(errNotCopied, err)
	}
	return nil
}

// isHalfMade reports whether a copy must be created again before it is used.
func (c *copies) isHalfMade(of regionStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	done, tried := c.recopied[of]
	return tried && !done
}

// clearSuspicion clears the suspicion of a copy that agrees with its Region's answer.
func (n *Node) clearSuspicion(c *copier) {
	if n.clearCopy(regionStream{c.region, c.kind}) {
		n.cfg.Logger.Warn("replica: a damaged copy is complete again", "peer", c.region, "stream", string(c.kind))
	}
}

// clearCopy clears the suspicion of a copy, and reports whether there was one.
func (n *Node) clearCopy(of regionStream) bool {
	n.copies.mu.Lock()
	_, suspected := n.copies.suspects[of]
	delete(n.copies.suspects, of)
	n.copies.mu.Unlock()
	if suspected {
		n.stopForSuspects([]regionStream{of})
	}
	return suspected
}

// forgetCopy drops the state of a copy that was deleted.
func (n *Node) forgetCopy(of regionStream) {
	n.copies.mu.Lock()
	delete(n.copies.marks[of.region], of.kind)
	n.copies.moved = true
	delete(n.copies.ahead[of.region], of.kind)
	delete(n.copies.recopied, of)
	n.copies.mu.Unlock()
	n.clearCopy(of)
}
