package merge_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A place is where something stands: which message of which stream, and in which
// life a node that wrote it itself knows of it. 0: none does.
type place struct {
	s  streamID
	n  uint64
	by int
}

// An end is what ended a session, a sign-in or all sessions of a user. Unless it
// is sure, it may have happened: it was not acknowledged.
type end struct {
	place
	asOf  uint64    // how many messages there were
	until time.Time // for how long it is remembered; zero: for good
	sure  bool
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
	knew, mayKnow positions
	signedInBy    int // the life of that node
	asOf          uint64
}

// A simSignIn is what the sessions of a sign-in have in common.
type simSignIn struct{ ends []*end }

// An oracle knows what happened, where in which stream, and what follows from
// that. It knows no stamps and no epochs: only who had heard what.
type oracle struct {
	w        *world
	sessions []*simSession
	users    map[string][]*end // what ended all sessions of a user
	logs     [maxRegions]map[merge.Name]lastWord
	removed  map[string]uint64 // by user: by which message
	codes    []string
	uses     map[string]int // by what was used, and the Region
	wrong    []string       // what the world did itself
}

// lastWord is what a Region wrote, with how much of the primary's log it knew.
type lastWord struct {
	value string
	knew  uint64
}

func newOracle(w *world) *oracle {
	o := &oracle{w: w, users: map[string][]*end{}, removed: map[string]uint64{}, uses: map[string]int{}}
	for i := range o.logs {
		o.logs[i] = map[merge.Name]lastWord{}
	}
	return o
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
	e := &end{place: place{s: s, by: life}, asOf: o.w.n, until: until, sure: m != nil}
	if m != nil {
		e.n = m.n
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
	if w.maxStale == 0 {
		return
	}
	for id := range w.count {
		r, _, listed := n.memory.dir.Entry(simNames[id])
		for line := range streams {
			if t := n.heardAt[streamOf(id, line)]; id != n.r.id && listed && r.Active() && w.clock(n).Sub(t) > w.maxStale {
				o.wrong = append(o.wrong, fmt.Sprintf("%s made a session, and heard %s last at %s", n.r.name, streamOf(id, line), t))
			}
		}
	}
}

// updated notes an update that is on disk.
func (o *oracle) updated(n *simNode, t *simWrite, m uint64) {
	log, s := o.logs[n.r.id], streamOf(n.r.id, config)
	knew := n.known[streamOf(0, config)]
	if n.r.id == 0 {
		knew = m
	}
	for _, c := range t.changes {
		k := merge.Name{Kind: c.Kind, Key: c.Key}
		if !t.drafted[k] {
			continue // another Region's, which says what is left of it
		}
		was := log[k].value
		if c.Kind == center.KindUser && strings.Contains(was, `"active":true`) && !strings.Contains(string(c.Value), `"active":true`) {
			o.users[c.Key] = append(o.users[c.Key], &end{place: place{s, m, 0}, asOf: o.w.n, sure: true})
		}
		if c.Kind == center.KindUser && c.Value == nil {
			o.removed[c.Key] = m
		}
		if log[k] = (lastWord{string(c.Value), knew}); c.Value == nil {
			delete(log, k)
		}
	}
}

// hears says whether a node knows for sure of what stands in a place, and
// mayHear whether it may.
func (n *simNode) hears(p place) bool   { return n.known[p.s] >= p.n || p.by == n.life }
func (n *simNode) mayHear(p place) bool { return n.r.may[p.s] >= p.n || p.by == n.life }

// over says whether a node must know of an end of the session of which its
// sign-in did not know.
func (n *simNode) over(s *simSession, o *oracle) bool {
	must := func(e *end) bool {
		return e.sure && n.hears(e.place) && (e.until.IsZero() || n.r.latest.Before(e.until))
	}
	return slices.ContainsFunc(s.ends, must) || slices.ContainsFunc(s.in.ends, must) ||
		slices.ContainsFunc(o.users[s.UserID], func(e *end) bool { return must(e) && s.mayKnow[e.s] < e.n && e.asOf > s.asOf })
}

// mayBeOver says whether it may know of one.
func (n *simNode) mayBeOver(s *simSession, o *oracle) bool {
	may := func(e *end) bool { return !e.sure || n.mayHear(e.place) }
	return slices.ContainsFunc(s.ends, may) || slices.ContainsFunc(s.in.ends, may) ||
		slices.ContainsFunc(o.users[s.UserID], func(e *end) bool {
			return may(e) && s.knew[e.s] < e.n && (e.by != s.signedInBy || e.asOf > s.asOf)
		})
}

// check looks at one node, and returns what is wrong in it.
func (o *oracle) check(w *world, n *simNode) (wrong []string) {
	wrong, o.wrong = o.wrong, nil
	if n.life == 0 {
		return wrong
	}
	now := w.clock(n)
	for _, s := range o.sessions {
		if !n.r.latest.Before(s.Expires) || !w.now.Before(s.Expires) || !now.Before(s.Expires) {
			continue // a portal refuses it
		}
		_, alive := n.memory.sessions.Get(s.key)
		if alive && n.over(s, o) {
			wrong = append(wrong, fmt.Sprintf("alive in %s.%d after its end was heard: %+v", n.r.name, n.id, s))
		} else if !alive && s.sure && (n.readN[s.at.s] >= s.at.n || s.at.by == n.life) && !n.mayBeOver(s, o) {
			wrong = append(wrong, fmt.Sprintf("acknowledged, and lost in %s.%d: %+v", n.r.name, n.id, s))
		}
	}
	log := streamOf(n.r.id, config)
	if n.writing == nil && n.checked != n.readN[log] && n.readN[log] == n.r.disks[log].lastN {
		n.checked = n.readN[log]
		if want, got := o.own(n.r.id), n.own(); !slices.Equal(want, got) {
			wrong = append(wrong, fmt.Sprintf("log of %s: want %v, got %v", n.r.name, want, got))
		}
	}
	return wrong
}

// forget lets go of sessions that no clock takes for alive, and of ends that
// every session and sign-in left knows of or has nothing to do with.
func (o *oracle) forget(w *world) {
	o.sessions = slices.DeleteFunc(o.sessions, func(s *simSession) bool { return s.Expires.Before(w.now.Add(-simSkew)) })
	left := slices.Clone(o.sessions)
	for _, n := range w.nodes {
		left = append(left, n.signIns...)
	}
	for user, list := range o.users {
		o.users[user] = slices.DeleteFunc(list, func(e *end) bool {
			return !slices.ContainsFunc(left, func(s *simSession) bool { return s.UserID == user && (s.knew[e.s] < e.n || !e.sure) })
		})
	}
}

// own is what a Region wrote.
func (o *oracle) own(id int) []string {
	out := map[merge.Name]string{}
	for k, v := range o.logs[id] {
		out[k] = v.value
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
	_, ok := o.logs[0][merge.Name{Kind: center.KindRegion, Key: name}]
	return ok
}

// shown is what every instance shows when all is heard: what was written, with
// access only for those who are there, and who were not removed since the
// application's Region last knew.
func (o *oracle) shown() []string {
	out := map[merge.Name]string{}
	for k, v := range o.logs[0] {
		if k.Kind != center.KindApplication {
			out[k] = v.value
		}
	}
	owner := map[merge.Name]string{}
	for id, log := range o.logs {
		for k, v := range log {
			if k.Kind != center.KindApplication || !o.listed(simNames[id]) || owner[k] != "" && owner[k] < simNames[id] {
				continue
			}
			owner[k] = simNames[id]
			var a center.Application
			_ = json.Unmarshal([]byte(v.value), &a)
			before := len(a.AssignedTo)
			a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p center.Principal) bool {
				_, there := o.logs[0][merge.Name{Kind: center.KindUser, Key: p.ID}]
				return !there || o.removed[p.ID] > v.knew
			})
			if out[k] = v.value; len(a.AssignedTo) < before {
				b, _ := json.Marshal(a)
				out[k] = string(b)
			}
		}
	}
	return sorted(out)
}
