package merge_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// checkEnded says whether a session is alive that was over in this life of the node,
// by any node. An older version may find that it can read again what a
// removed Region wrote.
func (n *simNode) checkEnded(s *simSession, alive bool, o *oracle) []string {
	was, seen := n.alive[s.key]
	if seen || alive {
		n.alive[s.key] = alive && (was || !seen)
	}
	if !alive || was || !seen || n.old || len(o.removals[s.at.s.region()]) > 0 {
		return nil
	}
	return []string{fmt.Sprintf("alive in %s.%d again: %s", n.r.name, n.id, n.describe(s, o))}
}

// checkShown says what an instance shows that is not what its Directory comes to.
func (n *simNode) checkShown() (wrong []string) {
	var all []merge.Name
	for k := range n.shown {
		all = append(all, k)
	}
	for _, f := range n.memory.dir.Facts() {
		_, name, _ := strings.Cut(strings.TrimPrefix(f.Key, "log "), " ")
		kind, key, _ := strings.Cut(name, " ")
		all = append(all, merge.Name{Kind: center.Kind(kind), Key: key})
	}
	for _, c := range n.memory.dir.Changes(all) {
		wrong = append(wrong, fmt.Sprintf("%s.%d does not show %s %s: %s", n.r.name, n.id, c.Kind, c.Key, c.Value))
	}
	return wrong
}

// contested says whether two Regions have an application under one key. That is rare, and
// which of them is shown must be the same at each look.
func (o *oracle) contested() bool {
	return slices.ContainsFunc(simApps, func(key string) bool {
		owners := 0
		for _, r := range o.w.all {
			if _, ok := r.log[merge.Name{Kind: center.KindApplication, Key: key}]; ok {
				owners++
			}
		}
		return owners > 1
	})
}

// checkTouch uses a session. Get, Touch and List must agree about it.
func (o *oracle) checkTouch(n *simNode, s *simSession, now time.Time) {
	known := n.memory.sessions
	_, alive := known.Get(s.key)
	_, _, touched := known.Touch(s.key, now, time.Minute)
	listed := slices.ContainsFunc(known.List(s.UserID), func(v merge.Session) bool { return v.ID == s.ID })
	if listed != alive || touched != (alive && s.Region == n.r.name) {
		o.wrong = append(o.wrong, fmt.Sprintf("%s in %s.%d: alive %t, listed %t, touched %t", s.key, n.r.name, n.id, alive,
			listed, touched))
	}
}

// checkCounts says what is wrong with how many sessions a node says that it has.
func (n *simNode) checkCounts() (wrong []string) {
	alive := map[string]int{}
	for _, f := range n.memory.sessions.Facts() {
		if of, ok := strings.CutPrefix(f.Key, "session "); ok && !f.Value.([]any)[1].(bool) {
			of, _, _ = strings.Cut(of, " ")
			alive[of]++
		}
	}
	for of, count := range n.memory.sessions.Count() {
		if count != alive[of] {
			wrong = append(wrong, fmt.Sprintf("%s.%d counts %d sessions of %s, and has %d", n.r.name, n.id, count, of,
				alive[of]))
		}
	}
	return wrong
}

// describe says what a node knows of a session and its ends.
func (n *simNode) describe(s *simSession, o *oracle) string {
	out := fmt.Sprintf("%s of %s, made by message %d of %s, expires %s, sign-in %s as of %d in life %d", s.key, s.UserID,
		s.at.n, s.at.s, s.Expires.Format("15:04:05"), s.SignIn, s.asOf, s.signedInBy)
	for _, e := range slices.Concat(s.ends, s.in.ends, o.users[s.UserID]) {
		if s.knew[e.s].has(e.n) || e.asOf <= s.asOf {
			continue
		}
		out += fmt.Sprintf("\n  ended by message %d of %s: by life %d as of %d, epoch %d, sure %t, known %t %v", e.n, e.s,
			e.by, e.asOf, e.epoch, e.sure, n.hears(e.place), n.known[e.s])
	}
	for _, f := range n.memory.sessions.Facts() {
		if strings.Contains(f.Key, s.key) || strings.Contains(f.Key, s.SignIn) || f.Key == fmt.Sprintf("epoch %q", s.UserID) {
			out += fmt.Sprintf("\n  known: %s: %v", f.Key, f.Value)
		}
	}
	return out
}
