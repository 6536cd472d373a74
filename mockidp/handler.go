package mockidp

import (
	"io"
	"net/http"
	"net/url"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s.redirect(w, r, pathDashboard)
	})
	mux.HandleFunc("GET "+pathSignIn, s.handleSignInPage)
	mux.HandleFunc("POST "+pathSignIn, s.ownPagesOnly(s.handleSignIn))
	mux.HandleFunc("POST "+pathSignOut, s.ownPagesOnly(s.handleSignOut))
	mux.HandleFunc("POST "+pathFactor, s.ownPagesOnly(s.handleFactor))
	mux.HandleFunc("POST "+pathCancel, s.ownPagesOnly(s.handleCancel))
	mux.HandleFunc("GET "+pathContinue, s.handleContinue)
	mux.HandleFunc("GET "+pathApp+"{id}", s.handleApp)
	mux.HandleFunc("GET "+pathDashboard, s.handleDashboard)
	mux.HandleFunc("GET "+pathBookmark+"{id}", s.handleBookmark)
	mux.HandleFunc("GET /app/{name}/{key}/sso/saml", s.handleSSO)
	mux.HandleFunc("POST /app/{name}/{key}/sso/saml", s.handleSSO)
	mux.HandleFunc("GET /app/{key}/sso/saml/metadata", s.handleMetadata)
	mux.HandleFunc("GET /{tenant}"+pathEntraSSO, s.handleEntraSSO)
	mux.HandleFunc("POST /{tenant}"+pathEntraSSO, s.handleEntraSSO)
	mux.HandleFunc("GET "+pathEntraLaunch+"{appid}", s.handleEntraLaunch)
	mux.HandleFunc("GET /{tenant}"+pathEntraMetadata, s.handleEntraMetadata)
	mux.HandleFunc("GET /{tenant}/FederationMetadata/2007-06/FederationMetadata.xml", s.handleEntraMetadata) // as it is written too
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(Assets())))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, &Error{Reason: ReasonNoSuchApp, Detail: "there is no such page"})
	})
	pages := s.ownHostsOnly(http.StripPrefix(s.prefix, mux))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cache-Control", "no-store")
		pages.ServeHTTP(w, r)
	})
}

// redirect leads to another page of ours. The address is relative: behind a
// proxy the browser knows better than we do where we are.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, s.prefix+path, http.StatusSeeOther)
}

// policy is the Content-Security-Policy of a page; forms says where its forms
// may lead, "" anywhere.
func policy(forms string) string {
	p := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	if forms != "" {
		p += "; form-action " + forms
	}
	return p
}

// ownPagesOnly keeps another site's page from signing a browser in or out.
func (s *Server) ownPagesOnly(h http.HandlerFunc) http.HandlerFunc {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := check.Check(r); err != nil {
			s.refuse(w, r, malformed(err, "another site's page sent this form"))
			return
		}
		h(w, r)
	}
}

// readForm reads a POSTed form of at most maxRequest bytes.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if len(body) >= maxRequest {
		return nil, tooLarge("the form")
	}
	if err != nil {
		return nil, malformed(err, "the form was cut off")
	}
	v, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed(err, "the form can't be read")
	}
	return v, nil
}

func (s *Server) handleDashboard(w http.ResponseWriter, r *http.Request) {
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	if user == nil {
		s.redirect(w, r, pathSignIn)
		return
	}
	s.dashboardPage(w, r, st, user)
}

func (s *Server) handleMetadata(w http.ResponseWriter, r *http.Request) {
	st := s.state.Load()
	app := st.byKey(r.PathValue("key"))
	if app == nil {
		s.refuse(w, r, &Error{Reason: ReasonNoSuchApp, Detail: "no app has this metadata address"})
		return
	}
	s.sendMetadata(w, r, st, app)
}

func (s *Server) sendMetadata(w http.ResponseWriter, r *http.Request, st *state, app *App) {
	doc, err := s.metadata(st, app)
	if err != nil {
		s.refuse(w, r, &Error{Reason: ReasonInternal, Detail: "writing the metadata", Err: err})
		return
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml; charset=utf-8")
	_, _ = w.Write(doc)
}
