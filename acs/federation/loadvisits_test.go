package federation_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// loadTimes are how long sign-ins took since the last look.
type loadTimes struct {
	mu   sync.Mutex
	list []time.Duration
}

func (l *loadTimes) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, d)
}

// take returns the number, the median and the 99th percentile.
func (l *loadTimes) take() (n int, median, p99 time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = len(l.list)
	if n > 0 {
		slices.Sort(l.list)
		median, p99 = l.list[n/2], l.list[n*99/100]
	}
	l.list = nil
	return n, median, p99
}

// visits makes users sign in at both Regions with the four known identity providers, at
// most five a second with each, until end is called.
func (w *loadWorld) visits() (end func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	for i, region := range loadRegions {
		for j, name := range loadMembers {
			client := fmt.Sprintf("192.0.2.%d", 10*i+j+1)
			running.Go(func() {
				due := time.NewTicker(200 * time.Millisecond)
				defer due.Stop()
				for w.visit(client, region, name) {
					select {
					case <-done:
						return
					case <-due.C:
					}
				}
			})
		}
	}
	return sync.OnceFunc(func() { close(done); running.Wait() })
}

// visit is one user's sign-in. It reports whether it went as expected.
func (w *loadWorld) visit(client, region, name string) bool {
	w.steps.RLock()
	defer w.steps.RUnlock()
	b := w.browser(client, w.issuers[name])
	if w.expect != succeeds {
		if p := w.chosen(b, region); p.Status != http.StatusSeeOther {
			return w.requireExpired(p)
		}
		if !assert.Equal(w.t, recovers, w.expect, "a sign-in with %s begins", name) {
			return false
		}
		b = w.browser(client, w.issuers[name])
	}
	began := time.Now()
	p, err := b.SignInAs(w.members[name], "https://"+loadHost(region)+"/login", mockidp.DefaultLogin)
	if err == nil && p.Status == http.StatusServiceUnavailable && w.log.take(p).reason == string(acs.ReasonBusy) {
		return true // the machine is too slow for all visits at once, whatever federation does
	}
	if !assert.NoError(w.t, err, "%s at %s", name, region) ||
		!assert.Equal(w.t, region+" "+w.issuers[name], p.Body) {
		return false
	}
	w.took.add(time.Since(began))
	w.signIns.Add(1)
	return true
}

// requireExpired wants a page that refuses the user because metadata expired.
func (w *loadWorld) requireExpired(p *testkit.Page) bool {
	w.refused.Add(1)
	return assert.Equal(w.t, http.StatusServiceUnavailable, p.Status) &&
		assert.Contains(w.t, p.Text(), "Sign-in is not available right now") &&
		assert.Equal(w.t, "MetadataExpired", w.log.take(p).reason)
}

// signInsGoOn waits until sixteen more users have signed in, or were refused for expired
// metadata.
func (w *loadWorld) signInsGoOn() {
	w.t.Helper()
	n := &w.signIns
	if w.expect == expires {
		n = &w.refused
	}
	before := n.Load()
	require.Eventually(w.t, func() bool { return w.t.Failed() || n.Load() >= before+16 }, time.Minute, time.Millisecond)
	require.False(w.t, w.t.Failed())
}

// answered is a response on its way to a Region.
type answered struct {
	browser *testkit.Browser
	from    string // the identity provider's address
	form    mockidp.Form
}

// answer begins a sign-in, and returns the response to it.
func (w *loadWorld) answer(client, region, name string) answered {
	b := w.browser(client, w.issuers[name])
	p := w.chosen(b, region)
	require.Equal(w.t, http.StatusSeeOther, p.Status, p.Text())
	form, err := w.members[name].Answer(p.Location(), mockidp.DefaultLogin)
	require.NoError(w.t, err)
	return answered{b, w.members[name].SSOURL(""), form}
}

func (w *loadWorld) post(a answered) *testkit.Page {
	p, err := a.browser.Post(a.from, a.form.URL, url.Values{
		"SAMLResponse": {a.form.SAMLResponse}, "RelayState": {a.form.RelayState}})
	require.NoError(w.t, err)
	return p
}

// postUnknown posts a response that names an identity provider and proves nothing.
func (w *loadWorld) postUnknown(client, region, issuer string) bool {
	message := `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="2026-11-22T12:00:00Z">` +
		`<a:Issuer>` + issuer + `</a:Issuer><p:Status><p:StatusCode ` +
		`Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status><a:Assertion/></p:Response>`
	p, err := w.browser(client, "").Post("https://attacker.example", "https://"+loadHost(region)+"/acs",
		url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(message))}})
	return assert.NoError(w.t, err) && assert.Equal(w.t, http.StatusForbidden, p.Status) &&
		assert.Equal(w.t, "MetadataEntity", w.log.take(p).reason)
}
