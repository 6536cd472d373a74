package mockidp

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	start := pathDashboard
	if s.config.Compose {
		start = pathCompose
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.redirect(w, r, start) })
	pages := map[string]handler{
		"GET " + pathSignIn:                    s.handleSignInPage,
		"POST " + pathSignIn:                   s.sameOriginForm(s.handleSignIn),
		"POST " + pathSignOut:                  s.sameOriginForm(s.handleSignOut),
		"GET " + pathLogout:                    s.handleLogout,
		"POST " + pathLogout:                   s.sameOriginForm(s.handleSkip),
		"GET " + pathLogoutFrame:               s.handleLogoutFrame,
		"GET /app/{name}/{key}/slo/saml":       s.handleSLO,
		"POST /app/{name}/{key}/slo/saml":      s.handleSLO,
		"GET " + pathFactor:                    s.handleFactorPage,
		"POST " + pathFactor:                   s.sameOriginForm(s.handleFactor),
		"POST " + pathCancel:                   s.sameOriginForm(s.handleCancel),
		"GET " + pathCompose:                   s.composePage(s.handleCompose),
		"POST " + pathCompose:                  s.composePage(s.handleSend),
		"GET " + pathComposeXML:                s.composePage(s.handleEditor),
		"POST " + pathComposeXML:               s.composePage(s.handleSendXML),
		"GET " + pathAnswer:                    s.handleAnswer,
		"POST " + pathRegister:                 s.sameOriginForm(s.handleRegister),
		"GET " + pathContinue:                  s.handleContinue,
		"GET " + pathCertificate + "{id}":      s.handleCertificate,
		"GET " + pathApp + "{id}":              s.requireSession(s.handleApp),
		"GET " + pathDashboard:                 s.requireSession(s.handleDashboard),
		"GET " + pathBookmark + "{id}":         s.handleBookmark,
		"GET /app/{name}/{key}/sso/saml":       s.handleSSO,
		"POST /app/{name}/{key}/sso/saml":      s.handleSSO,
		"GET /app/{key}/sso/saml/metadata":     s.handleMetadata,
		"GET " + pathMetadata:                  s.handleFirstMetadata,
		"GET /{tenant}" + pathEntraSSO:         s.handleEntraSSO,
		"POST /{tenant}" + pathEntraSSO:        s.handleEntraSSO,
		"GET " + pathEntraLaunch + "{appid}":   s.handleEntraLaunch,
		"GET /{tenant}" + pathEntraMetadata:    s.handleEntraMetadata,
		"GET /{tenant}" + pathEntraMetadataAlt: s.handleEntraMetadata,
		"/": func(http.ResponseWriter, *http.Request) *Error {
			return errorf(ReasonNoSuchApp, "no page has this address")
		},
	}
	mux.HandleFunc("POST /app/{name}/{key}/slo/soap", s.soap(EndpointLogout, s.handleLogoutSOAP))
	mux.HandleFunc("POST /app/{name}/{key}/artifact/soap", s.soap(EndpointArtifact, s.handleArtifact))
	mux.HandleFunc("POST /app/{name}/{key}/attributes/soap", s.soap(EndpointAttributes, s.handleAttributes))
	maps.Copy(pages, s.federationRoutes())
	for pattern, h := range pages {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.refuse(w, r, err)
			}
		})
	}
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(Assets())))
	served := s.ownHostsOnly(s.withTenants(http.StripPrefix(s.prefix, mux)))
	served = withHeaders(s.testKeyOnLoopback(served))
	if s.root != nil {
		return served
	}
	return withHealth(served)
}

// withHeaders sets the headers of every page.
func withHeaders(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cache-Control", "no-store")
		pages.ServeHTTP(w, r)
	})
}

// redirect leads to another page of the Server. The address is relative: the Server may be behind a proxy.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, s.prefix+path, http.StatusSeeOther)
}

// policy returns the Content-Security-Policy of a page. forms is where its forms may lead; "" is anywhere.
func policy(forms string) string {
	p := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	if forms != "" {
		p += "; form-action " + forms
	}
	return p
}

// framedPolicy returns the policy of a page that one of the Server's own pages shows in a frame.
func framedPolicy(forms string) string {
	return strings.Replace(policy(forms), "frame-ancestors 'none'", "frame-ancestors 'self'", 1)
}

type handler func(http.ResponseWriter, *http.Request) *Error

// requireSession returns a handler that calls h for a signed-in user and redirects other requests to the sign-in
// page.
func (s *Server) requireSession(h func(http.ResponseWriter, *http.Request, *state, *User) *Error) handler {
	return func(w http.ResponseWriter, r *http.Request) *Error {
		st := s.state.Load()
		_, user := s.sessionOf(r, st)
		if user == nil {
			s.redirect(w, r, pathSignIn)
			return nil
		}
		return h(w, r, st, user)
	}
}

// sameOriginForm returns a handler that calls h with a form of this Server's pages. Another site's page must not
// sign a browser in or out.
func (s *Server) sameOriginForm(h func(http.ResponseWriter, *http.Request, url.Values) *Error) handler {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) *Error {
		if err := check.Check(r); err != nil {
			return malformed(err, "a page of another site sent this form")
		}
		form, err := readForm(w, r, maxRequest)
		if err != nil {
			return err
		}
		return h(w, r, form)
	}
}

// readForm reads a POSTed form of less than most bytes.
func readForm(w http.ResponseWriter, r *http.Request, most int64) (url.Values, *Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if int64(len(body)) >= most {
		return nil, errorf(ReasonTooLarge, "the form is over %d bytes", most-1)
	}
	if err != nil {
		return nil, malformed(err, "the form is incomplete")
	}
	v, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed(err, "invalid form")
	}
	return v, nil
}

