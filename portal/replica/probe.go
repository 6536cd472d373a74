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

// Probe writes what a sign-in writes, a message to the Region's stream of
// sessions, and waits until it has been read. It also fails while a stream of the
// Region's own server can't be written, and while what was heard of another
// Region is not copied and read here within fifteen seconds: Peers then say
// too little. It never fails because another Region is out of reach.
//
// Each message replaces the one before. Other Regions copy it, and nobody sees
// it. A Portal calls Probe every few seconds; that is what it is for.
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

// writeAndRead writes the probe's message and waits until it has been read, and
// so all that stands before it.
func (n *Node) writeAndRead(ctx context.Context) error {
	seq, err := n.publish(ctx, entryWrite(merge.EntryProbe, merge.Entry{Optional: true}, n.cfg.Now().Add(probeLives)))
	if err != nil {
		return err
	}
	if name := kindSessions.stream(n.cfg.Region); !n.progress.wait(ctx, name, position{seq: seq}, writeTimeout) {
		return unavailable("read of stream "+name, errors.Join(errors.New("what was written doesn't get here"), context.Cause(ctx)))
	}
	return nil
}

// copyLate is how long what was heard of another Region may take to be copied
// and read here.
const copyLate = 15 * time.Second

// copiesApplied refuses if that takes too long: the trouble is this Region's own.
func (n *Node) copiesApplied(now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var late []string
	for region, f := range n.followers {
		f.mu.Lock()
		for k, w := range f.flows {
			if !w.behind.IsZero() && now.Sub(w.behind) > copyLate {
				late = append(late, k.stream(region))
			}
		}
		f.mu.Unlock()
	}
	if len(late) > 0 {
		slices.Sort(late)
		return unavailable("copies of other Regions", fmt.Errorf("%v: what was heard is not applied", late))
	}
	return nil
}

// behind notes that an answer has come that isn't applied yet.
func (f *follower) behind(k streamKind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.flows[k]; w.behind.IsZero() {
		w.behind = time.Now()
	}
}

// progressed notes that answers are applied, or that none come.
func (f *follower) progressed(k streamKind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flows[k].behind = time.Time{}
}
