package merge_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A place is where something was written: which message of which stream, and in which
// life a node that wrote it itself knows of it. 0: none does.
type place struct {
	s       streamID
	n       uint64
	by      int
	subject string
	until   time.Time // until when it is remembered; zero: forever
	update  *simUpdate
	epoch   uint64 // of an end of all sessions of a user: the Region's count; 0: none
}

// A simUpdate is an update that is on disk, after another one there.
type simUpdate struct {
	n       uint64
	before  *simUpdate
	changes []center.Record
	log     map[merge.Name]lastWord // what the log says then
	removed map[string]uint64
	gone    []string // the users whom it removed from the directory or from another Region's application
	stamp   uint64
	full    bool
	ended   []merge.Name // the users whom it disabled or removed, and the Regions
	knew    spans        // which messages of its Region are before it
}

// includes says whether a log that ends with this update has another one.
func (t *simUpdate) includes(o *simUpdate) bool {
	for t != nil && t != o && t.n >= o.n {
		t = t.before
	}
	return t == o
}

// carries says whether a log that has this update's message has what another one
// did: it is the same, or a whole state that knew of it. What was written in between may
// be lost.
func (t *simUpdate) carries(o *simUpdate) bool {
	return t == o || t != nil && t.full && t.knew.has(o.n) && t.includes(o)
}

// An end is what ended a session, a sign-in or all sessions of a user. Unless it
// is sure, it may have happened: it was not acknowledged.
type end struct {
	place
	asOf  uint64 // how many messages there were
	sure  bool
	stamp uint64 // of the transaction that disabled the user; 0: none did
	// late: counted by a clock that is behind, where a higher count was lost that
	// sessions may carry. It may end less.
	late bool
	// ahead: another node had counted further on disk, and the node that wrote this
	// did not hear that it was written. What that node counts in memory ends less,
	// until it reads this from disk.
	ahead bool
}

// A simSession is a session, or a sign-in that has none yet.
type simSession struct {
	merge.Session
	key  string
	at   place
	sure bool // it was acknowledged
	in   *simSignIn
	ends []*end
	// How far its node had heard the others for sure when its sign-in was proved,
	// and how far it may have.
	knew       histories
	mayKnow    positions
	signedInBy int // the life of that node
	asOf       uint64
}

// A simSignIn is what the sessions of a sign-in have in common.
type simSignIn struct{ ends []*end }

// An oracle knows what happened, where in which stream, and what follows from
// that. It knows no stamps and no epochs: only which node had heard what.
type oracle struct {
	w        *world
	sessions []*simSession
	users    map[string][]*end // what ended all sessions of a user
	codes    []string
	knew     map[string]spans // by the value of an application, which is written once
	told     map[string]spans // by any value that is written once: what was known to its Region
	uses     map[string]int   // by what was used, and the Region
	removals [maxRegions][]*removed
	entered  [maxRegions]uint64    // the highest stamp of each Region's entry, in any history of the primary's log
	strict   [maxRegions][]*strict // in each Region's log
	entries  []*end                // those of a later version that may not be skipped
	damaged  bool                  // something happened to a disk
	forked   bool                  // the primary was put together from two histories
	lossy    bool                  // something that was acknowledged is lost
	wrong    []string              // what the world did itself
}

// lastWord is what a Region wrote, with how much of the primary's log it knew.
type lastWord struct {
	value string
	knew  spans
	n     uint64
	stamp uint64
}

func newOracle(w *world) *oracle {
	return &oracle{w: w, users: map[string][]*end{}, knew: map[string]spans{}, told: map[string]spans{},
		uses: map[string]int{}}
}

// any picks a session, or none.
func (o *oracle) any(r *rand.Rand) *simSession {
	if len(o.sessions) == 0 {
		return nil
	}
	return o.sessions[r.IntN(len(o.sessions))]
}

// end notes an end that is on disk, or is not: then m is nil. In the life that
// wrote it, it is in effect.
func (o *oracle) end(s streamID, m *message, life int, until time.Time) *end {
	e := &end{place: place{s: s, by: life, until: until}, asOf: o.w.n, sure: m != nil}
	if m != nil {
		e.n, e.subject = m.n, m.subject
	}
	return e
}

