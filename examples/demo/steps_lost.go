package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/failover"
)

// redirectorLeadsTo waits until the redirector leads to the Region.
func (k *walker) redirectorLeadsTo(s *site) error {
	return k.until(func() error {
		p, err := k.browser().Look(k.redirector.url + "/")
		if err != nil {
			return err
		}
		return check.Same("where the redirector leads", s.url+"/", p.Header.Get("Location"))
	})
}

// drained: a routing control that is Off sends users elsewhere at once, and Auto sends them back. So does an operator
// in the Region's portal.
func drained(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.redirectorLeadsTo(first))
	check.Must(k.route(first, failover.Off))
	moved := k.redirectorLeadsTo(other)
	check.Must(k.route(first, failover.Auto), moved) // Auto also on failure: later steps need it
	check.Must(k.redirectorLeadsTo(first))
	operator := k.browser()
	check.Get(k.signedIn(operator, first))
	rotate := func(to string) {
		path := portal.PathOperator + "/regions/" + first.Name + "/rotation"
		p := check.Get(operator.Open(first.url + path))
		check.Get(operator.Submit(p, formFor("the question about the rotation", p, path), url.Values{"rotation": {to}}))
	}
	rotate("out")
	moved = k.redirectorLeadsTo(other)
	rotate("in")
	check.Must(moved, k.redirectorLeadsTo(first))
	return "with the routing control of " + first.Name + " Off the redirector led to " + other.Name +
		", and with Auto back to " + first.Name + "; so it did when an operator took the Region out of rotation"
}

// route presses one of the buttons of a Region's routing control.
func (k *walker) route(s *site, to failover.Control) error {
	if err := k.press("/regions/"+s.Name+"/control", url.Values{"control": {to.String()}}); err != nil {
		return err
	}
	return check.Same("the routing control", to, k.redirector.probed(s.Name).Control)
}

// regionLost: the primary is stopped. Sign-ins that begin elsewhere work. The SAML tile still leads to the first URL of
// the app, which is why an additional Region has a bookmark.
func regionLost(k *walker) string {
	lost, alive := k.sites[0], k.newRegion()
	check.Must(k.press("/regions/"+lost.Name+"/stop", nil))
	check.Must(k.connectionRefused(lost))
	check.Must(k.signsIn(alive))
	check.Must(k.bookmarkLeadsTo(alive))
	b := k.browser()
	p, f := check.Get2(k.tile(b))
	check.Must(check.Same("where the SAML tile leads", lost.acs, f.Action))
	_, err := b.Submit(p, f, nil)
	check.Must(check.That("the SAML tile, which leads to "+lost.Name, testkit.ConnectionRefused(err),
		"no connection", fmt.Sprint(err)))
	operator := k.browser()
	check.Get(k.signedIn(operator, alive))
	check.Must(k.until(func() error {
		p, err := operator.Open(alive.url + portal.PathOperator)
		if err != nil {
			return err
		}
		return check.That("the operators' page of "+alive.Name, strings.Contains(p.Text(), "Lost since"), "Lost since",
			p.Text())
	}))
	return "with " + lost.Name + " shut down " + alive.Name + " signed Alice in from its portal and from the bookmark; " +
		"the SAML tile still led to " + lost.Name
}

// connectionRefused requires that no server listens at the Region's address.
func (k *walker) connectionRefused(r *site) error {
	_, err := k.browser().Open(r.url + "/")
	return check.That("a connection to "+r.Name, testkit.ConnectionRefused(err), "refused", fmt.Sprint(err))
}

// redirected: while the primary is stopped, the redirector leads to the other Region. Alice signs in there and has the
// access that she was given before.
func redirected(k *walker) string {
	lost, alive := k.sites[0], k.newRegion()
	check.Must(k.connectionRefused(lost))
	check.Must(k.redirectorLeadsTo(alive))
	b, mark := k.browser(), k.signIns.mark()
	p := check.Get(k.person().Enter(b, k.redirector.url+"/"))
	check.Must(k.accepted(mark, alive, acs.FlowSP), atPortal(p, alive))
	p = check.Get(b.Click(p, corp.Administrator))
	check.Must(check.Same("the status of the permission set's page", 200, p.Status), person.Says(p, corp.Sandbox))
	// The portal shows the age of its data as soon as it has detected the loss.
	check.Must(k.until(func() error {
		p, err := b.Open(alive.url + "/")
		if err != nil {
			return err
		}
		return person.Says(p, lost.Name+" ("+lost.Label+") can't be reached from here")
	}))
	return "the redirector led to " + alive.Name + ", where Alice signed in and opened " + corp.Administrator +
		", provisioned before the loss"
}

// regionBack: the primary comes back at the same address and signs users in, in both flows.
func regionBack(k *walker) string {
	r := k.sites[0]
	check.Must(k.connectionRefused(r))
	check.Must(k.press("/regions/"+r.Name+"/start", nil))
	check.Must(k.signsIn(r))
	check.Must(k.tileLeadsTo(r))
	return r.Name + " came back and signed Alice in, from its portal and from the SAML tile"
}
