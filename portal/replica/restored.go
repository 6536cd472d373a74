package replica

import "context"

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

// behind reports, once for each stream, that a follower knows more of it than
// there is. That follower reads it from the start. Another one, that was ahead
// too until enough had been written, can't be told from one that isn't.
func (n *Node) behind(q question) {
	n.mu.Lock()
	said := n.ahead[q.Line]
	n.ahead[q.Line] = true
	n.mu.Unlock()
	if !said {
		n.cfg.Logger.Error("replica: a follower is ahead of this Region: if an older copy of Dir was restored, start once with Config.Restored",
			"region", n.cfg.Region, "stream", q.Line.stream(n.cfg.Region), "position", q.After)
	}
}
