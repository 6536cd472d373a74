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

// A removalNotice is all that a Region that was removed keeps on disk. With it, a restart
// doesn't take the Region for a new one.
type removalNotice struct {
	Region string `json:"region"`
	Stamp  uint64 `json:"stamp"` // of the removal
}

func (n *Node) removalNoticeStream() (stream, subject string) {
	return "removed_" + n.cfg.Region, "meridian.removed." + n.cfg.Region
}

// heardRemoval takes in an answer of the primary that this Region is removed. A stamp older
// than what the Region knows of itself comes from an older primary: nothing is erased. The
// record in the copy of the primary's log is not enough: a Region that catches up reads of a
// removal before it reads that it was added again.
func (n *Node) heardRemoval(stamp uint64) {
	n.applying.Lock()
	s := n.dir.Standing(n.cfg.Region)
	said := n.dir.Replicated(n.cfg.Region)
	n.applying.Unlock()
	if stamp > max(s.Listed, s.Known, said) {
		n.leave(stamp)
	}
}

// leave closes the Region at once, and then erases its data.
func (n *Node) leave(stamp uint64) {
	if !n.removedAt.CompareAndSwap(0, stamp) {
		return
	}
	n.stop("gone", removedError(n.cfg.Region, stamp))
	close(n.left)
	n.cfg.Logger.Error("replica: the primary removed this Region: it stops, and erases its data", "at", time.UnixMicro(int64(stamp)))
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
	n.parting.Lock() // no AddPeer from here on
	defer n.parting.Unlock()
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

// eraseStreams deletes this Region's own streams, all copies, and what a recovery left.
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

// checkRemoved fails if this Region was removed and not added again. Only the primary can
// say that it was added again, and that must be later than the removal.
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
		return 0, &Error{Reason: ReasonConfig, Rule: "Peers", Want: "the primary Region " + n.cfg.Primary}
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
