package merge_test

import (
	"fmt"
	"slices"
	"time"

	contract "github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A simPost is an answer of an identity provider on its way through a node.
type simPost struct {
	request, assertion string
	taken              bool // its request was, by this post
}

// accept takes the next step of a post: it takes the request's record, then adds
// the assertion's, each of which one node of the Region can do. Then the sign-in
// is proved, and knows what ended until now.
func (w *world) accept(n *simNode) {
	r := n.r
	if len(n.posts) == 0 || w.one(0.2) {
		if w.one(0.6) {
			r.requests[w.id("request-")] = true
		}
		request := w.first(r.requests)
		for range 1 + w.rand.IntN(4) { // in any node, several times
			at := r.nodes[w.rand.IntN(len(r.nodes))]
			if request != "" && at.life > 0 {
				at.posts = append(at.posts, simPost{request: request, assertion: "assertion of " + request})
			}
		}
		return
	}
	p := n.posts[0]
	n.posts = n.posts[1:]
	switch {
	case r.full:
		w.note(r, "write refused", "acceptance")
	case !p.taken:
		if !r.requests[p.request] {
			w.note(r, "replay refused", p.request)
			return
		}
		delete(r.requests, p.request)
		p.taken = true
		n.posts = append(n.posts, p)
	case r.accepted[p.assertion]:
		w.note(r, "replay refused", p.assertion)
	default:
		r.accepted[p.assertion] = true
		w.oracle.accepts(r, p.request)
		w.oracle.accepts(r, p.assertion)
		w.note(r, "accepted", p.assertion)
		w.proved(n)
	}
}

// first is the key that sorts first: maps have no order.
func (w *world) first(m map[string]bool) (first string) {
	for k := range m {
		if first == "" || k < first {
			first = k
		}
	}
	return first
}

func (w *world) proved(n *simNode) {
	u := w.user()
	if !w.durableEpoch(n, u) {
		return
	}
	v := &simSession{in: &simSignIn{}, knew: n.known, mayKnow: n.r.may, signedInBy: n.life, asOf: w.n}
	v.Session = merge.Session{SignIn: w.id("in-"), UserID: u, Region: n.r.name, Expires: w.clock(n).Add(w.rates.life),
		Epoch: n.memory.sessions.Epoch(u)}
	v.Proof = contract.Proof{Subject: contract.Subject{Provider: "idp", ServiceProvider: "sp",
		NameID: contract.NameID{Value: u}}, Issued: w.issue()}
	if w.one(0.8) {
		v.Proof.SessionIndexes = []string{v.SignIn}
	}
	n.signIns = append(n.signIns, v)
}

// codes puts a code, finds one that is here, or takes one that was found.
func (w *world) codes(n *simNode) {
	now := w.clock(n)
	switch k := w.rand.IntN(3); {
	case !n.serves():
	case k == 0:
		e := merge.Entry{Key: w.id("code-"), Value: []byte(n.r.name), Until: now.Add(10 * time.Minute)}
		if _, known := w.put(n, sessions, merge.EntryCode, e, e.Until, nil); known {
			n.memory.hear(arrival{region: n.r.name, kind: merge.EntryCode, entry: e})
			if w.oracle.codes = append(w.oracle.codes, e.Key); len(w.oracle.codes) > 10 {
				w.oracle.codes = w.oracle.codes[1:]
			}
		}
	case k == 1 && len(w.oracle.codes) > 0:
		key := w.oracle.codes[w.rand.IntN(len(w.oracle.codes))]
		if c, ok := n.memory.sessions.Code(key); ok && now.Before(c.Until) {
			n.codes = append(n.codes, key)
			if w.oracle.mustBeGone(n, slices.Index(simNames, c.Region)) {
				w.oracle.wrong = append(w.oracle.wrong, fmt.Sprintf("%s.%d finds %s of %s, which was removed", n.r.name, n.id,
					key, c.Region))
			}
		}
	case len(n.codes) > 0:
		i := w.rand.IntN(len(n.codes))
		key := n.codes[i]
		n.codes = slices.Delete(n.codes, i, i+1)
		c, ok := n.memory.sessions.Code(key)
		if !ok || !now.Before(c.Until) {
			return
		}
		none, until := uint64(0), c.Until.Add(simSkew)
		m, known := w.put(n, sessions, merge.EntryTaken, merge.Entry{Key: key}, until, &none)
		if m == nil {
			return
		}
		forgotten, taken := n.r.forgets[key]
		n.r.forgets[key] = w.gone(n, m)
		if known && n.r.latest.Before(until) && !(taken && forgotten.Before(w.now)) { // see trouble
			w.oracle.accepts(n.r, key)
		}
	}
}
