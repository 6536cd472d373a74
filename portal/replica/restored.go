package replica

import (
	"context"
	"errors"
	"time"
)

// restored gives this Region's streams new storeIDs. An older copy of a stream
// ends before positions that followers have reached, and what is written there
// next would be nothing new to them. Under another storeID they read it from
// its start.
func (n *Node) restored(ctx context.Context) error {
	for _, l := range lines {
		name := l.stream(n.cfg.Region)
		s, err := n.stream(ctx, name)
		if err != nil {
			return unavailable("look at stream "+name, err)
		}
		c := s.CachedInfo().Config
		c.Metadata[storeID] = n.newStore()
		if _, err := n.js.UpdateStream(ctx, c); err != nil {
			return unavailable("renaming of stream "+name, err)
		}
	}
	return nil
}

// deposed is longer than a server of a cluster that was cut off can take itself
// for a stream's leader.
const deposed = 30 * time.Second

// errBehind: whoever answered here may not lead the stream any more.
var errBehind = errors.New("replica: the follower knows more of this stream")

// behind says whether to believe that a follower knows more of a stream than
// there is, and reports it once: that follower reads it from the start then.
// Another one, that was ahead too until enough had been written, can't be told
// from one that isn't. In a cluster a deposed leader may have answered, which
// does not last.
func (n *Node) behind(q question, cluster bool) bool {
	now := time.Now()
	n.mu.Lock()
	since, known := n.ahead[q.Line]
	if !known || cluster && now.Sub(since) > 10*deposed { // that was another time
		since = now
		n.ahead[q.Line] = since
	}
	n.mu.Unlock()
	if cluster && now.Sub(since) < deposed {
		return false
	}
	if cluster || !known {
		n.cfg.Logger.Error("replica: a follower is ahead of this Region: if an older copy of Dir was restored, start once with Config.Restored",
			"region", n.cfg.Region, "stream", q.Line.stream(n.cfg.Region), "position", q.After)
	}
	return true
}
