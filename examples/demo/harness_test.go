package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
)

// newTestWorld starts a world and extends it that far.
func newTestWorld(t *testing.T, far int) *world {
	t.Helper()
	w, err := newWorld(context.Background(), worldConfig{Record: true})
	require.NoError(t, err)
	t.Cleanup(w.close)
	other := w.newRegion()
	if far >= added {
		require.NoError(t, w.addRegion(other))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, other.running().Wait(ctx))
		// Active in both, so that each portal links to the other.
		require.NoError(t, newTestWalker(w).until(func() error { return bothActive(w) }))
	}
	if far >= listed2 {
		require.NoError(t, w.listACS(other))
	}
	if far >= extended {
		require.NoError(t, w.addBookmark(other))
	}
	if far >= primaryLost {
		require.NoError(t, w.stop(w.sites[0]))
	}
	return w
}

// agree waits until all Regions have the same data.
func agree(k *walker) error {
	_, err := k.agree()
	return err
}

func newTestWalker(w *world) *walker { return newWalker(context.Background(), w) }

// serving returns a Region's handler with another configuration.
func serving(t *testing.T, s *site, edit func(*portal.Config)) http.Handler {
	t.Helper()
	h, err := s.running().Serving(edit)
	require.NoError(t, err)
	return h
}

// serveInstead puts another handler behind a Region's address.
func serveInstead(t *testing.T, s *site, h http.Handler) {
	t.Helper()
	s.Stop()
	s.Use(h)
	require.NoError(t, s.Start())
}

func updateApp(t *testing.T, w *world, id string, f func(*mockidp.App)) {
	t.Helper()
	require.NoError(t, w.idp.UpdateApp(id, func(a *mockidp.App) error { f(a); return nil }))
}

// forgetfulSessions ends only its first session by a logout.
type forgetfulSessions struct {
	sessions.Store
	made atomic.Int64
}

func (f *forgetfulSessions) Create(ctx context.Context, key string, s sessions.Session) error {
	if f.made.Add(1) > 1 {
		s.Proof = sessions.Proof{}
	}
	return f.Store.Create(ctx, key, s)
}

func (f *forgetfulSessions) LoggedOut(context.Context, sessions.Session) (bool, error) {
	return false, nil
}

// laxCookies makes a mistake that only a browser detects.
func laxCookies(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&rewriter{w, func(h http.Header) {
			for i, c := range h["Set-Cookie"] {
				h["Set-Cookie"][i] = strings.ReplaceAll(c, "SameSite=None", "SameSite=Lax")
			}
		}}, r)
	})
}

// sharedCookies adds the request cookies of all browsers to each request.
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
				if strings.HasPrefix(c.Name, "__Host-meridian-request-") && c.MaxAge > 0 {
					all[c.Name] = c.Value
				}
			}
		}}, r)
	})
}

// rewriter edits the headers before they are written.
type rewriter struct {
	http.ResponseWriter
	edit func(http.Header)
}

func (w *rewriter) WriteHeader(status int) {
	w.edit(w.Header())
	w.ResponseWriter.WriteHeader(status)
}

// forgetful is a store that keeps requests and no assertions.
type forgetful struct{ acs.Store }

func (f forgetful) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if strings.HasPrefix(key, acs.KeyPrefixAssertion) {
		return nil
	}
	return f.Store.Add(ctx, key, v, exp)
}
