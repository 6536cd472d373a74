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

// person returns the user who signs in.
func (k *walker) person() person.Person { return person.Person{Login: k.who, IdP: k.idpURL} }

// signedIn opens a Region's portal and signs in.
func (k *walker) signedIn(b *testkit.Browser, s *site) (*testkit.Page, error) {
	return k.person().Enter(b, s.url+"/")
}

// begin opens a Region's portal and signs in at the identity provider, up to its answer.
func (k *walker) begin(b *testkit.Browser, r *site) (*testkit.Page, testkit.Form, error) {
	p, err := b.Open(r.url + "/")
	if err != nil {
		return nil, testkit.Form{}, err
	}
	return k.person().UpToAnswer(b, p)
}

// dashboard signs in at the identity provider, if the browser is not signed in there already.
func (k *walker) dashboard(b *testkit.Browser) (*testkit.Page, error) {
	p, err := b.SignIn(k.idp.DashboardURL(), k.who, mockidp.DefaultPassword)
	if err != nil {
		return nil, err
	}
	return p, check.Same("the page after signing in at the identity provider", k.idp.DashboardURL(), p.URL.String())
}

// tile clicks the SAML app's tile, up to the identity provider's answer.
func (k *walker) tile(b *testkit.Browser) (*testkit.Page, testkit.Form, error) {
	p, err := k.dashboard(b)
	if err == nil {
		p, err = b.Click(p, corp.SAMLLabel)
	}
	if err != nil {
		return nil, testkit.Form{}, err
	}
	return k.person().UpToAnswer(b, p)
}

// atPortal requires that p is the home page of a Region's portal, for Alice.
func atPortal(p *testkit.Page, s *site) error {
	return person.Person{Login: corp.Alice}.Sees(p, s.Place, s.url, corp.Sandbox)
}

// errorNotice finds an error on the control page.
var errorNotice = regexp.MustCompile(`<p class="notice bad"[^>]*>([^<]*)</p>`)

// press presses a button of the control page, with these values.
func (k *walker) press(action string, values url.Values) error {
	b := k.browser()
	p, err := b.Open(k.control.url + "/")
	if err != nil {
		return err
	}
	f, ok := p.FormFor(action)
	if !ok {
		return check.Differ("the control page", "a button for "+action, "none")
	}
	if p, err = b.Submit(p, f, values); err != nil {
		return err
	}
	if m := errorNotice.FindStringSubmatch(p.Body); m != nil {
		return check.Differ("the notice on the control page", "no error", m[1])
	}
	return check.Same("the status of the control page", 200, p.Status)
}
