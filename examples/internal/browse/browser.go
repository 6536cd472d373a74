// Package browse is as much of a browser as a walk through an example needs.
package browse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/saml"
)

// Browser is no more lenient than a real one: it keeps cookies as Chromium does
// (cookies.go), says where requests come from, follows redirects, and submits
// forms. It resolves *.localhost to this machine, as browsers do and Go's
// resolver doesn't.
type Browser struct {
	ctx   context.Context
	http  *http.Client
	jar   jar
	From  string  // the origin whose page starts the next request; "" if the person typed it
	mute  bool    // that page keeps its origin to itself
	Trail []Visit // every request made, the oldest first
}

// Visit is one request that a browser made.
type Visit struct {
	Method, URL string
	Status      int
}

// Limits on what a page may do to the walk.
const (
	maxRedirects = 10
	maxPage      = 4 << 20
	patience     = 20 * time.Second
)

// New returns a browser that was never anywhere. Its requests end with ctx.
func New(ctx context.Context) *Browser {
	return &Browser{ctx: ctx, jar: jar{}, http: &http.Client{
		Transport:     &http.Transport{DialContext: dialLoopback, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}}
}

// dialLoopback reaches localhost and what is below it (RFC 6761 6.3) and other
// loopback addresses, and nothing else: the walk leaves this machine alone.
func dialLoopback(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !saml.IsLoopback(host) {
		return nil, errors.New("not this machine: " + addr)
	}
	if net.ParseIP(host) == nil {
		host = "127.0.0.1"
	}
	var d net.Dialer
	return d.DialContext(ctx, network, net.JoinHostPort(host, port))
}

// Again is another browser with the same cookies: the same one at an earlier
// moment, once it has moved on.
func (b *Browser) Again() *Browser {
	c := New(b.ctx)
	c.jar = b.jar.clone()
	return c
}

// Open is what typing an address does.
func (b *Browser) Open(to string) (*Page, error) {
	b.From = ""
	return b.navigate(http.MethodGet, to, nil)
}

// Look opens an address and follows no redirect.
func (b *Browser) Look(at string) (*Page, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	b.From = ""
	return b.request(http.MethodGet, u, nil, false)
}

// Click follows the link on p that has that text.
func (b *Browser) Click(p *Page, text string) (*Page, error) {
	href, ok := p.Link(text)
	if !ok {
		return nil, check.Differ("the page "+p.URL.String(), "a link "+check.Quote(text), p.Text())
	}
	b.From = p.Origin()
	return b.navigate(http.MethodGet, p.Resolve(href), nil)
}

// Submit sends a form that stands on p, with what the person filled in.
func (b *Browser) Submit(p *Page, f Form, filled url.Values) (*Page, error) {
	values := f.Values()
	for k, v := range filled {
		values[k] = v
	}
	b.From, b.mute = p.Origin(), p.Header.Get("Referrer-Policy") == "no-referrer"
	if f.Method != "post" {
		return nil, check.Differ("the form for "+f.Action, "method post", f.Method)
	}
	return b.Post(p.Resolve(f.Action), values)
}

// Post sends a form from wherever the browser is.
func (b *Browser) Post(to string, values url.Values) (*Page, error) {
	return b.navigate(http.MethodPost, to, values)
}

// navigate makes a top-level request and follows where it leads. A redirect
// after a POST is followed with GET (Fetch 4.4), and who started it all stays
// the same along the way.
func (b *Browser) navigate(method, to string, values url.Values) (*Page, error) {
	crossed := false
	for range maxRedirects {
		u, err := url.Parse(to)
		if err != nil {
			return nil, err
		}
		crossed = crossed || b.From != "" && !sameSite(b.From, u)
		p, err := b.request(method, u, values, crossed)
		if err != nil {
			return nil, err
		}
		next := p.Header.Get("Location")
		if p.Status < 300 || p.Status > 399 || next == "" {
			return p, nil
		}
		if p.Status == http.StatusTemporaryRedirect || p.Status == http.StatusPermanentRedirect {
			return nil, check.Differ("the redirect at "+to, "302 or 303", fmt.Sprint(p.Status))
		}
		method, values, to = http.MethodGet, nil, p.Resolve(next)
	}
	return nil, check.Differ("the way from "+b.Trail[len(b.Trail)-maxRedirects].URL, fmt.Sprintf("at most %d redirects", maxRedirects), "one more, to "+to)
}

// request makes one request. crossed is whether another site had a part in it.
func (b *Browser) request(method string, u *url.URL, values url.Values, crossed bool) (*Page, error) {
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	req, err := http.NewRequestWithContext(b.ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	site := "none"
	switch {
	case crossed:
		site = "cross-site"
	case b.From == u.Scheme+"://"+u.Host:
		site = "same-origin"
	case b.From != "":
		site = "same-site"
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	if values != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.From)
		if b.mute { // Fetch 3.1: the origin goes the way of the referrer
			req.Header.Set("Origin", "null")
		}
	}
	b.jar.send(req, b.From == "" || sameSite(b.From, u))
	res, err := b.http.Do(req)
	if err != nil {
		b.Trail = append(b.Trail, Visit{method, u.String(), 0})
		return nil, fmt.Errorf("%s %s: %w", method, Bare(u), err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, Bare(u), err)
	}
	b.Trail = append(b.Trail, Visit{method, u.String(), res.StatusCode})
	b.jar.keep(u, res.Cookies(), time.Now())
	return &Page{URL: u, Status: res.StatusCode, Header: res.Header, Body: string(text)}, nil
}

// Bare is an address without what makes it long.
func Bare(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// Posted lists the addresses that this browser posted to, but not those at
// the identity provider itself.
func (b *Browser) Posted(except string) []string {
	var out []string
	for _, v := range b.Trail {
		if v.Method == http.MethodPost && !strings.HasPrefix(v.URL, except+"/") {
			out = append(out, v.URL)
		}
	}
	return out
}

// Visited requires that the browser went through an address.
func (b *Browser) Visited(url string) error {
	for _, v := range b.Trail {
		if v.URL == url {
			return nil
		}
	}
	return check.Differ("the browser's way", "through "+url, b.Trail[len(b.Trail)-1].URL)
}

// RefusedConnection says whether an error is that nobody listens there.
func RefusedConnection(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}
