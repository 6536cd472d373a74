package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// initInstance writes a new primary's seed and makes the instance, before Open returns.
func (n *Node) initInstance(ctx context.Context) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	// If another Node of the Region is opened too, its write is read first, and begin checks again.
	err := errConflict
	for errors.Is(err, errConflict) {
		err = inOrder(ctx, n.findEnd, func(context.Context) error {
			// Otherwise a log that only another version can read would be overwritten.
			return asError(n.unreadLog(n.cfg.Region))
		}, n.begin)
	}
	if err != nil {
		return err
	}
	primary := n.cfg.Region == n.cfg.Primary
	n.apply()
	if n.instance.Load() == nil {
		if primary {
			return newError(ReasonCorrupt, "the primary's log", "an instance", "")
		}
		return nil
	}
	if primary || n.dir.Replicated(n.cfg.Region) > 0 && n.lists(n.cfg.Region) {
		n.setReady()
	}
	return nil
}

// begin writes to the log the seed of a new primary, or the whole state of a restored log. Every Region's log
// begins with a whole state, and a removal makes it void. The caller holds applying.
func (n *Node) begin(ctx context.Context) error {
	complete, removed := n.dir.Complete(n.cfg.Region), n.dir.Standing(n.cfg.Region).Removed > 0
	if !complete && !removed && n.log.unread == 0 && n.identity.Load().Whole {
		return damaged(kindConfig, "a log with a whole state was lost, and no Seed may replace it")
	}
	if n.cfg.Region == n.cfg.Primary && !complete {
		if err := n.seed(ctx); err != nil {
			return err
		}
	}
	if !n.cfg.Restored || !n.dir.Complete(n.cfg.Region) {
		return nil
	}
	n.log.unread = 0 // with Restored, the readable messages are the whole log
	err := n.writeLog(ctx, nil, true)
	if err == nil {
		n.outdate() // the replaced messages were not padded
	}
	return err
}

// setReady makes the Region ready. The caller holds applying.
func (n *Node) setReady() {
	v, err := n.instance.Load().In(n.cfg.Region)
	if err == nil && !n.isReady() { // otherwise the instance doesn't list the Region yet, and maintain tries again
		n.view.Store(v)
		close(n.ready)
	}
}

// findEnd sets where this Node writes next: after the messages that were read, or after messages that were removed
// later. A message that another Node of the Region has just written must be read first. The caller holds applying.
func (n *Node) findEnd(ctx context.Context) error {
	for {
		s, err := n.stream(ctx, kindConfig.stream(n.cfg.Region))
		if err != nil {
			return err
		}
		last := s.CachedInfo().State.LastSeq
		read, _ := n.progress.get(kindConfig.stream(n.cfg.Region)) // including what was skipped
		more, err := nextSeq(ctx, s, kindConfig.prefix(n.cfg.Region), max(n.log.read, read.seq))
		if err != nil {
			return err
		}
		if more == 0 || more > last {
			n.log.read = max(n.log.read, last)
			return nil
		}
		n.applying.Unlock()
		pause(ctx, 5*time.Millisecond)
		n.applying.Lock()
	}
}

func (n *Node) seed(ctx context.Context) error {
	inst, err := center.New(n.cfg.Seed.Founded(n.cfg.Now()))
	if err != nil {
		return err
	}
	if first := inst.Snapshot().Primary().Name; first != n.cfg.Region {
		return newError(ReasonConfig, "first Region of Seed", n.cfg.Region, first)
	}
	var records []merge.Record
	for _, r := range inst.Snapshot().Records() {
		records = append(records, merge.Record{Kind: r.Kind, Key: r.Key, Value: r.Value, Optional: r.Kind.Optional()})
	}
	return n.writeLog(ctx, records, true)
}

// wakeMaintenance makes maintain run.
func (n *Node) wakeMaintenance() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// maintenanceLoop reports that this Region is replicated, makes Regions active, and keeps the log short.
func (n *Node) maintenanceLoop() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
			n.sweep()
			n.stopIfSessionsUnread()
			if err := n.endShortcuts(n.ctx); err != nil && n.ctx.Err() == nil {
				n.cfg.Logger.Warn("replica: shortcuts of removed users are not erased yet", "error", err)
			}
			n.contents.forget(n.cfg.Now().Add(-n.cfg.Skew).Unix())
		case <-n.wake:
		}
		if err := n.maintain(); err != nil && n.ctx.Err() == nil {
			n.cfg.Logger.Warn("replica: will try again", "error", err)
			pause(n.ctx, 100*time.Millisecond)
			n.wakeMaintenance()
		}
	}
}

