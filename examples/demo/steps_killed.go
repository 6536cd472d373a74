package main

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// primaryKilled: while many people sign in everywhere the primary's process is
// killed. A user who signs in at another Region notices nothing. One who was let
// in by the primary before keeps that session for when it is back.
func primaryKilled(k *walker) string {
	lost := k.sites[0]
	all := k.crowd(lost, k.sites[1:])
	in, err := all.untilIn(max(1, k.people/5))
	if err == nil {
		lost.process.kill()
		err = all.untilDone()
	}
	check.Must(err)
	after := k.people - in
	check.Must(k.nothingAnswers(lost), check.That("the sign-ins that ended after the loss", after > 0, "some", fmt.Sprint(after)))
	return fmt.Sprintf("%s was killed (SIGKILL) when %d of %d people had signed in elsewhere; the other %d did so too", lost.Name, in, k.people, after)
}

// secondNearest: the redirector moves on to the next Region.
func secondNearest(k *walker) string {
	s := k.sites[1]
	check.Must(k.entersByRedirector(s))
	return "the redirector moved to " + s.Name + ", which signed Alice in"
}

// signOutReaches: with the primary dead, a sign-out in one Region ends the
// session that came from the same sign-in in another.
func signOutReaches(k *walker) string {
	from, to := k.sites[1], k.sites[2]
	b := check.Get(k.goesOver(from, to))
	p := check.Get(b.Open(from.url + "/"))
	f, ok := p.FormFor(portal.PathSignOut)
	if !ok {
		check.Must(check.Differ("the portal's page", "a button to sign out", p.Text()))
	}
	check.Get(b.Submit(p, f, nil))
	check.Must(k.ends(session{to, b}))
	return "with " + k.sites[0].Name + " dead a sign-out in " + from.Name + " ended the session in " + to.Name
}

// ends waits until a session has ended.
func (k *walker) ends(s session) error {
	return k.until(func() error {
		in, err := s.signedIn()
		return cmp.Or(err, check.Same("whether the session in "+s.at.Name+" opens the portal", false, in))
	})
}

// revocationReaches: with the primary dead, an operator in one Region ends all
// of Bob's sessions, and Bob's in another ends. Bob can sign in again.
func revocationReaches(k *walker) string {
	from, to := k.sites[1], k.sites[2]
	bob, operator := session{to, k.browser()}, k.browser()
	who := person.Person{Login: corp.Bob, IdP: k.idpURL}
	check.Get(who.Enter(bob.b, to.url+"/"))
	in, err := bob.signedIn()
	check.Must(err, check.Same("whether Bob is signed in", true, in))
	check.Get(k.signedIn(operator, from))
	p := check.Get(operator.Open(from.url + portal.PathOperator))
	f, ok := p.FormFor(portal.PathOperator)
	if !ok {
		check.Must(check.Differ("the operator's page", "a form to end a user's sessions", p.Text()))
	}
	check.Get(operator.Submit(p, f, url.Values{"user_name": {who.Login}}))
	check.Must(k.ends(bob))
	p = check.Get(who.Enter(k.browser(), to.url+"/"))
	check.Must(who.Sees(p, to.Place, to.url))
	k.kept.add(from, operator)
	return "with " + k.sites[0].Name + " dead an operator in " + from.Name + " ended all of Bob's sessions, that in " + to.Name + " too"
}

// onlyPrimaryWrites: no Region takes over the primary's part. Who asks another
// Region for a change is told whom to ask.
func onlyPrimaryWrites(k *walker) string {
	for _, s := range k.sites[1:] {
		r, err := query[Refusal](k, s, "Assign")
		check.Must(err, check.Same("why "+s.Name+" refused a change to permissions", center.ReasonNotPrimary, r.Reason),
			check.Same("the Region that it named", k.sites[0].Name, r.Primary))
	}
	return "the other Regions refused a change to permissions (NotPrimary) and named " + k.sites[0].Name
}
