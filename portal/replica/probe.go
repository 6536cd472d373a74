package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// probeLives is how long a probe's message is kept, unless another replaces it.
const probeLives = time.Minute

// Probe writes what a sign-in writes, a message to the Region's stream of sessions, and
// waits until it has been read. It also fails while a stream of the Region's own server
// can't be written, and while an answer of another Region is not copied and read here
// within fifteen seconds: Peers are out of date then. It never fails because another
// Region is out of reach.
//
// Each message replaces the one before. Other Regions copy it, and ignore it. A Portal
// calls Probe every few seconds.
func (n *Node) Probe(ctx context.Context) error {
	if !n.isReady() {
		return &Error{Reason: ReasonNotReady, Rule: "probe", Want: "a Region that serves", Got: n.cfg.Region}
	}
	if err := n.stopped(); err != nil {
		return err
	}
	for stream := range n.stalledStreams() {
		return n.stalled(stream)
	}
	ctx, cancel := n.untilClose(ctx)
	defer cancel()
	if err := n.writeAndRead(ctx); err != nil {
		return err
	}
	return n.copiesApplied(time.Now())
}

// writeAndRead writes the probe's message and waits until it has been read, and so
// everything before it.
func (n *Node) writeAndRead(ctx context.Context) error {
	seq, err := n.publish(ctx, entryWrite(merge.EntryProbe, merge.Entry{Optional: true}, n.cfg.Now().Add(probeLives)))
	if err != nil {
		return err
	}
	if name := kindSessions.stream(n.cfg.Region); !n.progress.wait(ctx, name, position{seq: seq}, writeTimeout) {
		return unavailable("read of stream "+name, errors.Join(errors.New("a written message is not delivered"), context.Cause(ctx)))
	}
	return nil
}

// copyLate is how long an answer of another Region may take to be copied and read here.
const copyLate = 15 * time.Second

// copiesApplied fails if that takes too long: the fault is this Region's own.
func (n *Node) copiesApplied(now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var late []string
	for region, f := range n.followers {
		for _, k := range streamKinds {
			if w := f.flow(k); !w.behind.IsZero() && now.Sub(w.behind) > copyLate {
				late = append(late, k.stream(region))
			}
		}
	}
	if len(late) > 0 {
		slices.Sort(late)
		return unavailable("copies of other Regions", fmt.Errorf("%v: answers are not applied", late))
	}
	return nil
}
