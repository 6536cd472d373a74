package merge_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// configure begins an update of what is the Region's to write.
func (w *world) configure(r *simRegion) {
	if len(r.touched) > 0 {
		return // as a Journal: show first
	}
	if w.one(0.05) {
		w.update(r, nil, true)
		return
	}
	c := center.Record{Kind: center.KindApplication, Key: fmt.Sprint("app-", w.rand.IntN(4))}
	if r.name == virginia && w.one(0.7) {
		c.Kind, c.Key = center.KindUser, w.user()
		c.Value = fmt.Appendf(nil, `{"id":%q,"userName":%q,"active":%t}`, c.Key, w.id("name-"), w.one(0.7))
	} else {
		if owner := r.owner(c.Key); owner != "" && owner != r.name {
			return // another Region's
		}
		principal := w.user()
		if r.shows(center.KindUser, principal) != "" {
			c.Value = fmt.Appendf(nil, `{"id":%q,"name":%q,"url":"https://a.example","region":%q,"assignedTo":[{"type":"user","id":%q}]}`,
				c.Key, w.id("app-"), r.name, principal)
		}
	}
	if w.one(0.2) {
		c.Value = nil
	}
	w.update(r, []center.Record{c}, false)
}

// say writes an entry, which has happened then.
func (w *world) say(r *simRegion, stream int, kind merge.EntryKind, e merge.Entry, until time.Time) (seq uint64) {
	s := streamOf{r.name, stream}
	m := message{seq: r.disks[s].last + 1, subject: fmt.Sprint(kind, e.Key, " ", e.User, " ", e.ID), until: until, kind: kind, entry: e}
	if !until.IsZero() {
		m.until = until.Add(simSkew)
	}
	if kind == merge.EntryUser {
		m.subject = fmt.Sprint(kind, e.User)
	}
	r.disks[s].write(m)
	r.memory.hear(arrival{region: r.name, kind: kind, entry: e})
	r.read[s], r.heard[s] = m.seq, m.seq
	w.note(r, string(kind), fmt.Sprint(e.Key, e.User, e.ID))
	return m.seq
}

// signInOrOut makes a session or ends some, as package replica does.
func (w *world) signInOrOut(r *simRegion) {
	now := w.clock(r)
	s := w.oracle.any(w.rand)
	switch n := w.rand.IntN(20); {
	case n < 5: // a sign-in is proved, and knows what ended until now
		u := w.user()
		v := simSession{knew: w.oracle.notice(r), mayKnow: r.may()}
		v.Session = merge.Session{SignIn: w.id("in-"), UserID: u, Region: r.name, Expires: now.Add(simLife), Epoch: r.memory.sessions.Epoch(u)}
		r.signIns = append(r.signIns, v)
	case n < 12 && len(r.signIns) > 0: // and has its session, perhaps much later
		i := w.rand.IntN(len(r.signIns))
		v := r.signIns[i]
		if w.one(0.6) || len(r.signIns) > 5 || !now.Before(v.Expires) {
			r.signIns = slices.Delete(r.signIns, i, i+1) // otherwise it is handed to another host too
		}
		if !now.Before(v.Expires) {
			return
		}
		v.key, v.ID, v.Created, v.Seen = w.id("key-"), w.id("s-"), now, now
		v.Expires = now.Add(time.Duration(w.rand.Int64N(int64(v.Expires.Sub(now)))) + time.Second)
		session := v.Session
		v.seq = w.say(r, sessions, merge.EntrySession, merge.Entry{Key: v.key, Session: &session}, v.Expires)
		w.oracle.sessions = append(w.oracle.sessions, &v)
	case s == nil:
	case n < 15:
		r.memory.sessions.Touch(s.key, now, time.Minute)
	case n < 16:
		if v, ok := r.memory.sessions.Get(s.key); ok {
			seq := w.say(r, sessions, merge.EntryEnded, merge.Entry{Key: s.key, Until: v.Expires}, v.Expires)
			w.oracle.ended("key "+s.key, streamOf{r.name, sessions}, seq)
		}
	case n < 17:
		for _, v := range r.memory.sessions.List(s.UserID) {
			if v.ID == s.ID {
				seq := w.say(r, revoked, merge.EntryRevoked, merge.Entry{User: v.UserID, ID: v.ID, Until: v.Expires}, v.Expires)
				w.oracle.ended("id "+v.UserID+" "+v.ID, streamOf{r.name, revoked}, seq)
			}
		}
	case n < 18:
		until := now.Add(simLife + 2*simSkew)
		if known := r.memory.sessions.SignedOut(s.UserID, s.SignIn); until.Before(known) {
			until = known
		}
		seq := w.say(r, revoked, merge.EntrySignedOut, merge.Entry{User: s.UserID, ID: s.SignIn, Until: until}, until)
		w.oracle.ended("in "+s.UserID+" "+s.SignIn, streamOf{r.name, revoked}, seq)
	case n < 19:
		next := max(r.memory.sessions.Epoch(s.UserID)[r.name]+1, uint64(now.Unix()))
		seq := w.say(r, revoked, merge.EntryUser, merge.Entry{User: s.UserID, Epoch: next}, time.Time{})
		w.oracle.endedFor(s.UserID, streamOf{r.name, revoked}, seq)
	}
}
