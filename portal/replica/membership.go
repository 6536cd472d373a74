package replica

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// standingOf returns the standing of a Region. known is false until the directory is here.
func (n *Node) standingOf(region string) (s merge.Standing, known bool) {
	all := n.standings.Load()
	if all == nil {
		return s, false
	}
	return (*all)[region], true
}

// lists reports whether the directory has a Region.
func (n *Node) lists(region string) bool {
	s, _ := n.standingOf(region)
	return region == n.cfg.Primary || s.Listed > 0
}

// gone reports whether a Region was removed and not added again.
func (n *Node) gone(region string) bool {
	s, _ := n.standingOf(region)
	return region != n.cfg.Primary && s.Gone()
}

// stopIfUnlisted stops a Region that isn't listed any more. It keeps its data until it hears of its removal.
func (n *Node) stopIfUnlisted() {
	_, known := n.standingOf(n.cfg.Region)
	var err *Error
	if n.isReady() && (n.unlisted.Load() || known && !n.lists(n.cfg.Region)) {
		err = newError(ReasonNotListed, "the instance", "a Region that the primary lists", n.cfg.Region)
	}
	n.stop("list", err)
}

// denyUnlisted returns the answer to a Region that the directory does not list: at most the time of its removal. The
// primary may always ask. A Region that does not know the directory yet answers only the primary.
func (n *Node) denyUnlisted(q question) (a answer, refused bool) {
	s, known := n.standingOf(q.From)
	switch {
	case q.From == n.cfg.Primary || s.Listed > 0:
		return answer{Listed: s.Listed}, false
	case q.From == "":
		a.Error = "the question does not say which Region asks"
	case !known:
		a.Error = "the list of Regions has not arrived yet"
	case s.Removed > 0:
		a.Error, a.Unlisted, a.Removed = "the Region that asks was removed", true, s.Removed
	default:
		a.Error, a.Unlisted = "the Region that asks is not listed", true
	}
	return a, true
}

// readFirst delays an answer from the log until this Node has read it: the Region that asks may be removed there.
func (n *Node) readFirst(ctx context.Context, q question, a answer) error {
	if q.Line == kindConfig && !n.progress.wait(ctx, kindConfig.stream(n.cfg.Region), position{seq: a.Last}, q.wait()) {
		return newError(ReasonUnavailable, "answer", "a log that has been read here", "a log that can be read further")
	}
	return nil
}

// awaitList waits for the directory: while Regions start, others ask before they are known.
func (n *Node) awaitList(ctx context.Context, q question) {
	if q.From == n.cfg.Primary || q.From == "" {
		return
	}
	deadline := time.Now().Add(q.wait())
	for n.standings.Load() == nil && ctx.Err() == nil && time.Now().Before(deadline) {
		pause(ctx, 10*time.Millisecond)
	}
}

// noteListing notes from an answer whether this Region is listed. Only the primary's answer counts.
func (f *follower) noteListing(a answer) error {
	n := f.n
	if f.region == n.cfg.Primary && n.unlisted.Swap(a.Unlisted) != a.Unlisted {
		n.stopIfUnlisted()
		if a.Unlisted {
			n.cfg.Logger.Warn("replica: the primary does not list this Region", "primary", f.region)
		} else {
			n.cfg.Logger.Info("replica: the primary lists this Region", "primary", f.region)
		}
	}
	if !a.Unlisted {
		return nil
	}
	if f.region == n.cfg.Primary {
		n.heardRemoval(a.Removed)
	}
	return newError(ReasonNotListed, "answer of Region "+f.region, "a piece of its stream", a.Error)
}

// removedError returns the error of a Region that was removed.
func removedError(region string, stamp uint64) *Error {
	return newError(ReasonRemoved, "Region "+region, "one that the primary has not removed, or has added again",
		"removed at "+time.UnixMicro(int64(stamp)).UTC().Format(time.RFC3339))
}

// dropRemoved drops each Region that was removed.
func (n *Node) dropRemoved(ctx context.Context) error {
	all := n.standings.Load()
	if all == nil || n.damageFound() != nil { // their revocations must be written first
		return nil
	}
	var errs []error
	for region, s := range *all {
		switch {
		case region == n.cfg.Region || region == n.cfg.Primary:
		case s.Gone():
			errs = append(errs, n.dropRegion(ctx, region, s.Removed))
		default:
			n.uncopied.release(region, false)
		}
	}
	return errors.Join(append(errs, n.followAgain(ctx))...)
}

