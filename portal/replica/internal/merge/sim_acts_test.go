package merge_test

import (
	"slices"
	"time"

	contract "github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// signInOrOut makes a session or ends some, as package replica does.
func (w *world) signInOrOut(n *simNode) {
	now, s, k := w.clock(n), w.oracle.any(w.rand), w.rand.IntN(64)
	switch {
	case n.life == 0: // since the last one
		return
	case n.ends() && n.blocked():
		k = 52 + k%10 // what ends sessions is written nevertheless
	case !n.serves():
		return
	}
	switch {
	case k < 6:
		w.accept(n)
	case k < 24:
		w.proved(n)
	case k < 48:
		w.signIn(n, now)
	case s == nil:
	case k < 52:
		w.oracle.checkTouch(n, s, now)
	case k < 55:
		if v, ok := n.memory.sessions.Get(s.key); ok {
			w.end(n, &s.ends, sessions, merge.EntryEnded, merge.Entry{Key: s.key, Until: v.Expires})
		}
	case k < 56:
		for _, v := range n.memory.sessions.List(s.UserID) {
			if v.ID == s.ID && n.life > 0 {
				w.end(n, &s.ends, revoked, merge.EntryRevoked, merge.Entry{User: v.UserID, ID: v.ID, Until: v.Expires})
			}
		}
	case k < 57:
		w.logOut(n, s, now)
	case k < 60:
		until := now.Add(simLife + 2*simSkew)
		if known := n.memory.sessions.SignedOut(s.UserID, s.SignIn); until.Before(known) {
			until = known
		}
		w.end(n, &s.in.ends, revoked, merge.EntrySignedOut, merge.Entry{User: s.UserID, ID: s.SignIn, Until: until})
	case k < 62:
		w.revokeUser(n, s.UserID, now)
	case k < 63:
		w.laterEntry(n, now)
	}
}

// signIn makes a session of a sign-in that was proved, perhaps much earlier.
func (w *world) signIn(n *simNode, now time.Time) {
	if len(n.signIns) == 0 {
		return
	}
	i := w.rand.IntN(len(n.signIns))
	proved := n.signIns[i]
	if w.one(0.6) || len(n.signIns) > 5 || !now.Before(proved.Expires) {
		n.signIns = slices.Delete(n.signIns, i, i+1) // otherwise it is handed to another host too
	}
	if !now.Before(proved.Expires) {
		return
	}
	if w.stale(n) {
		w.note(n.r, "stale", proved.SignIn)
		return
	}
	v := *proved
	v.key, v.ID, v.Created, v.Seen = w.id("key-"), w.id("s-"), now, now
	v.Expires = now.Add(time.Duration(w.rand.Int64N(int64(v.Expires.Sub(now)))) + time.Second)
	session := v.Session
	e := merge.Entry{Key: v.key, Session: &session}
	m, known := w.put(n, sessions, merge.EntrySession, e, v.Expires, nil)
	if m == nil {
		return
	}
	v.at, v.sure = place{s: streamOf(n.r.id, sessions), n: m.n, subject: m.subject, until: v.Expires}, known
	if known {
		v.at.by = n.life
		n.memory.hear(arrival{region: n.r.name, kind: merge.EntrySession, entry: e})
		w.oracle.admitted(w, n)
	}
	w.oracle.sessions = append(w.oracle.sessions, &v)
}

// logOut ends what an identity provider ended: the sign-in of a session, by its
// SessionIndex, or all of the user until now.
func (w *world) logOut(n *simNode, s *simSession, now time.Time) {
	l := contract.Logout{Subject: s.Proof.Subject, Issued: w.issue(), Until: now.Add(simLife + 2*simSkew)}
	if w.one(0.7) {
		l.SessionIndexes = s.Proof.SessionIndexes
	}
	var ends []*end
	w.end(n, &ends, revoked, merge.EntryLogout, merge.Entry{Key: w.id("logout-"), Logout: &l, Until: l.Until})
	all, seen := slices.Clone(w.oracle.sessions), map[*simSignIn]bool{}
	for _, n := range w.nodes {
		all = append(all, n.signIns...)
	}
	for _, v := range all {
		if l.Ends(v.Session) && !seen[v.in] {
			seen[v.in] = true
			v.in.ends = append(v.in.ends, ends...)
		}
	}
}

// issue is an instant of the identity provider, which has none twice.
func (w *world) issue() time.Time {
	if w.issued = w.issued.Add(1); w.issued.Before(w.now) {
		w.issued = w.now
	}
	return w.issued
}

// end writes what ends sessions. It takes effect in memory first, and is
// acknowledged when it is on disk.
func (w *world) end(n *simNode, list *[]*end, line int, kind merge.EntryKind, e merge.Entry) {
	life := n.life
	n.memory.hear(arrival{region: n.r.name, kind: kind, entry: e})
	m, _ := w.put(n, line, kind, e, e.Until, nil)
	if m == nil {
		n.undurable = true
	}
	*list = append(*list, w.oracle.end(streamOf(n.r.id, line), m, life, e.Until))
}

// revokeUser counts the Region's component of a user's epoch further, in memory
// first. On disk one node alone can do so at a time.
func (w *world) revokeUser(n *simNode, id string, now time.Time) {
	s, life := streamOf(n.r.id, revoked), n.life
	least := n.memory.sessions.NextEpoch(id, n.r.name, uint64(now.Unix()))
	n.memory.hear(arrival{region: n.r.name, kind: merge.EntryUser, entry: merge.Entry{User: id, Epoch: least}})
	seq, next := uint64(0), least
	if m := n.r.disks[s].get(string(merge.EntryUser) + id); m != nil {
		seq, next = m.seq, max(least, m.entry.Epoch+1)
	}
	e := merge.Entry{User: id, Epoch: next}
	m, known := w.put(n, revoked, merge.EntryUser, e, time.Time{}, &seq)
	if known {
		n.memory.hear(arrival{region: n.r.name, kind: merge.EntryUser, entry: e})
	} else if n.life == life {
		n.undurable = true
	}
	if m == nil {
		w.n++ // what was proved before is told from what will be
	}
	ended := w.oracle.end(s, m, life, time.Time{})
	ended.epoch, ended.late = next, w.oracle.damaged && next <= n.r.counted[id]
	ended.ahead = m != nil && !known && next > least
	n.r.counted[id] = max(n.r.counted[id], next)
	w.oracle.users[id] = append(w.oracle.users[id], ended)
	if m == nil && n.life == life {
		ended.epoch, n.raised[id] = least, ended
	} else if m != nil {
		delete(n.raised, id)
	}
}

// durableEpoch makes sure that a count which a sign-in is to carry is on disk. It
// may be in this node's memory alone, and another node would count from less.
func (w *world) durableEpoch(n *simNode, user string) bool {
	raised, s := n.raised[user], streamOf(n.r.id, revoked)
	e := merge.Entry{User: user, Epoch: n.memory.sessions.Epoch(user)[n.r.name]}
	if raised == nil || e.Epoch < raised.epoch {
		return true
	}
	seq := uint64(0)
	if m := n.r.disks[s].get(string(merge.EntryUser) + user); m != nil {
		if seq = m.seq; m.entry.Epoch >= e.Epoch {
			return true
		}
	}
	m, known := w.put(n, revoked, merge.EntryUser, e, time.Time{}, &seq)
	if m != nil {
		raised.n, raised.subject, raised.epoch, raised.sure = m.n, m.subject, e.Epoch, true
		delete(n.raised, user)
	}
	return known
}
