package merge_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Kinds of record and of entry that nodes of an older version don't know. Of
// both there are some that may be skipped and some that may not.
const (
	simLater      center.Kind     = "later"
	simLaterEntry merge.EntryKind = "later"
)

// simFormat is what an older version can't read at all.
const simFormat = "format 2"

// simStrict is the record that may not be skipped.
var simStrict = merge.Name{Kind: simLater, Key: "strict"}

// laterRecords adds what nodes of a later version alone know to a transaction.
func (w *world) laterRecords(n *simNode, records []merge.Record) (all []merge.Record, strict *merge.Record) {
	if n.old {
		return records, nil
	}
	if n.r.id == 0 && w.one(0.2) {
		records = append(records, merge.Record{Kind: simLater, Key: w.user(), Value: fmt.Appendf(nil, "%q", w.id("later-")),
			Optional: true})
		w.note(n.r, "later kind", "")
	}
	switch there := n.r.isStrict(); {
	case there && w.one(0.4):
		strict = &merge.Record{Kind: simLater, Key: simStrict.Key}
	case !there && !w.settling && w.one(0.04):
		strict = &merge.Record{Kind: simLater, Key: simStrict.Key, Value: []byte("1")}
		w.note(n.r, "later kind that counts", "")
	default:
		return records, nil
	}
	return append(records, *strict), strict
}

// isStrict says whether the Region's log holds what an older version can't read.
func (r *simRegion) isStrict() bool { return r.log[simStrict].value != "" }

// laterEntry writes an entry that nodes of a later version alone know. It matters
// for a few minutes.
func (w *world) laterEntry(n *simNode, now time.Time) {
	if n.old || w.one(0.6) {
		return
	}
	e := merge.Entry{Key: w.id("later-"), Until: now.Add(time.Duration(1+w.rand.IntN(5)) * time.Minute),
		Optional: w.one(0.5)}
	life := n.life
	m, known := w.put(n, revoked, simLaterEntry, e, e.Until, nil)
	if m == nil || e.Optional {
		return
	}
	w.note(n.r, "later entry that counts", e.Key)
	if known {
		n.memory.hear(arrival{region: n.r.name, kind: simLaterEntry, entry: e})
	}
	w.oracle.entries = append(w.oracle.entries, w.oracle.end(streamOf(n.r.id, revoked), m, life, e.Until))
	w.oracle.entries = slices.DeleteFunc(w.oracle.entries,
		func(e *end) bool { return e.until.Before(w.now.Add(-simLife)) })
}

// unread says of whose log a node can't read all: the primary's, or its own.
func (n *simNode) unread() (primary, own bool) {
	if n.life == 0 {
		return false, false
	}
	_, primary = n.memory.dir.Unread(simNames[0])
	_, own = n.memory.dir.Unread(n.r.name)
	return primary, own
}

// blocked says whether a node doesn't serve because it can't read all.
func (n *simNode) blocked() bool {
	primary, own := n.unread()
	_, _, entries := n.memory.sessions.Unread()
	return primary || own || entries
}

// A strict is a record that an older version may not skip, from one update to
// another.
type strict struct {
	end
	unreadable bool    // a message: until the next whole state
	gone       []place // where it was taken out: in one history, or in several
}

// wroteLater notes what an update says about records of a later version.
func (o *oracle) wroteLater(r *simRegion, t *simWrite, done *simUpdate) {
	for _, rec := range t.whole.Records { // an optional one is never removed
		if rec.Kind == simLater && rec.Optional {
			r.log[merge.Name{Kind: simLater, Key: rec.Key}] = lastWord{string(rec.Value), nil, done.n, t.whole.Stamp}
		}
	}
	at := place{s: streamOf(r.id, config), n: done.n, update: done}
	switch {
	case t.unreadable:
		o.strict[r.id] = append(o.strict[r.id], &strict{end: end{place: at, asOf: o.w.n, sure: true}, unreadable: true})
	case t.whole.Full:
		o.wroteWhole(r, at)
	}
	if t.strict == nil {
		return
	}
	if t.strict.Value != nil {
		r.log[simStrict] = lastWord{"1", nil, done.n, t.whole.Stamp}
		o.strict[r.id] = append(o.strict[r.id], &strict{end: end{place: at, asOf: o.w.n, sure: true}})
		return
	}
	delete(r.log, simStrict)
	for _, s := range o.strict[r.id] {
		if !o.takenOut(s) && !s.unreadable {
			s.gone = append(s.gone, at)
		}
	}
}

