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
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) *Error{
		"GET " + pathSignIn:                                               s.handleSignInPage,
		"POST " + pathSignIn:                                              s.ownForm(s.handleSignIn),
		"POST " + pathSignOut:                                             s.ownForm(s.handleSignOut),
		"POST " + pathFactor:                                              s.ownForm(s.handleFactor),
		"POST " + pathCancel:                                              s.ownForm(s.handleCancel),
		"GET " + pathContinue:                                             s.handleContinue,
		"GET " + pathApp + "{id}":                                         s.handleApp,
		"GET " + pathDashboard:                                            s.handleDashboard,
		"GET " + pathBookmark + "{id}":                                    s.handleBookmark,
		"GET /app/{name}/{key}/sso/saml":                                  s.handleSSO,
		"POST /app/{name}/{key}/sso/saml":                                 s.handleSSO,
		"GET /app/{key}/sso/saml/metadata":                                s.handleMetadata,
		"GET /{tenant}" + pathEntraSSO:                                    s.handleEntraSSO,
		"POST /{tenant}" + pathEntraSSO:                                   s.handleEntraSSO,
		"GET " + pathEntraLaunch + "{appid}":                              s.handleEntraLaunch,
		"GET /{tenant}" + pathEntraMetadata:                               s.handleEntraMetadata,
		"GET /{tenant}/FederationMetadata/2007-06/FederationMetadata.xml": s.handleEntraMetadata, // as it is written too
		"/": func(http.ResponseWriter, *http.Request) *Error {
			return &Error{Reason: ReasonNoSuchApp, Detail: "there is no such page"}
		},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.refuse(w, r, err)
			}
		})
	}
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(Assets())))
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

// ownForm makes a handler of one that gets a form of these pages: another site's
// page must not sign a browser in or out.
func (s *Server) ownForm(h func(http.ResponseWriter, *http.Request, url.Values) *Error) func(http.ResponseWriter, *http.Request) *Error {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) *Error {
		if err := check.Check(r); err != nil {
			return malformed(err, "another site's page sent this form")
		}
		form, err := readForm(w, r)
		if err != nil {
			return err
		}
		return h(w, r, form)
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

func (s *Server) handleDashboard(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	if user == nil {
		s.redirect(w, r, pathSignIn)
		return nil
	}
	s.dashboardPage(w, r, st, user)
	return nil
}

func (s *Server) handleMetadata(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	app := st.byKey(r.PathValue("key"))
	if app == nil {
		return &Error{Reason: ReasonNoSuchApp, Detail: "no app has this metadata address"}
	}
	return s.sendMetadata(w, r, st, app)
}

func (s *Server) sendMetadata(w http.ResponseWriter, r *http.Request, st *state, app *App) *Error {
	doc, err := s.metadata(st, app)
	if err != nil {
		return &Error{Reason: ReasonInternal, Detail: "writing the metadata", Err: err}
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml; charset=utf-8")
	_, _ = w.Write(doc)
	return nil
}
