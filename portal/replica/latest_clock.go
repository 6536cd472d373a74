package replica

import "github.com/meridian-saml/meridian/portal/replica/internal/integrity"

// latestClock is the latest that this Region's clock ever showed, as far as this
// Node and the marks know, in seconds of Unix time. By a clock that was ahead the
// streams have let go of what others still have, and which a clock that has been
// put right would miss: what expires before is not compared.
func (n *Node) latestClock() int64 {
	now := n.cfg.Now().Unix()
	n.sawClock(now)
	return max(now, n.clockMost.Load())
}

func (n *Node) sawClock(at int64) {
	for most := n.clockMost.Load(); at > most && !n.clockMost.CompareAndSwap(most, at); {
		most = n.clockMost.Load()
	}
}

// sawMarks takes note of what the clock showed when the marks were written.
func (n *Node) sawMarks(marks map[string]integrity.Mark) {
	for _, m := range marks {
		n.sawClock(m.At)
	}
}
