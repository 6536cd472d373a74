package replica

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// watchEvery is how often the marks are written if something moved, and how soon
// all Nodes of a Region know that it has stopped.
const watchEvery = time.Second

// watch keeps what is stored beside the streams up to date.
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
			err = n.heedNodes(n.ctx)
		}
		if err == nil {
			err = n.copyAllEnds(n.ctx)
		}
		if err != nil && !failed && n.ctx.Err() == nil {
			n.cfg.Logger.Warn("replica: the marks of the Region's streams are late", "error", err)
		}
		failed = err != nil
	}
}

// writeMarks writes how far the Region's own streams are, if that has moved, or
// always. A Region that has stopped leaves its marks as they were.
func (n *Node) writeMarks(ctx context.Context, always bool) error {
	if n.condemned() != nil || n.removedAt.Load() > 0 {
		return nil
	}
	marks := map[string]integrity.Mark{}
	moved := always
	for _, k := range streamKinds {
		n.contents.with(k.stream(n.cfg.Region), func(c *integrity.Content) { marks[string(k)] = n.markOf(c) })
		moved = moved || marks[string(k)].Last != n.marked[string(k)]
	}
	if !moved {
		return nil
	}
	if err := n.putJSON(ctx, marksName, marks); err != nil {
		return err
	}
	for l, m := range marks {
		n.marked[l] = m.Last
	}
	return nil
}

func (n *Node) markOf(c *integrity.Content) integrity.Mark {
	m := c.Mark()
	m.At = n.latestClock()
	return m
}

// markFresh writes the marks of streams that a recovery has just created, before
// the recovery counts as done. No reader and no other Region has seen them yet, so
// nothing else would show what is lost of them from here on.
func (n *Node) markFresh(ctx context.Context) error {
	marks := map[string]integrity.Mark{}
	for _, k := range streamKinds {
		c := integrity.NewContent()
		c.Begin(n.identity.Load().Stores[string(k)], 0)
		_, s, err := n.lastOf(ctx, k)
		if err != nil {
			return err
		}
		for msg, err := range messages(ctx, s, k.prefix(n.cfg.Region)) {
			if err != nil {
				return err
			}
			plain, err := n.cfg.Codec.Open(msg.Subject, msg.Data)
			a := arrival{region: n.cfg.Region, kind: k, seq: msg.Sequence, body: plain}
			c.Add(n.messageOf(a, msg.Header, msg.Subject, msg.Data, err == nil))
		}
		marks[string(k)] = n.markOf(c)
	}
	return n.putJSON(ctx, marksName, marks)
}

// heedNodes looks whether another Node of the Region has found the Region damaged.
func (n *Node) heedNodes(ctx context.Context) error {
	if n.cfg.URL == "" || n.removedAt.Load() > 0 {
		return nil
	}
	d, err := n.reloadIdentity(ctx)
	if d != nil && d.Damage != nil {
		_ = n.condemn(ctx, streamKind(d.Damage.Line), d.Damage.Why)
	}
	return err
}

// readOwn waits, for seconds at most, until the Region's own streams are read to
// their ends.
func (n *Node) readOwn() {
	if n.marked == nil || n.condemned() != nil || n.removedAt.Load() > 0 || !n.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, askTimeout)
	defer cancel()
	for _, r := range n.readersOf(n.cfg.Region) {
		_ = r.complete(ctx) // otherwise the marks are a moment old
	}
}

// readToEnd waits until one of the Region's own streams is read to its end.
func (n *Node) readToEnd(ctx context.Context, k streamKind) error {
	for _, r := range n.readersOf(n.cfg.Region) {
		if r.kind == k {
			return r.complete(ctx)
		}
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
		n.cfg.Logger.Warn("replica: the last marks of the Region's streams were not written", "error", err)
	}
}

// readMarks returns the marks of the Region's own streams. They are read before the
// streams: another Node of the Region may go on writing.
func (n *Node) readMarks(ctx context.Context) (marks map[string]integrity.Mark, err error) {
	b, _, err := n.identityStore.read(ctx, marksName)
	switch {
	case err != nil || n.vouched():
		return nil, err
	case b == nil && n.identity.Load().Marked:
		return nil, damaged("", "the Region's marks, beside them, are missing")
	case b == nil:
		return nil, nil
	}
	if err := json.Unmarshal(b, &marks); err != nil {
		return nil, damaged("", "the Region's marks, beside them, can't be read")
	}
	for _, m := range marks {
		n.sawClock(m.At)
	}
	return marks, nil
}

// compareMarks compares what was read of the Region's own streams with their marks.
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
			why = m.Check(c, end, n.cfg.Now().Unix(), n.skewSeconds())
		})
		if why != "" {
			return damaged(k, why)
		}
	}
	return nil
}

// unread reports whether a part of the Region's log can't be read.
func (n *Node) unread() bool {
	n.applying.Lock()
	defer n.applying.Unlock()
	return n.log.unread > 0
}

// wasWhole notes that there are marks from here on.
func (n *Node) wasWhole(ctx context.Context) error {
	n.marked = map[string]uint64{}
	if err := n.writeMarks(ctx, true); err != nil {
		return err
	}
	return n.noteWhole(ctx)
}

// noteWhole notes that the Region's log has held a whole state: no Seed is written
// in its place after that.
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

// latestClock is the latest time that this Region's clock ever showed, as far as
// this Node and the marks know, in seconds of Unix time. While a clock was ahead,
// the streams dropped messages that others still have, and that a corrected clock
// would miss. What expires before this time is not compared.
func (n *Node) latestClock() int64 {
	now := n.cfg.Now().Unix()
	n.sawClock(now)
	return max(now, n.clockMost.Load())
}

func (n *Node) sawClock(at int64) {
	for most := n.clockMost.Load(); at > most && !n.clockMost.CompareAndSwap(most, at); {
		most = n.clockMost.Load()
	}
}

func (n *Node) skewSeconds() int64 { return int64(n.cfg.Skew / time.Second) }
