package main

import (
	"cmp"

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
func drained(k *walker) (string, error) {
	first, other := k.sites[0], k.newRegion()
	if err := k.redirectorLeadsTo(first); err != nil {
		return "", err
	}
	if err := k.route(first, failover.Off); err != nil {
		return "", err
	}
	moved := k.redirectorLeadsTo(other)
	// Back in any case, or every later step would fail for this one's reason.
	if err := cmp.Or(k.route(first, failover.Auto), moved); err != nil {
		return "", err
	}
	if err := k.redirectorLeadsTo(first); err != nil {
		return "", err
	}
	return "with the routing control of " + first.Name + " Off the redirector led to " + other.Name + ", and with Auto back to " + first.Name, nil
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
func redirected(k *walker) (string, error) {
	lost, alive := k.sites[0], k.newRegion()
	if err := k.nobodyAnswers(lost); err != nil {
		return "", err
	}
	if err := k.redirectorLeadsTo(alive); err != nil {
		return "", err
	}
	b, mark := k.browser(), k.signIns.mark()
	p, err := k.person().Enter(b, k.redirector.url+"/")
	if err != nil {
		return "", err
	}
	if err := cmp.Or(k.accepted(mark, alive, acs.FlowSP), atPortal(p, alive)); err != nil {
		return "", err
	}
	if p, err = b.Click(p, corp.Administrator); err != nil {
		return "", err
	}
	if err := cmp.Or(check.Same("the status of the permission set's page", 200, p.Status), person.Says(p, corp.Sandbox)); err != nil {
		return "", err
	}
	// How fresh the data is shows as soon as the loss is noticed.
	if err := k.until(func() error {
		if p, err = b.Open(alive.url + "/"); err != nil {
			return err
		}
		return person.Says(p, lost.Name+" ("+lost.Label+") can't be reached from here")
	}); err != nil {
		return "", err
	}
	return "the redirector led to " + alive.Name + ", where Alice signed in and opened " + corp.Administrator + ", provisioned before the loss", nil
}
