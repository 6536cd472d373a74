package merge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// settle heals all, lets every node hear all, and returns what is wrong then.
func (w *world) settle() (wrong []string) {
	w.heal()
	for round := 0; round < 2 || round < 30 && slices.ContainsFunc(w.nodes, func(n *simNode) bool { return !n.ready }); round++ {
		for _, n := range w.nodes { // what is reported is heard next
			w.hearAll(n)
		}
		for _, n := range w.nodes {
			w.report(n)
			w.finish(n)
		}
	}
	for _, n := range w.nodes {
		w.hearAll(n)
	}
	want, first := w.oracle.shown(), w.knows(w.nodes[0])
	for _, n := range w.nodes {
		wrong = append(wrong, w.oracle.check(w, n)...)
		if got := sorted(n.shown); !slices.Equal(want, got) {
			wrong = append(wrong, fmt.Sprintf("%s.%d shows %v, want %v", n.r.name, n.id, got, want))
		}
		if !n.ready || w.stale(n) {
			wrong = append(wrong, fmt.Sprintf("%s.%d is not ready, or stale", n.r.name, n.id))
		}
		again := &simNode{r: n.r, id: n.id}
		again.start(w)
		for who, other := range map[string]*simNode{"": n, " started again": again} {
			for _, d := range unlike(first, w.knows(other)) {
				wrong = append(wrong, fmt.Sprintf("known in %s and in %s.%d%s: %s", w.nodes[0].r.name, n.r.name, n.id, who, d))
			}
		}
	}
	w.oracle.forget(w)
	w.note(nil, "quiet", "")
	return wrong
}

// heal ends all trouble.
func (w *world) heal() {
	w.apart = [maxRegions][maxRegions]bool{}
	for _, r := range w.all {
		r.full, r.inbox = false, nil
		for _, n := range r.nodes {
			n.inbox = nil
			if w.finish(n); n.unsaid { // it knows what never got out
				n.start(w)
			}
		}
	}
}

// finish ends what the node is writing, one way or the other.
func (w *world) finish(n *simNode) {
	for n.writing != nil {
		w.goOn(n)
	}
	if n.life == 0 {
		n.start(w)
	}
}

// hearAll lets a node hear all.
func (w *world) hearAll(n *simNode) {
	for s := range streamID(w.count * streams) {
		d, from := n.r.disks[s], w.all[s.region()].disks[s]
		if s.region() != n.r.id {
			n.asked[s] = asked{}
			for _, k := range from.after(d.last, len(from.messages)) {
				d.write(k.message, w.gone(n, k.message))
			}
		}
		n.goal[s] = goal{true, d.end(), from.lastN, w.clock(n), w.n}
		n.apply(s, len(d.messages))
	}
	n.show()
}

// knows is what a node knows that may not be forgotten yet. For how long a
// sign-in is remembered to have ended may differ: two nodes that end it at once,
// or whose clocks are far apart, count from their own clocks. So that is left
// to check, which asks whether its sessions are alive.
func (w *world) knows(n *simNode) map[string]string {
	out := map[string]string{}
	for _, f := range append(n.memory.dir.Facts(), n.memory.sessions.Facts()...) {
		if !strings.HasPrefix(f.Key, "signed out ") && (f.Until.IsZero() || !f.Until.Before(w.now)) {
			b, _ := json.Marshal(f.Value)
			out[f.Key] = string(b)
		}
	}
	return out
}
