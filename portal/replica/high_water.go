package replica

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// watchEvery is how often the marks beside the streams are moved, if there is
// something new, and how soon all Nodes of a Region know that it has stopped.
const watchEvery = time.Second

// watch keeps what stands beside the streams up to date.
func (n *Node) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for failed := false; ; {
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
		err := errors.Join(n.writeMarks(n.ctx, false), n.writeCopyMarks(n.ctx, false), n.noteWhole(n.ctx))
		if err == nil {
			err = n.hearNodes(n.ctx)
		}
		if err == nil {
			err = n.copyAllEnds(n.ctx)
		}
		if err != nil && !failed && n.ctx.Err() == nil {
			n.cfg.Logger.Warn("replica: the marks of the Region's streams are late", "region", n.cfg.Region, "error", err)
		}
		failed = err != nil
	}
}

// writeMarks writes how far the Region's own streams are, if that has moved or it
// always is to. A Region that has stopped leaves the marks as they were.
func (n *Node) writeMarks(ctx context.Context, always bool) error {
	if n.condemned() != nil || n.removedAt.Load() > 0 {
		return nil
	}
	marks := map[string]integrity.Mark{}
	moved := always
	for _, k := range streamKinds {
		n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) {
			_, last := c.At()
			moved = moved || last != n.marked[string(k)]
			m := c.Mark()
			m.At = n.latestClock()
			marks[string(k)] = m
		})
	}
	if !moved {
		return nil
	}
	b, err := json.Marshal(marks)
	if err != nil {
		return err
	}
	if err := n.identityStore.put(ctx, marksName, b); err != nil {
		return err
	}
	for l, m := range marks {
		n.marked[l] = m.Last
	}
	return nil
}

// hearNodes looks whether another Node of the Region has found that its log is not
// what it wrote.
func (n *Node) hearNodes(ctx context.Context) error {
	if n.cfg.URL == "" || n.removedAt.Load() > 0 {
		return nil
	}
	d, _, err := n.readIdentity(ctx)
	if err != nil || d == nil {
		return err
	}
	d.Self = n.generation
	n.identity.Store(d)
	if d.Damage != nil {
		_ = n.condemn(ctx, streamKind(d.Damage.Line), d.Damage.Why)
	}
	return nil
}

// readOwn waits, for seconds at most, until the Region's own streams are read to
// their ends.
func (n *Node) readOwn() {
	if n.marked == nil || n.condemned() != nil || n.removedAt.Load() > 0 || !n.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, askTimeout)
	defer cancel()
	n.mu.Lock()
	own := slices.Clone(n.readers[n.cfg.Region])
	n.mu.Unlock()
	for _, r := range own {
		_ = r.complete(ctx) // otherwise the marks are a moment old
	}
}

// readToEnd waits until one of the Region's own streams is read to its end.
func (n *Node) readToEnd(ctx context.Context, k streamKind) error {
	n.mu.Lock()
	own := slices.Clone(n.readers[n.cfg.Region])
	n.mu.Unlock()
	if i := slices.IndexFunc(own, func(r *reader) bool { return r.kind == k }); i >= 0 {
		return own[i].complete(ctx)
	}
	return nil
}

// lastMarks is for Close: nothing of the Node runs any more.
func (n *Node) lastMarks() {
	if n.identity.Load() == nil || n.marked == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if !n.nc.IsConnected() { // Close waits for no server that is gone
		cancel()
	}
	if err := errors.Join(n.writeMarks(ctx, true), n.writeCopyMarks(ctx, true)); err != nil {
		n.cfg.Logger.Warn("replica: the marks of the Region's streams are as they were", "region", n.cfg.Region, "error", err)
	}
}

// readMarks returns the marks beside the Region's own streams. They are read
// before the streams: another Node of the Region may go on writing.
func (n *Node) readMarks(ctx context.Context) (marks map[string]integrity.Mark, err error) {
	b, _, err := n.identityStore.read(ctx, marksName)
	if err != nil {
		return nil, n.identityStoreError("read of the marks", err)
	}
	switch {
	case n.vouched():
		return nil, nil
	case b == nil && n.identity.Load().Marked:
		return nil, damaged("", "what stands beside them, the Region's marks, is missing")
	case b == nil:
		return nil, nil
	}
	if err := json.Unmarshal(b, &marks); err != nil {
		return nil, damaged("", "what stands beside them, the Region's marks, can't be read")
	}
	n.sawMarks(marks)
	return marks, nil
}

// compareMarks compares what was read of the Region's own streams with what they
// held when they were last seen.
func (n *Node) compareMarks(ctx context.Context, marks map[string]integrity.Mark) error {
	for _, k := range streamKinds {
		m, store := marks[string(k)], n.identity.Load().Stores[string(k)]
		if m.Store != store {
			continue // of a stream that this one replaced
		}
		end, _, err := n.lastOf(ctx, k)
		if err != nil {
			return err
		}
		if k == kindConfig && n.unread() {
			continue // that is reported, and nothing is written to it
		}
		why := ""
		n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) {
			why = m.Check(c, end, n.cfg.Now().Unix(), int64(n.cfg.Skew/time.Second))
		})
		if why != "" {
			return damaged(k, why)
		}
	}
	return nil
}

// unread says whether a part of the Region's log can't be read.
func (n *Node) unread() bool {
	n.applying.Lock()
	defer n.applying.Unlock()
	return n.log.unread > 0
}

// wasWhole notes that there are marks from here on.
func (n *Node) wasWhole(ctx context.Context) error {
	n.marked = map[string]uint64{}
	if err := n.writeMarks(ctx, true); err != nil {
		return unavailable("write of the marks", err)
	}
	return n.noteWhole(ctx)
}

// noteWhole notes that the Region's log has held a whole state: nothing is
// written into its place after that.
func (n *Node) noteWhole(ctx context.Context) error {
	d := n.identity.Load()
	if d.Marked && d.Whole || n.condemned() != nil || n.removedAt.Load() > 0 {
		return nil
	}
	n.applying.Lock()
	whole := n.dir.Complete(n.cfg.Region)
	n.applying.Unlock()
	if d.Marked && !whole {
		return nil
	}
	return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Marked, d.Whole = true, d.Whole || whole })
}
