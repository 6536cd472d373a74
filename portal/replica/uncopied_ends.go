package replica

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// uncopiedEnds are messages that end sessions, took effect here from other Regions' answers, and are not in the copies
// yet. A Region that is followed is asked again, after a restart, for what its copy lacks. A Region that is no longer
// followed is not asked, so its messages are written first: see copyEnds.
//
// Messages that a crash loses were never counted as Heard. When the primary removes a Region, all of its messages are
// copied before the removal is on disk here: see hold.
type uncopiedEnds struct {
	mu   sync.Mutex
	of   map[regionStream][]uncopiedEnd // in their order
	size map[regionStream]int           // bytes of each
	// held are the Regions whose messages take effect only from the copy. true: an update here removes it.
	held map[string]bool
	less chan struct{} // closed when something is copied
}

type uncopiedEnd struct {
	store string
	message
}

func newUncopiedEnds() *uncopiedEnds {
	return &uncopiedEnds{of: map[regionStream][]uncopiedEnd{}, size: map[regionStream]int{}, held: map[string]bool{},
		less: make(chan struct{})}
}

// add notes a message that is about to take effect. It returns false if that has to wait for the copy.
func (u *uncopiedEnds) add(of regionStream, store string, m message) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, held := u.held[of.region]; held {
		return false
	}
	all := u.of[of]
	if n := len(all); n > 0 && all[n-1].store == store && all[n-1].Seq >= m.Seq {
		return true // it was heard before, and is asked for again
	}
	all = append(all, uncopiedEnd{store, m})
	u.size[of] += m.size()
	for u.size[of] > maxUncopied {
		u.size[of] -= all[0].size()
		all = all[1:]
	}
	u.of[of] = all
	return true
}

// copied notes that the copy of a stream holds everything up to a position.
func (u *uncopiedEnds) copied(of regionStream, at position) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.of[of]) == 0 {
		return
	}
	var left []uncopiedEnd // list may have returned all
	size := 0
	for _, m := range u.of[of] {
		if m.store != at.store || m.Seq > at.seq {
			left = append(left, m)
			size += m.size()
		}
	}
	u.set(of, left, size)
}

// through drops a message and those before it, if it is still there. Its cost doesn't grow with those that are left.
func (u *uncopiedEnds) through(of regionStream, last uncopiedEnd) {
	u.mu.Lock()
	defer u.mu.Unlock()
	all, size := u.of[of], u.size[of]
	end := 1 + slices.IndexFunc(all, func(m uncopiedEnd) bool { return m.store == last.store && m.Seq == last.Seq })
	if end == 0 {
		return
	}
	for _, m := range all[:end] {
		size -= m.size()
	}
	u.set(of, all[end:], size)
}

// set sets the messages of a stream that are left. The caller holds mu.
func (u *uncopiedEnds) set(of regionStream, left []uncopiedEnd, size int) {
	if u.of[of], u.size[of] = left, size; len(left) == 0 {
		delete(u.of, of)
		delete(u.size, of)
	}
	close(u.less)
	u.less = make(chan struct{})
}

// clear drops everything.
func (u *uncopiedEnds) clear() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.of)
	clear(u.size)
}

func (u *uncopiedEnds) list(of regionStream) []uncopiedEnd {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of[of]
}

// regions returns the Regions of which something is uncopied.
func (u *uncopiedEnds) regions() (out []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for of := range u.of {
		out = append(out, of.region)
	}
	return out
}

// hold stops a Region's messages from taking effect ahead of the copy, until release, and waits until nothing of it
// is uncopied, for most at most. The follower goes on copying meanwhile: it needs no lock that the caller may hold.
func (u *uncopiedEnds) hold(ctx context.Context, region string, update bool, most time.Duration) {
	waitFor(ctx, most, func() (bool, <-chan struct{}) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.held[region] = update || u.held[region]
		return len(u.of[regionStream{region, kindRevoked}])+len(u.of[regionStream{region, kindSessions}]) == 0, u.less
	})
}

// release ends that, if the update was not made or the Region is followed anew.
func (u *uncopiedEnds) release(region string, update bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if update || !u.held[region] {
		delete(u.held, region)
	}
}

