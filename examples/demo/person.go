package main

import (
	"net/url"

	"github.com/meridian-saml/meridian/mockidp"
)

// upToAnswer goes on from p until the identity provider's answer stands in the
// browser, ready to be posted: it signs in if that is asked for.
func (k *walker) upToAnswer(b *browser, p *page) (*page, form, error) {
	if f, ok := p.formWith("password"); ok {
		if err := same("the page that asks for a password", k.idp.URL, p.origin()); err != nil {
			return nil, form{}, err
		}
		var err error
		if p, err = b.submit(p, f, url.Values{"username": {k.who}, "password": {mockidp.DefaultPassword}}); err != nil {
			return nil, form{}, err
		}
	}
	f, ok := p.formWith("SAMLResponse")
	if !ok {
		return nil, form{}, differ("the page at "+bare(p.url), "an answer of the identity provider", p.text())
	}
	return p, f, nil
}

// signIn goes on from p until it is done.
func (k *walker) signIn(b *browser, p *page) (*page, error) {
	p, f, err := k.upToAnswer(b, p)
	if err != nil {
		return nil, err
	}
	return b.submit(p, f, nil)
}

// begin opens a Region's portal and goes as far as the answer.
func (k *walker) begin(b *browser, r *region) (*page, form, error) {
	p, err := b.open(r.url + "/")
	if err != nil {
		return nil, form{}, err
	}
	return k.upToAnswer(b, p)
}

// dashboard signs in at the identity provider.
func (k *walker) dashboard(b *browser) (*page, error) {
	p, err := b.open(k.idp.DashboardURL())
	if err != nil {
		return nil, err
	}
	f, ok := p.formWith("password")
	if !ok {
		return p, nil // signed in already
	}
	if p, err = b.submit(p, f, url.Values{"username": {k.who}, "password": {mockidp.DefaultPassword}}); err != nil {
		return nil, err
	}
	return p, same("the page after signing in at the identity provider", k.idp.DashboardURL(), p.url.String())
}

// tile clicks the SAML app's tile and goes as far as the answer.
func (k *walker) tile(b *browser) (*page, form, error) {
	p, err := k.dashboard(b)
	if err != nil {
		return nil, form{}, err
	}
	if p, err = b.click(p, samlLabel); err != nil {
		return nil, form{}, err
	}
	return k.upToAnswer(b, p)
}

// atPortal requires that p is the home page of a Region's portal, for Alice.
func atPortal(p *page, r *region) error {
	if err := same("the page in the end", r.url+"/", p.url.String()); err != nil {
		return err
	}
	if err := same("the status of the portal's page", 200, p.status); err != nil {
		return err
	}
	for _, text := range []string{"Region " + r.Name, alice, production, sandbox} {
		if err := p.says(text); err != nil {
			return err
		}
	}
	return nil
}

// press presses a button of the control page.
func (k *walker) press(action string) error {
	b := k.browser()
	p, err := b.open(k.control.url + "/")
	if err != nil {
		return err
	}
	f, ok := p.formFor(action)
	if !ok {
		return differ("the control page", "a button for "+action, "none")
	}
	p, err = b.submit(p, f, nil)
	if err != nil {
		return err
	}
	return same("the status of the control page", 200, p.status)
}
