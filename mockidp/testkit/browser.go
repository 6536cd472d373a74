package testkit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Browser loads pages as a user's browser does. Its fields may be changed between requests. One goroutine at a
// time may use it.
type Browser struct {
	// Transport carries the requests. NewBrowser's reaches loopback addresses only.
	Transport http.RoundTripper
	// Header is set on every request and replaces what the browser would send. A name without values is not
	// sent.
	Header http.Header
	// Stay reports whether a redirect is not followed. Nil: every redirect is.
	Stay func(to *url.URL) bool
	// Repeat reports whether a redirect that repeats a form (307, 308) is followed. Nil: it is an error.
	Repeat func(to *url.URL) bool
	// Site returns the site of a host. Nil: the last two labels, which is right where the last one is a public
	// suffix. idp.localhost and us-east-1.localhost are two sites.
	Site func(host string) string
	// Jar holds the cookies.
	Jar Jar
	// Trail lists every request, oldest first.
	Trail []Visit

	ctx context.Context
}

// Visit is one request that a Browser made.
type Visit struct {
	Method, URL string
	Status      int // 0: there was no response
}

const (
	maxRedirects   = 10
	maxPage        = 32 << 20 // bytes: a page of the mock holds a hostile message of megabytes
	requestTimeout = time.Minute
)

// NewBrowser returns a browser without cookies. Its requests end with ctx.
func NewBrowser(ctx context.Context) *Browser {
	return &Browser{ctx: ctx, Jar: Jar{}, Transport: &http.Transport{DialContext: DialLoopback, DisableKeepAlives: true}}
}

// Copy returns another browser with the same cookies and an empty Trail.
func (b *Browser) Copy() *Browser {
	c := *b
	c.Jar, c.Trail, c.Header = b.Jar.Copy(), nil, b.Header.Clone()
	return &c
}

// Open loads an address that the user typed, and follows redirects.
func (b *Browser) Open(addr string) (*Page, error) {
	return b.Go(Navigation{URL: addr, User: true})
}

// Look is Open without following redirects.
func (b *Browser) Look(addr string) (*Page, error) {
	return b.Send(Navigation{URL: addr, User: true})
}

// Click follows the first link on p whose name contains text.
func (b *Browser) Click(p *Page, text string) (*Page, error) {
	href, ok := p.Link(text)
	if !ok {
		return nil, fmt.Errorf("testkit: the page %s has no link %q: %.300s", p.URL, text, p.Text())
	}
	return b.Go(Navigation{From: p.Origin(), URL: p.Resolve(href), User: true})
}

// Submit sends a form of p with the values that the user filled in.
func (b *Browser) Submit(p *Page, f Form, filled url.Values) (*Page, error) {
	return b.submit(p, f, filled, true)
}

func (b *Browser) submit(p *Page, f Form, filled url.Values, user bool) (*Page, error) {
	values := f.Values()
	maps.Copy(values, filled)
	n := Navigation{From: p.Origin(), Method: http.MethodPost, URL: p.Resolve(f.Action), Form: values, User: user,
		Enctype: f.Enctype, noReferrer: p.Header.Get("Referrer-Policy") == "no-referrer"}
	switch f.Method {
	case "post":
	case "get", "":
		to, err := url.Parse(n.URL)
		if err != nil {
			return nil, fmt.Errorf("testkit: the form on the page %s: %w", p.URL, err)
		}
		to.RawQuery = values.Encode() // replaces the query of the address
		n.Method, n.URL, n.Form = http.MethodGet, to.String(), nil
	default:
		return nil, fmt.Errorf("testkit: the form for %q on the page %s: want method post or get, got %q", f.Action, p.URL,
			f.Method)
	}
	return b.Go(n)
}

// Post sends a form as a script on the page from does. An identity provider's page sends its response so. from may be
// the page's origin.
func (b *Browser) Post(from, to string, form url.Values) (*Page, error) {
	return b.Go(Navigation{From: from, Method: http.MethodPost, URL: to, Form: form})
}

// Go makes a navigation and follows redirects.
func (b *Browser) Go(n Navigation) (*Page, error) {
	p, err := b.Send(n)
	if err != nil {
		return nil, err
	}
	return b.Follow(p)
}

// Follow follows p's redirect, and further ones, with GET (Fetch 4.4). It returns p if p doesn't redirect. The origin
// that started the navigation stays the same. A page with an element that refreshes it at once redirects too,
// from its own origin. A redirect that would repeat a form (307, 308) is an error without
// Repeat, because a browser would send the SAML response to that address.
func (b *Browser) Follow(p *Page) (*Page, error) {
	for range maxRedirects {
		to, ok := p.redirect()
		n := p.navigation
		if again, now := strings.CutPrefix(p.refreshElement(), "0; url="); !ok && now {
			n = Navigation{From: p.Origin()}
			u, err := p.URL.Parse(again)
			to, ok = u, err == nil
		}
		if !ok || b.Stay != nil && b.Stay(to) {
			return p, nil
		}
		n.URL = to.String()
		repeats := p.Status == http.StatusTemporaryRedirect || p.Status == http.StatusPermanentRedirect
		switch {
		case !repeats || n.Method != http.MethodPost:
			n.Method, n.Form = http.MethodGet, nil
		case b.Repeat == nil || !b.Repeat(to):
			return nil, fmt.Errorf("testkit: redirect at %s repeats the form: want status 303 or 302, got %d", p.URL, p.Status)
		}
		var err error
		if p, err = b.Send(n); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("testkit: more than 10 redirects, the last to " + p.URL.String())
}
