// Package person is a user at a browser who signs in to the examples.
package person

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Person signs in with a login and the mock's password. It enters the password at the identity provider only.
type Person struct {
	Login string
	IdP   string // the identity provider's origin
}

// UpToAnswer goes from p to the identity provider's answer, ready to be posted. The person signs in if p asks for it.
func (who Person) UpToAnswer(b *testkit.Browser, p *testkit.Page) (*testkit.Page, testkit.Form, error) {
	if f, ok := p.FormWith("password"); ok {
		if err := check.Same("the page that asks for a password", who.IdP, p.Origin()); err != nil {
			return nil, testkit.Form{}, err
		}
		var err error
		if p, err = b.Submit(p, f, url.Values{"username": {who.Login}, "password": {mockidp.DefaultPassword}}); err != nil {
			return nil, testkit.Form{}, err
		}
	}
	f, ok := p.FormWith("SAMLResponse")
	if !ok {
		return nil, testkit.Form{}, check.Differ(pageAt(p), "an answer of the identity provider", p.Text())
	}
	return p, f, nil
}

// SignIn goes from p to the page after sign-in.
func (who Person) SignIn(b *testkit.Browser, p *testkit.Page) (*testkit.Page, error) {
	p, f, err := who.UpToAnswer(b, p)
	if err != nil {
		return nil, err
	}
	return b.Submit(p, f, nil)
}

// Enter opens an address of a portal, or one that leads there, and signs in.
func (who Person) Enter(b *testkit.Browser, addr string) (*testkit.Page, error) {
	p, err := b.Open(addr)
	if err != nil {
		return nil, err
	}
	return who.SignIn(b, p)
}

// Sees requires that p is the home page of a Region's portal for the person, and shows the texts.
func (who Person) Sees(p *testkit.Page, at corp.Place, origin string, texts ...string) error {
	all := []error{
		check.Same("the page in the end", origin+"/", p.URL.String()),
		check.Same("the status of the portal's page", 200, p.Status),
	}
	for _, text := range append([]string{"Region " + at.Name, who.Login, corp.Production}, texts...) {
		all = append(all, Says(p, text))
	}
	return cmp.Or(all...)
}

// Says requires that the page shows a text.
func Says(p *testkit.Page, text string) error {
	return check.That(pageAt(p), strings.Contains(p.Text(), text), "the text "+check.Quote(text), p.Text())
}

func pageAt(p *testkit.Page) string { return "the page at " + p.Origin() + p.URL.Path }

// Posted returns the addresses that a browser posted to, without those at the identity provider.
func Posted(b *testkit.Browser, idp string) []string {
	var out []string
	for _, v := range b.Trail {
		if v.Method == http.MethodPost && !strings.HasPrefix(v.URL, idp+"/") {
			out = append(out, v.URL)
		}
	}
	return out
}

// Visited requires that a browser visited an address.
func Visited(b *testkit.Browser, url string) error {
	through := slices.ContainsFunc(b.Trail, func(v testkit.Visit) bool { return v.URL == url })
	return check.That("the browser's visits", through, "through "+url, b.Trail[len(b.Trail)-1].URL)
}
