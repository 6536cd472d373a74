package portal

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
)

// The paths that links, monitors and administrators use.
const (
	PathLogin      = "/login"              // starts a sign-in at the identity provider
	PathDiscovered = "/login/idp"          // receives the answer of Config.DiscoveryURL
	PathSignOut    = "/sign-out"           // POST only
	PathMetadata   = "/metadata"           // the service provider's SAML metadata
	PathSessions   = "/sessions"           // the user's own, in all Regions
	PathEnd        = "/sessions/end"       // POST only: ends one of them
	PathPeople     = "/operator/people"    // finds users and their sessions, for operators
	PathAudit      = "/operator/audit"     // the events of this Region, for operators
	PathResidency  = "/operator/residency" // where data is, as text or JSON, for operators
	PathOperator   = "/operator"           // Regions and their addresses
	PathHealth     = "/health"             // says whether users can sign in here
	PathConsole    = "/console"            // deep links: with account_id and role_name
)

// The other paths that the portal serves besides its assertion consumers.
const (
	pathHome         = "/"                                   // accounts and their permission sets
	pathApplications = "/applications"                       // applications of all Regions
	pathAccount      = "/accounts/{account}"                 // one account with all of the user's permission sets
	pathRole         = "/accounts/{account}/{permissionSet}" // one of those permission sets
	pathRoleKeys     = pathRole + "/keys"                    // POST only: credentials for it
	pathFavorites    = "/favorites"                          // POST only: marks one, or ends that
	pathContinue     = "/continue"                           // finishes a sign-in, or asks the user first
	pathSignedOut    = "/signed-out"                         // starts nothing
	pathEndAll       = "/sessions/end-all"                   // asks, and ends all of them
	pathSignOutAtIdP = "/sign-out/idp"                       // POST only: the identity provider's part of a sign-out
	pathHandoff      = "/handoff"                            // the source's part of a handoff
	pathEnter        = "/enter"                              // the destination's part
	pathAuditExport  = "/operator/audit/export"
	pathRefused      = "/refused" // redirects home, or shows that sign-in failed
	pathStatic       = "/static/{file}"
)

// Portal serves one Region. It is safe for concurrent use.
type Portal struct {
	cfg        Config           // checked, never changed
	clock      func() time.Time // Config.Now with its monotonic reading; now is without
	log        *slog.Logger
	region     *acs.Region
	mux        *http.ServeMux
	cross      *http.CrossOriginProtection
	theme      *theme.Theme
	templates  templates
	assets     map[string]asset // by name
	brand      brand
	refusals   map[Reason]refusalText
	acsOrigins []string // of the consumers, which never change
	shared     bool     // whether the Codes are shared with other Regions
	codes      quota    // of handoffs, by sign-in
	marks      quota    // favorites, by user
	opens      quota    // what was opened, by user
	health     *health
	issued     clockOpinion
	vouching   []byte  // the key of vouch
	clockWrong [2]bool // by other Regions, by verified assertions; only the probe uses it
}

// New returns the portal that cfg describes, or an *Error with Reason ReasonConfig. It starts one goroutine, which
// runs the probe until Config.Context ends.
func New(cfg Config) (*Portal, error) {
	shared := cfg.Codes != nil
	if err := cfg.check(); err != nil {
		return nil, err
	}
	look, err := newTheme(cfg.Theme)
	if err != nil {
		return nil, err
	}
	pages, err := parseTemplates(cfg.Templates)
	if err != nil {
		return nil, err
	}
	assets, brand := newAssets(look)
	brand.AWS = cfg.AWS
	p := &Portal{
		theme: look, templates: pages, assets: assets, brand: brand,
		cfg: cfg, clock: cfg.Now, log: cfg.Logger.With("region", cfg.Region), mux: http.NewServeMux(),
		cross: http.NewCrossOriginProtection(), refusals: parseRefusals(),
		acsOrigins: acsOrigins(cfg.SP, cfg.Region), shared: shared, health: newHealth(),
		codes: newQuota(), marks: newQuota(), opens: newQuota(), vouching: []byte(newSecret()),
	}
	discovered := ""
	if cfg.DiscoveryURL != "" {
		discovered = PathDiscovered
	}
	if err := pages.check(p.samples()); err != nil {
		return nil, err
	}
	p.region, err = acs.NewRegion(acs.Config{
		SP:                cfg.SP,
		Region:            cfg.Region,
		Store:             cfg.Store,
		OnLogin:           p.verified,
		LoginOptions:      p.loginOptions,
		EndSessions:       p.endSubject,
		OnLoggedOut:       p.loggedOut,
		ChooseIdP:         cfg.ChooseIdP,
		FindIdP:           cfg.FindIdP,
		DiscoveryURL:      cfg.DiscoveryURL,
		DiscoveredPath:    discovered,
		Unsolicited:       [...]acs.Unsolicited{Ask: acs.Accept, Restart: acs.Restart, Refuse: acs.Refuse}[cfg.Unsolicited],
		RelayStateOrigins: cfg.RelayStateOrigins,
		LoginPath:         PathLogin,
		RefusedPath:       pathRefused,
		ClientAddr:        cfg.ClientAddr,
		SOAP:              cfg.SOAP,
		OnVerdict:         p.verdict,
		OnRefused:         p.auditNotBegun,
		Observer:          cfg.Observer,
		RenderPage:        p.renderConsumer,
		PageLook:          p.theme.PageLook,
		Logger:            cfg.Logger,
	})
	if err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "the Region's consumers", Err: err}
	}
	if err := p.mount(); err != nil {
		return nil, err
	}
	go p.probing()
	return p, nil
}

