package replica

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// In a cluster a server may report a stream's end and lack messages that the others
// have acknowledged: it led the stream until it was frozen or cut off, and hasn't
// noticed a new leader; or it is cut off, knows of no leader, and answers itself. A
// follower would believe that it has everything. So before this Node says that
// nothing is pending, it has a majority of the servers agree to something, and looks
// up the stream's end after that.

// agreements are those of one of this Region's own streams.
type agreements struct {
	rounds *sharedRounds
	last   atomic.Uint64 // the stream's end, by the last round that succeeded

	mu    sync.Mutex
	asked map[string]time.Time // when there was one for a follower, by Region
}

func newAgreements() map[streamKind]*agreements {
	out := map[streamKind]*agreements{}
	for _, k := range streamKinds {
		out[k] = &agreements{rounds: newSharedRounds(0), asked: map[string]time.Time{}}
	}
	return out
}

// An agreed is the end that an answer has to reach before it may say that nothing
// is pending. If it isn't known, no answer may.
type agreed struct {
	last  uint64
	known bool
}

// bound makes an answer that doesn't reach the end say that more is pending.
func (e agreed) bound(a *answer) {
	if a.Pending == 0 && (!e.known || e.last > max(a.Last, a.end())) {
		a.Pending = 1 // at least
	}
}

// agree returns a stream's end, by a majority of its servers: everything that was
// acknowledged when it is called is before that. A stream without replicas has one
// server, which knows.
//
// An answer with news does not wait for an agreement twice in half a heartbeat: it
// says that more is pending, and the follower asks again.
func (n *Node) agree(ctx context.Context, s jetstream.Stream, q question, news bool) agreed {
	if q.Of != "" || s.CachedInfo().Config.Replicas <= 1 {
		return agreed{known: true}
	}
	all := n.agreements[q.Line]
	if !all.due(q.From, n.cfg.Heartbeat/2) && news {
		return agreed{}
	}
	waiting, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := all.rounds.join(waiting, func() error {
		ctx, cancel := context.WithTimeout(ctx, askTimeout) // others wait for it too
		defer cancel()
		last, err := endByQuorum(ctx, s, q.Line.prefix(n.cfg.Region)+unused)
		if err == nil {
			all.last.Store(last)
		}
		return err
	})
	return agreed{all.last.Load(), err == nil}
}

// due reports whether the last agreement for a follower is that old, and notes that
// there is a new one.
func (all *agreements) due(from string, age time.Duration) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	last, known := all.asked[from]
	if known && time.Since(last) < age {
		return false
	}
	if known || len(all.asked) < maxSuspects { // the names in questions are not proved
		all.asked[from] = time.Now()
	}
	return true
}

// unused ends a subject that no message has.
const unused = "nothing"

// endByQuorum returns the sequence of a stream's last message. It has the leader
// delete all messages of an unused subject. That changes nothing, and is confirmed
// only when a majority of the servers has it in the stream's log and the leader has
// applied everything before it. (config, as a KV bucket, refuses deletions by
// sequence.)
//
// The end is believed from a server that has heard from a majority since then. The
// leader has, by that confirmation. A deposed one hasn't.
func endByQuorum(ctx context.Context, s jetstream.Stream, unused string) (uint64, error) {
	began := time.Now()
	if err := s.Purge(ctx, jetstream.WithPurgeSubject(unused)); err != nil {
		return 0, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, err
	}
	if !heardFromMajority(info.Cluster, time.Since(began)) {
		return 0, errBehind
	}
	return info.State.LastSeq, nil
}

// heardFromMajority reports whether the server that describes a stream has heard from
// a majority of its servers, itself included, within a duration. The age of one that
// it has never heard from is 0.
func heardFromMajority(c *jetstream.ClusterInfo, within time.Duration) bool {
	if c == nil {
		return false
	}
	heard := 1
	for _, r := range c.Replicas {
		if r.Active > 0 && r.Active <= within {
			heard++
		}
	}
	return 2*heard > len(c.Replicas)+1
}

// sharedRounds run one at a time. The result of a round is that of all callers who
// came before it began, so if the server doesn't answer they don't wait one after
// the other.
type sharedRounds struct {
	every time.Duration // the least time from one round to the next
	turn  chan struct{} // holds one while a round runs; that guards the fields below
	begun atomic.Uint64 // rounds

	at    time.Time // when the last round began
	ended uint64    // the last round that is over
	err   error     // and its result
}

func newSharedRounds(every time.Duration) *sharedRounds {
	return &sharedRounds{every: every, turn: make(chan struct{}, 1)}
}

func (c *sharedRounds) join(ctx context.Context, round func() error) error {
	before := c.begun.Load()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	if c.ended > before {
		return c.err
	}
	pause(ctx, time.Until(c.at.Add(c.every)))
	if ctx.Err() != nil {
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	this := c.begun.Add(1)
	c.at = time.Now()
	c.err = round()
	c.ended = this
	return c.err
}
