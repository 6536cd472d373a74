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

// copyEnds makes durable what was heard of a Region that is followed no longer, and
// that its copies lack: what stands in revoked goes into the copy, which outlives
// the others; what ended single sessions goes into this Region's own stream.
func (n *Node) copyEnds(ctx context.Context, region string) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := errConflict
	for ; errors.Is(err, errConflict) && ctx.Err() == nil; pause(ctx, time.Millisecond) {
		err = n.copyRevoked(ctx, region) // another Node of the Region copies too
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
			continue // no copy can hold it
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

// copyAllEnds copies what was heard of Regions that are not followed.
func (n *Node) copyAllEnds(ctx context.Context) error {
	var errs []error
	for _, region := range n.uncopied.regions() {
		n.mu.Lock()
		followed := n.followers[region] != nil
		n.mu.Unlock()
		if !followed {
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
		n.cfg.Logger.Warn("replica: what was heard last is not on disk", "region", n.cfg.Region, "error", err)
	}
}

// restate says in this Region's own stream that a session is over, which another
// Region has ended and which doesn't live there. Whose copy holds the session
// itself, it lives there: both are kept equally long.
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
	s, err := n.stream(ctx, kindSessions.stream(region))
	if err == nil {
		var session *jetstream.RawStreamMsg
		if session, err = latest(ctx, s, subjectOf(merge.EntrySession, e)); session != nil {
			return nil
		}
	}
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return unavailable("look at the copy", err)
	}
	_, err = n.publish(ctx, entryWrite(merge.EntryEnded, e, until))
	return err
}

// restateAll does that for all that is in the copy.
func (n *Node) restateAll(ctx context.Context, region string) error {
	s, err := n.stream(ctx, kindSessions.stream(region))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	} else if err != nil {
		return unavailable("look at the copy", err)
	}
	filter := kindSessions.prefix(region) + string(merge.EntryEnded) + ".>"
	for after := uint64(0); ; {
		msg, err := s.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		} else if err != nil {
			return unavailable("look at the copy", err)
		}
		after = msg.Sequence
		if err := n.restate(ctx, region, message{Subject: msg.Subject, Data: msg.Data, Until: msg.Header.Get(headerUntil)}); err != nil {
			return err
		}
	}
}

// beforeRemoval has all that was heard of Regions be on disk before it is written
// that they are removed. A disk that takes nothing takes no removal either; but no
// Region can put off its own removal, so this waits for a moment alone. done is
// called when it is known whether that was written.
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

// beforeCopy does that where a removal was heard, and is to be copied.
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