// now is the clock without Go's monotonic reading, which stops while a machine is suspended. All processes must use the
// same clock for the lifetime of a session or code.
func (p *Portal) now() time.Time { return p.clock().Round(0) }

// ServeHTTP implements http.Handler.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mux.ServeHTTP(w, p.withClient(r))
}

// mount fills the mux. The mux panics if an ACS URL has one of the portal's own paths; that becomes an error. The
// portal's patterns have no method, so that the portal's own page answers a wrong method.
func (p *Portal) mount() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{
				Reason: ReasonConfig, Rule: "paths of the ACS URLs", Want: "none of the portal's own",
				Err: fmt.Errorf("%v", v),
			}
		}
	}()
	p.region.Mount(p.mux, acs.Paths{Metadata: PathMetadata})
	p.mux.HandleFunc(PathLogin, p.login)
	p.get(pathHome+"{$}", p.visitor(p.accounts))
	p.get(pathApplications, p.visitor(p.applications))
	p.get(pathAccount, p.visitor(p.account))
	p.get(pathRole, p.visitor(p.role))
	p.get(PathConsole, p.visitor(p.console))
	p.handle(pathRoleKeys, byMethod{http.MethodPost: p.visitor(p.roleKeys)})
	p.handle(pathFavorites, byMethod{http.MethodPost: p.visitor(p.favorite)})
	p.get(pathSignedOut, p.signedOut)
	p.get(pathStatic, p.static)
	p.get(PathHealth, p.healthy)
	p.get(pathHandoff, p.navigation(p.handoff))
	p.get(pathEnter, p.navigation(p.enter))
	p.get(pathRefused, p.refused)
	p.get(PathSessions, p.visitorEvenStale(p.sessions))
	p.handle(PathEnd, byMethod{http.MethodPost: p.visitorEvenStale(p.endSession)})
	p.handle(pathEndAll, byMethod{
		http.MethodGet: p.visitorEvenStale(p.askEndAll), http.MethodPost: p.visitorEvenStale(p.endAllSessions),
	})
	p.get(PathAudit, p.operator(p.auditPage))
	p.get(pathAuditExport, p.operator(p.exportAudit))
	if p.cfg.Residency != nil {
		p.get(PathResidency, p.operator(p.residency))
	}
	p.get(PathOperator, p.operator(p.operatorPage))
	p.mountRegions()
	p.mountPeople()
	p.handle(pathContinue, byMethod{http.MethodGet: p.navigation(p.proceed), http.MethodPost: p.answer})
	p.handle(PathSignOut, byMethod{http.MethodPost: p.signOut})
	p.handle(pathSignOutAtIdP, byMethod{http.MethodPost: p.signOutAtIdP})
	for _, path := range []string{PathClient, PathDevice} { // only WithClients serves them, and no consumer may
		p.get(path, p.notFound)
	}
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.secure(w)
		if p.isEntrance(r) {
			home := url.URL{Path: pathHome, RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, home.String(), http.StatusSeeOther)
			return
		}
		if r.Method == http.MethodPost { // such as a response to an ACS URL that isn't one
			const want = "a page or an ACS URL"
			p.refuse(w, r, newError(ReasonUnknownAddress, "address of the request", want, r.Host+r.URL.Path))
			return
		}
		p.notFound(w, r)
	})
	return nil
}

// navigation admits only navigations of a window, before anything is stored or any cookie changes. It answers HEAD
// without calling h, because h consumes a record or a cookie.
func (p *Portal) navigation(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		if err := acs.CheckNavigation(r); err != nil {
			p.refuse(w, r, &Error{
				Reason: ReasonNavigation, Rule: r.URL.Path, Want: "a navigation of a window", Err: err,
			})
			return
		}
		h(w, r)
	}
}

type byMethod map[string]http.HandlerFunc

func (p *Portal) get(pattern string, h http.HandlerFunc) {
	p.handle(pattern, byMethod{http.MethodGet: h})
}

func (p *Portal) handle(pattern string, handlers byMethod) { p.route(p.mux, pattern, handlers) }

// route routes one pattern by method. It accepts a POST only from the portal's own pages. Together with the SameSite
// cookie, that is the protection against cross-site request forgery.
func (p *Portal) route(mux *http.ServeMux, pattern string, handlers byMethod) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p.secure(w)
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		h := handlers[method]
		if h == nil {
			p.wrongMethod(w, r, handlers)
			return
		}
		if err := p.ownPage(r); err != nil {
			p.refuse(w, r, &Error{
				Reason: ReasonCrossSite, Rule: "POST " + r.URL.Path, Want: "a request from the portal's own page",
				Got: r.Header.Get("Origin"), Err: err,
			})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10) // the portal's own forms are much smaller
		h(w, r)
	})
}

// ownPage refuses a POST from another origin's page. If a browser sends no Sec-Fetch-Site, CrossOriginProtection
// compares only hosts. It would accept an attacker's page at http:// of the same host.
func (p *Portal) ownPage(r *http.Request) error {
	if err := p.cross.Check(r); err != nil {
		return err
	}
	origin, here := r.Header.Get("Origin"), p.place(r).origin()
	unchecked := r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == ""
	if unchecked && origin != "" && here != "" && origin != here {
		return errors.New("cross-origin request detected: another scheme or port")
	}
	return nil
}

// secure sets the headers of every response that the portal makes itself.
func (p *Portal) secure(w http.ResponseWriter) {
	h := w.Header()
	acs.SetPageHeaders(h)
	h.Set("Content-Security-Policy", contentSecurityPolicy("'self'"))
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

func contentSecurityPolicy(formAction string) string {
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action " + formAction +
		"; base-uri 'none'; frame-ancestors 'none'"
}
