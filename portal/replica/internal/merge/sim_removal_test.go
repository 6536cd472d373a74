package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Regions are removed and added again, as package replica does: see its
// own_removal.go, peer_removal.go and membership.go.

// changeRegions removes a Region that has no applications, as package center
// demands, or adds one again. An operator waits until no clock takes that for the
// time before the removal.
func (w *world) changeRegions(n *simNode) []center.Record {
	id, listed := 0, true
	for range 2 { // rather one that isn't there
		if listed {
			id = 1 + w.rand.IntN(w.count-1)
			_, _, listed = n.memory.dir.Entry(simNames[id])
		}
	}
	r := w.all[id]
	switch {
	case !listed && w.now.Sub(r.gone) > simSkew && !r.farBack:
		w.note(r, "Region added", "")
		return []center.Record{w.listed(id, center.RegionAdding)}
	case listed && w.now.Sub(r.gone) > 2*simSkew && r.swapped == nil && !w.hasApps(n, r):
		r.gone = w.now
		w.note(r, "Region removed", "")
		return []center.Record{{Kind: center.KindRegion, Key: r.name}}
	}
	return nil
}

func (w *world) hasApps(n *simNode, r *simRegion) bool {
	return slices.ContainsFunc(simApps, func(key string) bool { a, ok := n.app(key); return ok && a.Region == r.name })
}

// unlists says whether a Region that was not removed says that this one, the
// primary, does not list it: an older copy may have been put back. Then the
// primary does not look at what that Region has, so its operator does.
func (w *world) unlists(r *simRegion) bool {
	return r.id == 0 && r.flaw != "" && slices.ContainsFunc(w.nodes,
		func(n *simNode) bool { return n.life > 0 && n.unlisted })
}

// answers says whether a Region answers others than the primary: it knows the
// list of Regions.
func (r *simRegion) answers() bool {
	return slices.ContainsFunc(r.nodes, func(n *simNode) bool { return n.life > 0 && n.memory.dir.Complete(simNames[0]) })
}

// lists says whether a Region answers another one.
func (r *simRegion) lists(other *simRegion) bool {
	return slices.ContainsFunc(r.nodes, func(n *simNode) bool {
		return n.life > 0 && (other.id == 0 || n.memory.dir.Standing(other.name).Listed > 0)
	})
}

// isListed says whether this Region may serve.
func (n *simNode) isListed() bool {
	return n.r.id == 0 || !n.unlisted && n.memory.dir.Standing(n.r.name).Listed > 0
}

// isGone says whether this node knows that another Region was removed.
func (n *simNode) isGone(id int) bool { return id > 0 && n.memory.dir.Standing(simNames[id]).Gone() }

// denies is the answer to a Region that isn't listed.
func (n *simNode) denies(q packet) (a packet, denied bool) {
	asks := q.from.r
	if asks.id == 0 {
		return a, false
	}
	if !n.memory.dir.Complete(simNames[0]) {
		return a, true // the list isn't here yet
	}
	s := n.memory.dir.Standing(asks.name)
	a = packet{from: n, to: q.from, about: q.about, nonce: q.nonce, denied: true, removed: s.Removed, end: true}
	return a, s.Listed == 0
}

// noteStanding takes this Region's standing from an answer: only the primary's word
// counts. It says whether the answer says nothing else.
func (w *world) noteStanding(n *simNode, p packet) bool {
	if p.from.r.id == 0 {
		n.unlisted = p.denied
	}
	if !p.denied {
		return false
	}
	s, said := n.memory.dir.Standing(n.r.name), n.memory.dir.Replicated(n.r.name)
	if p.from.r.id == 0 && p.removed > max(s.Listed, s.Known, said) {
		w.erase(n.r, p.removed)
	}
	return true
}

// erase is what a Region does that hears of its removal.
func (w *world) erase(r *simRegion, stamp uint64) {
	w.down(r)
	w.note(r, "erased", "")
	w.oracle.forgetUses(r)
	r.media, r.backup, r.twin, r.refused, r.erased = newMedia(), nil, nil, "", w.n
	r.removalNotice = stamp
	w.oracle.reconsider() // what others lost may have been here alone
}

