package main

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// pages is where the sign-in pages are at each application's host. The proxy sends these paths here, and all others to
// the application.
const pages = "/.meridian"

// config describes a gate.
type config struct {
	settings
	idp         []byte        // its metadata
	entityID    string        // empty: that of the first application
	key         crypto.Signer // nil: no logout at the identity provider
	certificate *x509.Certificate
	log         *slog.Logger
}

// gate answers the questions of the proxies, and serves the sign-in pages of all applications.
type gate struct {
	settings
	guard *middleware.Guard
	sp    *saml.ServiceProvider
	log   *slog.Logger
	mux   *http.ServeMux
}

func newGate(cfg config) (*gate, error) {
	idp, err := saml.ParseIdPMetadata(cfg.idp)
	if err != nil {
		return nil, fmt.Errorf("-idp-metadata: %w", err)
	}
	of := saml.Config{EntityID: cfg.entityID, IdP: idp, Key: cfg.key, Certificate: cfg.certificate}
	if of.EntityID == "" {
		of.EntityID = cfg.Applications[0].URL + pages + "/metadata"
	}
	for _, a := range cfg.Applications {
		of.ACS = append(of.ACS, saml.Endpoint{URL: a.URL + pages + "/acs"})
		if cfg.key != nil {
			of.Logout = append(of.Logout, saml.LogoutEndpoint{URL: a.URL + pages + "/slo"})
		}
	}
	g := &gate{settings: cfg.settings, log: cfg.log, mux: http.NewServeMux()}
	if g.sp, err = saml.New(of); err != nil {
		return nil, err
	}
	g.guard, err = middleware.New(middleware.Config{
		Config: acs.Config{
			SP: g.sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: cfg.log,
			ClientAddr: func(r *http.Request) string { return r.Header.Get(clientHeader) },
		},
		Sessions: allApplications{sessions.NewMemoryStore(sessions.MemoryConfig{})},
		Paths: middleware.Paths{
			Login: pages + "/login", Logout: pages + "/logout", Metadata: pages + "/metadata",
			Continue: pages + "/continue", Refused: pages + "/refused", Discovered: pages + "/discovered",
		},
		KeepAttributes: cfg.attributes(),
	})
	if err != nil {
		return nil, err
	}
	g.guard.Mount(g.mux)
	g.mux.HandleFunc("GET "+pages+"/enter", g.enter)
	g.mux.HandleFunc("GET "+pages+"/{$}", g.home)
	g.mux.HandleFunc("/auth_request", func(w http.ResponseWriter, r *http.Request) { g.check(w, r, signInHeader) })
	g.mux.HandleFunc("/forward_auth", func(w http.ResponseWriter, r *http.Request) { g.check(w, r, "Location") })
	return g, nil
}

// attributes returns the Names of the attributes that the headers and the rules need.
func (s *settings) attributes() []string {
	all := []string{}
	for _, name := range s.Headers {
		all = append(all, name)
	}
	for _, a := range s.Applications {
		for _, r := range a.Rules {
			for name := range r.Attributes {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// application returns the one with that host, or nil. A port doesn't matter: the proxy listens at its own.
func (s *settings) application(host string) *application {
	name := func(host string) string {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		return strings.ToLower(host)
	}
	for i := range s.Applications {
		if a := &s.Applications[i]; name(a.host) == name(host) {
			return a
		}
	}
	return nil
}

// requirement is what the rule asks of a signed-in user.
func (r *rule) requirement() middleware.Requirement {
	q := middleware.Requirement{MaxAuthnAge: time.Duration(r.Fresh), Attributes: r.Attributes}
	if len(r.Contexts) > 0 {
		q.AuthnContext = &saml.RequestedAuthnContext{ClassRefs: r.Contexts}
	}
	return q
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }
