package merge_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A simSession is a session that was acknowledged.
type simSession struct {
	merge.Session
	key string
	seq uint64
	// How far its Region had heard the others for sure when its sign-in was
	// proved, and how far it may have.
	knew, mayKnow map[streamOf]uint64
}

// names is by what the session alone, or its sign-in, can be ended.
func (s *simSession) names() []string {
	return []string{"key " + s.key, "id " + s.UserID + " " + s.ID, "in " + s.UserID + " " + s.SignIn}
}

// An oracle knows what happened, where in which stream, and what follows from
// that. It knows no stamps and no epochs: only who had heard what.
type oracle struct {
	sessions []*simSession
	ends     map[string][]at                    // by what they end
	users    map[string][]at                    // what ended all sessions of a user
	logs     map[string]map[merge.Name]lastWord // what each Region wrote last
	removed  map[string]uint64                  // by user: where in the primary's log
	heard    map[string]map[streamOf]uint64     // how far each Region has ever heard the others, for sure
	mayHear  map[string]map[streamOf]uint64     // how far it may have
}

// at is a place in a stream.
type at struct {
	streamOf
	seq uint64
}

// lastWord is what a Region wrote, with how much of the primary's log it knew.
type lastWord struct {
	value string
	knew  uint64
}

func newOracle() *oracle {
	o := &oracle{ends: map[string][]at{}, users: map[string][]at{}, logs: map[string]map[merge.Name]lastWord{}, removed: map[string]uint64{}, heard: map[string]map[streamOf]uint64{}, mayHear: map[string]map[streamOf]uint64{}}
	for _, name := range regions {
		o.logs[name], o.heard[name], o.mayHear[name] = map[merge.Name]lastWord{}, map[streamOf]uint64{}, map[streamOf]uint64{}
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

func (o *oracle) ended(what string, s streamOf, seq uint64) {
	o.ends[what] = append(o.ends[what], at{s, seq})
}

func (o *oracle) endedFor(user string, s streamOf, seq uint64) {
	o.users[user] = append(o.users[user], at{s, seq})
}

// updated notes an update that is on disk.
func (o *oracle) updated(r *simRegion, changes []center.Record, seq uint64) {
	knew := r.heard[streamOf{virginia, config}]
	if r.name == virginia {
		knew = seq
	}
	for _, c := range changes {
		n := merge.Name{Kind: c.Kind, Key: c.Key}
		was := o.logs[r.name][n].value
		if c.Kind == center.KindUser && strings.Contains(was, `"active":true`) && !strings.Contains(string(c.Value), `"active":true`) {
			o.endedFor(c.Key, streamOf{virginia, config}, seq)
		}
		if c.Kind == center.KindUser && c.Value == nil {
			o.removed[c.Key] = seq
		}
		if o.logs[r.name][n] = (lastWord{string(c.Value), knew}); c.Value == nil {
			delete(o.logs[r.name], n)
		}
	}
}

// over says whether one of these positions takes in an end of the session, of
// which its sign-in did not know.
func (o *oracle) over(s *simSession, heard, knew map[streamOf]uint64) bool {
	is := func(e at) bool { return heard[e.streamOf] >= e.seq }
	for _, what := range s.names() {
		if slices.ContainsFunc(o.ends[what], is) {
			return true
		}
	}
	return slices.ContainsFunc(o.users[s.UserID], func(e at) bool { return is(e) && knew[e.streamOf] < e.seq })
}

// notice takes in how far a Region has heard, and returns it. What it wrote
// itself and what ends access is synced, so it is never unheard. Others' sessions
// may be, by a crash.
func (o *oracle) notice(r *simRegion) map[streamOf]uint64 {
	may := r.may()
	for s := range r.disks {
		o.mayHear[r.name][s] = max(o.mayHear[r.name][s], may[s])
		if s.region == r.name || s.stream != sessions {
			o.heard[r.name][s] = max(o.heard[r.name][s], r.heard[s])
		} else {
			o.heard[r.name][s] = r.heard[s]
		}
	}
	return maps.Clone(o.heard[r.name])
}

// check looks at one Region, and returns what is wrong in it.
func (o *oracle) check(w *world, r *simRegion) (wrong []string) {
	if !r.up {
		return nil
	}
	o.notice(r)
	now := w.clock(r)
	for _, s := range o.sessions {
		if !now.Before(s.Expires) {
			continue // a portal refuses it
		}
		_, alive := r.memory.sessions.Get(s.key)
		if alive && o.over(s, o.heard[r.name], s.mayKnow) {
			wrong = append(wrong, fmt.Sprintf("alive in %s after its end was heard: %+v", r.name, s))
		} else if r.read[streamOf{s.Region, sessions}] >= s.seq && !alive && !o.over(s, o.mayHear[r.name], s.knew) {
			wrong = append(wrong, fmt.Sprintf("acknowledged, and lost in %s: %+v", r.name, s))
		}
	}
	if r.writing == nil && !slices.Equal(o.own(r.name), r.own()) {
		wrong = append(wrong, fmt.Sprintf("log of %s: want %v, got %v", r.name, o.own(r.name), r.own()))
	}
	return wrong
}

// forget lets go of sessions that no clock takes for alive, and of ends that
// every session and sign-in left knows of or has nothing to do with.
func (o *oracle) forget(w *world) {
	o.sessions = slices.DeleteFunc(o.sessions, func(s *simSession) bool { return s.Expires.Before(w.now.Add(-simSkew)) })
	left := slices.Clone(o.sessions)
	for _, r := range w.all {
		for i := range r.signIns {
			left = append(left, &r.signIns[i])
		}
	}
	ends := map[string][]at{}
	for _, s := range left {
		for _, what := range s.names() {
			if e, ok := o.ends[what]; ok {
				ends[what] = e
			}
		}
	}
	o.ends = ends
	for user, list := range o.users {
		o.users[user] = slices.DeleteFunc(list, func(e at) bool {
			return !slices.ContainsFunc(left, func(s *simSession) bool { return s.knew[e.streamOf] < e.seq })
		})
	}
}

// own is what a Region wrote.
func (o *oracle) own(name string) (out []string) {
	for n, v := range o.logs[name] {
		out = append(out, fmt.Sprintf("log %s %s %s %s", name, n.Kind, n.Key, v.value))
	}
	slices.Sort(out)
	return out
}

// own is what a Region knows of its own log.
func (r *simRegion) own() (out []string) {
	for _, f := range r.memory.dir.Facts() {
		if v := f.Value.([]any); strings.HasPrefix(f.Key, "log "+r.name) && !strings.Contains(f.Key, " gone ") && !strings.Contains(f.Key, " ended ") {
			out = append(out, fmt.Sprintf("%s %s", f.Key, v[2]))
		}
	}
	slices.Sort(out)
	return out
}

// shown is what every instance shows when all is heard: what was written, with
// access only for those who are there, and who were not removed since the
// application's Region last knew.
func (o *oracle) shown() (out []string) {
	apps := map[string]bool{}
	for _, name := range slices.Sorted(slices.Values(regions)) {
		for n, v := range o.logs[name] {
			value := v.value
			if n.Kind == center.KindApplication {
				if apps[n.Key] {
					continue // another Region's, which sorts first
				}
				apps[n.Key] = true
				var a center.Application
				_ = json.Unmarshal([]byte(value), &a)
				before := len(a.AssignedTo)
				a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p center.Principal) bool {
					_, there := o.logs[virginia][merge.Name{Kind: center.KindUser, Key: p.ID}]
					return !there || o.removed[p.ID] > v.knew
				})
				if len(a.AssignedTo) < before {
					b, _ := json.Marshal(a)
					value = string(b)
				}
			}
			out = append(out, fmt.Sprintf("%s %s %s", n.Kind, n.Key, value))
		}
	}
	slices.Sort(out)
	return out
}