// copyEnds writes to disk the messages of a Region that is no longer followed that are missing in its copies. Messages
// of revoked go into the copy, which outlives the others. Ends of single sessions go into this Region's own stream.
func (n *Node) copyEnds(ctx context.Context, region string) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := errConflict
	for ; errors.Is(err, errConflict) && ctx.Err() == nil; pause(ctx, time.Millisecond) {
		err = n.copyRevoked(ctx, region) // another Node of the Region may copy too
	}
	if err != nil {
		return err
	}
	of := regionStream{region, kindSessions}
	for _, m := range n.uncopied.list(of) {
		if err := n.recordEnd(ctx, region, m.message); err != nil {
			return err
		}
		n.uncopied.through(of, m)
	}
	return nil
}

func (n *Node) copyRevoked(ctx context.Context, region string) error {
	of := regionStream{region, kindRevoked}
	all := n.uncopied.list(of)
	if len(all) == 0 {
		return nil
	}
	if err := n.stalled(kindRevoked.stream(region)); err != nil {
		return err
	}
	c, err := n.copier(ctx, region, kindRevoked)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.store != c.at.store {
			c.anew(m.store)
		} else if m.Seq <= c.at.seq {
			continue
		}
		if err := c.copy(ctx, m.store, m.message); errors.Is(err, nats.ErrMaxPayload) {
			continue // too large for any copy
		} else if err != nil {
			return err
		}
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	n.uncopied.through(of, all[len(all)-1])
	return nil
}

// copyAllEnds copies what was heard of all Regions that are not followed; last: of all.
func (n *Node) copyAllEnds(ctx context.Context, last bool) error {
	var errs []error
	for _, region := range n.uncopied.regions() {
		if last || n.follower(region) == nil {
			errs = append(errs, n.copyEnds(ctx, region))
		}
	}
	return errors.Join(errs...)
}

// recordEnd writes to this Region's own stream that a session ended, which another Region has ended and which doesn't
// belong to that Region. If the copy holds the session itself, it does belong to it: both are kept equally long.
func (n *Node) recordEnd(ctx context.Context, region string, m message) error {
	subjectOf := func(kind merge.EntryKind, e merge.Entry) string {
		return kindSessions.prefix(region) + subject(nil, kind, e)
	}
	until := untilOf(m.Until)
	o, err := n.cfg.openMessage(m)
	if lacksKey(err) {
		return err
	}
	var e merge.Entry
	if err == nil {
		err = json.Unmarshal(o.body, &e)
	}
	if err != nil || m.Subject != subjectOf(merge.EntryEnded, e) || until.Before(n.cfg.Now()) {
		return nil // it ends nothing
	}
	session, err := n.latest(ctx, kindSessions.stream(region), subjectOf(merge.EntrySession, e))
	if session != nil {
		return nil
	} else if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	_, err = n.publish(ctx, n.entryWrite(merge.EntryEnded, e, until))
	return err
}

// recordAllEnds does that for everything in the copy.
func (n *Node) recordAllEnds(ctx context.Context, region string) error {
	s, err := n.stream(ctx, kindSessions.stream(region))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	for msg, err := range messages(ctx, s, kindSessions.prefix(region)+string(merge.EntryEnded)+".") {
		if err == nil {
			err = n.recordEnd(ctx, region, message{Subject: msg.Subject, Data: msg.Data,
				Until: msg.Header.Get(headerUntil), More: passedOn(msg.Header)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// beforeRemoval waits, before an update removes Regions, until what was heard of them is on disk, for a second at
// most: no Region can delay its own removal. done is called with the result of the update.
func (n *Node) beforeRemoval(ctx context.Context, changes []center.Record) (done func(error)) {
	var removed []string
	for _, c := range changes {
		if c.Kind == center.KindRegion && c.Value == nil {
			removed = append(removed, c.Key)
			n.uncopied.hold(ctx, c.Key, true, time.Second)
		}
	}
	return func(err error) {
		for _, region := range removed {
			if err != nil {
				n.uncopied.release(region, true)
			}
		}
	}
}

// beforeCopy does that before a removal that was heard is copied.
func (n *Node) beforeCopy(ctx context.Context, c *copier, a answer) {
	all := n.standings.Load()
	if c.kind != kindConfig || c.region != n.cfg.Primary || len(a.Messages) == 0 || all == nil {
		return
	}
	for region, s := range *all {
		if region != n.cfg.Region && region != n.cfg.Primary && s.Gone() {
			n.uncopied.hold(ctx, region, false, time.Second)
		}
	}
}
