package replica

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// ownLog is the state of this Region's log. The Node's applying lock guards it.
type ownLog struct {
	read  uint64          // the end of the log, as known to this Node
	wrote map[uint64]bool // messages that this Node wrote, and that its reader has not reached
	// unread is the sequence of a message that can't be read and that no full transaction has replaced; 0: none.
	unread uint64
	size   int // bytes of the last full transaction
	since  int // bytes after it
	padded int // of those, padding: see pad
	// full is the sequence of a full transaction with messages before it, which nothing needs; 0: none.
	full      uint64
	outdated  time.Time // since when the log holds what is to be erased; zero: it doesn't
	usersGone time.Time // since when there is padding to write: see outdateSessions
	// usersUpTo is the stamp of the last removal of a user, usersErased of the last one with padding.
	usersUpTo, usersErased uint64
}

// count counts a message of the log.
func (l *ownLog) count(seq uint64, p merge.Transaction, size int) {
	l.read = max(l.read, seq)
	switch {
	case !p.Full:
		l.since += size
	case p.Part == 0:
		l.size, l.since, l.padded, l.outdated = size, 0, 0, time.Time{}
	default:
		l.size += size
	}
}

// journal is how updates of the instance become transactions.
type journal struct{ n *Node }

// Commit implements center.Journal.
func (j journal) Commit(region string, by center.Actor, changes []center.Record) (err error) {
	n := j.n
	if region != n.cfg.Region {
		return n.wrongRegion(region)
	}
	if err := n.noUpdates(); err != nil {
		return err
	}
	if err := n.stall.over(); err != nil {
		return err
	}
	removing := n.beforeRemoval(n.ctx, changes)
	defer func() { removing(err) }()
	// The reader may hold the lock and wait for the instance, which waits for Commit.
	if !n.applying.TryLock() {
		return n.stall.conflict()
	}
	defer n.applying.Unlock()
	if len(n.touched) > 0 || n.dir.Ahead(region, changes) {
		return center.ErrConflict // a change is known and not applied to the instance, or heard and not read
	}
	changes = n.dir.Keep(changes)
	if err := n.writeBy(n.ctx, by, n.dir.Draft(region, changes), false); errors.Is(err, errConflict) {
		return n.stall.conflict()
	} else if err != nil {
		return err
	}
	if replaces(n.instance.Load(), changes) {
		n.outdate()
	}
	// The instance applies these changes next. The maintenance applies their consequences for other Regions' changes.
	n.touched = n.dir.Took(n.touched, changes)
	n.wakeMaintenance()
	return nil
}

// wrongRegion refuses an update through another Region's view of this Region's instance.
func (n *Node) wrongRegion(region string) error {
	e := &center.Error{Reason: center.ReasonNotAppRegion, Rule: "write", Want: "Region " + refusal.Quote(region),
		Got: n.cfg.Region}
	if region == n.cfg.Primary {
		e.Reason, e.Primary, e.Want = center.ReasonNotPrimary, region, "the primary "+e.Want
	}
	return e
}

// mine reports whether this Node wrote a message that is read.
func (l *ownLog) mine(seq uint64) bool {
	known := l.wrote[seq]
	maps.DeleteFunc(l.wrote, func(s uint64, _ bool) bool { return s <= seq })
	return known
}

// writeLog writes a transaction to this Region's log, and then applies it. The server accepts a message only if the log
// ends where this Node expects, so two Nodes can't both write. The caller holds applying.
func (n *Node) writeLog(ctx context.Context, records []merge.Record, full bool) error {
	return n.writeBy(ctx, center.Actor{}, records, full)
}

// writeBy is writeLog for a change that an actor makes.
func (n *Node) writeBy(ctx context.Context, by center.Actor, records []merge.Record, full bool) (err error) {
	if n.log.unread > 0 {
		return newError(ReasonCorrupt, "write to the Region's log",
			"a readable log: a write would hide that message", fmt.Sprintf("unreadable message %d", n.log.unread))
	}
	now := max(n.cfg.Now().UnixMicro(), n.identity.Load().Since) // above the counts that sessions carry: see merge's Epoch
	t := n.dir.Compose(n.cfg.Region, uint64(now), records, full)
	if by != (center.Actor{}) {
		t.By = &by
	}
	first := n.log.read + 1
	parts, err := t.Parts(first)
	if err != nil {
		return mergeError(ReasonTooLarge, err)
	}
	n.ledger.update(func(s *merge.Sessions) { s.Foresee(n.cfg.Region, t) }) // ends sessions before the write
	n.stall.begin()
	defer func() { n.stall.end(err) }()
	for i, p := range parts {
		at := n.log.read + uint64(i)
		w := write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.%d", first, i), body: p,
			part: partHeader(p, len(t.Records)), last: &at}
		if _, err = n.publish(ctx, w); err != nil {
			return err
		}
	}
	for i, p := range parts {
		n.log.count(first+uint64(i), p, size(p))
		n.log.wrote[first+uint64(i)] = true
	}
	if t.Full {
		n.log.full = first
	}
	n.fold(n.cfg.Region, t)
	return nil
}

// size is the approximate size of a part, in bytes.
func size(p merge.Transaction) (n int) {
	for _, r := range p.Records {
		n += len(r.Key) + len(r.Value) + 40
	}
	return n
}

// A stall is a write to the Region's log without an answer. Updates then fail at once. Otherwise each would wait in
// turn, or would conflict forever: a leader that has lost the other servers keeps the pending write and refuses all
// that follow.
type stall struct {
	mu     sync.Mutex
	since  time.Time // when the first write began that has no answer; zero: none
	failed time.Time // when the last one of those gave up
}

func (s *stall) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = time.Now()
	}
}

// end notes the result of a write. errConflict is not an answer: the other write may be the pending one.
func (s *stall) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.since, s.failed = time.Time{}, time.Time{}
	case !errors.Is(err, errConflict):
		s.failed = time.Now()
	case s.failed.IsZero():
		s.since = time.Time{}
	}
}

// over refuses an update shortly after a write has timed out.
func (s *stall) over() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.failed) < afterStall {
		return unavailable("write to the Region's log", errStalled)
	}
	return nil
}

// conflict returns the error for an update after another one: ErrConflict, unless that one has timed out.
func (s *stall) conflict() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() && time.Since(s.since) > writeTimeout {
		return unavailable("write to the Region's log", errStalled)
	}
	return center.ErrConflict
}
