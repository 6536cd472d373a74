package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// kept are the sessions of users. The loss of a process must not end them.
type kept struct {
	mu   sync.Mutex
	list []session // guarded by mu
}

// session is a browser's session in a Region.
type session struct {
	at *site
	b  *testkit.Browser
}

func (k *kept) add(at *site, b *testkit.Browser) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, session{at, b})
}

func (k *kept) all() []session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.list)
}

// signedIn reports whether the session opens its portal without a sign-in.
func (s session) signedIn() (bool, error) {
	p, err := s.b.Look(s.at.url + "/applications")
	return err == nil && p.Status == 200, err
}

// primaryKilled: the primary's process is killed while many users sign in. The users of other Regions notice nothing.
// A quarter as many sign in at the primary. They may fail, and then have no session.
func primaryKilled(k *walker) string {
	lost, alive := k.sites[0], k.sites[1:]
	results := make(chan error, k.users)
	var all sync.WaitGroup
	for i := range k.users {
		all.Go(func() { results <- k.signsIn(alive[i%len(alive)]) })
	}
	for range k.users / 4 {
		all.Go(func() { _ = k.signsIn(lost) })
	}
	var err error
	before := max(1, k.users/5)
	for i := range k.users {
		err = cmp.Or(err, <-results)
		if i+1 == before && err == nil {
			lost.process.kill()
		}
	}
	all.Wait()
	after := k.users - before
	check.Must(err, k.connectionRefused(lost),
		check.That("the sign-ins that ended after the loss", after > 0, "some", fmt.Sprint(after)))
	return fmt.Sprintf("%s was killed (SIGKILL) when %d of %d users had signed in elsewhere; the other %d did so too",
		lost.Name, before, k.users, after)
}

// secondNearest: the redirector leads to the next Region.
func secondNearest(k *walker) string {
	s := k.sites[1]
	check.Must(k.entersByRedirector(s))
	return "the redirector moved to " + s.Name + ", which signed Alice in"
}

// signOutReaches: without the primary, a sign-out in one Region ends the sign-in's session in another.
func signOutReaches(k *walker) string {
	from, to := k.sites[1], k.sites[2]
	b := check.Get(k.followLink(from, to))
	p := check.Get(b.Open(from.url + "/"))
	check.Get(b.Submit(p, formFor("the portal's page", p, portal.PathSignOut), nil))
	check.Must(k.ends(session{to, b}))
	return "without " + k.sites[0].Name + " a sign-out in " + from.Name + " ended the session in " + to.Name
}

// formFor returns the form of a page with that action.
func formFor(what string, p *testkit.Page, action string) testkit.Form {
	f, ok := p.FormFor(action)
	check.Must(check.That(what, ok, "a form for "+action, p.Text()))
	return f
}

// ends waits until a session has ended.
func (k *walker) ends(s session) error {
	return k.until(func() error {
		in, err := s.signedIn()
		return cmp.Or(err, check.Same("whether the session in "+s.at.Name+" opens the portal", false, in))
	})
}

// revocationReaches: without the primary, an operator in one Region ends Bob's sessions in all. Bob can sign in again.
func revocationReaches(k *walker) string {
	from, to := k.sites[1], k.sites[2]
	bob, operator := session{to, k.browser()}, k.browser()
	who := person.Person{Login: corp.Bob, IdP: k.idpURL}
	check.Get(who.Enter(bob.b, to.url+"/"))
	in, err := bob.signedIn()
	check.Must(err, check.Same("whether Bob is signed in", true, in))
	check.Get(k.signedIn(operator, from))
	p := check.Get(operator.Open(from.url + portal.PathPeople + "/end?" + url.Values{"id": {who.Login}}.Encode()))
	f := formFor("the question before Bob's sessions end", p, portal.PathPeople+"/end")
	check.Get(operator.Submit(p, f, url.Values{}))
	check.Must(k.ends(bob))
	p = check.Get(who.Enter(k.browser(), to.url+"/"))
	check.Must(who.Sees(p, to.Place, to.url))
	k.kept.add(from, operator)
	return "without " + k.sites[0].Name + " an operator in " + from.Name + " ended all of Bob's sessions, also in " +
		to.Name
}

// onlyPrimaryWrites: no other Region becomes the primary. It refuses changes and names the primary.
func onlyPrimaryWrites(k *walker) string {
	for _, s := range k.sites[1:] {
		r, err := query[Refusal](k, s, "Assign")
		check.Must(err,
			check.Same("why "+s.Name+" refused a change to permissions", center.ReasonNotPrimary, r.Reason),
			check.Same("the Region that it named", k.sites[0].Name, r.Primary))
	}
	return "the other Regions refused a change to permissions (NotPrimary) and named " + k.sites[0].Name
}
