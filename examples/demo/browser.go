package main

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
)

// browser is as much of a browser as the walk needs, and no more lenient than
// one: it keeps cookies as Chromium does (cookies.go), says where requests
// come from, follows redirects, and submits forms. It resolves *.localhost to
// this machine, as browsers do and Go's resolver doesn't.
type browser struct {
	ctx   context.Context
	http  *http.Client
	jar   jar
	from  string  // the origin whose page starts the next request; "" if the person typed it
	mute  bool    // that page keeps its origin to itself
	trail []visit // every request made, the oldest first
}

// visit is one request that a browser made.
type visit struct {
	method, url string
	status      int
}

// Limits on what a page may do to the walk.
const (
	maxRedirects = 10
	maxPage      = 4 << 20
	patience     = 20 * time.Second
)

func newBrowser(ctx context.Context) *browser {
	return &browser{ctx: ctx, jar: jar{}, http: &http.Client{
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
	if !trustworthy(host) {
		return nil, errors.New("not this machine: " + addr)
	}
	if net.ParseIP(host) == nil {
		host = "127.0.0.1"
	}
	var d net.Dialer
	return d.DialContext(ctx, network, net.JoinHostPort(host, port))
}

// again is another browser with the same cookies: the same one at an earlier
// moment, once it has moved on.
func (b *browser) again() *browser {
	c := newBrowser(b.ctx)
	c.jar = b.jar.clone()
	return c
}

// open is what typing an address does.
func (b *browser) open(to string) (*page, error) {
	b.from = ""
	return b.navigate(http.MethodGet, to, nil)
}

// click follows the link on p that has that text.
func (b *browser) click(p *page, text string) (*page, error) {
	href, ok := p.link(text)
	if !ok {
		return nil, differ("the page "+p.url.String(), "a link "+quote(text), p.text())
	}
	b.from = p.origin()
	return b.navigate(http.MethodGet, p.resolve(href), nil)
}

// submit sends a form that stands on p, with what the person filled in.
func (b *browser) submit(p *page, f form, filled url.Values) (*page, error) {
	values := f.values()
	for k, v := range filled {
		values[k] = v
	}
	b.from, b.mute = p.origin(), p.header.Get("Referrer-Policy") == "no-referrer"
	if f.method != "post" {
		return nil, differ("the form for "+f.action, "method post", f.method)
	}
	return b.post(p.resolve(f.action), values)
}

// post sends a form from wherever the browser is.
func (b *browser) post(to string, values url.Values) (*page, error) {
	return b.navigate(http.MethodPost, to, values)
}

// navigate makes a top-level request and follows where it leads. A redirect
// after a POST is followed with GET (Fetch 4.4), and who started it all stays
// the same along the way.
func (b *browser) navigate(method, to string, values url.Values) (*page, error) {
	crossed := false
	for range maxRedirects {
		u, err := url.Parse(to)
		if err != nil {
			return nil, err
		}
		crossed = crossed || b.from != "" && !sameSite(b.from, u)
		p, err := b.request(method, u, values, crossed)
		if err != nil {
			return nil, err
		}
		next := p.header.Get("Location")
		if p.status < 300 || p.status > 399 || next == "" {
			return p, nil
		}
		if p.status == http.StatusTemporaryRedirect || p.status == http.StatusPermanentRedirect {
			return nil, differ("the redirect at "+to, "302 or 303", fmt.Sprint(p.status))
		}
		method, values, to = http.MethodGet, nil, p.resolve(next)
	}
	return nil, differ("the way from "+b.trail[len(b.trail)-maxRedirects].url, fmt.Sprintf("at most %d redirects", maxRedirects), "one more, to "+to)
}

// request makes one request. crossed is whether another site had a part in it.
func (b *browser) request(method string, u *url.URL, values url.Values, crossed bool) (*page, error) {
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
	case b.from == u.Scheme+"://"+u.Host:
		site = "same-origin"
	case b.from != "":
		site = "same-site"
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	if values != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.from)
		if b.mute { // Fetch 3.1: the origin goes the way of the referrer
			req.Header.Set("Origin", "null")
		}
	}
	b.jar.send(req, b.from == "" || sameSite(b.from, u))
	res, err := b.http.Do(req)
	if err != nil {
		b.trail = append(b.trail, visit{method, u.String(), 0})
		return nil, fmt.Errorf("%s %s: %w", method, bare(u), err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, bare(u), err)
	}
	b.trail = append(b.trail, visit{method, u.String(), res.StatusCode})
	b.jar.keep(u, res.Cookies(), time.Now())
	return &page{url: u, status: res.StatusCode, header: res.Header, body: string(text)}, nil
}

// bare is an address without what makes it long.
func bare(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// posted lists the addresses that this browser posted to, but not those at
// the identity provider itself.
func (b *browser) posted(except string) []string {
	var out []string
	for _, v := range b.trail {
		if v.method == http.MethodPost && !strings.HasPrefix(v.url, except+"/") {
			out = append(out, v.url)
		}
	}
	return out
}
