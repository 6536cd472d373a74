//go:build unix

package regions_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// chaosSession is a session of a browser.
type chaosSession struct {
	user    string
	at      *chaosRegion
	browser *visitor
	ended   string // how, and from where; "": not
}

// record holds what the Regions acknowledged to the workload, for the checker.
type record struct {
	mu       sync.Mutex
	admitted map[string]int // by response, how often
	answers  []chaosAnswer  // all that were posted
	alive    []chaosSession // acknowledged, and never ended
	over     []chaosSession // whose end was acknowledged
	users    []string       // whose creation was acknowledged
	wrong    []string       // violations

	posts, signIns, handoffs, ends, heard int
}

func (r *record) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *record) violation(format string, args ...any) {
	r.note(func() { r.wrong = append(r.wrong, fmt.Sprintf(format, args...)) })
}

// chaosAnswer is a response and the browser as it was before it was posted.
type chaosAnswer struct {
	id      string // the response itself
	to      string
	form    url.Values
	browser *visitor
}

// post posts a response, in a copy of the browser, and notes whether it was
// admitted.
func (w *chaosWorld) post(ctx context.Context, r *record, a chaosAnswer) (*visitor, response, bool) {
	b := a.browser.copy()
	s, err := b.send(ctx, a.to, a.form)
	in := err == nil && s.status == http.StatusSeeOther && s.to.Path != "/refused"
	r.note(func() {
		r.posts++
		if in {
			r.admitted[a.id]++
		}
	})
	return b, s, in
}

// signIn signs a user in at a Region. Three browsers post the answer at the
// same time, of which one may be signed in, and a fourth posts it later.
func (w *chaosWorld) signIn(ctx context.Context, r *record, user string, at *chaosRegion) (out chaosSession, ok bool) {
	b := newVisitor()
	s, err := b.send(ctx, at.Origin+portal.PathLogin, nil)
	if err != nil || s.to == nil || s.status != http.StatusSeeOther {
		return out, false
	}
	form, err := w.idp.Answer(s.to.String(), user)
	if err != nil {
		r.violation("the identity provider refuses %s: %v", user, err)
		return out, false
	}
	a := chaosAnswer{form.Values().Get("SAMLResponse"), form.URL, form.Values(), b}
	r.note(func() { r.answers = append(r.answers, a) })
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 3 {
		all.Go(func() {
			b, s, in := w.post(ctx, r, a)
			if in && b.follow(ctx, s, at.Origin) == nil {
				mu.Lock()
				defer mu.Unlock()
				out, ok = chaosSession{user, at, b, ""}, true
			}
		})
	}
	all.Wait()
	w.post(ctx, r, a)
	return out, ok
}

// story is one user's actions: a sign-in to some Region, perhaps a handoff to
// another, and perhaps a sign-out from any.
func (w *chaosWorld) story(ctx context.Context, r *record, user string) {
	at := w.regions[rand.N(len(w.regions))]
	var first chaosSession
	for ok := false; !ok; {
		if ctx.Err() != nil {
			return
		}
		if first, ok = w.signIn(ctx, r, user, at); !ok {
			pauseFor(ctx, 50*time.Millisecond)
		}
	}
	sessions := []chaosSession{first}
	r.note(func() { r.signIns++ })
	if to := w.regions[rand.N(len(w.regions))]; to != at && rand.N(2) == 0 {
		b := first.browser.copy()
		s, err := b.send(ctx, to.Origin+"/?from="+at.Name, nil)
		if err == nil && b.follow(ctx, s, to.Origin) == nil {
			sessions = append(sessions, chaosSession{user, to, b, ""})
			r.note(func() { r.handoffs++ })
		}
	}
	how, from, end := w.ending(first)
	if end == nil {
		r.note(func() { r.alive = append(r.alive, sessions...) })
		return
	}
	for err := end(); err != nil; err = end() { // a failed one may have taken effect
		if ctx.Err() != nil {
			return
		}
		pauseFor(ctx, 100*time.Millisecond)
	}
	acked := time.Now()
	for i := range sessions {
		sessions[i].ended = how + " in " + from.Name
	}
	r.note(func() { r.ends++; r.over = append(r.over, sessions...) })
	for _, s := range sessions {
		w.watch(ctx, r, s, from, acked)
	}
}

// ending ends the story's sessions, or is nil. from is the Region that does it.
func (w *chaosWorld) ending(s chaosSession) (how string, from *chaosRegion, end func() error) {
	from = w.regions[rand.N(len(w.regions))]
	switch rand.N(5) {
	case 0, 1:
		return "revoked", from, func() error { return from.do("/revoke", url.Values{"user": {s.user}}) }
	case 2: // by the user, at home
		return "signed out", s.at, func() error {
			got, err := s.browser.copy().send(context.Background(), s.at.Origin+portal.PathSignOut, url.Values{})
			if err == nil && (got.to == nil || got.to.Path != "/signed-out") {
				err = fmt.Errorf("status %d", got.status)
			}
			return err
		}
	case 3: // by the directory
		return "disabled", w.regions[0], func() error { return w.regions[0].do("/user", url.Values{"name": {s.user}}) }
	}
	return "", nil, nil
}

// watch asks every node of its Region for a session that was ended, until it
// has ended there. It must have ended as soon as the node has the data of the
// Region that ended it. watch asks the node for that before and after, to
// detect a restart in between.
func (w *chaosWorld) watch(ctx context.Context, r *record, s chaosSession, from *chaosRegion, acked time.Time) {
	for _, n := range s.at.nodes {
		knows := func() bool { return from != s.at && controlOf(n).heard(ctx, from.Name).After(acked) }
		for ctx.Err() == nil {
			before := knows()
			in, known := s.browser.in(ctx, s.at.Origin, n)
			if known && !in {
				r.note(func() { r.heard++ })
				break
			}
			if known && in && before && knows() {
				r.violation("%s (%s) is still signed in at %s, which has heard that since", s.user, s.ended, n.name())
				break
			}
			pauseFor(ctx, 20*time.Millisecond)
		}
	}
}

// update creates users in the primary, one after the other.
func (w *chaosWorld) update(ctx context.Context, r *record) {
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprintf("new%d-%s", i, chaosMark)
		if w.regions[0].do("/user", url.Values{"name": {name}, "active": {"1"}}) == nil {
			r.note(func() { r.users = append(r.users, name) })
		}
		pauseFor(ctx, 20*time.Millisecond)
	}
}

// pauseFor is the pause between actions.
func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
