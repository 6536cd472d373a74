package replica

import (
	"context"
	"time"
)

// Refuse makes a Node on its own servers refuse these streams, as on a full disk; none: none.
func Refuse(n *Node, streams ...string) {
	refused := map[string]string{}
	for _, s := range streams {
		refused[s] = "no space"
	}
	n.refused.Store(&refused)
}

// Uncopied is how many ends took effect that are not in the copies.
func Uncopied(n *Node, region string) int {
	revoked, ended := regionStream{region, kindRevoked}, regionStream{region, kindSessions}
	return len(n.uncopied.list(revoked)) + len(n.uncopied.list(ended))
}

// Removing makes a removal of a Region wait for what was heard of it, and reports whether a later
// end takes effect at once. One end is not copied until first calls its argument.
func Removing(ctx context.Context, n *Node, region string, first func(kept func())) (later bool) {
	of, u := regionStream{region, kindRevoked}, n.uncopied
	u.add(of, "store", message{Seq: 7})
	go first(func() { u.copied(of, position{"store", 7}) })
	u.hold(ctx, region, true, time.Hour)
	return u.add(of, "store", message{Seq: 8})
}
