package replica

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// establish checks that the Region's own server has all that this Region wrote, creates the streams of a new Region,
// and begins a new generation. It fails with Reason Damaged if a check fails.
func (n *Node) establish(ctx context.Context) error {
	err := errConflict
	for errors.Is(err, errConflict) { // another Node of the Region was faster
		err = n.beginGeneration(ctx)
	}
	if err == nil {
		err = n.passes("established")
	}
	for _, k := range streamKinds {
		if err == nil {
			err = n.ensure(ctx, k, n.cfg.Region)
		}
		if err == nil {
			err = n.name(ctx, k)
		}
	}
	if err != nil || n.identity.Load().Made {
		return err
	}
	return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Made = true })
}

func (n *Node) beginGeneration(ctx context.Context) error {
	d, rev, err := n.readIdentity(ctx)
	if n.operatorDecided() && reasonDamaged(err) {
		n.cfg.Logger.Warn("replica: the Region's identity can't be read, and is created again", "error", err)
	} else if err != nil {
		return err
	}
	own := map[streamKind]jetstream.StreamInfo{}
	for _, k := range streamKinds {
		s, err := n.stream(ctx, k.stream(n.cfg.Region))
		if err == nil {
			own[k] = *s.CachedInfo()
		} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	if err := n.examine(d, own); err != nil {
		return err
	}
	next := n.nextIdentity(d, len(own) > 0)
	if n.cfg.Sealer != nil && next.Names == nil {
		if next.Names, err = n.newNames(); err != nil {
			return err
		}
	}
	n.generation = next.Start(rand.Text()[:12])
	return n.writeIdentity(ctx, next, rev)
}

// examine checks the Region's own streams, those that exist, against the Identity. d is nil if there is none.
func (n *Node) examine(d *integrity.Identity, own map[streamKind]jetstream.StreamInfo) error {
	if d != nil && d.Region != n.cfg.Region {
		return newError(ReasonDamaged, "content of Dir or URL",
			"what Region "+n.cfg.Region+" wrote; is this another Region's directory?", "Region "+d.Region)
	}
	for _, k := range streamKinds {
		info, exists := own[k]
		if exists && info.Config.Metadata[storeID] == "" {
			return newError(ReasonDamaged, "stream "+info.Config.Name,
				"the Region's own stream; is this another Region's directory?", "another Region's copy of it")
		}
		if d == nil && info.Config.Metadata[identityKey] != "" && !n.operatorDecided() {
			return damaged(k, "the Region's identity, beside it, is missing")
		}
	}
	if d == nil || n.operatorDecided() {
		return nil
	}
	if d.Damage != nil {
		return damaged(streamKind(d.Damage.Line), d.Damage.Why)
	}
	for _, k := range streamKinds {
		info, exists := own[k]
		switch {
		case !exists && d.Made:
			return damaged(k, "it is missing")
		case info.Config.Metadata[identityKey] != "" && info.Config.Metadata[storeID] != d.Stores[string(k)]:
			return damaged(k,
				"another stream has its name, or a version without formats was started with Restored")
		case k == kindConfig && info.State.Msgs > 0 && info.State.Msgs != info.State.LastSeq-info.State.FirstSeq+1:
			return damaged(k, fmt.Sprintf("of messages %d to %d some are missing", info.State.FirstSeq, info.State.LastSeq))
		}
	}
	return nil
}

// operatorDecided reports whether, for this start, the operator has set Restored or Recover.
func (n *Node) operatorDecided() bool { return n.cfg.Restored || len(n.cfg.Recover) > 0 }

// nextIdentity returns the Region's Identity from this start on. If the Region had streams (existed) and no Identity,
// an older version wrote them: all other Regions read the streams again, so that their copies contain proofs.
func (n *Node) nextIdentity(d *integrity.Identity, existed bool) integrity.Identity {
	var next integrity.Identity
	if d != nil {
		next = *d
	} else {
		var key integrity.Key
		_, _ = rand.Read(key[:]) // never fails
		next = integrity.New(n.cfg.Region, key, n.cfg.Now().Unix())
		next.Vouched = existed && len(n.cfg.Recover) == 0
		next.Orphaned = existed
	}
	if len(n.cfg.Recover) > 0 || n.backup != nil { // until that is done
		next.Damage = n.damageOf("", n.incomplete())
	} else if n.cfg.Restored {
		next.Vouch(n.cfg.Now().Unix())
		next.Whole = next.Whole && n.cfg.Region == n.cfg.Primary // an additional Region may begin again
	}
	if n.cfg.Restored && n.backup != nil {
		next.Since = n.cfg.Now().UnixMicro()
	}
	restored := n.cfg.Restored && n.backup == nil
	next.Restoring = restored && n.cfg.URL == ""
	if d == nil || restored && len(n.cfg.Recover) == 0 {
		next.Stores = map[string]string{}
		for _, k := range streamKinds {
			next.Stores[string(k)] = n.newStore()
		}
	}
	return next
}

// letInSince lets in no session from before a backup was restored with Restored: what ended it may be lost here.
func (n *Node) letInSince(context.Context) error {
	if at := n.identity.Load().Since; at > 0 {
		n.ledger.update(func(s *merge.Sessions) { s.Since(time.UnixMicro(at)) })
	}
	return nil
}

func (n *Node) damageOf(k streamKind, why string) *integrity.Damage {
	return &integrity.Damage{Line: string(k), Why: why, At: n.cfg.Now().UTC().Round(0)}
}

// name sets a stream's storeID to that of the Identity. If it changes, followers read the stream from its start.
func (n *Node) name(ctx context.Context, k streamKind) error {
	s, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err != nil {
		return err
	}
	have, want := s.CachedInfo().Config.Metadata, n.identity.Load().Stores[string(k)]
	if have[storeID] == want && have[identityKey] != "" {
		return nil
	}
	return n.setMetadata(ctx, s, map[string]string{storeID: want, identityKey: "1"})
}

// watch keeps the data beside the streams up to date.
func (n *Node) watch() {
	failed := false
	for i := 0; n.ctx.Err() == nil; i++ {
		err := errors.Join(n.writeMarks(n.ctx, false), n.noteWhole(n.ctx))
		if i%copyMarksEvery == 0 {
			err = errors.Join(err, n.writeCopyMarks(n.ctx, false))
		}
		if err == nil {
			err = n.checkOtherNodes(n.ctx)
		}
		if err == nil {
			err = n.copyAllEnds(n.ctx, false)
		}
		if err != nil && !failed && n.ctx.Err() == nil {
			n.cfg.Logger.Warn("replica: the marks of the Region's streams can't be written in time", "error", err)
		}
		failed = err != nil
		pause(n.ctx, watchEvery)
	}
}

// writeMarks writes the positions of the Region's own streams, if they have changed or if always is set.
func (n *Node) writeMarks(ctx context.Context, always bool) error {
	if n.damageFound() != nil || n.removedAt.Load() > 0 {
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
	if err := n.store(ctx, marksName, marks, nil); err != nil {
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

// markFresh writes the marks of streams that a recovery has just created, before the recovery is complete. No reader
// and no other Region has read them yet, so only the marks can show a loss after this.
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
			o, err := n.cfg.open(msg.Subject, msg.Header, msg.Data)
			if lacksKey(err) {
				return err
			}
			a := arrival{region: n.cfg.Region, kind: k, seq: msg.Sequence, body: o.body, digest: o.digest}
			c.Add(n.messageOf(a, msg.Header, msg.Subject, msg.Data, err == nil))
		}
		marks[string(k)] = n.markOf(c)
	}
	return n.store(ctx, marksName, marks, nil)
}

// checkOtherNodes checks whether another Node of the Region has found the Region damaged.
func (n *Node) checkOtherNodes(ctx context.Context) error {
	if n.cfg.URL == "" || n.removedAt.Load() > 0 {
		return nil
	}
	d, err := n.reloadIdentity(ctx)
	if d != nil && d.Damage != nil {
		_ = n.stopDamaged(ctx, streamKind(d.Damage.Line), d.Damage.Why)
	}
	return err
}

// readOwn waits, for seconds at most, until the Region's own streams are read to their ends.
func (n *Node) readOwn() {
	if n.marked == nil || n.damageFound() != nil || n.removedAt.Load() > 0 || !n.nc.IsConnected() {
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

// writeLast is for Close, when all goroutines of the Node have ended.
func (n *Node) writeLast() {
	if n.js == nil {
		return
	}
	each := func(write func(context.Context) error) error { // one doesn't use up the other's time
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		defer cancel()
		if !n.nc.IsConnected() { // Close doesn't wait for a lost server
			cancel()
		}
		return write(ctx)
	}
	var err error
	if n.removedAt.Load() == 0 {
		err = each(func(ctx context.Context) error { return n.copyAllEnds(ctx, true) })
	}
	if n.identity.Load() != nil && n.marked != nil {
		err = errors.Join(err, each(func(ctx context.Context) error {
			return errors.Join(n.writeMarks(ctx, true), n.writeCopyMarks(ctx, true))
		}))
	}
	if err != nil {
		n.cfg.Logger.Warn("replica: the last revocations or the marks of the Region's streams are not on disk", "error", err)
	}
}

// readMarks returns the marks of the Region's own streams.
func (n *Node) readMarks(ctx context.Context) (marks map[string]integrity.Mark, err error) {
	b, _, err := n.identityStore.read(ctx, marksName)
	switch {
	case err != nil || n.operatorDecided():
		return nil, err
	case b == nil && n.identity.Load().Marked:
		return nil, damaged("", "the Region's marks are missing")
	case b == nil:
		return nil, nil
	}
	if err := json.Unmarshal(b, &marks); err != nil {
		return nil, damaged("", "the Region's marks can't be read")
	}
	for _, m := range marks {
		n.sawClock(m.At)
	}
	return marks, nil
}

// compareMarks compares the content of the Region's own streams, as read, with their marks.
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
		n.applying.Lock()
		unread := k == kindConfig && n.log.unread > 0
		n.applying.Unlock()
		if unread {
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

// firstMarks writes the first marks of this Node.
func (n *Node) firstMarks(ctx context.Context) error {
	n.marked = map[string]uint64{}
	if err := n.writeMarks(ctx, true); err != nil {
		return err
	}
	return n.noteWhole(ctx)
}

// noteWhole notes that the Region's log has held a whole state. After that, no Seed is written to it.
func (n *Node) noteWhole(ctx context.Context) error {
	d := n.identity.Load()
	if d.Marked && d.Whole || n.damageFound() != nil || n.removedAt.Load() > 0 {
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

// latestClock returns the latest known time that this Region's clock ever showed, in seconds of Unix time. While a
// clock was ahead, the streams dropped messages that other Regions still have. After the clock is corrected, these
// would seem lost. So messages that expire before this time are not compared.
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
