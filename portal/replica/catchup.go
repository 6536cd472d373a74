package replica

import (
	"context"
	"sync/atomic"
)

// CatchUp implements portal.CatchUp. Where the Region has one Node, it knows all
// that it acknowledged. Otherwise this Node writes to the Region's stream of
// sessions, as Probe does, and reads up to there: what was acknowledged before
// stands before it. To ask the stream's leader would not do: a server that was
// frozen takes itself for the leader for some seconds.
//
// Clients that aren't signed in can cause this, so one write at a time serves
// all who wait for it.
func (s sessionStore) CatchUp(ctx context.Context) error {
	if s.n.cfg.URL == "" {
		return nil
	}
	return s.n.catching.join(ctx, s.n.writeAndRead)
}

// catching lets one round run at a time, and serves with it all who came before
// it began.
type catching struct {
	turn  chan struct{} // holds one while a round runs
	begun atomic.Uint64 // rounds
	done  atomic.Uint64 // the last round that succeeded
}

func newCatching() *catching { return &catching{turn: make(chan struct{}, 1)} }

func (c *catching) join(ctx context.Context, round func(context.Context) error) error {
	before := c.begun.Load()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	if c.done.Load() > before {
		return nil
	}
	this := c.begun.Add(1)
	err := round(ctx)
	if err == nil {
		c.done.Store(this)
	}
	return err
}