// awake says whether a Region that was removed was added again. Then it begins
// anew, and replaces what it was.
func (w *world) awake(r *simRegion) bool {
	if r.removalNotice == 0 {
		return true
	}
	for _, p := range w.all[0].nodes {
		if p.life > 0 && !p.r.stopped() && !w.apart[0][r.id] && !w.apart[r.id][0] &&
			p.memory.dir.Standing(r.name).Listed > r.removalNotice {
			r.removalNotice = 0
			w.note(r, "awake", "")
			d := integrity.New(r.name, w.key(), w.clock(r.nodes[0]).Unix())
			d.Vouch(w.now.Unix())
			w.newIdentity(r, d)
			return true
		}
	}
	return false
}

// part deletes what this Region copied from removed ones. What those ended stays
// until no session can live that it is about.
func (w *world) part(n *simNode) {
	for id := 1; id < w.count; id++ {
		removed := n.memory.dir.Standing(simNames[id]).Removed
		if id == n.r.id || !n.isGone(id) {
			continue
		}
		if n.parted[id] != removed {
			n.parted[id] = removed
			n.forget(streamOf(id, config))
			n.forget(streamOf(id, sessions))
		}
		if w.clock(n).After(merge.Forgettable(removed, simLife, simSkew)) {
			n.forget(streamOf(id, revoked))
		}
	}
}

// forget deletes a copy.
func (n *simNode) forget(s streamID) {
	d := n.r.disks[s]
	*d = disk{last: d.last, at: map[string]uint64{}}
	n.content[s], n.differs[s], n.goal[s] = integrity.NewContent(), false, goal{}
	n.asked[s], n.heardAt[s] = asked{}, time.Time{}
	if s.line() == config {
		n.parts[s.region()] = merge.Assembler{}
	}
	n.known[s], n.r.kept[s] = nil, nil
}

// A removed is a removal of a Region by the primary.
type removed struct {
	end
	stamp uint64
	back  place // where it was added again; n 0: it was not
	// again: a recovery of the primary doesn't list the Region any more. What added it
	// again is lost, or was written without knowing of the removal. A node that has heard of
	// that may still take the Region for one that was added again.
	again bool
}

// relists notes which Regions a recovered log of the primary no longer lists.
func (o *oracle) relists(at place) {
	for id, list := range o.removals {
		if n := len(list); n > 0 && list[n-1].back.n > 0 && !o.listed(simNames[id]) {
			o.removals[id] = append(list, &removed{end: end{place: at, asOf: o.w.n, sure: true}, stamp: list[n-1].stamp,
				again: true})
		}
	}
}

// lostRemoval says whether any removal was lost, of which nodes may know.
func (o *oracle) lostRemoval() bool {
	return slices.ContainsFunc(o.removals[:], func(list []*removed) bool {
		return slices.ContainsFunc(list, func(r *removed) bool { return !r.sure })
	})
}

// relisted notes what the primary wrote about a Region.
func (o *oracle) relisted(primary *simRegion, c center.Record, done *simUpdate, stamp uint64) {
	id := slices.Index(simNames, c.Key)
	at := place{s: streamOf(0, config), n: done.n, update: done}
	if c.Value == nil {
		done.ended = append(done.ended, merge.Name{Kind: c.Kind, Key: c.Key})
		o.removals[id] = append(o.removals[id], &removed{end: end{place: at, asOf: o.w.n, sure: true}, stamp: stamp})
		primary.log[merge.Name{Kind: merge.KindRemoved, Key: c.Key}] = lastWord{fmt.Sprint(stamp), nil, done.n, stamp}
		return
	}
	o.entered[id] = max(o.entered[id], stamp)
	for _, r := range o.removals[id] {
		if r.back.n == 0 {
			r.back = at
		}
	}
}

// departed says whether a node must know that a session is over with its Region,
// and mayBeDeparted whether it may.
func (o *oracle) departed(n *simNode, s *simSession) bool {
	return slices.ContainsFunc(o.removals[s.at.s.region()], func(r *removed) bool {
		before := s.Created.UnixMicro() <= int64(r.stamp)
		return r.sure && !r.again && n.hears(r.place) && (before || r.back.n == 0 || !n.mayHear(r.back))
	})
}

