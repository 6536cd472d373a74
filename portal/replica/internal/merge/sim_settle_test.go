package merge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// settle heals all, lets every node hear all, has operators do what they are
// told is needed, and returns what is wrong then.
func (w *world) settle() (wrong []string) {
	w.settling = true
	defer func() { w.settling = false }()
	for round := 0; round == 0 || w.needed() && round < 6; round++ {
		if round > 0 {
			for _, r := range w.all {
				if past := w.past(r, max(r.stamped, r.numbered)); w.reported(r) && w.now.Before(past) {
					w.now = past
				}
				w.operate(r)
			}
		}
		w.heal()
		w.syncAll(4) // damaged Regions find out
		for tries := 0; tries < 5 && w.waiting(); tries++ {
			w.syncAll(2)
		}
		w.oracle.reconsider() // copies that were read anew may have been the last
		for _, r := range w.all {
			if m := w.oracle.missing(r); len(m) > 0 && !w.reported(r) && r.answers() {
				wrong = append(wrong, fmt.Sprintf("%s does not say that it lacks %v: %s", r.name, m, r.flaw))
			}
		}
		if wrong = append(wrong, w.oracle.wrong...); len(wrong) > 0 {
			return wrong
		}
	}
	for _, n := range w.nodes {
		if !w.oracle.listed(n.r.name) {
			wrong = append(wrong, w.oracle.left(n)...)
			continue
		}
		if n.life == 0 || !n.serves() && !w.oracle.mayBlock(n) || w.stale(n) {
			wrong = append(wrong, fmt.Sprintf("%s.%d does not serve, or is stale: %v %q, differs %v, heard %v", n.r.name, n.id,
				n.ready, n.r.refused, n.differs[:w.count*streams], n.heardAt[:w.count*streams]))
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	first := w.knows(w.nodes[0])
	for _, n := range w.nodes {
		if n.life == 0 || !w.oracle.listed(n.r.name) { // it hears nothing
			continue
		}
		wrong = append(wrong, w.oracle.check(w, n)...)
		wrong = append(wrong, n.checkCounts()...)
		want := w.oracle.comparable(w.oracle.shown(n.old))
		if got := w.oracle.comparable(sorted(n.shown)); !slices.Equal(want, got) {
			wrong = append(wrong, fmt.Sprintf("%s.%d shows %v, want %v", n.r.name, n.id, minus(got, want), minus(want, got)))
		}
		for _, id := range simUsers {
			for _, e := range w.oracle.users[id] {
				if got := n.memory.sessions.Epoch(id)[simNames[e.s.region()]]; e.sure && n.hears(e.place) &&
					w.oracle.listed(simNames[e.s.region()]) && e.n > w.all[e.s.region()].erased && got < e.epoch &&
					!w.oracle.mayForget(n, e) {
					wrong = append(wrong, fmt.Sprintf("%s.%d counts %d for %s, not %d as %s does by message %d", n.r.name, n.id, got,
						id, e.epoch, e.s, e.n))
				}
			}
		}
		again := &simNode{r: n.r, id: n.id, old: n.old, offset: n.offset, life: n.life}
		again.begin(w)
		again.show()
		for what, other := range map[string]*simNode{"": n, " started again": again} {
			for _, d := range unlike(first, w.knows(other)) {
				wrong = append(wrong, fmt.Sprintf("known in %s and in %s.%d%s: %s", w.nodes[0].r.name, n.r.name, n.id, what, d))
			}
		}
	}
	w.oracle.forget(w)
	w.changeRates()
	w.note(nil, "quiet", "")
	return wrong
}

// comparable leaves out to whom applications are assigned, once the primary's log
// was put together from two histories: which of two things that happened there
// came first is not known.
func (o *oracle) comparable(shown []string) []string {
	for i, s := range shown {
		if before, _, ok := strings.Cut(s, `,"assignedTo"`); ok && o.forked {
			shown[i] = before + "}"
		}
	}
	return shown
}

// minus is what is in a and not in b.
func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// heal ends all trouble but damage.
func (w *world) heal() {
	w.apart = [maxRegions][maxRegions]bool{}
	for _, r := range w.all {
		past := time.UnixMicro(int64(r.removalNotice)).Add(simSkew) // a primary whose clock isn't there can't add it again
		if r.removalNotice > 0 && w.oracle.listed(r.name) && w.now.Before(past) {
			w.now = past
		}
		if r.twin != nil { // it was found, and stopped
			r.twin = nil
			w.oracle.reconsider()
		}
		r.full, r.inbox, r.farBack = false, nil, r.farBack && r.stopped()
		for _, n := range r.nodes {
			n.offset = min(max(n.offset, -simSkew/2), simSkew/2)
			n.inbox = nil
			w.finish(n)
			// it knows what never got out, or was lost since
			if n.life > 0 && (n.undurable || len(n.early) > 0 || w.oracle.lostRemoval()) {
				n.start(w)
			}
		}
	}
}

// waiting says whether a node does not serve yet because it could not say that it
// has all: it could not read all, or it or one that it asked crashed while all
// conversed.
func (w *world) waiting() bool {
	return slices.ContainsFunc(w.nodes, func(n *simNode) bool {
		listed := w.oracle.listed(n.r.name)
		down := n.life == 0 && listed && !w.reported(n.r)
		return down || n.life > 0 && listed && w.stale(n) || n.life > 0 && n.ends() == n.blocked() &&
			!(n.blocked() && w.oracle.mayBlock(n))
	})
}

// finish ends what the node is writing, one way or the other.
func (w *world) finish(n *simNode) {
	for n.writing != nil {
		w.goOn(n)
	}
	if n.life == 0 {
		n.start(w)
	}
	_, own := n.unread()
	refused := n.life == 0 && n.old && n.r.refused == ""
	// for the primary
	waits := func(r *simRegion) bool { return r.removalNotice > 0 && w.oracle.listed(r.name) }
	// its operator reads that
	if refused || own || n.life > 0 && n.blocked() && (!n.ready || n.r.id == 0 && slices.ContainsFunc(w.all, waits)) {
		n.old = false
		n.start(w)
	}
}

// syncAll has every node ask all the others and hear all, and report what it
// has. What is reported is heard next, and what differs is shown.
func (w *world) syncAll(rounds int) {
	for ; rounds > 0; rounds-- {
		for _, n := range w.nodes {
			w.hearAll(n)
		}
		for _, n := range w.nodes {
			w.report(n)
			w.finish(n)
		}
	}
	for tries := 0; tries < 10; tries++ { // one may crash while it copies
		whole := true
		for _, n := range w.nodes {
			w.finish(n)
			w.hearAll(n)
			whole = whole && (n.life > 0 || n.r.refused != "" || n.r.removalNotice > 0)
		}
		if whole {
			return
		}
	}
}

// hearAll lets a node hear all.
func (w *world) hearAll(n *simNode) {
	for s := range streamID(w.count * streams) {
		if n.life == 0 {
			return
		}
		n.apply(s, len(n.r.disks[s].messages))
		for more, times := s.region() != n.r.id, 0; more && n.life > 0; times++ {
			if more = w.exchange(n, s); times > 1000 {
				w.oracle.wrong = append(w.oracle.wrong, fmt.Sprintf("%s.%d does not get to the end of %s", n.r.name, n.id, s))
				break
			}
		}
	}
	if n.life > 0 {
		n.show()
	}
}

// exchange asks a question and takes the answer in. It says whether more follows.
func (w *world) exchange(n *simNode, s streamID) bool {
	for _, owner := range w.all[s.region()].nodes {
		if owner.life == 0 || n.isGone(s.region()) {
			continue
		}
		owner.apply(streamOf(s.region(), s.line()), 1<<20)
		a, ok := w.answer(owner, w.question(n, s))
		if !ok {
			return false
		}
		again := n.differs[s]
		w.receive(n, a)
		if n.life > 0 {
			n.apply(s, len(n.r.disks[s].messages))
			n.show()
		}
		return !a.end && !n.differs[s] || n.differs[s] && !again
	}
	return false
}

// knows is what a node knows that may not be forgotten yet. For how long a
// sign-in is remembered to have ended may differ: two nodes that end it at once,
// or whose clocks are far apart, count from their own clocks. So that is left
// to check, which asks whether its sessions are alive. What was lost in
// one Region others may still know, and fail closed.
func (w *world) knows(n *simNode) map[string]string {
	out, soon := map[string]string{}, w.now
	if w.oracle.damaged { // what expires soon is not missed: see integrity.Cutoff
		soon = soon.Add(simLife)
	}
	for _, f := range append(n.memory.dir.Facts(), n.memory.sessions.Facts()...) {
		what, _, _ := strings.Cut(f.Key, " ")
		if w.ofUnlisted(f.Key) {
			continue // some have parted with it
		}
		if v, ok := f.Value.([]any); ok && what == "session" && v[1] == true {
			continue // it is forgotten with what ended it, by a clock that may be far back
		}
		if what == "erased" {
			continue // its own Region may have parted with it: see Erased
		}
		if what == "epoch" {
			f.Value = w.oracle.withoutRemoved(f.Value.(map[string]uint64))
		}
		if what != "signed" && (!w.lossy() || what == "log") && (f.Until.IsZero() || !f.Until.Before(soon)) {
			b, _ := json.Marshal(f.Value)
			out[f.Key] = string(b)
		}
	}
	return out
}
