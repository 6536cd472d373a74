package testkit

import (
	"net/http"
	"net/url"
	"time"
)

// Client returns an HTTP client with the browser's cookies and transport, for requests that aren't pages, such as those
// of a script to an API. Cookies that a response sets are the browser's too. It follows redirects, and its requests
// count as those of the cookies' own site. Like the browser it is for one goroutine at a time.
func (b *Browser) Client() *http.Client {
	return &http.Client{Jar: clientJar{b}, Transport: b.Transport, Timeout: requestTimeout}
}

// clientJar is the browser's jar as net/http asks for it.
type clientJar struct{ *Browser }

func (j clientJar) SetCookies(u *url.URL, cookies []*http.Cookie) { j.Jar.Keep(u, cookies, time.Now()) }

func (j clientJar) Cookies(u *url.URL) []*http.Cookie {
	r := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}
	j.Jar.attach(r, true)
	return r.Cookies()
}
