package mockidp

import (
	"net/url"
)

// The paths are Okta's where Okta's are known, and an app with the profile
// Entra has Microsoft Entra ID's.
const (
	pathSignIn    = "/login/login.htm"
	pathSignOut   = "/login/signout"
	pathFactor    = "/login/second-factor"
	pathCancel    = "/login/cancel"
	pathContinue  = "/login/continue"
	pathDashboard = "/app/UserHome"
	pathBookmark  = "/home/bookmark/"
	pathApp       = "/mockidp/app/"
	pathAssets    = "/mockidp/assets/"

	// Of Entra: a tenant's sign-on and metadata, and what My Apps links to.
	pathEntraSSO      = "/saml2"
	pathEntraMetadata = "/federationmetadata/2007-06/federationmetadata.xml"
	pathEntraLaunch   = "/api/signin/"
)

// SignInURL is the address of the sign-in page.
func (s *Server) SignInURL() string { return s.base() + pathSignIn }

// DashboardURL is the address of the page with the tiles.
func (s *Server) DashboardURL() string { return s.base() + pathDashboard }

// AppURL is the page about an app: what it is configured to. "" is the first
// SAML app. Like Metadata it panics if there is none.
func (s *Server) AppURL(appID string) string {
	return s.base() + appPath(must(s.state.Load().app(appID)))
}

// SSOURL is an app's single sign-on address, which takes its requests; "" is
// the first SAML app. The apps of an Entra tenant share theirs, and the
// request's Issuer tells them apart. Like Metadata it panics if there is none.
func (s *Server) SSOURL(appID string) string { return s.ssoURL(must(s.state.Load().samlApp(appID))) }

// TileURL is where an app's tile leads, and IdP-initiated sign-in begins: with
// the profile Okta the sign-on address without a request. "" is the first SAML
// app. Like Metadata it panics if there is none.
func (s *Server) TileURL(appID string) string { return s.tileURL(must(s.state.Load().app(appID))) }

// MetadataURL is where an app's metadata is; "" is the first SAML app. Like
// Metadata it panics if there is none.
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
		return s.base() + "/" + s.initial.tenant(a) + pathEntraSSO
	}
	return s.base() + oktaSSO(a)
}

func (s *Server) metadataURL(a *App) string {
	if a.Profile == Entra {
		return s.base() + "/" + s.initial.tenant(a) + pathEntraMetadata + "?appid=" + url.QueryEscape(a.ExternalKey)
	}
	return s.base() + "/app/" + a.ExternalKey + "/sso/saml/metadata"
}

func (s *Server) tileURL(a *App) string { return s.base() + s.tilePath(a) }

// tilePath doesn't have Config.OddPaths' prefix.
func (s *Server) tilePath(a *App) string {
	switch {
	case a.Kind == Bookmark:
		return pathBookmark + url.PathEscape(a.ID)
	case a.Profile == Entra:
		return pathEntraLaunch + url.PathEscape(a.ExternalKey) + "?tenantId=" + s.initial.tenant(a)
	}
	return oktaSSO(a)
}

func oktaSSO(a *App) string { return "/app/" + a.Name + "/" + a.ExternalKey + "/sso/saml" }

func appPath(a *App) string { return pathApp + url.PathEscape(a.ID) }