// accepts counts what one node of a Region may use once.
func (o *oracle) accepts(r *simRegion, what string) {
	k := what + " in " + r.name
	if o.uses[k]++; o.uses[k] > 1 {
		o.wrong = append(o.wrong, "accepted twice: "+k)
	}
}

// admitted looks at a node that has just made a session.
func (o *oracle) admitted(w *world, n *simNode) {
	for id := range w.count {
		r, _, listed := n.memory.dir.Entry(simNames[id])
		for line := range streams {
			if t := n.heardAt[streamOf(id, line)]; id != n.r.id && listed && r.Active() && w.clock(n).Sub(t) > w.maxStale {
				o.wrong = append(o.wrong, fmt.Sprintf("%s made a session, and heard %s last at %s", n.r.name, streamOf(id, line),
					t))
			}
		}
	}
}

// updated notes an update that is on disk.
func (o *oracle) updated(n *simNode, t *simWrite) {
	r, done := n.r, t.truth
	r.update = done
	done.stamp, done.full, done.knew = t.whole.Stamp, t.whole.Full, r.history.upTo(done.n)
	knew := n.known[streamOf(0, config)]
	if r.id == 0 {
		knew = spans{{0, done.n}}
	}
	for _, c := range t.changes {
		k := merge.Name{Kind: c.Kind, Key: c.Key}
		if !t.drafted[k] { // another Region's application, without the principal
			if a, ok := n.app(c.Key); ok && len(a.AssignedTo) > 0 {
				done.gone = append(done.gone, a.AssignedTo[0].ID)
			}
			continue
		}
		was := r.log[k].value
		if c.Kind == center.KindUser && endsAccess(was, string(c.Value)) {
			e := &end{place: place{s: streamOf(r.id, config), n: done.n, update: done}, asOf: o.w.n, sure: true,
				stamp: t.whole.Stamp}
			o.users[c.Key] = append(o.users[c.Key], e)
			done.ended = append(done.ended, k)
		}
		if c.Kind == center.KindUser && c.Value == nil {
			done.gone = append(done.gone, c.Key)
		}
		o.knew[string(c.Value)] = knew
		if r.log[k] = (lastWord{string(c.Value), knew, done.n, t.whole.Stamp}); c.Value == nil {
			delete(r.log, k)
		}
		if o.told[string(c.Value)] = done.knew; c.Kind == center.KindRegion {
			o.relisted(r, c, done, t.whole.Stamp)
		}
	}
	for _, id := range done.gone {
		r.removed[id] = done.n
	}
	o.wroteLater(r, t, done)
	done.log, done.removed = maps.Clone(r.log), maps.Clone(r.removed)
}

// hears says whether a node knows for sure of what is at a place, and
// mayHear whether it may.
func (n *simNode) hears(p place) bool   { return n.known[p.s].has(p.n) || p.by == n.life }
func (n *simNode) mayHear(p place) bool { return n.r.may[p.s] >= p.n || p.by == n.life }

// endsAccess says whether a change of a user ends all sessions: the user is disabled, removed,
// or moved from one identity provider to another.
func endsAccess(was, now string) bool {
	const active = `"active":true`
	if strings.Contains(was, active) && !strings.Contains(now, active) {
		return true
	}
	for _, provider := range simProviders[:2] {
		of := fmt.Sprintf(`"identityProvider":%q`, provider)
		if strings.Contains(was, of) && now != "" && !strings.Contains(now, of) {
			return true
		}
	}
	return false
}

// foresees notes that an update may end sessions of users, as it is about to.
func (o *oracle) foresees(n *simNode, changes []center.Record) {
	for _, c := range changes {
		if c.Kind == center.KindUser && endsAccess(n.shown[merge.Name{Kind: c.Kind, Key: c.Key}], string(c.Value)) {
			o.users[c.Key] = append(o.users[c.Key], &end{place: place{s: streamOf(n.r.id, config), by: n.life}, asOf: o.w.n})
			n.undurable = true
		}
	}
}

