package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// browser handles the cookies, forms and redirects of a sign-in. It sends
// requests to the service provider's hosts only.
type browser struct {
	r   *runner
	jar *cookiejar.Jar
	set []setCookies // all cookies that the jar received, for copies
}

// setCookies are the cookies of an answer.
type setCookies struct {
	from    *url.URL
	cookies []*http.Cookie
}

// page is the last answer that a browser received.
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
	jar, _ := cookiejar.New(nil) // which does not fail
	return &browser{r: r, jar: jar}
}

// clone returns another browser with the same cookies.
func (b *browser) clone() *browser {
	out := b.r.newBrowser()
	for _, s := range b.set {
		out.keep(s.from, s.cookies)
	}
	return out
}

func (b *browser) get(ctx context.Context, to string) (page, error) {
	return b.send(ctx, request{method: http.MethodGet, to: to})
}

// request describes a request, which need not be one that browsers send.
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
	for _, c := range b.jar.Cookies(trustworthy(req.URL)) {
		req.AddCookie(c)
	}
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

// trustworthy returns a URL with https for loopback, to which browsers send Secure
// cookies over http too.
func trustworthy(u *url.URL) *url.URL {
	out := *u
	if isLoopback(u.Hostname()) {
		out.Scheme = "https"
	}
	return &out
}

func (b *browser) keep(from *url.URL, cookies []*http.Cookie) {
	b.jar.SetCookies(trustworthy(from), cookies)
	b.set = append(b.set, setCookies{from, cookies})
}

// cookies returns the browser's cookies by name, without those that were
// removed.
func (b *browser) cookies() map[string]*http.Cookie {
	out := make(map[string]*http.Cookie)
	for _, s := range b.set {
		for _, c := range s.cookies {
			out[c.Name] = c
		}
	}
	maps.DeleteFunc(out, func(_ string, c *http.Cookie) bool {
		return c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(time.Now())
	})
	return out
}
