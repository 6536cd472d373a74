package portal

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// The paths that links, monitors and administrators use.
const (
	PathLogin    = "/login"        // starts a sign-in at the identity provider
	PathSignOut  = "/sign-out"     // POST only
	PathMetadata = "/metadata"     // the service provider's SAML metadata
	PathSessions = "/sessions"     // the person's own, in all Regions
	PathEnd      = "/sessions/end" // POST only: ends one of them
	PathOperator = "/operator"     // Regions, their addresses, other people's sessions
	PathHealth   = "/health"       // says whether the Region can sign people in
)

// The other paths that the portal serves besides its assertion consumers.
const (
	pathHome         = "/"                                   // accounts and their permission sets
	pathApplications = "/applications"                       // applications of all Regions
	pathRole         = "/accounts/{account}/{permissionSet}" // one of those permission sets
	pathContinue     = "/continue"                           // finishes one, or asks first
	pathSignedOut    = "/signed-out"                         // says so, and starts nothing
	pathEndAll       = "/sessions/end-all"                   // POST only: ends them all
	pathHandoff      = "/handoff"                            // gives a session of this origin to another
	pathEnter        = "/enter"                              // gets one from there
	pathRefused      = "/refused"                            // leads home, or says that sign-in did not work
	pathStatic       = "/static/{file}"
)

// A Portal serves one Region. It is safe for concurrent use.
type Portal struct {
	cfg       Config           // checked, never changed
	clock     func() time.Time // Config.Now as it was given
	region    *acs.Region
	mux       *http.ServeMux
	cross     *http.CrossOriginProtection
	templates map[string]*template.Template // by page
	// acsOrigins are those of the consumers, which never change.
	acsOrigins []string
	shared     bool   // whether other Regions know the Codes
	handed     handed // the codes of the last minute
	health     *health
	issued     clockOpinion
}

// New returns the portal that cfg describes, or an *Error with Reason
// ReasonConfig. It starts one goroutine, which probes what a sign-in needs until
// Config.Context ends.
func New(cfg Config) (*Portal, error) {
	shared, clock := cfg.Codes != nil, cfg.Now
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if clock == nil {
		clock = cfg.SP.Now
	}
	p := &Portal{
		cfg: cfg, clock: clock, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), templates: parseTemplates(),
		acsOrigins: acsOrigins(cfg.SP, cfg.Region), shared: shared, health: newHealth(),
	}
	var err error
	p.region, err = acs.NewRegion(acs.Config{
		SP:                cfg.SP,
		Region:            cfg.Region,
		Store:             cfg.Store,
		OnLogin:           p.proved,
		Unsolicited:       cfg.Unsolicited.policy(),
		RelayStateOrigins: cfg.RelayStateOrigins,
		LoginPath:         PathLogin,
		RefusedPath:       pathRefused,
		ClientAddr:        cfg.ClientAddr,
		OnVerdict:         p.verdict,
		Logger:            cfg.Logger,
		Rand:              cfg.Rand,
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

// mount is routes, with the mux's panic made an error: an ACS URL may have a
// path that the portal needs for itself.
func (p *Portal) mount() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{Reason: ReasonConfig, Rule: "paths of the ACS URLs", Want: "none of the portal's own", Err: fmt.Errorf("%v", v)}
		}
	}()
	p.routes()
	return nil
}

// ServeHTTP implements http.Handler.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// routes fills the mux. The portal's own patterns carry no method, so that a
// wrong method gets our page and not the mux's line of text.
func (p *Portal) routes() {
	p.region.Mount(p.mux, acs.Paths{Metadata: PathMetadata})
	p.mux.HandleFunc(PathLogin, p.login)
	p.get(pathHome+"{$}", p.visitor(p.accounts))
	p.get(pathApplications, p.visitor(p.applications))
	p.get(pathRole, p.visitor(p.role))
	p.get(pathSignedOut, p.signedOut)
	p.get(pathStatic, p.static)
	p.get(PathHealth, p.healthy)
	p.get(pathHandoff, once(p.navigation(p.handoff)))
	p.get(pathEnter, once(p.navigation(p.enter)))
	p.get(pathRefused, p.refused)
	p.get(PathSessions, p.visitorEvenStale(p.sessions))
	p.handle(PathEnd, byMethod{http.MethodPost: p.visitorEvenStale(p.endSession)})
	p.handle(pathEndAll, byMethod{http.MethodPost: p.visitorEvenStale(p.endAllSessions)})
	p.handle(PathOperator, byMethod{http.MethodGet: p.operator(p.operatorPage), http.MethodPost: p.operator(p.endUser)})
	p.handle(pathContinue, byMethod{http.MethodGet: once(p.navigation(p.proceed)), http.MethodPost: p.answer})
	p.handle(PathSignOut, byMethod{http.MethodPost: p.signOut})
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.secure(w)
		if p.isEntrance(r) {
			http.Redirect(w, r, (&url.URL{Path: pathHome, RawQuery: r.URL.RawQuery}).String(), http.StatusSeeOther)
			return
		}
		p.notFound(w, r)
	})
}

// once keeps HEAD, which is for looking, away from what can be used once.
func once(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			h(w, r)
		}
	}
}

// navigation keeps away what is no navigation of a window, before anything is
// stored and any cookie changes.
func (p *Portal) navigation(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := acs.CheckNavigation(r); err != nil {
			p.refuse(w, r, &Error{Reason: ReasonNavigation, Rule: r.URL.Path, Want: "a navigation of a window", Err: err})
			return
		}
		h(w, r)
	}
}

type byMethod map[string]http.HandlerFunc

func (p *Portal) get(pattern string, h http.HandlerFunc) {
	p.handle(pattern, byMethod{http.MethodGet: h})
}

// handle routes one pattern by method. A POST is taken from the portal's own
// pages only; together with the SameSite cookie that is the whole defence
// against requests that another site's page makes in somebody's name.
func (p *Portal) handle(pattern string, handlers byMethod) {
	p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
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
			p.refuse(w, r, &Error{Reason: ReasonCrossSite, Rule: "POST " + r.URL.Path, Want: "a request from the portal's own page", Got: r.Header.Get("Origin"), Err: err})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		h(w, r)
	})
}

// ownPage refuses a POST from another origin's page. CrossOriginProtection
// compares hosts alone where a browser sends no Sec-Fetch-Site: a page that an
// attacker put into http://, of the same host, would pass.
func (p *Portal) ownPage(r *http.Request) error {
	if err := p.cross.Check(r); err != nil {
		return err
	}
	origin, here := r.Header.Get("Origin"), p.place(r).origin()
	if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == "" && origin != "" && here != "" && origin != here {
		return errors.New("cross-origin request detected: another scheme or port")
	}
	return nil
}

// maxForm is far above what the portal's own forms send.
const maxForm = 16 << 10

// secure sets the headers that every answer of the portal's own carries.
// Referrer-Policy is not no-referrer: that would turn the Origin of our own
// forms into null.
func (p *Portal) secure(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurityPolicy("'self'"))
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

func contentSecurityPolicy(formAction string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + formAction + "; base-uri 'none'; frame-ancestors 'none'"
}
