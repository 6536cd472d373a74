package replica

import (
	"context"
	"time"
)

// Refuse has a Node at servers of its own take these streams for refused, as on
// a disk that is full; none: all are written again.
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

// Removing has a removal of a Region wait for what was heard of it, and says
// whether an end that comes later takes effect at once. first: one is not copied, until
// the function that it gets says that it is copied.
func Removing(ctx context.Context, n *Node, region string, first func(kept func())) (later bool) {
	of, u := regionStream{region, kindRevoked}, n.uncopied
	u.add(of, "store", message{Seq: 7})
	go first(func() { u.copied(of, position{"store", 7}) })
	u.hold(ctx, region, true, time.Hour)
	return u.add(of, "store", message{Seq: 8})
}