func (o *oracle) mayBeDeparted(n *simNode, s *simSession) bool {
	return slices.ContainsFunc(o.removals[s.at.s.region()], func(r *removed) bool {
		before := s.Created.UnixMicro() <= int64(r.stamp)
		return (n.mayHear(r.place) || !r.sure) && (before || r.back.n == 0 || !n.hears(r.back))
	}) || slices.ContainsFunc(o.removals[n.r.id], func(r *removed) bool {
		// A Region that was added again doesn't let in sessions from before its own removal.
		return (n.mayHear(r.place) || !r.sure) && s.Created.UnixMicro() <= int64(r.stamp)
	}) || slices.ContainsFunc(o.users[s.UserID], func(e *end) bool { return e.epoch > 0 && o.remembered(n, e) })
}

// remembered says whether a node may still count what a removed Region counted,
// and others don't any more: its clock is far behind, the removal was lost, or the
// Region was removed again, and a node that starts after that doesn't know of the
// first time.
func (o *oracle) remembered(n *simNode, e *end) bool {
	if len(o.removals[e.s.region()]) > 1 {
		return true
	}
	return slices.ContainsFunc(o.removals[e.s.region()], func(r *removed) bool {
		return !r.sure || n.r.farBack
	})
}

// mayForget says whether a node may have forgotten a count, because its Region was removed
// after it long ago. A Region that was added again before it heard of that isn't erased.
func (o *oracle) mayForget(n *simNode, e *end) bool {
	return slices.ContainsFunc(o.removals[e.s.region()], func(r *removed) bool {
		before := time.UnixMicro(int64(r.stamp)).Add(simSkew).Unix()
		return n.mayHear(r.place) && e.epoch <= uint64(before) &&
			n.r.latest.After(merge.Forgettable(r.stamp, simLife, simSkew))
	})
}

// removedAt is when the primary's log says that a Region was removed.
func (r *simRegion) removedAt(name string) uint64 {
	stamp, _ := strconv.ParseUint(r.log[merge.Name{Kind: merge.KindRemoved, Key: name}].value, 10, 64)
	return stamp
}

// left looks at a node whose Region isn't listed, when all is quiet: it must not
// serve, and must have erased what it had if it was removed. It keeps that if an entry
// has a later stamp than the removal, in a history that is lost: see
// merge.Standing.Gone.
func (o *oracle) left(n *simNode) (wrong []string) {
	if n.life > 0 && n.serves() {
		wrong = append(wrong, fmt.Sprintf("%s.%d serves, and is not listed", n.r.name, n.id))
	}
	list := o.removals[n.r.id]
	if n.life == 0 || len(list) == 0 {
		return wrong
	}
	if r := list[len(list)-1]; r.sure && !r.again && r.back.n == 0 && r.stamp > o.entered[n.r.id] {
		wrong = append(wrong, fmt.Sprintf("%s.%d was removed, and keeps what it has", n.r.name, n.id))
	}
	return wrong
}

// withoutRemoved leaves out what Regions counted that were removed once: others
// forget it, each in its time.
func (o *oracle) withoutRemoved(epoch map[string]uint64) map[string]uint64 {
	out := maps.Clone(epoch)
	maps.DeleteFunc(out, func(component string, _ uint64) bool {
		name, _, directory := strings.Cut(component, "/")
		return !directory && o.w.all[slices.Index(simNames, name)].erased > 0
	})
	return out
}

// ofUnlisted says whether a fact is what the log of a Region says that isn't
// listed. What it wrote after its removal has no effect.
func (w *world) ofUnlisted(fact string) bool {
	return slices.ContainsFunc(w.all, func(r *simRegion) bool {
		return strings.HasPrefix(fact, "log "+r.name+" ") && !w.oracle.listed(r.name)
	})
}

// departing says whether a Region was removed not long ago: those that had not
// heard all of it until then never will.
func (w *world) departing(id int) bool { return w.now.Sub(w.all[id].gone) < 2*simLife }

// lossy says whether some may know what others can't know any more.
func (w *world) lossy() bool {
	return w.oracle.lossy || slices.ContainsFunc(w.all, func(r *simRegion) bool { return w.departing(r.id) })
}
