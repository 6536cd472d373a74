package replica

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// partAll parts with each Region that was removed.
func (n *Node) partAll(ctx context.Context) error {
	all := n.standings.Load()
	if all == nil || n.condemned() != nil { // what they ended is to be written first
		return nil
	}
	var errs []error
	for region, s := range *all {
		if region == n.cfg.Region || region == n.cfg.Primary {
			continue
		} else if !s.Gone() {
			n.uncopied.release(region, false)
			continue
		}
		errs = append(errs, n.part(ctx, region, s.Removed))
	}
	return errors.Join(append(errs, n.followAgain(ctx))...)
}

// followAgain follows Regions that were added again, at the address that they
// had. A Region that catches up reads of a removal first, too.
func (n *Node) followAgain(ctx context.Context) error {
	n.mu.Lock()
	parked := maps.Clone(n.parked)
	n.mu.Unlock()
	for region, p := range parked {
		if n.gone(region) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, writeTimeout)
		err := n.AddPeer(ctx, region, p)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// park keeps the address of a Region that was removed, should it come back.
func (n *Node) park(region string, p Peer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parked[region] = p
}

// A parting is how far this Region has parted with one that was removed.
type parting struct {
	removed uint64 // the stamp of its removal
	last    bool   // nothing of it is left
}

// part stops following a Region that was removed, and deletes the copies of what
// it wrote: its applications, sessions and codes at once; what ended sessions,
// which may live elsewhere, when none of them can live any more.
func (n *Node) part(ctx context.Context, region string, removed uint64) error {
	n.parting.Lock()
	defer n.parting.Unlock()
	last := n.cfg.Now().After(merge.Forgettable(removed, n.cfg.MaxSession, n.cfg.Skew))
	done := parting{removed, last}
	if !n.gone(region) || n.parted[region] == done {
		return nil
	}
	if f := n.unfollow(region); f != nil {
		n.park(region, f.peer)
	}
	over := []streamKind{kindConfig, kindSessions}
	if last {
		over = streamKinds
	} else if err := errors.Join(n.copyEnds(n.ctx, region), n.restateAll(n.ctx, region)); err != nil {
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
		n.forgetCopy(region, k)
	}
	n.parted[region] = done
	if last {
		n.cfg.Logger.Info("replica: nothing is left of a Region that was removed", "region", n.cfg.Region, "removed", region)
	}
	return nil
}

// stopReaders stops reading these of a Region's streams. Nothing of them is
// taken in any more when it returns.
func (n *Node) stopReaders(region string, kinds ...streamKind) {
	n.mu.Lock()
	var kept, stopped []*reader
	for _, r := range n.readers[region] {
		if slices.Contains(kinds, r.kind) {
			stopped = append(stopped, r)
		} else {
			kept = append(kept, r)
		}
	}
	n.readers[region] = kept
	if len(kept) == 0 {
		delete(n.readers, region)
	}
	n.mu.Unlock()
	for _, r := range stopped {
		r.cancel()
	}
	for _, r := range stopped {
		<-r.done
		n.contents.drop(r.kind.stream(region))
		if r.kind == kindConfig {
			n.applying.Lock()
			delete(n.fulls, region)
			n.applying.Unlock()
		}
	}
}

// departed returns the Regions of which there is a copy of what ended sessions,
// and not of all else: those that were removed.
func (n *Node) departed(ctx context.Context, whole []string) (out []string, err error) {
	names, err := asking(ctx, func(ctx context.Context) ([]string, error) {
		return n.streamNames(ctx, "meridian."+string(kindRevoked)+".>")
	})
	if err != nil {
		return nil, unavailable("list of streams", err)
	}
	known := map[string]bool{n.cfg.Region: true}
	for _, region := range whole {
		known[region] = true
	}
	for _, name := range names {
		var region string
		if _, err := fmt.Sscanf(name, string(kindRevoked)+"_%s", &region); err == nil && !known[region] {
			out = append(out, region)
		}
	}
	return out, nil
}

// streamNames lists the streams of the Region's own server that listen to a
// subject.
func (n *Node) streamNames(ctx context.Context, subject string) (out []string, err error) {
	names := n.js.StreamNames(ctx, jetstream.WithStreamListSubject(subject))
	for name := range names.Name() {
		out = append(out, name)
	}
	if err := names.Err(); !errors.Is(err, jetstream.ErrEndOfData) {
		return out, err
	}
	return out, nil
}
