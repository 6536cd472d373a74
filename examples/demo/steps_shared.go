package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// oneSignIn: the link on a portal's page signs the user in to another Region without the identity provider.
func oneSignIn(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	b := check.Get(k.followLink(first, other))
	k.kept.add(first, b)
	k.kept.add(other, b)
	return "the link on " + first.Name + "'s portal opened " + other.Name + "'s for Alice, without the identity provider"
}

// followLink signs Alice in to one Region and follows its link to another.
func (k *walker) followLink(from, to *site) (*testkit.Browser, error) {
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
			return b, check.Differ("the way to "+to.Name, "no page of the identity provider", v.URL)
		}
	}
	return b, cmp.Or(check.Same("responses on the way", 0, len(k.signIns.since(mark))), atPortal(p, to))
}

// changeArrives: a change in the primary arrives in the other Region, which refuses changes and names the primary.
func changeArrives(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	grant := center.Assignment{
		Principal: center.UserPrincipal(corp.Alice), AccountID: corp.Production, PermissionSet: corp.Administrator,
	}
	err := update(other, func(tx *center.Tx) error { return tx.Assign(grant) })
	var refused *center.Error
	check.Must(check.That("a change to permissions in "+other.Name, errors.As(err, &refused),
		"refused, Reason NotPrimary", fmt.Sprint(err)))
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
	return "permissions assigned and removed in " + first.Name + " showed in " + other.Name +
		", which refused to change any itself, and named " + first.Name
}

// update changes the instance through a Region.
func update(s *site, change func(*center.Tx) error) error {
	v := s.view()
	if v == nil {
		return check.Differ("the Region "+s.Name, "one that runs", stateOf(s))
	}
	return v.Update(change)
}

// revokedMeanwhile: Alice is signed in to both Regions, the primary is stopped, and in the other Region she ends her
// session in the primary. When the primary is back that session has ended, and Bob's has not.
func revokedMeanwhile(k *walker) string {
	lost, alive := k.sites[0], k.newRegion()
	ended, kept := k.browser(), k.browser()
	k.who = corp.Bob
	check.Get(k.signedIn(kept, lost))
	k.who = corp.Alice
	check.Get(k.signedIn(ended, lost))
	check.Get(k.agree()) // a Region can only end a session that it knows
	check.Must(k.press("/regions/"+lost.Name+"/stop", nil))
	revoked := k.revokesIn(alive, lost)
	check.Must(k.press("/regions/"+lost.Name+"/start", nil), revoked) // started also on failure: later steps need it
	check.Must(k.until(func() error {
		p, err := ended.Copy().Look(lost.url + "/sessions")
		if err != nil {
			return err
		}
		return check.Same("whether the session in "+lost.Name+" has ended", true, p.Status == 303)
	}))
	// Otherwise her session at the identity provider signs her in again at once.
	check.Must(k.idp.EndSessions(corp.Alice))
	p := check.Get(ended.Open(lost.url + "/"))
	_, asked := p.FormWith("password")
	check.Must(check.Same("whether "+lost.Name+" asks for a sign-in", true, asked),
		check.Same("where it asks", k.idpURL, p.Origin()))
	p = check.Get(kept.Open(lost.url + "/sessions"))
	check.Must(check.Same("the page that Bob's session opens", lost.url+"/sessions", p.URL.String()),
		person.Says(p, "This session"))
	return "with " + lost.Name + " stopped its session was ended from " + alive.Name + "; started again, " + lost.Name +
		" asked Alice to sign in, and kept the sessions of others"
}

// revokesIn signs Alice in to a Region and ends there, on the page of her sessions, all that began in another one.
func (k *walker) revokesIn(s, made *site) error {
	b := k.browser()
	if _, err := k.signedIn(b, s); err != nil {
		return err
	}
	for ended := 0; ; ended++ {
		p, err := b.Open(s.url + portal.PathSessions)
		if err != nil {
			return err
		}
		forms := p.Forms()
		i := slices.IndexFunc(forms, func(f testkit.Form) bool {
			return f.Action == portal.PathEnd && strings.Contains(f.Text, "in "+made.Label)
		})
		if i < 0 {
			return check.That("sessions of "+made.Name+" on "+s.Name+"'s page", ended > 0, "at least one", p.Text())
		}
		if _, err = b.Submit(p, forms[i], nil); err != nil {
			return err
		}
	}
}

// nothingMissing: both Regions have what was written in either, also while the other was stopped.
func nothingMissing(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.signsIn(other))
	check.Get(k.agree())
	all, own := first.running().Known(k.ctx)
	check.Must(check.That("the sessions that "+first.Name+" knows of", all > own, "some that began in "+other.Name,
		"none"))
	return "both Regions have the same data of the instance, of sessions and of their ends: 0 differences"
}
