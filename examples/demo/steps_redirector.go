package main

import (
	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/portal/failover"
)

// redirectorLeadsTo waits until the redirector does.
func (k *walker) redirectorLeadsTo(s *site) error {
	return k.until(func() error {
		p, err := k.browser().Look(k.redirector.url + "/")
		if err != nil {
			return err
		}
		return check.Same("where the redirector leads", s.url+"/", p.Header.Get("Location"))
	})
}

// drained: a routing control that is Off sends people elsewhere, at once, and
// Auto takes them back.
func drained(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.redirectorLeadsTo(first))
	check.Must(k.route(first, failover.Off))
	moved := k.redirectorLeadsTo(other)
	// Back in any case, or every later step would fail for this one's reason.
	check.Must(k.route(first, failover.Auto), moved)
	check.Must(k.redirectorLeadsTo(first))
	return "with the routing control of " + first.Name + " Off the redirector led to " + other.Name + ", and with Auto back to " + first.Name
}

// route presses one of the buttons of a Region's routing control.
func (k *walker) route(s *site, to failover.Control) error {
	if err := k.press("/regions/"+s.Name+"/control", "control", to.String()); err != nil {
		return err
	}
	return check.Same("the routing control", to, k.redirector.probed(s.Name).Control)
}

// redirected: the primary is down. The redirector leads to the other Region,
// where Alice signs in and opens what she was given before.
func redirected(k *walker) string {
	lost, alive := k.sites[0], k.newRegion()
	check.Must(k.nothingAnswers(lost))
	check.Must(k.redirectorLeadsTo(alive))
	b, mark := k.browser(), k.signIns.mark()
	p := check.Get(k.person().Enter(b, k.redirector.url+"/"))
	check.Must(k.accepted(mark, alive, acs.FlowSP), atPortal(p, alive))
	p = check.Get(b.Click(p, corp.Administrator))
	check.Must(check.Same("the status of the permission set's page", 200, p.Status), person.Says(p, corp.Sandbox))
	// How fresh the data is shows as soon as the loss is noticed.
	check.Must(k.until(func() error {
		p, err := b.Open(alive.url + "/")
		if err != nil {
			return err
		}
		return person.Says(p, lost.Name+" ("+lost.Label+") can't be reached from here")
	}))
	return "the redirector led to " + alive.Name + ", where Alice signed in and opened " + corp.Administrator + ", provisioned before the loss"
}
