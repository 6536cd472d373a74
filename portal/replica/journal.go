package replica

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// ownLog is where this Region's log stands. The Node's applying lock guards it.
type ownLog struct {
	read  uint64          // the end of the log, as far as this Node knows
	wrote map[uint64]bool // what it wrote itself, and so knows already, and its reader has not passed
	// unread is the sequence of a message that can't be read and that no full
	// transaction has replaced. 0: there is none.
	unread uint64
	size   int // bytes of the last full transaction
	since  int // bytes after it
	padded int // of those, padding: see pad
	// full is the sequence of a full transaction before which nothing is needed.
	// 0: none, or nothing is there.
	full      uint64
	usersGone time.Time // since when there is padding to write: see outdateSessions
	// usersUpTo is the stamp of the last removal of a user, and usersErased that
	// of the last one for which padding was written.
	usersUpTo, usersErased uint64
	outdated               time.Time // since when the log holds what is to be erased; zero: it doesn't
}

// saw counts a message of the log.
func (l *ownLog) saw(seq uint64, p merge.Transaction, size int) {
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
func (j journal) Commit(region string, changes []center.Record) (err error) {
	n := j.n
	if region != n.cfg.Region {
		return n.notHere(region)
	}
	if err := n.noUpdates(); err != nil {
		return err
	}
	if err := n.stall.over(); err != nil {
		return err
	}
	removing := n.beforeRemoval(n.ctx, changes)
	defer func() { removing(err) }()
	// The reader may hold the lock and wait for the instance, which waits for us.
	if !n.applying.TryLock() {
		return n.stall.inTheWay()
	}
	defer n.applying.Unlock()
	if len(n.touched) > 0 || n.dir.Ahead(region, changes) {
		return center.ErrConflict // known, and not shown yet; or heard, and not read yet
	}
	t, err := n.writeLog(n.ctx, n.dir.Draft(region, changes), false)
	if errors.Is(err, errConflict) {
		return n.stall.inTheWay()
	} else if err != nil {
		return err
	}
	if replaces(n.instance.Load(), changes) {
		n.outdate()
	}
	n.fold(region, t)
	n.took(changes)
	return nil
}

// notHere refuses an update through another Region's view of this Region's
// instance.
func (n *Node) notHere(region string) error {
	if region == n.cfg.Primary {
		return &center.Error{Reason: center.ReasonNotPrimary, Rule: "write", Want: "the primary Region " + refusal.Quote(region), Got: n.cfg.Region, Primary: region}
	}
	return &center.Error{Reason: center.ReasonNotAppRegion, Rule: "write", Want: "Region " + refusal.Quote(region), Got: n.cfg.Region}
}

// took notes that the instance is about to show these changes. What another
// Region's write at the same moment makes of them, the maintenance applies next.
func (n *Node) took(changes []center.Record) {
	n.touched = n.dir.Took(n.touched, changes)
	n.wakeMaintenance()
}

// mine says, of a message that is read, whether this Node wrote it.
func (l *ownLog) mine(seq uint64) bool {
	known := l.wrote[seq]
	maps.DeleteFunc(l.wrote, func(s uint64, _ bool) bool { return s <= seq })
	return known
}

// writeLog writes a transaction to this Region's log, and returns it when it is
// on disk. Each message is only taken if the log is exactly where this Node
// thinks it is: two nodes of a Region can't both write. The caller holds
// applying.
func (n *Node) writeLog(ctx context.Context, records []merge.Record, full bool) (t merge.Transaction, err error) {
	if n.log.unread > 0 {
		return t, &Error{Reason: ReasonCorrupt, Rule: "write to the Region's log", Want: "a log that can be read, as a write would hide what can't",
			Got: fmt.Sprintf("message %d", n.log.unread)}
	}
	t = n.dir.Compose(n.cfg.Region, uint64(n.cfg.Now().UnixMicro()), records, full)
	first := n.log.read + 1
	parts, err := t.Parts(first)
	if err != nil {
		return t, refused(ReasonTooLarge, err)
	}
	n.ledger.foresee(n.cfg.Region, t)
	n.stall.begin()
	defer func() { n.stall.end(err) }()
	for i, p := range parts {
		at := n.log.read + uint64(i)
		w := write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.%d", first, i), body: p, part: partHeader(p, len(t.Records)), last: &at}
		if _, err = n.publish(ctx, w); err != nil {
			return t, err
		}
	}
	for i, p := range parts {
		n.log.saw(first+uint64(i), p, size(p))
		n.log.wrote[first+uint64(i)] = true
	}
	if t.Full {
		n.log.full = first
	}
	return t, nil
}

// size is about how many bytes a part is.
func size(p merge.Transaction) (n int) {
	for _, r := range p.Records {
		n += len(r.Key) + len(r.Value) + 40
	}
	return n
}
