package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
)

func newTestWorld(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(worldConfig{})
	require.NoError(t, err)
	t.Cleanup(w.close)
	return w
}

// serveInstead puts another handler behind a Region's address.
func serveInstead(t *testing.T, r *region, h http.Handler) {
	t.Helper()
	r.stop()
	r.handler = h
	require.NoError(t, r.start())
}

func updateApp(t *testing.T, w *world, id string, f func(*mockidp.App)) {
	t.Helper()
	require.NoError(t, w.idp.UpdateApp(id, func(a *mockidp.App) error { f(a); return nil }))
}

// A walk that can't fail shows nothing. For every step there is a world in
// which what it looks at is broken, and the step says so.
func TestEveryStepCanFail(t *testing.T) {
	for i, c := range []struct {
		name     string
		sabotage func(*testing.T, *world)
		says     string
	}{
		{"another default", func(t *testing.T, w *world) {
			list := w.sp.ACS()
			slices.Reverse(list)
			for i := range list {
				list[i].Index = nil
			}
			require.NoError(t, w.sp.ReplaceDefaultACS(list))
		}, "ACS URL 1"},
		{"a Lax request cookie", func(t *testing.T, w *world) {
			serveInstead(t, w.regions[0], laxCookies(w.regions[0].handler))
		}, "InResponseTo"},
		{"an additional URL that is not listed", func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.ACS, a.Unlisted = a.ACS[:1], mockidp.UseDefault })
		}, w0acs},
		{"the order of the list", func(t *testing.T, w *world) { require.NoError(t, w.swapACS()) }, "the ACS that the response came to"},
		{"a bookmark to the primary", func(t *testing.T, w *world) {
			updateApp(t, w, w.idp.Apps()[1].ID, func(a *mockidp.App) { a.URL = w.regions[0].url + "/" })
		}, "through http://eu-central-1"},
		{"nothing to swap with", func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.ACS = a.ACS[:1] })
		}, "the ACS that the response came to"},
		{"an identity provider that takes any URL", func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.Unlisted = mockidp.UseDefault })
		}, "the identity provider's status: want 400, got 200"},
		{"a Region that stands in for another", func(t *testing.T, w *world) {
			serveInstead(t, w.regions[1], w.regions[0].handler)
		}, "the ACS that the response came to"},
		{"a store that forgets", func(t *testing.T, w *world) {
			h, err := w.handler(w.regions[0], forgetful{acs.NewMemoryStore()})
			require.NoError(t, err)
			serveInstead(t, w.regions[0], h)
		}, "refused, Reason Replay, got accepted"},
		{"cookies that everybody has", func(t *testing.T, w *world) {
			serveInstead(t, w.regions[0], sharedCookies(w.regions[0].handler))
		}, "refused, Reason InResponseTo, got accepted"},
		{"a Region that asks for another's URL", func(t *testing.T, w *world) {
			serveInstead(t, w.regions[1], w.regions[0].handler)
		}, "WrongRegion"},
		{"a Stop that stops something else", func(t *testing.T, w *world) {
			l, err := listen(0)
			require.NoError(t, err)
			t.Cleanup(w.regions[0].stop)
			w.regions[0].server = newServer(l, w.regions[0].handler)
		}, "a connection to us-east-1"},
		{"a Region that comes back broken", func(t *testing.T, w *world) {
			w.regions[0].stop()
			w.regions[0].handler = http.NotFoundHandler()
		}, "an answer of the identity provider"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTestWorld(t)
			if i == len(steps)-1 {
				w.regions[0].stop() // as the step before left it
			}
			c.sabotage(t, w)
			line, held := take(newWalker(context.Background(), w), steps[i])
			assert.False(t, held)
			assert.Regexp(t, `^FAIL  \S.*: want .+, got .+$`, line)
			assert.Contains(t, line, strings.ReplaceAll(c.says, w0acs, w.regions[0].acs))
		})
	}
}

// w0acs stands for an address that is known only when the world is.
const w0acs = "{the primary's ACS}"

// A walk with a step that fails says so in its last line, and in its result.
func TestWalkThatFails(t *testing.T) {
	w := newTestWorld(t)
	serveInstead(t, w.regions[1], laxCookies(w.regions[1].handler))
	var out strings.Builder
	assert.False(t, walk(context.Background(), w, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 14)
	assert.Regexp(t, `^2\. ok    \S`, lines[1])
	assert.Regexp(t, `^3\. FAIL  the verdict at eu-central-1: want accepted, got .*InResponseTo`, lines[2])
	assert.Equal(t, "10 of 13 steps held", lines[13], out.String()) // the others: 5 and 12
}

// A walk that is interrupted ends at once and did not hold.
func TestWalkInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out strings.Builder
	assert.False(t, walk(ctx, newTestWorld(t), &out))
	assert.Contains(t, out.String(), "\n0 of 13 steps held\n")
}

// laxCookies makes a mistake that only something like a browser notices.
func laxCookies(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&rewriter{w, func(h http.Header) {
			for i, c := range h["Set-Cookie"] {
				h["Set-Cookie"][i] = strings.ReplaceAll(c, "SameSite=None", "SameSite=Lax")
			}
		}}, r)
	})
}

// sharedCookies gives every browser the request cookies of all.
func sharedCookies(h http.Handler) http.Handler {
	var mu sync.Mutex
	all := map[string]string{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		for name, value := range all {
			if _, err := r.Cookie(name); err != nil {
				r.AddCookie(&http.Cookie{Name: name, Value: value})
			}
		}
		mu.Unlock()
		h.ServeHTTP(&rewriter{w, func(h http.Header) {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range (&http.Response{Header: h}).Cookies() {
				if strings.HasPrefix(c.Name, acs.CookiePrefix) && c.MaxAge > 0 {
					all[c.Name] = c.Value
				}
			}
		}}, r)
	})
}

// rewriter has a last look at the headers.
type rewriter struct {
	http.ResponseWriter
	look func(http.Header)
}

func (w *rewriter) WriteHeader(status int) {
	w.look(w.Header())
	w.ResponseWriter.WriteHeader(status)
}

// forgetful is a store that remembers requests and no assertion.
type forgetful struct{ acs.Store }

func (f forgetful) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if strings.HasPrefix(key, acs.KeyPrefixAssertion) {
		return nil
	}
	return f.Store.Add(ctx, key, v, exp)
}