func (n *Node) sweep() {
	n.ledger.update(func(s *merge.Sessions) {
		s.Sweep(n.cfg.Now(), n.cfg.Skew)
		s.SweepDeparted(n.cfg.Now(), n.cfg.MaxSession, n.cfg.Skew)
	})
}

func (n *Node) maintain() error {
	n.applying.Lock()
	if len(n.touched) > 0 {
		n.apply()
	}
	n.applying.Unlock()
	if n.removedAt.Load() > 0 {
		return nil
	}
	if err := n.dropRemoved(n.ctx); err != nil {
		return err
	}
	if n.noUpdates() != nil {
		return nil
	}
	report := n.report
	if n.cfg.Region == n.cfg.Primary {
		report = func(ctx context.Context) error { return inOrder(ctx, n.activate, n.endRemovals) }
	}
	err := inOrder(n.ctx, n.padSessions, report, n.shorten)
	if errors.Is(err, errConflict) {
		return nil // the reader reads the other write, and wakes the maintenance
	}
	return err
}

// report writes to this Region's own log that it can serve: it is listed, and has all data of the primary.
func (n *Node) report(ctx context.Context) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	r, stamp, listed := n.dir.Entry(n.cfg.Region)
	said := n.dir.Replicated(n.cfg.Region)
	f := n.follower(n.cfg.Primary)
	if !listed || n.instance.Load() == nil || f == nil || f.status().Heard.IsZero() {
		return nil
	}
	known := said > n.dir.Standing(n.cfg.Region).Removed    // it may have been removed and added again
	if known && said > 0 && (r.Active() || said >= stamp) { // maybe by another Node, or a write whose answer was lost
		n.setReady()
		return nil
	}
	if r.Status == center.RegionRemoving { // nothing is written there any more
		return nil
	}
	records := append(n.returning(),
		merge.Record{Kind: merge.KindReplicated, Key: n.cfg.Region, Value: fmt.Appendf(nil, "%d", stamp)})
	if err := n.writeLog(ctx, records, false); err != nil {
		return err
	}
	n.apply()
	n.setReady()
	return nil
}

// activate makes Regions active that have reported, in their own logs, the entry that added them.
func (n *Node) activate(context.Context) error {
	inst := n.Instance()
	if inst == nil {
		return nil
	}
	v, err := inst.In(n.cfg.Region)
	if err != nil {
		return err
	}
	for _, r := range inst.Snapshot().Regions() {
		if r.Status != center.RegionAdding || !n.reported(r.Name) {
			continue
		}
		if err := v.Update(func(tx *center.Tx) error { return tx.ActivateRegion(r.Name) }); err != nil {
			return err
		}
		n.cfg.Logger.Info("replica: Region is active", "peer", r.Name)
	}
	return nil
}

func (n *Node) reported(region string) bool {
	n.applying.Lock()
	defer n.applying.Unlock()
	_, stamp, listed := n.dir.Entry(region)
	return listed && n.dir.Replicated(region) >= stamp
}

// shorten replaces the log by a full transaction, if the messages after the last one are larger than it, or when it is
// time to erase. So the log is never much larger than twice its state.
func (n *Node) shorten(ctx context.Context) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	if err := n.clear(ctx); err != nil { // an earlier process may not have done it
		return err
	}
	erase := !n.log.outdated.IsZero() && time.Since(n.log.outdated) >= n.cfg.EraseAfter && n.log.unread == 0
	if n.log.since < max(minLog, n.log.size) && !erase {
		return nil
	}
	if !n.log.outdated.IsZero() && n.log.unread == 0 {
		if err := n.pad(ctx); err != nil {
			return err
		}
	}
	if err := n.writeLog(ctx, nil, true); err != nil {
		return err
	}
	n.apply()
	return n.clear(ctx)
}