// The paths are Okta's where those are known. Apps with the profile Entra have those of Microsoft Entra ID.
const (
	pathSignIn    = "/login/login.htm"
	pathSignOut   = "/login/signout"
	pathLogout    = "/login/logout"
	pathFactor    = "/login/second-factor"
	pathCancel    = "/login/cancel"
	pathContinue  = "/login/continue"
	pathAnswer    = "/login/answer"
	pathCompose   = "/login/compose"
	pathMetadata  = "/metadata" // not Okta's; one can type it
	pathDashboard = "/app/UserHome"
	pathBookmark  = "/home/bookmark/"
	pathApp       = "/mockidp/app/"
	pathAssets    = "/mockidp/assets/"
	pathTenants   = "/t/"

	pathComposeXML  = "/login/compose/xml"
	pathCertificate = "/mockidp/certificate/"

	// Of Entra: a tenant's sign-on and metadata (in two spellings), and the links of My Apps.
	pathEntraSSO         = "/saml2"
	pathEntraMetadata    = "/federationmetadata/2007-06/federationmetadata.xml"
	pathEntraMetadataAlt = "/FederationMetadata/2007-06/FederationMetadata.xml"
	pathEntraLaunch      = "/api/signin/"
)

// SignInURL returns the address of the sign-in page.
func (s *Server) SignInURL() string { return s.base() + pathSignIn }

// ComposeURL returns the address of the page on which an answer is composed, if Config.Compose is set.
func (s *Server) ComposeURL() string { return s.base() + pathCompose }

// DashboardURL returns the address of the page with the tiles.
func (s *Server) DashboardURL() string { return s.base() + pathDashboard }

// AppURL returns the address of the page with an app's settings. It panics if there is no such app.
func (s *Server) AppURL(appID string) string {
	return s.base() + appPath(must(s.state.Load().app(appID)))
}

// SSOURL returns an app's single sign-on address, which takes its requests. The apps of an Entra tenant share theirs;
// the request's Issuer identifies the app. It panics if there is no such app.
func (s *Server) SSOURL(appID string) string { return s.ssoURL(must(s.state.Load().samlApp(appID))) }

// LogoutURL returns an app's single logout address, which takes LogoutRequests and LogoutResponses. The profile Entra
// has the same. It panics if there is no such app.
func (s *Server) LogoutURL(appID string) string {
	return s.logoutURL(must(s.state.Load().samlApp(appID)))
}

// LogoutSOAPURL returns an app's single logout address for LogoutRequests by SOAP. It panics if there is no such app.
func (s *Server) LogoutSOAPURL(appID string) string {
	return s.logoutSOAPURL(must(s.state.Load().samlApp(appID)))
}

// ArtifactURL returns the address of an app's ArtifactResolutionService. It panics if there is no such app.
func (s *Server) ArtifactURL(appID string) string {
	return s.artifactURL(must(s.state.Load().samlApp(appID)))
}

// AttributesURL returns the address of an app's AttributeService. It panics if there is no such app.
func (s *Server) AttributesURL(appID string) string {
	return s.attributesURL(must(s.state.Load().samlApp(appID)))
}

// TileURL returns where an app's tile leads and IdP-initiated sign-in begins: with the profile Okta the sign-on
// address without a request. It panics if there is no such app.
func (s *Server) TileURL(appID string) string { return s.tileURL(must(s.state.Load().app(appID))) }

// MetadataURL returns the address of an app's metadata. It panics if there is no such app.
func (s *Server) MetadataURL(appID string) string {
	return s.metadataURL(must(s.state.Load().samlApp(appID)))
}

func must(app *App, err *Error) *App {
	if err != nil {
		panic(err)
	}
	return app
}

func (s *Server) ssoURL(a *App) string {
	if a.Profile == Entra {
		return s.base() + "/" + s.state.Load().entraTenant(a) + pathEntraSSO
	}
	return s.base() + oktaSSO(a)
}

func (s *Server) metadataURL(a *App) string {
	if a.Profile == Entra {
		return s.base() + "/" + s.state.Load().entraTenant(a) + pathEntraMetadata + "?appid=" + url.QueryEscape(a.ExternalKey)
	}
	return s.base() + "/app/" + a.ExternalKey + "/sso/saml/metadata"
}

func (s *Server) logoutURL(a *App) string {
	return s.base() + "/app/" + a.Name + "/" + a.ExternalKey + "/slo/saml"
}

func (s *Server) logoutSOAPURL(a *App) string { return s.soapURL(a, "slo") }
func (s *Server) artifactURL(a *App) string   { return s.soapURL(a, "artifact") }
func (s *Server) attributesURL(a *App) string { return s.soapURL(a, "attributes") }

// soapURL returns one of an app's addresses for SOAP.
func (s *Server) soapURL(a *App, service string) string {
	return s.base() + "/app/" + a.Name + "/" + a.ExternalKey + "/" + service + "/soap"
}

func (s *Server) tileURL(a *App) string { return s.base() + s.tilePath(a) }

// tilePath returns a path without the prefix of Config.OddPaths.
func (s *Server) tilePath(a *App) string {
	switch {
	case a.Kind == Bookmark:
		return pathBookmark + url.PathEscape(a.ID)
	case a.Profile == Entra:
		return pathEntraLaunch + url.PathEscape(a.ExternalKey) + "?tenantId=" + s.state.Load().entraTenant(a)
	}
	return oktaSSO(a)
}

func oktaSSO(a *App) string         { return "/app/" + a.Name + "/" + a.ExternalKey + "/sso/saml" }
func certificatePath(a *App) string { return pathCertificate + url.PathEscape(a.ID) }
func appPath(a *App) string         { return pathApp + url.PathEscape(a.ID) }
