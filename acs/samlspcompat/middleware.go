package samlspcompat

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"

	"github.com/crewjam/saml/samlsp"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// Middleware has the methods of [samlsp.Middleware] that the handlers of a program call, except QueryAttributes and
// CreateSessionFromAssertion. It has none of the fields, such as OnError, Session, RequestTracker, AssertionHandler and
// FormReplayStore: MIGRATING.md says what takes their place. It is safe for concurrent use.
type Middleware struct {
	cfg    Config // checked, never changed
	paths  middleware.Paths
	login  acs.LoginOptions
	sp     *saml.ServiceProvider
	guard  *middleware.Guard
	names  map[string][]string // the keys of a Name
	warned logged
}

// New returns the Middleware of a program that has one Region and runs once. Requests and sessions are in memory.
//
// It returns an [*Error] with ReasonUnsupported for SimpleSign, RelayStateFunc, CookieDomain, ReplayCache,
// SessionRevocations, a CookieSameSite other than Lax, a DefaultRedirectURI of another host, and a Comparison of
// RequestedAuthnContext other than exact. LogoutBinding, HTTPClient, Intermediates and SessionKey have no effect.
// RejectUnknownConditions, RequireSignedResponseForCBC, RejectExpiredIDPMetadata, LimitRelayStateLength,
// RequireStandardArtifacts and SignLogout are always on. So is IgnoreCertificateExpiry, because metadata names keys and
// not certificates (SAML V2.0 Metadata Interoperability Profile 2.6.1). Keys and certificates have the rules of
// [saml.Config]. Other errors are those of packages saml, acs and middleware.
func New(opts samlsp.Options) (*Middleware, error) { return NewWith(Config{Options: opts}) }

// NewWith returns the Middleware that cfg describes. See [New] for the errors.
func NewWith(cfg Config) (*Middleware, error) {
	if err := checkOptions(cfg.Options); err != nil {
		return nil, err
	}
	at := addressesOf(cfg.Options)
	sp, err := spConfig(cfg.Options, at)
	if err != nil {
		return nil, err
	}
	m := &Middleware{cfg: cfg, names: keysOf(cfg.FriendlyNames)}
	if m.login, err = loginOptions(cfg.Options); err != nil {
		return nil, err
	}
	start, err := home(cfg.Options)
	if err != nil {
		return nil, err
	}
	if m.sp, err = saml.New(sp); err != nil {
		return nil, err
	}
	own := func(name string) string { return path.Join(path.Dir(at.acs.Path), name) }
	m.paths = middleware.Paths{
		Login: own("login"), Logout: own("logout"), Metadata: at.metadata.Path, Continue: own("continue"),
		Refused: own("refused"), Home: start,
	}
	m.guard, err = middleware.New(m.guardConfig())
	return m, err
}

func (m *Middleware) guardConfig() middleware.Config {
	o := m.cfg.Options
	out := middleware.Config{
		Config: acs.Config{
			SP: m.sp, Store: m.cfg.Store, RequestLifetime: o.TrackedRequestMaxAge, ClientAddr: m.cfg.ClientAddr,
			RenderPage: m.cfg.RenderPage, PageLook: m.cfg.PageLook, Logger: m.cfg.Logger,
			LoginOptions: func(*http.Request) acs.LoginOptions { return m.login },
		},
		Sessions: m.cfg.Sessions, Paths: m.paths, Admit: m.admit,
	}
	if o.AllowIDPInitiated {
		out.Unsolicited = acs.Accept
	}
	if out.Store == nil {
		out.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: m.sp.Now})
	}
	if out.Sessions == nil {
		out.Sessions = sessions.NewMemoryStore(sessions.MemoryConfig{})
	}
	if o.CookieName != "" {
		out.CookieName = "__Host-" + o.CookieName
	}
	return out
}

// ServeHTTP serves the metadata, the assertion consumer service and single logout, at the paths of the options, and the
// pages of a sign-in, which are in the directory of the assertion consumer service. Route that directory, such as
// "/saml/", to the Middleware.
func (m *Middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.guard.ServeHTTP(w, r) }

// ServeMetadata serves the metadata, at any path.
func (m *Middleware) ServeMetadata(w http.ResponseWriter, r *http.Request) {
	m.serveAt(w, r, m.paths.Metadata)
}

// ServeACS is ServeHTTP for the URL of the assertion consumer service.
func (m *Middleware) ServeACS(w http.ResponseWriter, r *http.Request) { m.ServeHTTP(w, r) }

// ServeSLO is ServeHTTP for the URL of single logout.
func (m *Middleware) ServeSLO(w http.ResponseWriter, r *http.Request) { m.ServeHTTP(w, r) }

// serveAt serves a page of the Guard that the program has at another path.
func (m *Middleware) serveAt(w http.ResponseWriter, r *http.Request, path string) {
	at := *r
	at.URL = &url.URL{Path: path, RawQuery: r.URL.RawQuery}
	m.ServeHTTP(w, &at)
}

// RequireAccount is a middleware: next serves signed-in users, with their session in the context
// ([samlsp.SessionFromContext]). The navigation of a browser is sent to the identity provider. Unlike with samlsp,
// every other request without a session gets 401 and no redirect.
func (m *Middleware) RequireAccount(next http.Handler) http.Handler {
	return m.guard.Require(m.withSession(next))
}

// Load is a middleware for pages that users see with and without a session, in place of GetSession of samlsp's
// SessionProvider: [samlsp.SessionFromContext] returns the session, or nil.
func (m *Middleware) Load(next http.Handler) http.Handler { return m.guard.Load(m.withSession(next)) }

// withSession gives next the session of package middleware as that of samlsp.
func (m *Middleware) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := middleware.From(r.Context()); s != nil {
			r = r.WithContext(samlsp.ContextWithSession(r.Context(), m.sessionOf(s)))
		}
		next.ServeHTTP(w, r)
	})
}

// HandleStartAuthFlow sends a browser's navigation to the identity provider, and back to the path of r.
func (m *Middleware) HandleStartAuthFlow(w http.ResponseWriter, r *http.Request) {
	o := m.login
	o.ReturnTo = acs.LocalPath(r.URL.RequestURI())
	m.guard.Region().StartLogin(w, r, o)
}

// HandleStartLogout ends the sessions of the sign-in, and then asks the identity provider to end its own. Unlike with
// samlsp, a GET asks the user first, because any site can link to it.
func (m *Middleware) HandleStartLogout(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		m.serveAt(w, r, m.paths.Logout)
		return
	}
	m.askToSignOut(w, r)
}

func (m *Middleware) logger() *slog.Logger {
	if m.cfg.Logger != nil {
		return m.cfg.Logger
	}
	return slog.Default()
}
