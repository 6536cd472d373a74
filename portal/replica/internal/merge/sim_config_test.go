package merge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// configure begins an update of what is the Region's to write.
func (w *world) configure(n *simNode) {
	switch {
	case len(n.touched) > 0 || !n.serves():
		return // as a Journal: show first
	case n.suspects:
		// Package replica finds by the copy's mark that something within it was lost, and
		// serves nothing until the primary is heard and agrees: see integrity.CopyMark. What
		// is written meanwhile would claim to know all that precedes the last message.
		return
	case !n.old && w.one(0.04):
		if w.update(n, nil, false); len(n.writing.whole.Records) == 0 && !n.writing.whole.Full {
			n.writing.unreadable = true
			n.writing.parts = n.writing.parts[:1] // a part of a transaction would be in the way, too
			n.writing.parts[0].Of = 1
			w.note(n.r, "later format", "")
		}
		return
	case w.one(w.rates.compact):
		w.update(n, nil, true)
		return
	case n.r.id == 0 && w.one(w.rates.regions):
		w.update(n, w.changeRegions(n), false)
		return
	case n.r.id == 0 && w.n%20 == 7:
		w.update(n, w.changeProvider(), false)
		return
	case n.r.id == 0 && w.one(0.7):
		w.update(n, w.changeUser(n), w.one(0.05))
		return
	}
	c := center.Record{Kind: center.KindApplication, Key: simApps[w.rand.IntN(len(simApps))]}
	if a, ok := n.app(c.Key); ok && a.Region != n.r.name {
		if n.r.id == 0 && len(a.AssignedTo) > 0 { // another Region's: to take a principal from it is all that it can do
			a.AssignedTo = nil
			c.Value, _ = json.Marshal(a)
			w.update(n, []center.Record{c}, false)
		}
		return
	}
	if principal := w.user(); n.shown[merge.Name{Kind: center.KindUser, Key: principal}] != "" && w.one(0.8) {
		c.Value = fmt.Appendf(nil, `{"id":%q,"name":%q,"url":"https://a.example","region":%q,"assignedTo":[{"type":"user","id":%q}]}`,
			c.Key, w.id("app-"), n.r.name, principal)
	}
	w.update(n, []center.Record{c}, w.one(0.05))
}

var simApps = []string{"app-0", "app-1", "app-2"}

// simProviders are the identity providers that users belong to. "" is a user of a version that
// doesn't know them.
var simProviders = []string{"idp-0", "idp-1", ""}

// changeProvider lists an identity provider, or takes it from the list.
func (w *world) changeProvider() []center.Record {
	c := center.Record{Kind: center.KindIdentityProvider, Key: simProviders[w.n/20%2]}
	if w.n%3 > 0 {
		c.Value = fmt.Appendf(nil, `{"entityId":%q,"name":%q}`, c.Key, w.id("idp-name-"))
	}
	return []center.Record{c}
}

// changeUser makes, changes, moves or removes a user, who then loses all assignments,
// as in package center.
func (w *world) changeUser(n *simNode) []center.Record {
	c := center.Record{Kind: center.KindUser, Key: w.user()}
	if w.one(0.8) {
		provider := simProviders[0]
		if w.n%4 == 0 {
			provider = simProviders[1+w.n/4%2]
		}
		c.Value = fmt.Appendf(nil, `{"id":%q,"userName":%q,"identityProvider":%q,"active":%t}`, c.Key, w.id("name-"),
			provider, w.one(0.7))
		return []center.Record{c}
	}
	out := []center.Record{c}
	for _, key := range simApps {
		a, ok := n.app(key)
		if !ok || len(a.AssignedTo) == 0 || a.AssignedTo[0].ID != c.Key {
			continue
		}
		a.AssignedTo = nil
		v, _ := json.Marshal(a)
		out = append(out, center.Record{Kind: center.KindApplication, Key: key, Value: v})
	}
	return out
}

// app is an application as the node's instance shows it.
func (n *simNode) app(key string) (a center.Application, ok bool) {
	v, ok := n.shown[merge.Name{Kind: center.KindApplication, Key: key}]
	_ = json.Unmarshal([]byte(v), &a)
	return a, ok
}

// update begins to write what changed.
func (w *world) update(n *simNode, changes []center.Record, full bool) {
	w.write(n, n.memory.dir.Draft(n.r.name, changes), changes, full)
}

