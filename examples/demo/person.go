package main

import (
	"net/url"
	"regexp"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// person is who signs in.
func (k *walker) person() person.Person { return person.Person{Login: k.who, IdP: k.idpURL} }

// signedIn opens a Region's portal and signs in.
func (k *walker) signedIn(b *testkit.Browser, s *site) (*testkit.Page, error) {
	return k.person().Enter(b, s.url+"/")
}

// begin opens a Region's portal and goes as far as the answer.
func (k *walker) begin(b *testkit.Browser, r *site) (*testkit.Page, testkit.Form, error) {
	p, err := b.Open(r.url + "/")
	if err != nil {
		return nil, testkit.Form{}, err
	}
	return k.person().UpToAnswer(b, p)
}

// dashboard signs in at the identity provider.
func (k *walker) dashboard(b *testkit.Browser) (*testkit.Page, error) {
	p, err := b.Open(k.idp.DashboardURL())
	if err != nil {
		return nil, err
	}
	f, ok := p.FormWith("password")
	if !ok {
		return p, nil // signed in already
	}
	if p, err = b.Submit(p, f, url.Values{"username": {k.who}, "password": {mockidp.DefaultPassword}}); err != nil {
		return nil, err
	}
	return p, check.Same("the page after signing in at the identity provider", k.idp.DashboardURL(), p.URL.String())
}

// tile clicks the SAML app's tile and goes as far as the answer.
func (k *walker) tile(b *testkit.Browser) (*testkit.Page, testkit.Form, error) {
	p, err := k.dashboard(b)
	if err != nil {
		return nil, testkit.Form{}, err
	}
	if p, err = b.Click(p, corp.SAMLLabel); err != nil {
		return nil, testkit.Form{}, err
	}
	return k.person().UpToAnswer(b, p)
}

// atPortal requires that p is the home page of a Region's portal, for Alice.
func atPortal(p *testkit.Page, s *site) error {
	return person.Person{Login: corp.Alice}.Sees(p, s.Place, s.url, corp.Sandbox)
}

// complained finds what the control page says when something went wrong.
var complained = regexp.MustCompile(`<p class="notice bad"[^>]*>([^<]*)</p>`)

// press presses a button of the control page, which may have a name and value.
func (k *walker) press(action string, value ...string) error {
	b := k.browser()
	p, err := b.Open(k.control.url + "/")
	if err != nil {
		return err
	}
	f, ok := p.FormFor(action)
	if !ok {
		return check.Differ("the control page", "a button for "+action, "none")
	}
	filled := url.Values{}
	if len(value) == 2 {
		filled.Set(value[0], value[1])
	}
	p, err = b.Submit(p, f, filled)
	if err != nil {
		return err
	}
	if complaint := complained.FindStringSubmatch(p.Body); complaint != nil {
		return check.Differ("what the control page says", "what was done", complaint[1])
	}
	return check.Same("the status of the control page", 200, p.Status)
}
