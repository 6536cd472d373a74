package middleware

import (
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Guard protects the handlers of a program in one Region. It is safe for concurrent use.
type Guard struct {
	cfg    Config // checked, never changed
	region *acs.Region
	mux    *http.ServeMux // with the Guard's own pages
}

// New returns the Guard that cfg describes. The error is an [*Error] or an [*acs.Error] with ReasonConfig that names
// the field.
func New(cfg Config) (*Guard, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	g := &Guard{cfg: cfg, mux: http.NewServeMux()}
	here := cfg.Config
	here.OnLogin, here.EndSessions = g.signedIn, g.endSubject
	here.LoginPath, here.RefusedPath = cfg.Paths.Login, cfg.Paths.Refused
	if here.DiscoveryURL != "" {
		here.DiscoveredPath = cfg.Paths.Discovered
	}
	var err error
	if g.region, err = acs.NewRegion(here); err != nil {
		return nil, err
	}
	return g, g.mountOwn()
}

// mountOwn fills the Guard's mux. Two equal paths are an error.
func (g *Guard) mountOwn() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{
				Reason: ReasonConfig, Rule: "Config.Paths", Want: "paths that differ from each other and the ACS URLs",
				Err: fmt.Errorf("%v", v),
			}
		}
	}()
	g.Mount(g.mux)
	return nil
}

// Mount registers the consumers of the Region and the pages of Config.Paths with mux. Like mux.Handle, it panics if a
// pattern is already registered. They must not be behind Require or [http.CrossOriginProtection]: the identity
// provider's pages post to them, and the Guard checks its own forms.
func (g *Guard) Mount(mux *http.ServeMux) {
	p := g.cfg.Paths
	g.region.Mount(mux, acs.Paths{Login: p.Login, Metadata: p.Metadata})
	mux.HandleFunc(p.Logout, g.logout)
	mux.HandleFunc(p.Continue, g.proceed)
	mux.HandleFunc(p.Refused, g.refused)
}

// ServeHTTP serves what Mount registers, for routers other than http.ServeMux. Route the path prefix of Config.Paths
// and of the ACS and logout URLs to the Guard, such as "/saml/*".
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// Region returns the Region, to start sign-ins with other options.
func (g *Guard) Region() *acs.Region { return g.region }

// now is the wall clock, which continues while a machine is suspended.
func (g *Guard) now() time.Time { return g.cfg.SP.Now().Round(0) }
