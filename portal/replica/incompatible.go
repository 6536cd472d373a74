package replica

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// incompatible notes why a peer can't be followed, or that it can. It is said
// once: the follower goes on asking, as the peer may be upgraded at any time.
func (f *follower) incompatible(err *Error) {
	f.mu.Lock()
	was := f.unmet
	f.unmet = err
	f.mu.Unlock()
	switch {
	case err != nil && was == nil:
		f.n.cfg.Logger.Error("replica: peer not followed", "region", f.n.cfg.Region, "peer", f.region, "error", err)
	case err == nil && was != nil:
		f.n.cfg.Logger.Info("replica: peer followed again", "region", f.n.cfg.Region, "peer", f.region)
	}
}

// refusalEvery is how often questions are reported that are refused for their
// version. A Region that is refused asks every few seconds.
const refusalEvery = time.Minute

// seldom logs at most so often.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) log(to *slog.Logger, level slog.Level, message string, args ...any) {
	s.mu.Lock()
	due := s.last.IsZero() || time.Since(s.last) >= refusalEvery
	if due {
		s.last = time.Now()
	}
	s.mu.Unlock()
	if due {
		to.Log(context.Background(), level, message, args...)
	}
}

// refuses reports a question that is refused for its version. The Region that
// asks can't be trusted to report it: it may be too old to know.
func (n *Node) refuses(err *Error) {
	n.refusals.log(n.cfg.Logger, slog.LevelError, "replica: question refused", "region", n.cfg.Region, "error", err)
}
