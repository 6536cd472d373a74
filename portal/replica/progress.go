package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// progress is the position up to which each stream has taken effect here. For another Region's stream it is the
// position in the original. For this Region's own stream it has no store, and counts all messages that were read, even
// those that could not be opened.
type progress struct {
	mu   sync.Mutex
	at   map[string]position      // by stream
	next map[string]chan struct{} // by stream, if one waits; closed when it moves
}

// A position is a sequence in the original stream that a storeID names.
type position struct {
	store string
	seq   uint64
}

func newProgress() *progress {
	return &progress{at: map[string]position{}, next: map[string]chan struct{}{}}
}

func (m *progress) set(stream string, p position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.at[stream]; old.store == p.store && old.seq >= p.seq {
		return
	}
	m.at[stream] = p
	if next := m.next[stream]; next != nil {
		close(next)
		delete(m.next, stream)
	}
}

// forget resets the position of a stream that is read again.
func (m *progress) forget(stream string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.at, stream)
}

func (m *progress) get(stream string) (position, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next[stream] == nil {
		m.next[stream] = make(chan struct{})
	}
	return m.at[stream], m.next[stream]
}

// wait waits until a stream has taken effect up to p, for most at most, and reports whether it has.
func (m *progress) wait(ctx context.Context, stream string, p position, most time.Duration) bool {
	return waitFor(ctx, most, func() (bool, <-chan struct{}) {
		at, moved := m.get(stream)
		return p.seq == 0 || at.store == p.store && at.seq >= p.seq, moved
	})
}

// waitFor waits until done returns true, for most at most. done also returns a channel that is closed on changes.
func waitFor(ctx context.Context, most time.Duration, done func() (bool, <-chan struct{})) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		ok, changed := done()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// applied notes that an arrival has taken effect.
func (n *Node) applied(a arrival) {
	if a.region == n.cfg.Region {
		return
	}
	n.progress.set(a.kind.stream(a.region), position{a.store, a.seq})
	if f := n.follower(a.region); f != nil {
		f.measure(a, n.cfg.Now())
	}
}

// Probe writes what a sign-in writes, a message to the Region's stream of sessions, and waits until it has been read.
// It also fails while a stream of the Region's own server can't be written, and while an answer of another Region is
// not copied and read here within fifteen seconds. It never fails because another Region is unreachable.
//
// Each message replaces the one before. Other Regions copy and ignore it. A Portal calls Probe every few seconds.
func (n *Node) Probe(ctx context.Context) error {
	if !n.isReady() {
		return newError(ReasonNotReady, "probe", "a Region that serves", n.cfg.Region)
	}
	if err := n.stopped(); err != nil {
		return err
	}
	for stream := range *n.refused.Load() {
		return n.stalled(stream)
	}
	ctx, cancel := n.untilClose(ctx)
	defer cancel()
	if err := n.writeAndRead(ctx); err != nil {
		return err
	}
	return n.copiesApplied(time.Now())
}

// writeAndRead writes the probe's message and waits until it has been read, and so everything before it.
func (n *Node) writeAndRead(ctx context.Context) error {
	seq, err := n.publish(ctx, n.entryWrite(merge.EntryProbe, merge.Entry{Optional: true}, n.cfg.Now().Add(probeLives)))
	if err != nil {
		return err
	}
	if name := kindSessions.stream(n.cfg.Region); !n.progress.wait(ctx, name, position{seq: seq}, writeTimeout) {
		return unavailable("read of stream "+name,
			errors.Join(errors.New("a written message is not delivered"), context.Cause(ctx)))
	}
	return nil
}

// copiesApplied returns an error if answers wait too long to be applied: that is a fault of this Region.
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