// settle heals all, lets every Region hear all, and returns what is wrong then.
func (w *world) settle() (wrong []string) {
	clear(w.apart)
	w.flying = nil
	for _, r := range w.all {
		for r.up && r.writing != nil {
			w.goOn(r)
		}
		if !r.up {
			r.start()
		}
	}
	for _, r := range w.all {
		for s, d := range r.disks {
			if s.region != r.name {
				delete(r.asked, s)
				for _, m := range w.of(s.region).disks[s].follows(d.last, 1<<30) {
					d.write(m)
				}
			}
			r.goal[s] = goal{0, w.of(s.region).disks[s].last}
			r.apply(s, 1<<30)
		}
		r.show()
	}
	want := w.oracle.shown()
	for _, r := range w.all {
		wrong = append(wrong, w.oracle.check(w, r)...)
		var shown []string
		for _, c := range r.memory.dir.Records() {
			shown = append(shown, fmt.Sprintf("%s %s %s", c.Kind, c.Key, c.Value))
		}
		if slices.Sort(shown); !slices.Equal(want, shown) {
			wrong = append(wrong, fmt.Sprintf("%s shows %v, want %v", r.name, shown, want))
		}
		again := &simRegion{name: r.name, disks: r.disks}
		again.start()
		first := w.knows(w.all[0])
		for who, other := range map[string]*simRegion{"": r, " started again": again} {
			for _, d := range unlike(first, w.knows(other)) {
				wrong = append(wrong, fmt.Sprintf("known in %s and in %s%s: %s", w.all[0].name, r.name, who, d))
			}
		}
	}
	return wrong
}

// knows is what a Region knows that may not be forgotten yet.
func (w *world) knows(r *simRegion) map[string]string {
	out := map[string]string{}
	for _, f := range append(r.memory.dir.Facts(), r.memory.sessions.Facts()...) {
		if f.Until.IsZero() || !f.Until.Before(w.now) {
			b, _ := json.Marshal(f.Value)
			out[f.Key] = string(b)
		}
	}
	return out
}
