package testkit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// IdP is a mock identity provider. A mockidp.Server is one.
type IdP interface {
	// Handler serves its pages.
	Handler() http.Handler
	// SignInURL returns the address of its sign-in page.
	SignInURL() string
	// Credentials returns what a user types to sign in. The code is that of a second factor, or "".
	Credentials(login string) (password, code string, err error)
}

// SignIn signs a user in with a new browser. It opens an address and goes through all pages, to the answer of the
// service provider. The address starts a sign-in at the service provider, or is the identity provider's tile
// (mockidp.Server.TileURL). The service provider listens on loopback.
//
// An answer that refuses the user is not an error: see the page's Status. It is an error if the browser didn't get a
// response, or didn't deliver it. The Browser of the page is signed in, for further requests.
func SignIn(idp IdP, addr, login string) (*Page, error) {
	return NewBrowser(context.Background()).SignInAs(idp, addr, login)
}

// SignInClient is SignIn with a client's transport, such as the one of an httptest.Server with TLS. Nil is
// http.DefaultTransport. The client itself isn't changed; Browser.Client returns one that is signed in.
func SignInClient(idp IdP, client *http.Client, addr, login string) (*Page, error) {
	b := NewBrowser(context.Background())
	if b.Transport = client.Transport; b.Transport == nil {
		b.Transport = http.DefaultTransport
	}
	return b.SignInAs(idp, addr, login)
}

// SignInHandler is SignIn at a service provider that doesn't listen. The handler gets the requests for all hosts but
// the identity provider's, so that its address can be any, such as https://sp.example.
func SignInHandler(idp IdP, sp http.Handler, addr, login string) (*Page, error) {
	b := NewBrowser(context.Background())
	b.Transport = Handlers{"": sp}
	return b.SignInAs(idp, addr, login)
}

// SignInAs is the function SignIn with this browser. From then on the browser reaches the identity provider without a
// network, and so without its certificate.
func (b *Browser) SignInAs(idp IdP, addr, login string) (*Page, error) {
	password, code, err := idp.Credentials(login)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(idp.SignInURL())
	if err != nil {
		return nil, fmt.Errorf("testkit: %w", err)
	}
	if t, ok := b.Transport.(besides); !ok || t.host != at.Host {
		b.Transport = besides{at.Host, Handlers{at.Host: idp.Handler()}, b.Transport}
	}
	s := signIn{Browser: b, login: login, password: password, code: code}
	p, err := s.walk(addr)
	switch {
	case err != nil:
		return nil, err
	case p.URL.Host == at.Host:
		return nil, fmt.Errorf("testkit: the sign-in of %s at %s ended at the identity provider, with status %d: %.500s",
			login, addr, p.Status, p.Text())
	case !s.answered:
		return nil, fmt.Errorf("testkit: %s started no sign-in: the page %s has status %d and no message: %.500s",
			addr, p.URL.Redacted(), p.Status, p.Text())
	}
	return p, nil
}

// besides is a transport to one host, and another to all others.
type besides struct {
	host string
	idp  http.RoundTripper
	rest http.RoundTripper
}

func (t besides) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == t.host {
		return t.idp.RoundTrip(r)
	}
	return t.rest.RoundTrip(r)
}

// SignIn opens an address and signs in where a page asks for it, at any identity provider. It fills in the first form
// with a password, once, and submits forms that hold a SAML message as the scripts on these pages do. Where the mock
// composes responses, login names the user, and no password is asked for. It returns the last page.
func (b *Browser) SignIn(addr, login, password string) (*Page, error) {
	s := signIn{Browser: b, login: login, password: password}
	return s.walk(addr)
}

// maxPages bounds a sign-in or a logout: the identity provider's forms, and messages there and back, of a logout those
// of several apps.
const maxPages = 24

// signIn is a sign-in in progress.
type signIn struct {
	*Browser
	login, password, code string

	typed    map[string]bool // the fields that were filled in
	answered bool            // a response was sent
}

func (s *signIn) walk(addr string) (*Page, error) {
	s.typed = map[string]bool{}
	p, err := s.Open(addr)
	if err != nil {
		return nil, err
	}
	return walk(p, s.step)
}

