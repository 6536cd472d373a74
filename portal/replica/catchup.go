package replica

import (
	"context"
	"sync/atomic"
	"time"
)

// CatchUp implements sessions.CatchUp. Where the Region has one Node, it knows all
// that it acknowledged. Otherwise this Node writes to the Region's stream of
// sessions, as Probe does, and reads up to there: what was acknowledged before
// stands before it. To ask the stream's leader would not do: a server that was
// frozen takes itself for the leader for some seconds.
//
// Clients that aren't signed in can cause this, and each write reaches every
// Region. So one write serves all who wait for it, and there are ten a second at
// most.
func (s sessionStore) CatchUp(ctx context.Context) error {
	if s.n.cfg.URL == "" {
		return nil
	}
	return s.n.catching.join(ctx, func() error { return s.n.writeAndRead(s.n.ctx) })
}

// catchEvery is the least time from one round of CatchUp to the next.
const catchEvery = 100 * time.Millisecond

// catching lets one round run at a time. Its result is that of all who came
// before it began: if the server doesn't answer, they don't wait for it one after
// the other.
type catching struct {
	every time.Duration // the least time from one round to the next
	turn  chan struct{} // holds one while a round runs, which guards what is below
	begun atomic.Uint64 // rounds

	at    time.Time // when the last round began
	ended uint64    // the last round that is over
	err   error     // and its result
}

func newCatching(every time.Duration) *catching {
	return &catching{every: every, turn: make(chan struct{}, 1)}
}

func (c *catching) join(ctx context.Context, round func() error) error {
	before := c.begun.Load()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	if c.ended > before {
		return c.err
	}
	pause(ctx, time.Until(c.at.Add(c.every)))
	if ctx.Err() != nil {
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	this := c.begun.Add(1)
	c.at = time.Now()
	c.err = round()
	c.ended = this
	return c.err
}