// over says whether a node must know of an end of the session of which its
// sign-in did not know.
func (n *simNode) over(s *simSession, o *oracle) bool {
	must := func(e *end) bool {
		return e.sure && n.hears(e.place) && (e.until.IsZero() || n.r.latest.Before(e.until))
	}
	return o.departed(n, s) || o.unread(n, s) || slices.ContainsFunc(s.ends, must) ||
		slices.ContainsFunc(s.in.ends, must) ||
		slices.ContainsFunc(o.users[s.UserID], func(e *end) bool {
			return !e.late && must(e) && (!e.ahead || n.known[e.s].has(e.n)) && s.mayKnow[e.s] < e.n && e.asOf > s.asOf
		})
}

// mayBeOver says whether it may know of one. What never got to disk counts in the
// life of the node that wrote it. Other nodes may still know what was lost.
func (n *simNode) mayBeOver(s *simSession, o *oracle) bool {
	may := func(e *end) bool {
		if !e.sure {
			return e.n > 0 || e.by == n.life
		}
		return n.mayHear(e.place)
	}
	return o.mayBeDeparted(n, s) || o.mayBeUnread(n, s) || slices.ContainsFunc(s.ends, may) ||
		slices.ContainsFunc(s.in.ends, may) ||
		slices.ContainsFunc(o.users[s.UserID], func(e *end) bool {
			switch {
			case !may(e):
				return false
			case !e.sure && e.n == 0:
				return e.epoch > 0 || s.at.n <= e.asOf // a disabling that was about to be
			case !e.sure:
				return !o.outdone(e, s)
			}
			return !s.knew[e.s].has(e.n) && (e.by != s.signedInBy || e.asOf > s.asOf)
		})
}

// outdone says whether a session knows of a later end of the same Region: then
// one that was lost makes no difference to it.
func (o *oracle) outdone(e *end, s *simSession) bool {
	return slices.ContainsFunc(o.users[s.UserID], func(l *end) bool {
		return l.sure && l.s == e.s && l.epoch >= e.epoch && l.stamp >= e.stamp && (l.epoch > 0) == (e.epoch > 0) &&
			s.knew[l.s].has(l.n)
	})
}

// check looks at one node, and returns what is wrong in it.
func (o *oracle) check(w *world, n *simNode) (wrong []string) {
	wrong, o.wrong = o.wrong, nil
	if n.life == 0 {
		return wrong
	}
	if w.healthy(n) && (n.r.stopped() || n.r.full && w.now.Sub(n.r.fullAt) > 2*simProbe) {
		wrong = append(wrong, fmt.Sprintf("%s.%d says that it is healthy", n.r.name, n.id))
	}
	if what := o.mustBlock(n); n.serves() && what != "" {
		wrong = append(wrong, fmt.Sprintf("%s.%d serves, and can't read %s", n.r.name, n.id, what))
	}
	now := w.clock(n)
	for _, s := range o.sessions {
		if !n.r.latest.Before(s.Expires) || !w.now.Before(s.Expires) || !now.Before(s.Expires) {
			continue // a portal refuses it
		}
		_, alive := n.memory.sessions.Get(s.key)
		wrong = append(wrong, n.checkEnded(s, alive, o)...)
		if alive && n.over(s, o) {
			wrong = append(wrong, fmt.Sprintf("alive in %s.%d after its end was heard: %s", n.r.name, n.id, n.describe(s, o)))
		} else if !alive && s.sure && n.hears(s.at) && !n.mayBeOver(s, o) {
			wrong = append(wrong, fmt.Sprintf("acknowledged, and lost in %s.%d: %s", n.r.name, n.id, n.describe(s, o)))
		}
	}
	if len(n.touched) == 0 && n.writing == nil && (w.one(0.05) || o.contested()) {
		wrong = append(wrong, n.checkShown()...)
	}
	log := streamOf(n.r.id, config)
	known := n.r.flaw == "" || w.settling // its followers show it what it lacks
	if n.writing == nil && known && !n.r.stopped() && n.checked != n.readN[log] && n.readN[log] == n.r.disks[log].lastN {
		n.checked = n.readN[log]
		if want, got := n.r.wrote(n.memory.dir.Standing(n.r.name).Removed), n.own(); !slices.Equal(want, got) {
			wrong = append(wrong, fmt.Sprintf("log of %s: want %v, got %v", n.r.name, minus(want, got), minus(got, want)))
		}
	}
	return wrong
}

