package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// browser does what a sign-in takes: cookies, forms, redirects. It never leaves
// the service provider's hosts.
type browser struct {
	r       *runner
	cookies map[cookieKey]http.Cookie
}

// cookieKey identifies a cookie (RFC 6265, 5.3), without a port.
type cookieKey struct{ host, path, name string }

// page is the last answer that a browser got.
type page struct {
	status  int
	url     *url.URL
	header  http.Header
	body    string
	leaving *url.URL // a redirect to another host, which was not followed
}

const (
	maxRedirects = 10
	maxPage      = 1 << 20
)

func (r *runner) newBrowser() *browser {
	return &browser{r: r, cookies: make(map[cookieKey]http.Cookie)}
}

// clone returns another browser with the same cookies.
func (b *browser) clone() *browser { return &browser{r: b.r, cookies: maps.Clone(b.cookies)} }

func (b *browser) get(ctx context.Context, to string) (page, error) {
	return b.send(ctx, request{method: http.MethodGet, to: to})
}

// request is a request, which may be odd.
type request struct {
	method, to  string
	contentType string // of body; "" for none
	body        string
	host        string // the Host header; "" for the URL's
	header      map[string]string
}

// send sends a request and follows redirects as long as they stay with the
// service provider and carry no AuthnRequest.
func (b *browser) send(ctx context.Context, q request) (page, error) {
	if q.to != b.r.Login && q.to != b.r.Probe {
		b.r.sent.Add(1)
	}
	for range maxRedirects {
		p, err := b.once(ctx, q)
		if err != nil || p.status < 300 || p.status > 399 || p.header.Get("Location") == "" {
			return p, err
		}
		next, err := p.url.Parse(p.header.Get("Location"))
		if err != nil {
			return p, nil
		}
		if !b.r.sites[strings.ToLower(next.Host)] || next.Query().Has("SAMLRequest") {
			p.leaving = next
			return p, nil
		}
		if p.status != http.StatusTemporaryRedirect && p.status != http.StatusPermanentRedirect {
			q = request{method: http.MethodGet}
		}
		next.Fragment, q.to, q.host = "", next.String(), ""
	}
	return page{}, errors.New("too many redirects")
}

// once sends a request and reads the answer.
func (b *browser) once(ctx context.Context, q request) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, b.r.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, q.to, strings.NewReader(q.body))
	if err != nil {
		return page{}, err
	}
	if q.contentType != "" {
		req.Header.Set("Content-Type", q.contentType)
		// As browsers do for a form on the identity provider's page.
		req.Header.Set("Origin", b.r.IdP.origin())
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		req.Header.Set("Sec-Fetch-Mode", "navigate")
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	req.Header.Set("User-Agent", "Mozilla/5.0 (mockidp attack)")
	for name, value := range q.header {
		req.Header.Set(name, value)
	}
	b.attach(req)
	req.Host = q.host
	res, err := b.r.transport.RoundTrip(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	b.keep(req.URL, res.Cookies())
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return page{}, fmt.Errorf("reading the answer: %w", err)
	}
	return page{status: res.StatusCode, url: req.URL, header: res.Header, body: string(text)}, nil
}

// trustworthy reports whether browsers send Secure cookies to a URL.
func trustworthy(u *url.URL) bool {
	return u.Scheme == "https" || isLoopback(u.Hostname())
}

// attach adds the cookies for a URL (RFC 6265, 5.4). It ignores SameSite, which is
// for the user's browser to enforce.
func (b *browser) attach(req *http.Request) {
	host, path := strings.ToLower(req.URL.Hostname()), cmp.Or(req.URL.Path, "/")
	var fitting []cookieKey
	for k, c := range b.cookies {
		domain := strings.TrimPrefix(strings.ToLower(c.Domain), ".")
		at := k.host == host || domain != "" && strings.HasSuffix(host, "."+domain)
		below := path == k.path || strings.HasPrefix(path, strings.TrimSuffix(k.path, "/")+"/")
		if at && below && (!c.Secure || trustworthy(req.URL)) {
			fitting = append(fitting, k)
		}
	}
	slices.SortFunc(fitting, func(a, b cookieKey) int {
		return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(a.name, b.name))
	})
	for _, k := range fitting {
		c := b.cookies[k]
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
	}
}

// keep stores the cookies of an answer (RFC 6265, 5.3).
func (b *browser) keep(u *url.URL, set []*http.Cookie) {
	for _, c := range set {
		path := c.Path
		if !strings.HasPrefix(path, "/") {
			path = "/"
			if i := strings.LastIndexByte(u.Path, '/'); i > 0 {
				path = u.Path[:i]
			}
		}
		host := strings.ToLower(u.Hostname())
		if d := strings.TrimPrefix(strings.ToLower(c.Domain), "."); d != "" && (host == d || strings.HasSuffix(host, "."+d)) {
			host = d
		}
		k := cookieKey{host, path, c.Name}
		if c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(time.Now()) {
			delete(b.cookies, k)
			continue
		}
		b.cookies[k] = *c
	}
}
