package replica

import (
	"context"
	"errors"
	"maps"

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
		switch {
		case region == n.cfg.Region || region == n.cfg.Primary:
		case s.Gone():
			errs = append(errs, n.part(ctx, region, s.Removed))
		default:
			n.uncopied.release(region, false)
		}
	}
	return errors.Join(append(errs, n.followAgain(ctx))...)
}

// followAgain follows Regions that were added again, at the address that they had. When
// this Region catches up, it too reads of the removal first.
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

// park keeps the address of a Region that was removed, in case it is added again.
func (n *Node) park(region string, p Peer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parked[region] = p
}

// A parting is how far this Region has parted with one that was removed.
type parting struct {
	removed uint64 // the stamp of its removal
	last    bool   // nothing of the Region is left
}

// part stops following a Region that was removed, and deletes its copies: of its
// applications, sessions and codes at once; of what it ended, when none of the sessions
// that it can end, also elsewhere, can live any more.
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
		n.cfg.Logger.Info("replica: nothing is left of a Region that was removed", "removed", region)
	}
	return nil
}
