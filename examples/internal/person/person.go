// Package person is somebody at a browser who signs in to the examples.
package person

import (
	"net/url"

	"github.com/meridian-saml/meridian/examples/internal/browse"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp"
)

// A Person signs in with a login and the mock's password, and types it nowhere
// but at the identity provider.
type Person struct {
	Login string
	IdP   string // the identity provider's origin
}

// UpToAnswer goes on from p until the identity provider's answer stands in the
// browser, ready to be posted: the person signs in if that is asked for.
func (who Person) UpToAnswer(b *browse.Browser, p *browse.Page) (*browse.Page, browse.Form, error) {
	if f, ok := p.FormWith("password"); ok {
		if err := check.Same("the page that asks for a password", who.IdP, p.Origin()); err != nil {
			return nil, browse.Form{}, err
		}
		var err error
		if p, err = b.Submit(p, f, url.Values{"username": {who.Login}, "password": {mockidp.DefaultPassword}}); err != nil {
			return nil, browse.Form{}, err
		}
	}
	f, ok := p.FormWith("SAMLResponse")
	if !ok {
		return nil, browse.Form{}, check.Differ("the page at "+browse.Bare(p.URL), "an answer of the identity provider", p.Text())
	}
	return p, f, nil
}

// SignIn goes on from p until it is done.
func (who Person) SignIn(b *browse.Browser, p *browse.Page) (*browse.Page, error) {
	p, f, err := who.UpToAnswer(b, p)
	if err != nil {
		return nil, err
	}
	return b.Submit(p, f, nil)
}

// Enter opens an address, a portal's or one that leads there, and signs in.
func (who Person) Enter(b *browse.Browser, addr string) (*browse.Page, error) {
	p, err := b.Open(addr)
	if err != nil {
		return nil, err
	}
	return who.SignIn(b, p)
}

// Sees requires that p is the home page of a Region's portal for the person,
// who may read there what else is named.
func (who Person) Sees(p *browse.Page, at corp.Place, origin string, texts ...string) error {
	if err := check.Same("the page in the end", origin+"/", p.URL.String()); err != nil {
		return err
	}
	if err := check.Same("the status of the portal's page", 200, p.Status); err != nil {
		return err
	}
	for _, text := range append([]string{"Region " + at.Name, who.Login, corp.Production}, texts...) {
		if err := p.Says(text); err != nil {
			return err
		}
	}
	return nil
}
