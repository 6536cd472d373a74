package replica

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/meridian-saml/meridian/portal/center"
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
}

// saw counts a message of the log.
func (l *ownLog) saw(seq uint64, p transaction, size int) {
	l.read = max(l.read, seq)
	switch {
	case !p.Full:
		l.since += size
	case p.Part == 0:
		l.size, l.since = size, 0
	default:
		l.size += size
	}
}

// journal is how updates of the instance become transactions.
type journal struct{ n *Node }

// Commit implements center.Journal.
func (j journal) Commit(region string, changes []center.Record) error {
	n := j.n
	if region != n.cfg.Region {
		return n.notHere(region)
	}
	// The reader may hold the lock and wait for the instance, which waits for us.
	if !n.applying.TryLock() {
		return center.ErrConflict
	}
	defer n.applying.Unlock()
	if len(n.touched) > 0 {
		return center.ErrConflict // known, and not shown yet
	}
	t, err := n.writeLog(n.ctx, n.draft(changes), false)
	if errors.Is(err, errConflict) {
		return center.ErrConflict
	} else if err != nil {
		return err
	}
	n.fold(region, t)
	n.took(changes)
	return nil
}

// notHere refuses an update through another Region's view of this Region's
// instance.
func (n *Node) notHere(region string) error {
	if region == n.cfg.Primary {
		return &center.Error{Reason: center.ReasonNotPrimary, What: "write", Want: "the primary Region " + quote(region), Got: n.cfg.Region, Primary: region}
	}
	return &center.Error{Reason: center.ReasonNotAppRegion, What: "write", Want: "Region " + quote(region), Got: n.cfg.Region}
}

// draft turns an update's outcome into this Region's records. The primary can't
// write other Regions' applications; where it took a principal from them, a
// record says that the principal is gone, which has the same effect.
func (n *Node) draft(changes []center.Record) []record {
	var out []record
	gone := map[string]bool{}
	for _, c := range changes {
		k := name{c.Kind, c.Key}
		if owner, _ := n.dir.application(k); c.Kind == center.KindApplication && owner != "" && owner != n.cfg.Region {
			for _, p := range removed(n.dir.shown[k], c.Value) {
				gone[goneKey(p)] = true
			}
			continue
		}
		out = append(out, record{Kind: c.Kind, Key: c.Key, Value: c.Value})
		switch {
		case c.Kind == center.KindUser && c.Value == nil:
			gone[goneKey(center.UserPrincipal(c.Key))] = true
		case c.Kind == center.KindGroup && c.Value == nil:
			gone[goneKey(center.GroupPrincipal(c.Key))] = true
		}
		if c.Kind == center.KindUser && active(n.dir.shown[k]) && !active(c.Value) {
			out = append(out, record{Kind: kindEnded, Key: c.Key})
		}
	}
	for key := range gone {
		out = append(out, record{Kind: kindGone, Key: key})
	}
	return out
}

func active(user []byte) bool {
	var u center.User
	return json.Unmarshal(user, &u) == nil && u.Active
}

// removed returns the principals that an application lost.
func removed(before, after []byte) (out []center.Principal) {
	var a, b center.Application
	if json.Unmarshal(before, &b) != nil || json.Unmarshal(after, &a) != nil {
		return nil
	}
	there := map[center.Principal]bool{}
	for _, p := range a.AssignedTo {
		there[p] = true
	}
	for _, p := range b.AssignedTo {
		if !there[p] {
			out = append(out, p)
		}
	}
	return out
}

// took notes that the instance is about to show these changes. Where the
// directory comes to something else, which takes another Region's write at the
// same moment, the clerk shows that next.
func (n *Node) took(changes []center.Record) {
	n.dir.changes(n.touched)
	n.touched = nil
	for _, c := range changes {
		k := name{c.Kind, c.Key}
		if !bytes.Equal(n.dir.shown[k], c.Value) {
			n.dir.shown[k] = c.Value
			n.touched = append(n.touched, k)
		}
	}
	n.nudge()
}

// mine says, of a message that is read, whether this Node wrote it.
func (l *ownLog) mine(seq uint64) bool {
	known := l.wrote[seq]
	maps.DeleteFunc(l.wrote, func(s uint64, _ bool) bool { return s <= seq })
	return known
}

// writeLog writes a transaction to this Region's log, and returns it when it is
// on disk. Each message is only taken if the log is exactly where this Node
// thinks it is: two nodes of a Region can't both write. The first transaction
// of a log is full, so that whoever has an older log's state lets go of it.
// The caller holds applying.
func (n *Node) writeLog(ctx context.Context, records []record, full bool) (transaction, error) {
	if n.log.unread > 0 {
		return transaction{}, &Error{Reason: ReasonCorrupt, What: "write to the Region's log", Want: "a log that can be read, as a write would hide what can't",
			Got: fmt.Sprintf("message %d", n.log.unread)}
	}
	e := n.dir.of(n.cfg.Region)
	t := transaction{Stamp: max(uint64(n.cfg.Now().UnixMicro()), e.last+1), Full: full || e.floor == 0}
	for i := range records {
		r := &records[i]
		switch r.Kind {
		case center.KindApplication:
			r.Base = t.Stamp
			if n.cfg.Region != n.cfg.Primary {
				r.Base = n.dir.of(n.cfg.Primary).last
			}
		case kindGone, kindEnded:
			r.Value = fmt.Appendf(nil, "%d", t.Stamp)
		}
	}
	t.Records = records
	if t.Full {
		t.Records = replaced(e.all(), records)
	}
	first := n.log.read + 1
	parts, err := t.parts(first)
	if err != nil {
		return t, err
	}
	for i, p := range parts {
		at := n.log.read + uint64(i)
		w := write{line: config, subject: fmt.Sprintf("tx.%d.%d", first, i), body: p, part: partHeader(p, len(t.Records)), last: &at}
		if _, err := n.put(ctx, w); err != nil {
			return t, err
		}
	}
	for i, p := range parts {
		n.log.saw(first+uint64(i), p, size(p))
		n.log.wrote[first+uint64(i)] = true
	}
	return t, nil
}

// replaced is all, with changes made.
func replaced(all, changes []record) []record {
	changed := map[name]bool{}
	for _, r := range changes {
		changed[name{r.Kind, r.Key}] = true
	}
	var out []record
	for _, r := range all {
		if !changed[name{r.Kind, r.Key}] {
			out = append(out, r)
		}
	}
	for _, r := range changes {
		if r.Value != nil {
			out = append(out, r)
		}
	}
	return out
}

// size is about how many bytes a part is.
func size(p transaction) (n int) {
	for _, r := range p.Records {
		n += len(r.Key) + len(r.Value) + 40
	}
	return n
}
