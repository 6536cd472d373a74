package main

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
)

const (
	// signInHeader has the address at which a browser signs in. nginx passes no redirect of auth_request on, but its
	// configuration can redirect to what a header says.
	signInHeader = "Sign-In"
	// cookieHeader has the cookies for the application: all but those of the sign-in, with which it could open other
	// applications as the user.
	cookieHeader = "Remote-Cookie"
	// ourCookies begins the names of all cookies of the sign-in.
	ourCookies = "__Host-meridian-"
)

// check answers a proxy: whether the request that it describes may pass. 200 with the identity headers lets it pass.
// Nothing else is a success. A browser's navigation that needs a sign-in gets its address in a header, as 303 for
// Location, which Caddy and Traefik pass on, and as 401 for signInHeader.
func (g *gate) check(w http.ResponseWriter, r *http.Request, address string) {
	w.Header().Set("Cache-Control", "no-store")
	asked, err := original(r)
	if err != nil {
		g.refuse(w, r, "This address can't be opened", err.Error())
		return
	}
	app := g.application(asked.Host)
	if app == nil {
		g.refuse(w, asked, "This address can't be opened", "no application has this host")
		return
	}
	asked.Host = app.host
	switch rule := app.ruleFor(asked.URL.Path); {
	case rule == nil:
		g.refuse(w, asked, "You don't have access to this page", "no rule is for this path")
	case rule.Deny:
		g.refuse(w, asked, "You don't have access to this page", "the rule denies this path")
	case rule.Public:
		g.allow(w, asked, identity{})
	default:
		g.require(w, asked, rule, address)
	}
}

// require lets users pass who meet a rule.
func (g *gate) require(w http.ResponseWriter, asked *http.Request, rule *rule, address string) {
	// For a request that is no navigation, RequireWith starts no sign-in and stores nothing. A sign-in begins when the
	// browser itself comes here.
	quiet := asked.Clone(asked.Context())
	quiet.Header.Set("Accept", "*/*")
	var a answer
	passed := false
	g.guard.RequireWith(rule.requirement())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		passed = true
		g.allow(w, asked, g.identityOf(middleware.From(r.Context())))
	})).ServeHTTP(&a, quiet)
	switch {
	case passed:
	case a.status == http.StatusUnauthorized && isPage(asked):
		status := http.StatusUnauthorized
		if address == "Location" {
			status = http.StatusSeeOther
		}
		// A target that LocalPath refuses, such as a long one, leads to the start page after the sign-in.
		to := url.Values{"return_to": {acs.LocalPath(asked.RequestURI)}}
		w.Header().Set(address, pages+"/enter?"+to.Encode())
		w.WriteHeader(status)
	case a.status == http.StatusForbidden:
		g.refuse(w, asked, "You don't have access to this page", "the user's attributes don't meet the rule")
	case a.status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", a.Header().Get("WWW-Authenticate"))
		http.Error(w, "Sign in with a browser first.", http.StatusUnauthorized)
	default:
		http.Error(w, "Sign-in is not available right now.", http.StatusServiceUnavailable)
	}
}

// allow lets a request pass.
func (g *gate) allow(w http.ResponseWriter, asked *http.Request, id identity) {
	if err := id.set(w.Header()); err != nil {
		g.refuse(w, asked, "You don't have access to this page", err.Error())
		return
	}
	w.Header().Set(cookieHeader, cookiesForApplication(asked))
	w.WriteHeader(http.StatusOK)
}

// identityOf returns what the application gets to know of a user.
func (g *gate) identityOf(s *middleware.Session) (id identity) {
	for i, header := range identityHeaders {
		switch name := g.Headers[header]; {
		case header == userHeader:
			id[i] = headerValue(s.NameID.Value)
		case name != "":
			id[i] = headerValue(s.Values(name)...)
		}
	}
	return id
}

// cookiesForApplication returns the request's cookies without those of the sign-in.
func cookiesForApplication(r *http.Request) string {
	var kept []string
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			if pair != "" && !strings.HasPrefix(pair, ourCookies) {
				kept = append(kept, pair)
			}
		}
	}
	return strings.Join(kept, "; ")
}

// refuse logs why, and answers with 403.
func (g *gate) refuse(w http.ResponseWriter, r *http.Request, title, why string) {
	g.log.WarnContext(r.Context(), "forwardauth: refused", "host", r.Host, "why", why)
	for _, name := range identityHeaders {
		w.Header().Del(name)
	}
	acs.WritePage(w, r, acs.Page{
		Kind: acs.PageError, Status: http.StatusForbidden, Title: title,
		Text: "If that is wrong, tell the administrator of this application.", Link: "/", LinkText: "Go to the start page",
	})
}

// isPage reports whether a browser loads a page in a window.
func isPage(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(strings.ToLower(r.Header.Get("Accept")), "text/html") &&
		r.Header.Get("X-Requested-With") == "" && acs.CheckNavigation(r) == nil
}

// answer keeps the status and the headers of an answer.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = make(http.Header)
	}
	return a.header
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) { a.WriteHeader(http.StatusOK); return len(b), nil }
