package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// enter is where a browser signs in for a page of its application, and comes back to it. The parameter return_to is a
// client's input: it leads to a path of this host only. What the path's rule requires is asked of the identity
// provider.
func (g *gate) enter(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	to := acs.LocalPath(r.URL.Query().Get("return_to"))
	path, plain := plainPath(to)
	u, err := url.Parse(to)
	app := g.application(r.Host)
	if app == nil || !plain || err != nil || within(path, pages) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	back := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	rule := app.ruleFor(path)
	if rule == nil || rule.Deny || rule.Public {
		back(w, r)
		return
	}
	asked := r.Clone(r.Context())
	asked.URL, asked.RequestURI = u, to
	g.guard.RequireWith(rule.requirement())(back).ServeHTTP(w, asked)
}

// home tells users who they are, and signs them out.
func (g *gate) home(w http.ResponseWriter, r *http.Request) {
	g.guard.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := middleware.From(r.Context())
		acs.WritePage(w, r, acs.Page{
			Kind: acs.PageQuestion, Status: http.StatusOK, Title: "You are signed in",
			Text: "You are signed in as " + s.UserName + ".",
			Form: &acs.PageForm{
				Action: pages + "/logout", Buttons: []acs.PageButton{{Text: "Sign out"}}, Targets: g.logoutTargets(s.IdP),
			},
		})
	})).ServeHTTP(w, r)
}

// logoutTargets returns where signing out leads: to the identity provider, which may send the browser on to others.
func (g *gate) logoutTargets(entityID string) []string {
	targets := []string{"https:"}
	idp, err := g.sp.IdP(entityID)
	if err != nil {
		return targets
	}
	for _, s := range idp.LogoutServices() {
		if u, err := url.Parse(s.URL); err == nil && u.Scheme == "http" && saml.IsLoopback(u.Hostname()) {
			targets = append(targets, "http://"+u.Host)
		}
	}
	return targets
}

// allApplications is a store in which signing out at one application ends the sessions of all of them. Each application
// has a sign-in of its own, because each has its own cookies. Those that began with one session at the identity
// provider have the same SessionIndex.
type allApplications struct{ sessions.Store }

func (a allApplications) EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error {
	all, err := a.List(ctx, userID)
	if err != nil {
		return err
	}
	var at []string
	for _, s := range all {
		if s.SignIn == signIn {
			at = append(at, s.Proof.SessionIndexes...)
		}
	}
	for _, s := range all {
		same := func(index string) bool { return slices.Contains(at, index) }
		if s.SignIn != signIn && slices.ContainsFunc(s.Proof.SessionIndexes, same) {
			if err := a.Store.EndSignIn(ctx, userID, s.SignIn, until); err != nil {
				return err
			}
		}
	}
	return a.Store.EndSignIn(ctx, userID, signIn, until)
}
