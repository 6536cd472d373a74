package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// oneSignIn: who is signed in to one Region gets to the other's portal by the
// link on the page, without the identity provider.
func oneSignIn(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	b := check.Get(k.goesOver(first, other))
	k.kept.add(first, b)
	k.kept.add(other, b)
	return "the link from " + first.Name + "'s portal opened " + other.Name + "'s for Alice, without the identity provider"
}

// goesOver signs Alice in to one Region and follows its link to another.
func (k *walker) goesOver(from, to *site) (*testkit.Browser, error) {
	b := k.browser()
	p, err := k.signedIn(b, from)
	if err != nil {
		return b, err
	}
	mark, before := k.signIns.mark(), len(b.Trail)
	if p, err = b.Click(p, "Open "+to.Name); err != nil {
		return b, err
	}
	for _, v := range b.Trail[before:] {
		if strings.HasPrefix(v.URL, k.idpURL) {
			return b, check.Differ("the way to "+to.Name, "none of the identity provider's pages", v.URL)
		}
	}
	return b, cmp.Or(check.Same("responses on the way", 0, len(k.signIns.since(mark))), atPortal(p, to))
}

// changeArrives: what the primary changes arrives in the other Region; the
// other Region changes nothing and names the primary.
func changeArrives(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	grant := center.Assignment{Principal: center.UserPrincipal(corp.Alice), AccountID: corp.Production, PermissionSet: corp.Administrator}
	err := update(other, func(tx *center.Tx) error { return tx.Assign(grant) })
	var refused *center.Error
	if !errors.As(err, &refused) {
		check.Must(check.Differ("a change to permissions in "+other.Name, "refused, Reason NotPrimary", fmt.Sprint(err)))
	}
	check.Must(check.Same("why "+other.Name+" refused the change", center.ReasonNotPrimary, refused.Reason),
		check.Same("the Region that it named", first.Name, refused.Primary))
	b := k.browser()
	check.Get(k.signedIn(b, other))
	role := other.url + "/accounts/" + corp.Production + "/" + corp.Administrator
	status := func(want int) error {
		p, err := b.Open(role)
		if err != nil {
			return err
		}
		return check.Same("the status of the page of "+corp.Administrator+" in "+other.Name, want, p.Status)
	}
	check.Must(status(404))
	check.Must(update(first, func(tx *center.Tx) error { return tx.Assign(grant) }))
	arrived := k.until(func() error { return status(200) })
	gone := update(first, func(tx *center.Tx) error { return tx.Unassign(grant) })
	check.Must(arrived, gone, k.until(func() error { return status(404) }))
	return "permissions given and taken back in " + first.Name + " showed in " + other.Name + "; " + other.Name + " changed none itself, and named " + first.Name
}

// update changes the instance by way of a Region.
func update(s *site, change func(*center.Tx) error) error {
	v := s.view()
	if v == nil {
		return check.Differ("the Region "+s.Name, "one that runs", stateOf(s))
	}
	return v.Update(change)
}

// revokedMeanwhile: Alice signs in to both Regions by herself, the primary is
// lost, and in the other one she ends the session that she had there. When the
// primary is back that session is over, and only that one: her browser, which
// has it still, comes to the page that asks for a password.
func revokedMeanwhile(k *walker) string {
	lost, alive := k.sites[0], k.newRegion()
	ended, kept := k.browser(), k.browser()
	k.who = corp.Bob
	check.Get(k.signedIn(kept, lost))
	k.who = corp.Alice
	check.Get(k.signedIn(ended, lost))
	// What the other Region never heard of can't be ended there one by one.
	check.Must(k.nothingDiffers())
	check.Must(k.press("/regions/" + lost.Name + "/stop"))
	revoked := k.revokesIn(alive, lost)
	// Back in any case, or every later step would fail for this one's reason.
	check.Must(k.press("/regions/"+lost.Name+"/start"), revoked)
	check.Must(k.until(func() error {
		p, err := ended.Copy().Look(lost.url + "/sessions")
		if err != nil {
			return err
		}
		return check.Same("whether the session in "+lost.Name+" has ended", true, p.Status == 303)
	}))
	// Her session at the identity provider would sign her in without a word.
	check.Must(k.idp.EndSessions(corp.Alice))
	p := check.Get(ended.Open(lost.url + "/"))
	_, asked := p.FormWith("password")
	check.Must(check.Same("whether "+lost.Name+" asks for a sign-in", true, asked), check.Same("where it asks", k.idpURL, p.Origin()))
	p = check.Get(kept.Open(lost.url + "/sessions"))
	check.Must(check.Same("the page that Bob's session opens", lost.url+"/sessions", p.URL.String()), person.Says(p, "This session"))
	return "with " + lost.Name + " down its session was ended from " + alive.Name + "; back up, " + lost.Name + " asked Alice to sign in again, and kept the sessions of others"
}

// revokesIn signs in to a Region and ends there all of Alice's sessions that
// began in another one, on the page that people have for it.
func (k *walker) revokesIn(s, made *site) error {
	b := k.browser()
	if _, err := k.signedIn(b, s); err != nil {
		return err
	}
	ended := 0
	for {
		p, err := b.Open(s.url + portal.PathSessions)
		if err != nil {
			return err
		}
		f, ok := endOf(p, made.Label)
		if !ok {
			return check.That("sessions of "+made.Name+" on "+s.Name+"'s page", ended > 0, "at least one", p.Text())
		}
		if _, err = b.Submit(p, f, nil); err != nil {
			return err
		}
		ended++
	}
}

// endOf finds the button that ends a session which began in the Region with
// that label.
func endOf(p *testkit.Page, label string) (testkit.Form, bool) {
	for _, f := range p.Forms() {
		if f.Action == portal.PathEnd && strings.Contains(f.Text, "in "+label) {
			return f, true
		}
	}
	return testkit.Form{}, false
}

// nothingMissing: whatever was written in either Region, with the other one
// there or not, both know.
func nothingMissing(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.signsIn(other))
	check.Must(k.nothingDiffers())
	all, own := first.running().Known(k.ctx)
	check.Must(check.That("the sessions that "+first.Name+" knows of", all > own, "some that began in "+other.Name, "none"))
	return "both Regions know the same of the instance, of sessions and of what ended them: 0 differences"
}
