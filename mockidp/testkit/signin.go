package testkit

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// maxPages bounds a sign-in: the identity provider's form, and messages there and back.
const maxPages = 8

// SignIn opens an address and signs in where a page asks for it. It fills in the first form with a password,
// once, and posts forms that hold a SAML message as the scripts on these pages do. It returns the last page.
func (b *Browser) SignIn(addr, login, password string) (*Page, error) {
	p, err := b.Open(addr)
	typed := false
	for range maxPages {
		if err != nil {
			return nil, err
		}
		if f, ok := p.form(isMessage); ok {
			p, err = b.submit(p, f, nil, false)
			continue
		}
		if to := p.Refresh(); to != "" {
			p, err = b.Go(Navigation{From: p.Origin(), Method: http.MethodGet, URL: to})
			continue
		}
		f, filled, ok := credentials(p, login, password)
		switch {
		case !ok:
			return p, nil
		case typed:
			return nil, fmt.Errorf("testkit: the page %s asks for the password again: %.300s", p.URL, p.Text())
		}
		typed = true
		p, err = b.Submit(p, f, filled)
	}
	return nil, fmt.Errorf("testkit: the sign-in at %s doesn't end after %d pages", addr, maxPages)
}

func isMessage(f Form) bool {
	v := f.Values()
	return v.Has("SAMLResponse") || v.Has("SAMLRequest")
}

// credentials finds the form with a password field. It fills in that field and the text field before it.
func credentials(p *Page, login, password string) (Form, url.Values, bool) {
	for _, f := range p.Forms() {
		user := ""
		for _, in := range f.Fields {
			if in.Type == "password" {
				filled := url.Values{in.Name: {password}}
				if user != "" {
					filled.Set(user, login)
				}
				return f, filled, true
			}
			if slices.Contains([]string{"", "text", "email"}, in.Type) {
				user = in.Name
			}
		}
	}
	return Form{}, nil, false
}
