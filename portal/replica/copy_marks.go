package replica

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// copyMarks are how far copies of other Regions' streams were when they agreed
// with the originals, by Region and stream.
type copyMarks map[string]map[streamKind]integrity.CopyMark

// copyMarksEvery is how often they are written, if something has moved.
const copyMarksEvery = 5 * time.Second

// readCopyMarks returns the marks of copies, or nil where there are none, or where
// the operator says that the copies are to count as they are. They are read
// before the copies: another Node of the Region may go on writing.
func (n *Node) readCopyMarks(ctx context.Context) (copyMarks, error) {
	b, _, err := n.identityStore.read(ctx, copiesName)
	if err != nil {
		return nil, n.identityStoreError("read of the marks of copies", err)
	}
	if b == nil || n.vouched() {
		return nil, nil
	}
	marks := copyMarks{}
	if err := json.Unmarshal(b, &marks); err != nil {
		return nil, damaged("", "what stands beside them, the marks of copies, can't be read")
	}
	return marks, nil
}

// writeCopyMarks moves the marks of the copies that agree with their originals,
// and writes them if it is time. Marks of other copies stay. What is in copies of
// sessions is flushed in the background, so their marks are those of the time
// before, unless the Node is closed.
func (n *Node) writeCopyMarks(ctx context.Context, last bool) error {
	if n.condemned() != nil || n.removedAt.Load() > 0 {
		return nil
	}
	c := &n.copies
	if !c.due(last) {
		return nil
	}
	agreed := n.copiesThatAgree()
	c.mu.Lock()
	defer c.mu.Unlock()
	for region, of := range agreed {
		for k, now := range of {
			if _, suspected := c.suspects[copyOf{region, k}]; suspected {
				continue
			}
			write := now
			if k == kindSessions && !last {
				write = c.ahead[region][k]
				c.ahead.set(region, k, now)
			}
			if old := c.marks[region][k]; write.Store != "" && (write.End != old.End || write.Read != old.Read || write.Last != old.Last || write.Store != old.Store) {
				c.marks.set(region, k, write)
				c.moved = true
			}
		}
	}
	if !c.moved {
		return nil
	}
	b, err := json.Marshal(c.marks)
	if err == nil {
		err = n.identityStore.put(ctx, copiesName, b)
	}
	c.moved = err != nil
	return err
}

// due says whether it is time to look at the marks, and takes note.
func (c *copies) due(now bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now && time.Since(c.looked) < copyMarksEvery {
		return false
	}
	c.looked = time.Now()
	return true
}

func (m copyMarks) set(region string, k streamKind, mark integrity.CopyMark) {
	if m[region] == nil {
		m[region] = map[streamKind]integrity.CopyMark{}
	}
	m[region][k] = mark
}

// copiesThatAgree returns the marks of the copies that have been compared with
// their originals, and that are not being read again. The caller holds copies.mu.
func (n *Node) copiesThatAgree() copyMarks {
	out := copyMarks{}
	n.mu.Lock()
	defer n.mu.Unlock()
	for region, f := range n.followers {
		for _, r := range n.readers[region] {
			m := integrity.CopyMark{End: r.last.Load()}
			n.contents.with(r.kind.stream(region), func(c *integrity.Content) { m.Mark, m.Read = c.Mark(), c.Read() })
			m.At = n.cfg.Now().Unix()
			if f.agrees(r.kind) {
				out.set(region, r.kind, m)
			}
		}
	}
	return out
}

// agrees says whether a copy was all that there was, and no answer since then
// was in doubt.
func (f *follower) agrees(k streamKind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.flows[k].heard.IsZero() && f.flows[k].doubt == ""
}