// missed says whether a Region's log holds a message that an older version can't
// read.
func (o *oracle) missed(r *simRegion) bool {
	return slices.ContainsFunc(o.strict[r.id], func(s *strict) bool { return s.unreadable && s.sure && !o.takenOut(s) })
}

// takenOut says whether what an older version can't read is no longer in the log. In
// an older copy of the log that was put back it is there again, if it was taken out
// after that copy was made.
func (o *oracle) takenOut(s *strict) bool {
	history := o.w.all[s.s.region()].history
	return len(s.gone) > 0 && (!history.has(s.n) || slices.ContainsFunc(s.gone,
		func(at place) bool { return history.has(at.n) }))
}

// wroteWhole notes that what couldn't be read no longer counts, nor what a recovery
// has left out.
func (o *oracle) wroteWhole(r *simRegion, at place) {
	for _, s := range o.strict[r.id] {
		if !o.takenOut(s) && (s.unreadable || !r.isStrict()) {
			s.gone = append(s.gone, at)
		}
	}
}

// mustBlock says what a node of an older version knows of for sure, can't read
// and that counts, and mayBlock whether it may.
func (o *oracle) mustBlock(n *simNode) string {
	if !n.old {
		return ""
	}
	for _, s := range slices.Concat(o.strict[0], o.strict[n.r.id]) {
		if s.sure && n.hears(s.place) && !slices.ContainsFunc(s.gone, n.mayHear) && !o.mayBeVoid(n, s) {
			return fmt.Sprintf("message %d of %s", s.n, s.s)
		}
	}
	for _, e := range o.entries {
		if o.mustRead(n, e) && !o.mayBeGone(n, e.s.region()) {
			return fmt.Sprintf("message %d of %s, until %s", e.n, e.s, e.until.Format("15:04:05"))
		}
	}
	return ""
}

func (o *oracle) mayBlock(n *simNode) bool {
	log := func(s *strict) bool {
		return !s.sure || n.mayHear(s.place) && !(o.takenOut(s) && slices.ContainsFunc(s.gone, n.hears))
	}
	return n.old && (o.w.all[0].isStrict() || n.r.isStrict() || slices.ContainsFunc(o.strict[0], log) ||
		slices.ContainsFunc(o.strict[n.r.id], log) ||
		slices.ContainsFunc(o.entries, func(e *end) bool { return !e.sure || n.mayHear(e.place) }))
}

func (o *oracle) mustRead(n *simNode, e *end) bool {
	return e.sure && n.hears(e.place) && n.r.latest.Before(e.until) && o.w.now.Before(e.until)
}

// mayBeVoid says whether what a Region wrote may be void, because it was removed
// since.
func (o *oracle) mayBeVoid(n *simNode, s *strict) bool {
	return slices.ContainsFunc(o.removals[s.s.region()], func(r *removed) bool { return !r.sure || n.mayHear(r.place) })
}

// mustBeGone says whether a node knows for sure that a Region was removed, and
// can't know that it is back.
func (o *oracle) mustBeGone(n *simNode, id int) bool {
	return slices.ContainsFunc(o.removals[id], func(r *removed) bool {
		return r.sure && !r.again && n.hears(r.place) && (r.back.n == 0 || !n.mayHear(r.back))
	})
}

// mayBeGone says whether a node may take a Region for removed.
func (o *oracle) mayBeGone(n *simNode, id int) bool {
	return !o.listed(simNames[id]) || slices.ContainsFunc(o.removals[id], func(r *removed) bool {
		return (!r.sure || n.mayHear(r.place)) && (r.back.n == 0 || !n.hears(r.back))
	})
}

// unread says whether a session may have been ended by what a removed Region
// wrote and an older version can't read: then that version must end it.
// mayBeUnread says whether it may.
func (o *oracle) unread(n *simNode, s *simSession) bool {
	return n.old && slices.ContainsFunc(o.entries, func(e *end) bool {
		return o.mustRead(n, e) && slices.ContainsFunc(o.removals[e.s.region()], func(r *removed) bool {
			return r.sure && !r.again && n.hears(r.place) && (r.back.n == 0 || !n.mayHear(r.back)) &&
				s.Created.UnixMicro() <= int64(r.stamp)
		})
	})
}

func (o *oracle) mayBeUnread(n *simNode, s *simSession) bool {
	return n.old && slices.ContainsFunc(o.entries, func(e *end) bool {
		return (!e.sure || n.mayHear(e.place)) && slices.ContainsFunc(o.removals[e.s.region()], func(r *removed) bool {
			return (!r.sure || n.mayHear(r.place)) && s.Created.UnixMicro() <= int64(r.stamp)
		})
	})
}
