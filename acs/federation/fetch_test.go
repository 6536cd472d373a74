package federation_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/acs/federation"
)

// The query of an address may hold a secret: a redirect doesn't tell it to another host.
func TestRedirectSendsNoReferer(t *testing.T) {
	target := newPublisher(t, "")
	target.handle(func(_ http.ResponseWriter, r *http.Request) { assert.Empty(t, r.Referer()) })
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) })
	open(t, &clock{}, federation.Source{URL: p.URL + "/?token=secret", Keys: pinned()})
	assert.NotZero(t, target.requests.Load())
}

// Unverified metadata is taken by plain http from loopback only, redirected or not.
func TestUnverifiedRedirectStaysOnLoopback(t *testing.T) {
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://metadata.invalid/", http.StatusFound)
	})
	f := open(t, &clock{}, federation.Source{URL: p.URL, InsecureUnverified: true})
	assert.ErrorContains(t, f.Status()[0].Err, "plain http")
}

// A long ETag is not kept, and so not sent.
func TestLongETag(t *testing.T) {
	document := signed(t, aggregate("", oneIdP), trusted())
	p := newPublisher(t, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", `"`+strings.Repeat("a", 2000)+`"`)
		_, _ = io.WriteString(w, document)
	})
	open(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned()})
	eventually(t, func() bool { return p.requests.Load() > 2 })
}