// walk goes on from a page by steps. A step returns nil at the last page.
func walk(p *Page, step func(*Page) (*Page, error)) (*Page, error) {
	first := p.URL.Redacted()
	for range maxPages {
		next, err := step(p)
		switch {
		case err != nil:
			return nil, err
		case next == nil:
			return p, nil
		}
		p = next
	}
	return nil, fmt.Errorf("testkit: what began at %.200s doesn't end after %d pages", first, maxPages)
}

// Continue goes on from a page as the scripts of its pages do, and returns the last page. It sends the forms that hold
// a SAML message, follows Refresh headers, and goes on where the mock's sign-out does so by itself. It types nothing.
// A logout is complete after it, whichever side began it. If an app doesn't answer the mock, the last page is where the
// browser stays. It loads no frames.
func (b *Browser) Continue(p *Page) (*Page, error) {
	s := signIn{Browser: b}
	return walk(p, s.proceed)
}

// proceed goes on from a page without typing.
func (s *signIn) proceed(p *Page) (*Page, error) {
	if forms := slices.DeleteFunc(p.Forms(), func(f Form) bool { return !f.isMessage() }); len(forms) > 0 {
		return s.send(p, forms)
	}
	if to := p.Refresh(); to != "" {
		return s.Go(Navigation{From: p.Origin(), Method: http.MethodGet, URL: to})
	}
	if f, ok := p.FormWith("go"); ok { // the mock's sign-out; with the field sent, an app hasn't answered
		if _, stays := p.FormWith("sent"); !stays {
			return s.submit(p, f, nil, false)
		}
	}
	return nil, nil
}

// step goes on from a page of a sign-in. It returns nil at the last one.
func (s *signIn) step(p *Page) (*Page, error) {
	if next, err := s.proceed(p); err != nil || next != nil {
		return next, err
	}
	if f, ok := p.FormWith("filled_for"); ok && s.login != "" {
		return s.compose(p, f)
	}
	f, filled, ok := credentials(p, s.login, s.password)
	what := "password"
	if !ok && s.code != "" {
		f, ok = p.FormWith("code")
		what, filled = "code", url.Values{"code": {s.code}}
	}
	switch {
	case !ok:
		return nil, nil
	case s.typed[what]:
		return nil, fmt.Errorf("testkit: the page %s asks for the %s again: %.300s", p.URL, what, p.Text())
	}
	s.typed[what] = true
	return s.Submit(p, f, filled)
}

// compose sends the response that the mock's page proposes (mockidp.Config.Compose), for the user who signs in. The
// page for another user is opened first, with its parameter login.
func (s *signIn) compose(p *Page, f Form) (*Page, error) {
	if s.typed["login"] || strings.EqualFold(f.Values().Get("filled_for"), s.login) {
		return s.Submit(p, f, nil)
	}
	s.typed["login"] = true
	u := *p.URL
	q := u.Query()
	q.Set("login", s.login)
	u.RawQuery = q.Encode()
	return s.Go(Navigation{From: p.Origin(), URL: u.String(), User: true})
}

// send submits all messages on a page. There are two if a fault of the mock doubles them: the first goes into a frame.
func (s *signIn) send(p *Page, messages []Form) (next *Page, err error) {
	for _, f := range messages {
		if next, err = s.submit(p, f, nil, false); err != nil {
			return nil, err
		}
		s.answered = s.answered || f.holds("SAMLResponse") || f.holds("SAMLart")
	}
	return next, nil
}

// isMessage reports whether a form holds a SAML message, which a script submits. Some attacks put it into the query of
// the form's address, or into a field with a longer name. A form that asks for a password can hold the request that it
// is for, and no script submits it.
func (f Form) isMessage() bool {
	return (f.holds("SAMLResponse") || f.holds("SAMLart") || f.holds("SAMLRequest")) &&
		!slices.ContainsFunc(f.Fields, func(in Field) bool { return in.Type == "password" })
}

func (f Form) holds(name string) bool {
	return slices.ContainsFunc(f.Fields, func(in Field) bool { return strings.HasPrefix(in.Name, name) }) ||
		strings.Contains(f.Action, name+"=")
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
