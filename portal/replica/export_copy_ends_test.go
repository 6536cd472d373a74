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
	return len(n.uncopied.list(kindRevoked.stream(region))) + len(n.uncopied.list(kindSessions.stream(region)))
}

// Removing has a removal of a Region wait for what was heard of it, and says
// whether an end that comes later takes effect at once. first: one is not copied, until
// the function that it gets says that it is copied.
func Removing(ctx context.Context, n *Node, region string, first func(kept func())) (later bool) {
	stream, u := kindRevoked.stream(region), n.uncopied
	u.add(region, stream, "store", message{Seq: 7})
	go first(func() { u.copied(stream, position{"store", 7}) })
	u.hold(ctx, region, true, time.Hour)
	return u.add(region, stream, "store", message{Seq: 8})
}