func (w *world) write(n *simNode, records []merge.Record, changes []center.Record, full bool) {
	records, strict := w.laterRecords(n, records)
	tx := n.memory.dir.Compose(n.r.name, uint64(w.clock(n).UnixMicro()), records, full)
	tx.First = n.logEnd + 1
	n.memory.sessions.Foresee(n.r.name, tx)
	w.oracle.foresees(n, changes)
	n.writing = &simWrite{whole: tx, changes: changes, strict: strict, drafted: map[merge.Name]bool{}}
	n.writing.truth = &simUpdate{before: n.r.update, changes: changes}
	for _, r := range records {
		n.writing.drafted[merge.Name{Kind: r.Kind, Key: r.Key}] = true
	}
	of := 1 + w.rand.IntN(3) // cut anywhere
	for part := range of {
		from, to := part*len(tx.Records)/of, (part+1)*len(tx.Records)/of
		n.writing.parts = append(n.writing.parts, merge.Transaction{Stamp: tx.Stamp, Full: tx.Full, First: tx.First,
			Part: part, Of: of, Records: tx.Records[from:to:to]})
	}
	w.note(n.r, "update", len(tx.Records))
}

// goOn writes the next part, if the log ends where the node takes it to. With
// the last part the update has happened, whether or not that is acknowledged.
func (w *world) goOn(n *simNode) {
	s, t := streamOf(n.r.id, config), n.writing
	d := n.r.disks[s]
	if n.r.full || n.r.stopped() || d.last != n.logEnd+uint64(t.done) {
		w.note(n.r, map[bool]string{true: "write refused", false: "conflict"}[n.r.full || n.r.stopped()], "update")
		n.writing = nil
		return
	}
	p := t.parts[t.done]
	t.done++
	w.n++
	m := &message{seq: d.last + 1, n: w.n, tx: p, unreadable: t.unreadable}
	if t.done == len(t.parts) {
		m.update, t.truth.n, t.truth.before = t.truth, w.n, n.r.update
	}
	d.write(m.seal(), time.Time{}, nil)
	n.r.stamped = max(n.r.stamped, p.Stamp)
	if t.done < len(t.parts) {
		if w.one(0.02) {
			w.crash(n, "between parts")
		}
		return
	}
	n.writing = nil
	w.oracle.updated(n, t)
	n.r.identity.Whole = true
	switch {
	case w.one(0.1): // before it gets any further
		w.crash(n, "after its write")
		return
	case w.one(0.05):
		w.note(n.r, "acknowledgement lost", "update")
		return
	}
	n.touched = append(n.touched, n.memory.hear(arrival{region: n.r.name, tx: &t.whole})...)
	for seq := n.logEnd + 1; seq <= d.last; seq++ {
		n.wrote[seq] = true
	}
	n.logEnd, n.r.may[s] = d.last, w.n
	n.knows(s, n.r.history.upTo(w.n))
	n.apply(s, len(d.messages)) // which passes over them
	if len(t.changes) > 0 {
		n.tell(t.changes)
		n.touched = n.memory.dir.Took(n.touched, t.changes)
	}
}

// gone returns when a server drops a message: after its time to live, by the
// clock of the node that wrote it.
func (w *world) gone(n *simNode, m *message) time.Time {
	if m.until.IsZero() {
		return m.until
	}
	return w.now.Add(max(time.Second, m.until.Sub(w.clock(n))))
}

// put writes an entry to the Region's own stream. Where the subject must be new,
// or have a given sequence, another node may have been faster. It says whether
// the entry is on disk, and whether the node hears of that.
func (w *world) put(n *simNode, line int, kind merge.EntryKind, e merge.Entry, until time.Time,
	expect *uint64) (m *message, known bool) {
	subject := fmt.Sprint(kind, e.Key, " ", e.User, " ", e.ID)
	if kind == merge.EntryUser {
		subject = fmt.Sprint(kind, e.User)
	}
	d := n.r.disks[streamOf(n.r.id, line)]
	if n.r.full || n.r.stopped() {
		w.note(n.r, "write refused", kind)
		return nil, false
	}
	if expect != nil && d.at[subject] != *expect {
		w.note(n.r, "conflict", kind)
		return nil, false
	}
	w.n++
	m = &message{seq: d.last + 1, n: w.n, subject: subject, kind: kind, entry: e, until: until,
		unreadable: kind == simLaterEntry && !e.Optional && w.one(0.3)}
	if !until.IsZero() {
		m.until = until.Add(simSkew)
	}
	d.write(m.seal(), w.gone(n, m), nil)
	w.note(n.r, string(kind), e.Key+e.User+e.ID)
	switch {
	case w.one(0.01):
		w.crash(n, "after its write")
		return m, false
	case w.one(0.02):
		w.note(n.r, "acknowledgement lost", kind)
		return m, false
	}
	return m, true
}

// sorted is a map as lines, for comparing.
func sorted(m map[merge.Name]string) (out []string) {
	for k, v := range m {
		out = append(out, fmt.Sprintf("%s %s %s", k.Kind, k.Key, v))
	}
	slices.Sort(out)
	return out
}
