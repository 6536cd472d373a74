package testkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Browser goes through pages as a user's browser does. Its fields may be changed
// between requests. It is for one goroutine at a time.
type Browser struct {
	// Transport carries the requests. NewBrowser's reaches this machine alone.
	Transport http.RoundTripper
	// Header is set on every request, in place of what the browser would send
	// itself. A name without values is left out.
	Header http.Header
	// Stay, if it isn't nil, says which redirects are not followed.
	Stay func(to *url.URL) bool
	// Site returns the site of a host. Nil: its last two labels, as where the last
	// one is a public suffix; idp.localhost and us-east-1.localhost are two sites.
	Site func(host string) string
	// Jar has the cookies.
	Jar Jar
	// Trail lists every request, the oldest first.
	Trail []Visit

	ctx context.Context
}

// Visit is one request that a Browser made.
type Visit struct {
	Method, URL string
	Status      int // 0: there was no response
}

// Limits on what a page may do to a test.
const (
	maxRedirects = 10
	maxPage      = 4 << 20
	patience     = time.Minute
)

// NewBrowser returns a browser without cookies. Its requests end with ctx.
func NewBrowser(ctx context.Context) *Browser {
	return &Browser{ctx: ctx, Jar: Jar{}, Transport: &http.Transport{DialContext: DialLoopback, DisableKeepAlives: true}}
}

// Copy returns another browser that has the same cookies by now, and an empty
// Trail.
func (b *Browser) Copy() *Browser {
	c := *b
	c.Jar, c.Trail, c.Header = b.Jar.Copy(), nil, b.Header.Clone()
	return &c
}

// Open does what typing an address does, and follows redirects.
func (b *Browser) Open(addr string) (*Page, error) {
	return b.Go(Navigation{URL: addr, User: true})
}

// Look is Open without following redirects.
func (b *Browser) Look(addr string) (*Page, error) {
	return b.Send(Navigation{URL: addr, User: true})
}

// Click follows the link on p whose name has that text in it.
func (b *Browser) Click(p *Page, text string) (*Page, error) {
	href, ok := p.Link(text)
	if !ok {
		return nil, fmt.Errorf("testkit: the page %s has no link %q: %.300s", p.URL, text, p.Text())
	}
	return b.Go(Navigation{From: p.Origin(), URL: p.Resolve(href), User: true})
}

// Submit sends a form of p, with what the user filled in.
func (b *Browser) Submit(p *Page, f Form, filled url.Values) (*Page, error) {
	return b.submit(p, f, filled, true)
}

func (b *Browser) submit(p *Page, f Form, filled url.Values, user bool) (*Page, error) {
	if f.Method != "post" {
		return nil, fmt.Errorf("testkit: the form for %q on the page %s has method %q, want post", f.Action, p.URL, f.Method)
	}
	values := f.Values()
	for k, v := range filled {
		values[k] = v
	}
	return b.Go(Navigation{From: p.Origin(), Method: http.MethodPost, URL: p.Resolve(f.Action), Form: values, User: user,
		noReferrer: p.Header.Get("Referrer-Policy") == "no-referrer"})
}

// Post sends a form that a script on the page from posts, as an identity
// provider's page does with its response. The page's origin will do.
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

// Follow goes where p redirects to, with GET (Fetch 4.4), and on from there. It
// returns p if p redirects nowhere. What started it all stays the same along the
// way. A redirect that would repeat a form (307, 308) is an error: browsers would
// send a SAML response to wherever it leads.
func (b *Browser) Follow(p *Page) (*Page, error) {
	for range maxRedirects {
		to, ok := p.redirect()
		if !ok || b.Stay != nil && b.Stay(to) {
			return p, nil
		}
		n := p.navigation
		repeats := slices.Contains([]int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect}, p.Status)
		if repeats && n.Method == http.MethodPost {
			return nil, fmt.Errorf("testkit: the redirect at %s repeats the form: want status 303 or 302, got %d", p.URL, p.Status)
		}
		n.Method, n.Form, n.URL = http.MethodGet, nil, to.String()
		var err error
		if p, err = b.Send(n); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("testkit: more than 10 redirects, the last to " + p.URL.String())
}