// followAgain follows Regions that were added again, or whose old removal this Region read as it caught up.
func (n *Node) followAgain(ctx context.Context) error {
	for region, p := range n.parked.Range {
		if n.gone(region.(string)) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, writeTimeout)
		err := n.AddPeer(ctx, region.(string), p.(Peer))
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// A dropState is how far a Region that was removed has been dropped.
type dropState struct {
	removed uint64 // the stamp of its removal
	last    bool   // nothing of the Region is left
}

// dropRegion stops following a Region that was removed, and deletes its copies. Applications, sessions and codes are
// deleted at once. Revocations are deleted when all sessions that they can end have expired in every Region.
func (n *Node) dropRegion(ctx context.Context, region string, removed uint64) error {
	n.following.Lock()
	defer n.following.Unlock()
	last := n.cfg.Now().After(merge.Forgettable(removed, n.cfg.MaxSession, n.cfg.Skew))
	done := dropState{removed, last}
	if !n.gone(region) || n.dropped[region] == done {
		return nil
	}
	if f := n.unfollow(region); f != nil {
		n.parked.Store(region, f.peer) // in case it is added again
	}
	over := []streamKind{kindConfig, kindSessions}
	if last {
		over = streamKinds
	} else if err := errors.Join(n.copyEnds(n.ctx, region), n.recordAllEnds(n.ctx, region)); err != nil {
		return err
	}
	n.stopReaders(region, over...)
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for _, k := range over {
		if err := n.deleteStream(ctx, k.stream(region)); err != nil {
			return err
		}
		n.progress.forget(k.stream(region))
		n.forgetCopy(regionStream{region, k})
	}
	n.dropped[region] = done
	if last {
		n.cfg.Logger.Info("replica: all data of a removed Region is deleted", "removed", region)
	}
	return nil
}

// A removalNotice is the only data that a removed Region keeps on disk. Because of it, a restart does not treat the
// Region as new.
type removalNotice struct {
	Region string `json:"region"`
	Stamp  uint64 `json:"stamp"` // of the removal
}

func (n *Node) removalNoticeStream() (stream, subject string) {
	return "removed_" + n.cfg.Region, "meridian.removed." + n.cfg.Region
}

// heardRemoval handles the primary's answer that this Region is removed. If the stamp is older than the Region's own
// entry, the answer comes from an outdated primary, and nothing is erased. The record in the copy of the primary's log
// is not enough: a Region that catches up reads of a removal before it reads that it was added again.
func (n *Node) heardRemoval(stamp uint64) {
	n.applying.Lock()
	s := n.dir.Standing(n.cfg.Region)
	said := n.dir.Replicated(n.cfg.Region)
	n.applying.Unlock()
	if stamp > max(s.Listed, s.Known, said) {
		n.closeAndErase(stamp)
	}
}

// closeAndErase closes the Region at once, and then erases its data.
func (n *Node) closeAndErase(stamp uint64) {
	if !n.removedAt.CompareAndSwap(0, stamp) {
		return
	}
	n.stop("gone", removedError(n.cfg.Region, stamp))
	close(n.left)
	n.cfg.Logger.Error("replica: the primary removed this Region: it stops, and erases its data", "at",
		time.UnixMicro(int64(stamp)))
	n.start(n.erase)
}

// erase repeats until everything is erased.
func (n *Node) erase() {
	n.stopAll()
	for n.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(n.ctx, time.Minute)
		err := n.writeRemovalNotice(ctx, n.removedAt.Load())
		if err == nil {
			err = errors.Join(n.eraseStreams(ctx), n.identityStore.erase(ctx))
		}
		cancel()
		if err == nil {
			break
		}
		n.cfg.Logger.Error("replica: not erased yet", "error", err)
		pause(n.ctx, time.Second)
	}
	n.forgetAll()
	if n.ctx.Err() == nil {
		close(n.erased)
		n.cfg.Logger.Warn("replica: this Region was removed, and has erased its data")
	}
}