// forget drops sessions that are over by every clock, and ends that
// every session and sign-in left knows of or has nothing to do with.
func (o *oracle) forget(w *world) {
	o.sessions = slices.DeleteFunc(o.sessions, func(s *simSession) bool { return s.Expires.Before(w.now.Add(-simSkew)) })
	left := slices.Clone(o.sessions)
	for _, n := range w.nodes {
		left = append(left, n.signIns...)
	}
	for user, list := range o.users {
		last := map[streamID]*end{} // a Region that loses its disk no longer knows of it
		for _, e := range list {
			if e.n > 0 {
				last[e.s] = e
			}
		}
		o.users[user] = slices.DeleteFunc(list, func(e *end) bool {
			if !e.sure { // it was in memory alone; others may still know what was lost
				return e.n == 0 || !slices.ContainsFunc(left, func(s *simSession) bool {
					return s.UserID == user &&
						!o.outdone(e, s)
				}) && last[e.s] != e
			}
			return e != last[e.s] && !w.departing(e.s.region()) && !slices.ContainsFunc(left,
				func(s *simSession) bool { return s.UserID == user && !s.knew[e.s].has(e.n) })
		})
	}
}

// wrote is what a Region wrote, after a removal.
func (r *simRegion) wrote(removed uint64) []string {
	out := map[merge.Name]string{}
	for k, v := range r.log {
		if r.id == 0 || v.stamp > removed {
			out[k] = v.value
		}
	}
	return sorted(out)
}

// own is what a node knows of its Region's log.
func (n *simNode) own() []string {
	out := map[merge.Name]string{}
	for _, f := range n.memory.dir.Facts() {
		of, name, _ := strings.Cut(strings.TrimPrefix(f.Key, "log "), " ")
		kind, key, _ := strings.Cut(name, " ")
		switch k := center.Kind(kind); k {
		case merge.KindGone, merge.KindEnded, merge.KindReplicated:
		default:
			if of == n.r.name {
				out[merge.Name{Kind: k, Key: key}] = string(f.Value.([]any)[2].(json.RawMessage))
			}
		}
	}
	return sorted(out)
}

func (o *oracle) listed(name string) bool {
	_, ok := o.w.all[0].log[merge.Name{Kind: center.KindRegion, Key: name}]
	return ok
}

// shown is what every instance shows when all is heard: what was written, with
// access only for principals that exist, and that were not removed since the
// application's Region last knew. Nodes of an older version don't show the
// applications of a log that they can't read.
func (o *oracle) shown(old bool) []string {
	out, first := map[merge.Name]string{}, o.w.all[0]
	for k, v := range first.log {
		if k.Kind != center.KindApplication && k.Kind != merge.KindRemoved && k.Kind != simLater {
			out[k] = v.value
		}
	}
	owner := map[merge.Name]string{}
	for _, r := range o.w.all {
		if old && r.id > 0 && (r.isStrict() || o.missed(r)) {
			continue
		}
		for k, v := range r.log {
			if k.Kind != center.KindApplication || !o.listed(r.name) || r.id > 0 && v.stamp <= first.removedAt(r.name) ||
				owner[k] != "" && owner[k] < r.name {
				continue
			}
			owner[k] = r.name
			var a center.Application
			_ = json.Unmarshal([]byte(v.value), &a)
			before := len(a.AssignedTo)
			a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p center.Principal) bool {
				_, there := first.log[merge.Name{Kind: center.KindUser, Key: p.ID}]
				gone, ever := first.removed[p.ID]
				return !there || ever && !v.knew.has(gone)
			})
			if out[k] = v.value; len(a.AssignedTo) < before {
				b, _ := json.Marshal(a)
				out[k] = string(b)
			}
		}
	}
	return sorted(out)
}
