package examples_test

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func base64Of(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }

// between is a proxy in front of a Region: one node begins sign-ins, and another gets the responses.
type between struct{ login, acs *rolloverNode }

func (b between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b.acs.ServeHTTP(w, r)
		return
	}
	b.login.ServeHTTP(w, r)
}

func (b between) browser(w *rolloverWorld) *testkit.Browser {
	browser := testkit.NewBrowser(w.t.Context())
	browser.Transport = testkit.Handlers{b.login.Host: b}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun++
	return browser
}

// signIn signs a user in with a new browser.
func (w *rolloverWorld) signIn(b between) {
	w.underWay.RLock()
	defer w.underWay.RUnlock()
	p, err := b.browser(w).SignInAs(w.idp, "https://"+b.login.Host+"/login", mockidp.DefaultLogin)
	w.finished(b.login.Region, p, err)
}

func (w *rolloverWorld) finished(region string, p *testkit.Page, err error) {
	if err != nil {
		w.fail("no answer: " + err.Error())
		return
	}
	if p.Status != http.StatusOK || !strings.Contains(p.Body, "is signed in to "+region) {
		w.fail(fmt.Sprint("status ", p.Status))
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[region]++
}

// signInEverywhere begins a sign-in at each node, and ends it at the other node of the Region.
func (w *rolloverWorld) signInEverywhere() {
	for i, n := range w.nodes {
		w.signIn(between{n, w.nodes[i^1]})
	}
}

// pendingSignIn is at the identity provider, or on its way back from there.
type pendingSignIn struct {
	between
	browser *testkit.Browser
	request string        // the URL with it
	answer  *mockidp.Form // nil: the user has not signed in yet
}

// begin begins sign-ins at each node. The identity provider has answered half of them.
func (w *rolloverWorld) begin() (out []*pendingSignIn) {
	for i, n := range w.nodes {
		b := between{n, w.nodes[i^1]}
		s := &pendingSignIn{between: b, browser: b.browser(w)}
		p, err := s.browser.Look("https://" + n.Host + "/login")
		require.NoError(w.t, err)
		require.Equal(w.t, http.StatusSeeOther, p.Status)
		s.request = p.Location()
		if i%2 == 0 {
			form, err := w.idp.Answer(s.request, mockidp.DefaultLogin)
			if err != nil {
				w.fail("no answer: " + err.Error())
				continue
			}
			s.answer = &form
		}
		out = append(out, s)
	}
	return out
}

func (w *rolloverWorld) finish(pending []*pendingSignIn) {
	for _, s := range pending {
		if s.answer == nil {
			form, err := w.idp.Answer(s.request, mockidp.DefaultLogin)
			if err != nil {
				w.fail("no answer: " + err.Error())
				continue
			}
			s.answer = &form
		}
		p, err := s.browser.Post(w.idp.SignInURL(), s.answer.URL, s.answer.Values())
		w.finished(s.login.Region, p, err)
	}
}

// users sign in in both Regions until stop is called.
func (w *rolloverWorld) users() (stop func()) {
	ended := make(chan struct{})
	var running sync.WaitGroup
	for first := 0; first < len(w.nodes); first += 2 {
		running.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ended:
					return
				default:
					w.signIn(between{w.nodes[first+i%2], w.nodes[first+i/2%2]})
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(ended); running.Wait() })
}

// more waits until users in both Regions have begun and finished a sign-in.
func (w *rolloverWorld) more() {
	count := func(region string) int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.done[region] + len(w.failures)
	}
	for _, n := range w.nodes {
		had := count(n.Region)
		require.Eventually(w.t, func() bool { return count(n.Region) >= had+2 }, time.Minute, time.Millisecond)
	}
}