// stopAll stops serving, following and reading.
func (n *Node) stopAll() {
	n.following.Lock() // no AddPeer from here on
	defer n.following.Unlock()
	n.mu.Lock()
	questions := n.questions
	peers, read := slices.Collect(maps.Keys(n.followers)), slices.Collect(maps.Keys(n.readers))
	n.mu.Unlock()
	if questions != nil {
		_ = questions.Unsubscribe()
	}
	for _, region := range peers {
		n.unfollow(region)
	}
	for _, region := range read {
		n.stopReaders(region, streamKinds...)
	}
}

// forgetAll empties the memory, and the instance, of which callers may hold a view.
func (n *Node) forgetAll() {
	n.ledger.close()
	n.uncopied.clear()
	n.applying.Lock()
	defer n.applying.Unlock()
	n.dir = merge.NewDirectory(n.cfg.Primary)
	n.log = ownLog{wrote: map[uint64]bool{}}
	n.touched, n.unapplied = nil, nil
	inst := n.instance.Load()
	if inst == nil {
		return
	}
	var all []center.Record
	for _, r := range inst.Snapshot().Records() {
		if r.Kind != center.KindRegion { // an instance needs one
			all = append(all, center.Record{Kind: r.Kind, Key: r.Key})
		}
	}
	n.applyChanges(inst, all)
}

// writeRemovalNotice writes down that the Region was removed.
func (n *Node) writeRemovalNotice(ctx context.Context, stamp uint64) error {
	name, subject := n.removalNoticeStream()
	c := jetstream.StreamConfig{
		Name: name, Description: "Meridian: Region " + n.cfg.Region + " was removed", Subjects: []string{subject},
		Storage: jetstream.FileStorage, Replicas: n.cfg.Replicas, MaxMsgs: 1,
	}
	if _, err := n.openStream(ctx, c); err != nil {
		return err
	}
	b, err := json.Marshal(removalNotice{n.cfg.Region, stamp})
	if err == nil {
		_, err = n.send(ctx, name, &nats.Msg{Subject: subject, Data: b})
	}
	return err
}

// eraseStreams deletes this Region's own streams, all copies, and the remains of a recovery.
func (n *Node) eraseStreams(ctx context.Context) error {
	names, err := n.streamNames(ctx, ">")
	if err != nil {
		return err
	}
	for _, name := range names {
		for _, prefix := range []string{kindConfig.stream(""), kindSessions.stream(""), kindRevoked.stream(""), stagePrefix} {
			if strings.HasPrefix(name, prefix) {
				if err := n.deleteStream(ctx, name); err != nil {
					return err
				}
			}
		}
	}
	return n.deleteFiles() // what a crash left
}

// checkRemoved fails if this Region was removed and not added again. Only the primary can say that it was added
// again, and that must be later than the removal.
func (n *Node) checkRemoved(ctx context.Context) error {
	name, subject := n.removalNoticeStream()
	msg, err := n.latest(ctx, name, subject)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	} else if err != nil {
		return err
	} else if msg == nil { // the process ended after it created the stream: the removal will be heard again
		return n.deleteStream(ctx, name)
	}
	var e removalNotice
	if err := json.Unmarshal(msg.Data, &e); err != nil {
		return &Error{Reason: ReasonCorrupt, Rule: "stream " + name, Want: "JSON", Err: err}
	}
	if err := errors.Join(n.eraseStreams(ctx), n.identityStore.erase(ctx)); err != nil { // what a crash left
		return err
	}
	n.removedAt.Store(e.Stamp)
	listed, err := n.listedAgain(ctx)
	if err != nil || listed <= e.Stamp {
		removed := removedError(n.cfg.Region, e.Stamp)
		removed.Err = err
		return removed
	}
	n.removedAt.Store(0)
	n.cfg.Restored = true // others may hold copies of the erased data
	n.cfg.Logger.Info("replica: this Region was removed, and added again")
	return n.deleteStream(ctx, name)
}

// listedAgain asks the primary for the stamp of this Region's entry.
func (n *Node) listedAgain(ctx context.Context) (uint64, error) {
	p, ok := n.cfg.Peers[n.cfg.Primary]
	if !ok {
		return 0, newError(ReasonConfig, "Peers", "the primary Region "+n.cfg.Primary, "")
	}
	if err := p.checkURL(n.cfg.Primary); err != nil {
		return 0, err
	}
	f := n.newFollower(n.cfg.Primary, p)
	nc, err := f.connect(func(error) {})
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	a, err := f.ask(ctx, nc, f.question(kindRevoked, position{}))
	return a.Listed, err
}
