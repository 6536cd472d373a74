package testkit

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Navigation is a request that loads a page.
type Navigation struct {
	From   string // the page that starts it, or its origin; "": the user typed the address
	Method string // "": GET
	URL    string
	Form   url.Values
	User   bool // the user started it, not a script on the page
	// Enctype is the encoding of Form: multipart/form-data or text/plain. Others are URL-encoded.
	Enctype string

	noReferrer bool // the page hides its origin
	crossed    bool // another site took part in it
}

// Send makes one request and follows no redirect.
func (b *Browser) Send(n Navigation) (*Page, error) {
	n.Method = cmp.Or(n.Method, http.MethodGet)
	ctx, cancel := context.WithTimeout(b.ctx, requestTimeout)
	defer cancel()
	body, contentType := n.body()
	r, err := http.NewRequestWithContext(ctx, n.Method, n.URL, body)
	if err != nil {
		return nil, fmt.Errorf("testkit: %w", err)
	}
	if n.Form != nil {
		r.Header.Set("Content-Type", contentType)
	}
	r.URL.Fragment = ""
	if from, err := url.Parse(n.From); err == nil && from.Host != "" {
		n.From = origin(from)
	}
	same := n.From == "" || b.sameSite(n.From, r.URL)
	n.crossed = n.crossed || !same
	b.setHeaders(r, n)
	b.Jar.attach(r, same)
	for name, values := range b.Header {
		if r.Header.Del(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	res, err := b.Transport.RoundTrip(r)
	if err != nil {
		b.Trail = append(b.Trail, Visit{n.Method, n.URL, 0})
		return nil, fmt.Errorf("testkit: %s %s: %w", n.Method, r.URL.Redacted(), err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPage+1))
	if len(text) > maxPage {
		err = fmt.Errorf("the page has more than %d bytes", maxPage)
	}
	if err != nil {
		return nil, fmt.Errorf("testkit: %s %s: %w", n.Method, r.URL.Redacted(), err)
	}
	b.Trail = append(b.Trail, Visit{n.Method, n.URL, res.StatusCode})
	b.Jar.Keep(r.URL, res.Cookies(), time.Now())
	return &Page{URL: r.URL, Status: res.StatusCode, Header: res.Header, Body: string(text), Browser: b,
		navigation: n}, nil
}

// body returns the body of a form and its type (HTML, multipart and text/plain form data).
func (n Navigation) body() (io.Reader, string) {
	var b strings.Builder
	switch n.Enctype {
	case "multipart/form-data":
		w := multipart.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(n.Form)) {
			for _, value := range n.Form[name] {
				_ = w.WriteField(name, value) // a strings.Builder takes every write
			}
		}
		_ = w.Close()
		return strings.NewReader(b.String()), w.FormDataContentType()
	case "text/plain":
		for _, name := range slices.Sorted(maps.Keys(n.Form)) {
			for _, value := range n.Form[name] {
				b.WriteString(name + "=" + value + "\r\n")
			}
		}
		return strings.NewReader(b.String()), n.Enctype
	}
	return strings.NewReader(n.Form.Encode()), "application/x-www-form-urlencoded"
}

// setHeaders sets the headers that a browser sends: Fetch Metadata to URLs that it trusts, and the Origin of a
// form.
func (b *Browser) setHeaders(r *http.Request, n Navigation) {
	r.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	if secure(r.URL) {
		r.Header.Set("Sec-Fetch-Site", b.fetchSite(n, r.URL))
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
		if n.User {
			r.Header.Set("Sec-Fetch-User", "?1")
		}
	}
	if n.Form == nil {
		return
	}
	switch {
	case n.noReferrer: // the referrer policy hides the Origin too (Fetch 3.1)
		r.Header.Set("Origin", "null")
	case n.From != "":
		r.Header.Set("Origin", n.From)
	}
}

// fetchSite returns the value of Sec-Fetch-Site (Fetch Metadata 2.3).
func (b *Browser) fetchSite(n Navigation, to *url.URL) string {
	switch {
	case n.crossed:
		return "cross-site"
	case n.From == "":
		return "none"
	case n.From == origin(to):
		return "same-origin"
	}
	return "same-site"
}

// sameSite reports whether two pages have the same site and scheme. The port doesn't matter.
func (b *Browser) sameSite(from string, to *url.URL) bool {
	u, err := url.Parse(from)
	site := b.Site
	if site == nil {
		site = lastLabels
	}
	return err == nil && u.Host != "" && u.Scheme == to.Scheme && site(hostname(u)) == site(hostname(to))
}

// lastLabels returns the site of a host by the public suffix list's default rule, which applies to localhost
// and example.
func lastLabels(host string) string {
	if isIP(host) {
		return host
	}
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

func hostname(u *url.URL) string { return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) }
