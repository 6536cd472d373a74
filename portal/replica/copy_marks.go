package replica

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// copyMarks are the positions and sums of copies of other Regions' streams when they last
// agreed with the originals, by Region and stream.
type copyMarks map[string]map[streamKind]integrity.CopyMark

// copyMarksEvery is how often they are written, if something has moved.
const copyMarksEvery = 5 * time.Second

// readCopyMarks returns the marks of copies, or nil if there are none, or if the operator
// says that the copies count as they are. They are read before the copies: another Node
// of the Region may go on writing.
func (n *Node) readCopyMarks(ctx context.Context) (copyMarks, error) {
	b, _, err := n.identityStore.read(ctx, copiesName)
	if err != nil || b == nil || n.vouched() {
		return nil, err
	}
	marks := copyMarks{}
	if err := json.Unmarshal(b, &marks); err != nil {
		return nil, damaged("", "the marks of copies, beside them, can't be read")
	}
	return marks, nil
}

// writeCopyMarks moves the marks of copies that agree with their originals, and writes
// them if it is time. Other marks stay. Copies of sessions are flushed in the background,
// so their marks are those of the time before, unless the Node is closed.
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
			if c.suspects[regionStream{region, k}] != "" {
				continue
			}
			write, old := now, c.marks[region][k]
			if k == kindSessions && !last {
				write = c.ahead[region][k]
				c.ahead.set(region, k, now)
			}
			if write.Store != "" && (write.End != old.End || write.Read != old.Read || write.Last != old.Last || write.Store != old.Store) {
				c.marks.set(region, k, write)
				c.moved = true
			}
		}
	}
	if !c.moved {
		return nil
	}
	err := n.putJSON(ctx, copiesName, c.marks)
	c.moved = err != nil
	return err
}

// due reports whether it is time to check the marks, and notes that they are checked.
func (c *copies) due(now bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now && time.Since(c.checked) < copyMarksEvery {
		return false
	}
	c.checked = time.Now()
	return true
}

func (m copyMarks) set(region string, k streamKind, mark integrity.CopyMark) {
	if m[region] == nil {
		m[region] = map[streamKind]integrity.CopyMark{}
	}
	m[region][k] = mark
}

// copiesThatAgree returns the marks of the copies that were complete, and of which no
// answer was in doubt since then.
func (n *Node) copiesThatAgree() copyMarks {
	out := copyMarks{}
	n.mu.Lock()
	defer n.mu.Unlock()
	for region, f := range n.followers {
		for _, r := range n.readers[region] {
			m := integrity.CopyMark{End: r.last.Load()}
			n.contents.with(r.kind.stream(region), func(c *integrity.Content) { m.Mark, m.Read = c.Mark(), c.Read() })
			m.At = n.cfg.Now().Unix()
			if w := f.flow(r.kind); !w.heard.IsZero() && w.doubt == "" {
				out.set(region, r.kind, m)
			}
		}
	}
	return out
}
