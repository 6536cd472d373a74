package middleware_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// New says which field is invalid.
func TestConfig(t *testing.T) {
	w := newWorld(t)
	several, err := saml.New(saml.Config{
		EntityID: base + "/several", ACS: []saml.Endpoint{{URL: base + "/several/acs"}}, IdPs: noIdPs{},
	})
	require.NoError(t, err)
	onLogin := func(http.ResponseWriter, *http.Request, *acs.Login) {}
	for field, edit := range map[string]func(*middleware.Config){
		"Config.SP":                                     func(c *middleware.Config) { c.SP = nil },
		"Config.Sessions":                               func(c *middleware.Config) { c.Sessions = nil },
		"Config.OnLogin, EndSessions":                   func(c *middleware.Config) { c.OnLogin = onLogin },
		"Config.CookieName":                             func(c *middleware.Config) { c.CookieName = "session" },
		"Config.ChooseIdP":                              func(c *middleware.Config) { c.SP = several },
		"Config.Paths":                                  func(c *middleware.Config) { c.Paths.Login = "/saml/acs" },
		"Config.SessionLifetime, IdleTimeout":           func(c *middleware.Config) { c.IdleTimeout = -time.Second },
		"Config.LoginPath, RefusedPath, DiscoveredPath": func(c *middleware.Config) { c.LoginPath = "/login" },
	} {
		_, err := middleware.New(w.config(edit))
		var e *middleware.Error
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, middleware.ReasonConfig, e.Reason)
		require.Equal(t, field, e.Rule)
	}
	for _, path := range []string{"login", "/a?b", "//a", "/{a}", "/a b"} {
		_, err := middleware.New(w.config(func(c *middleware.Config) { c.Paths.Continue = path }))
		require.Error(t, err, path)
	}
	_, err = middleware.New(w.config(func(c *middleware.Config) { c.Store = nil }))
	var e *acs.Error
	require.ErrorAs(t, err, &e)
	_, err = middleware.New(w.config(func(c *middleware.Config) {
		c.SP, c.ChooseIdP = several, func(*http.Request) string { return "https://idp.example" }
	}))
	require.NoError(t, err)
}

// noIdPs are several identity providers, none of which is known.
type noIdPs struct{}

func (noIdPs) IdP(entityID string) (*saml.IdP, error) { return nil, errors.New("unknown: " + entityID) }

// Admit can refuse a user, who then gets the page about attributes, and says who the user is, so that a user whose
// NameID changes with each sign-in is not asked.
func TestAdmit(t *testing.T) {
	type user struct {
		First string `saml:"firstName,required"`
		Badge string `saml:"badge,required"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	w := newWorld(t, func(c *middleware.Config) {
		c.Admit = func(a *saml.Assertion) (middleware.User, error) {
			u, err := d.Decode(a)
			return middleware.User{ID: "1", Name: u.First}, err
		}
	})
	p := w.signIn(w.browser(), base+"/", alice)
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Contains(t, p.Text(), "Information about you is missing")
	require.Contains(t, p.Text(), "badge")

	same := newWorld(t, func(c *middleware.Config) {
		c.Admit = func(a *saml.Assertion) (middleware.User, error) {
			return middleware.User{ID: "1", Name: a.Value("firstName")}, nil
		}
	})
	b := same.browser()
	require.Equal(t, "GET / as alice", same.signIn(b, base+"/", alice).Body)
	same.forget(b)
	require.Equal(t, "GET / as bob", same.signIn(b, base+"/saml/login", bob).Body)
}

// A session has the values of the assertion, or those that KeepAttributes lists.
func TestSessionValues(t *testing.T) {
	type user struct {
		Login string `saml:",nameid"`
		First string `saml:"firstName"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	for _, keep := range [][]string{nil, {"firstName"}, {}} {
		w := newWorld(t, func(c *middleware.Config) { c.KeepAttributes = keep })
		var got *middleware.Session
		protected := w.guard.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = middleware.From(r.Context())
		}))
		w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				protected.ServeHTTP(rw, r)
				return
			}
			w.guard.ServeHTTP(rw, r)
		})
		w.signIn(w.browser(), base+"/", alice)
		require.NotNil(t, got)
		require.Equal(t, alice, got.NameID.Value)
		require.Equal(t, w.clock.Now().Unix(), got.AuthnInstant.Unix())
		require.NotEmpty(t, got.AuthnContext)
		require.NotEmpty(t, got.IdP)
		require.Len(t, got.SessionIndexes, 1)
		require.Len(t, got.UserID, 64)
		require.Equal(t, keep == nil, got.Value("lastName") != "")
		u, err := middleware.Decode(got, d)
		require.NoError(t, err)
		want := user{Login: alice, First: "alice"}
		if keep != nil && len(keep) == 0 {
			want.First = ""
		}
		require.Equal(t, want, u)
	}
}

// A program can write all pages of a Guard itself.
func TestRenderPage(t *testing.T) {
	var pages []acs.Page
	w := newWorld(t, func(c *middleware.Config) {
		c.RenderPage = func(rw http.ResponseWriter, r *http.Request, p acs.Page) {
			pages = append(pages, p)
			acs.WritePage(rw, r, p)
		}
	})
	b := w.browser()
	w.open(b, base+"/saml/continue?s=none")
	w.signIn(b, base+"/", alice)
	w.forget(b)
	w.signIn(b, base+"/saml/login", bob)
	_, err := b.Go(testkit.Navigation{From: base, Method: http.MethodPost, URL: base + "/saml/logout", User: true})
	require.NoError(t, err)
	w.post(w.browser(), base+"/saml/logout", nil)
	var kinds []acs.PageKind
	for _, p := range pages {
		kinds = append(kinds, p.Kind)
	}
	require.Equal(t, []acs.PageKind{acs.PageError, acs.PageQuestion, acs.PageSignedOut}, kinds)
}
