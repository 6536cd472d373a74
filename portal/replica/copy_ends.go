package replica

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// copyEnds writes to disk what was heard of a Region that is no longer followed, and that
// its copies lack. Messages of revoked go into the copy, which outlives the others. Ends
// of single sessions go into this Region's own stream.
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
	stream := kindSessions.stream(region)
	for _, m := range n.uncopied.list(stream) {
		if err := n.restate(ctx, region, m.message); err != nil {
			return err
		}
		n.uncopied.through(stream, m)
	}
	return nil
}

func (n *Node) copyRevoked(ctx context.Context, region string) error {
	stream := kindRevoked.stream(region)
	all := n.uncopied.list(stream)
	if len(all) == 0 {
		return nil
	}
	if err := n.stalled(stream); err != nil {
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
	n.uncopied.through(stream, all[len(all)-1])
	return nil
}

// copyAllEnds copies what was heard of all Regions that are not followed.
func (n *Node) copyAllEnds(ctx context.Context) error {
	var errs []error
	for _, region := range n.uncopied.regions() {
		if n.follower(region) == nil {
			errs = append(errs, n.copyEnds(ctx, region))
		}
	}
	return errors.Join(errs...)
}

// copyLastEnds is for Close: nothing is followed any more.
func (n *Node) copyLastEnds() {
	if n.js == nil || n.removedAt.Load() > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	var errs []error
	for _, region := range n.uncopied.regions() {
		if !n.nc.IsConnected() { // Close waits for no server that is gone
			errs = append(errs, unavailable("copy of what Region "+region+" ended", nats.ErrDisconnected))
			continue
		}
		errs = append(errs, n.copyEnds(ctx, region))
	}
	if err := errors.Join(errs...); err != nil {
		n.cfg.Logger.Warn("replica: what was heard last is not on disk", "error", err)
	}
}

// restate writes to this Region's own stream that a session ended, which another Region has
// ended and which doesn't belong to that Region. If the copy holds the session itself, it
// does belong to it: both are kept equally long.
func (n *Node) restate(ctx context.Context, region string, m message) error {
	subjectOf := func(kind merge.EntryKind, e merge.Entry) string {
		return kindSessions.prefix(region) + subject(kind, e)
	}
	until := untilOf(m.Until)
	plain, err := n.cfg.Codec.Open(m.Subject, m.Data)
	var e merge.Entry
	if err != nil || json.Unmarshal(plain, &e) != nil || m.Subject != subjectOf(merge.EntryEnded, e) || until.Before(n.cfg.Now()) {
		return nil // it ends nothing
	}
	session, err := n.latest(ctx, kindSessions.stream(region), subjectOf(merge.EntrySession, e))
	if session != nil {
		return nil
	} else if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	_, err = n.publish(ctx, entryWrite(merge.EntryEnded, e, until))
	return err
}

// restateAll does that for everything in the copy.
func (n *Node) restateAll(ctx context.Context, region string) error {
	s, err := n.stream(ctx, kindSessions.stream(region))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	for msg, err := range messages(ctx, s, kindSessions.prefix(region)+string(merge.EntryEnded)+".") {
		if err == nil {
			err = n.restate(ctx, region, message{Subject: msg.Subject, Data: msg.Data, Until: msg.Header.Get(headerUntil)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// beforeRemoval waits, before an update removes Regions, until everything that was heard of
// them is on disk. No Region can delay its own removal, so this waits for a second at
// most. done is called with the result of the update.
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
