package browser_test

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// chiProgram is a program of chi whose paths are behind a Guard, with /admin for users who authenticated just now.
func chiProgram(t *testing.T, clock *testkit.Clock) (at string, idp *mockidp.Server) {
	t.Helper()
	router := chi.NewRouter()
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	at = strings.Replace(server.URL, "127.0.0.1", "app.localhost", 1)
	idp = mockidp.New(mockidp.Config{Now: clock.Now, Users: []mockidp.User{
		{Login: "alice@example.com", Password: password}, {Login: "bob@example.com", Password: password},
	}})
	t.Cleanup(idp.Close)
	known, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	source, key := saml.NewSwappableIdP(known), testkit.RSAKey("chi")
	sp, err := saml.New(saml.Config{
		EntityID: at + "/saml", ACS: []saml.Endpoint{{URL: at + "/saml/acs"}}, IdP: source, Now: clock.Now,
		Logout: []saml.LogoutEndpoint{{URL: at + "/saml/slo"}},
		Key:    key, Certificate: testkit.Certificate(key, clock.Now()),
	})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", metadata))
	known, err = saml.ParseIdPMetadata(idp.Metadata("")) // with its logout
	require.NoError(t, err)
	source.Replace(known)

	guard, err := middleware.New(middleware.Config{
		Config: acs.Config{
			SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{Now: clock.Now}), Logger: slog.New(slog.DiscardHandler),
		},
		Sessions:  sessions.NewMemoryStore(sessions.MemoryConfig{}),
		KeepForms: true,
	})
	require.NoError(t, err)
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>app</title><link rel="icon" href="data:,"><p>%s %s for %s</p>
			<form method="post" action="/saml/logout"><button>Sign out</button></form>
			<form method="post" action="/note"><input name="text"><button id="save">Save</button></form>`,
			r.Method, html.EscapeString(r.URL.RequestURI()+" "+r.FormValue("text")),
			middleware.From(r.Context()).UserName)
	}
	router.Handle("/saml/*", guard)
	router.Group(func(in chi.Router) {
		in.Use(guard.Require)
		in.Get("/*", page)
		in.Post("/note", page)
	})
	router.With(guard.RequireWith(middleware.Requirement{MaxAuthnAge: time.Minute})).Get("/admin", page)
	return at, idp
}

// testMiddleware walks through a program of chi: a deep link, a form after the session has ended, a step-up, also by
// another user, logout here and logout from the identity provider.
func testMiddleware(t *testing.T, chromium context.Context) {
	clock := testkit.NewClock(time.Now())
	at, idp := chiProgram(t, clock)
	b := newTab(t, chromium)
	signIn := func(login string) {
		b.at(idp.URL + "/*")
		b.fill("#username", "") // a step-up names the user of before
		b.login(login)
	}
	b.open(at + "/reports?year=2026#top")
	signIn("alice@example.com")
	b.at(at + "/reports?year=2026")
	b.reads("GET /reports?year=2026 for alice@example.com")

	clock.Advance(90 * time.Minute)
	b.fill(`input[name="text"]`, "kept & sent")
	b.click("#save")
	b.reads("Send your form again?") // the identity provider still had a session
	b.audit("middleware-form")
	b.click(`form[action="/note"] button`)
	b.reads("POST /note kept & sent for alice@example.com")

	b.open(at + "/admin")
	signIn("alice@example.com")
	b.at(at + "/admin")
	b.reads("GET /admin for alice@example.com")
	clock.Advance(10 * time.Minute)
	b.open(at + "/admin")
	signIn("bob@example.com")
	b.reads("Continue as", "bob@example.com")
	b.audit("middleware-question")
	b.click(`button[value="stay"]`)
	b.at(at + "/")
	b.reads("GET / for alice@example.com")

	b.open(at + "/admin") // the identity provider's session is Bob's
	signIn("alice@example.com")
	b.at(at + "/admin")
	b.click(`form[action="/saml/logout"] button`)
	b.reads("You are signed out")
	b.open(at + "/")
	signIn("alice@example.com")
	b.reads("GET / for alice@example.com")
	b.open(idp.DashboardURL())
	b.click(`form[action="/login/signout"] button`)
	b.reads("You are signed out here and of the apps below.")
	b.open(at + "/")
	b.at(idp.URL + "/*")
}
