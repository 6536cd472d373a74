package acs

import (
	"net/http"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// Region is the way into one Region: a consumer for each of its ACS URLs, and
// sign-in that starts here. It never changes: a URL that joins the service
// provider's list later needs a new Region, and one that leaves the list is
// answered with 410 (Gone). It is safe for concurrent use.
type Region struct {
	consumers []*Consumer // in the list's order; at least one
	sp        *saml.ServiceProvider
}

// NewRegion makes the consumers of a Region from the service provider's list
// as it is now. The error is a [*Error] with ReasonConfig that names the field.
func NewRegion(cfg Config) (*Region, error) {
	if cfg.ACS != "" {
		return nil, badConfig("Config.ACS", "is for New; a Region has every URL that the list has for it", nil)
	}
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	region := &Region{sp: cfg.SP}
	clients, bodies := newClients(cfg.requestQuota(), cfg.RequestLifetime), newBodies(cfg.MaxBodies)
	for _, e := range cfg.SP.ACS() {
		if e.Region != cfg.Region {
			continue
		}
		cfg.ACS = e.URL
		c, err := newConsumer(cfg, clients, bodies)
		if err != nil {
			return nil, err
		}
		if _, err := pattern(c.url); err != nil {
			return nil, err
		}
		region.consumers = append(region.consumers, c)
	}
	if len(region.consumers) == 0 {
		return nil, badConfig("Config.Region", "the service provider has no ACS URL in Region "+storeerr.Quote(cfg.Region), nil)
	}
	return region, nil
}

// Login is the page that starts a sign-in, for GET. Its parameter return_to is
// LoginOptions.ReturnTo.
func (g *Region) Login(w http.ResponseWriter, r *http.Request) {
	if !g.consumers[0].onlyGet(w, r) {
		g.consumers[0].page(w, http.StatusMethodNotAllowed, textNoResponse, "")
		return
	}
	if r.Method == http.MethodHead {
		return // nobody is going anywhere
	}
	fields, err := formFields(r.URL.RawQuery, "return_to")
	if err != nil {
		fields = nil // then there is nowhere in particular to go
	}
	g.StartLogin(w, r, LoginOptions{ReturnTo: fields["return_to"]})
}

// StartLogin sends the browser to the identity provider with an AuthnRequest
// for the ACS URL of this Region whose host is the request's, because that is
// where the browser will send its cookies; if there is none, for the Region's
// first. The answer, or an error page, is written.
func (g *Region) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	g.from(r).StartLogin(w, r, o)
}

// from picks the consumer for sign-in from the ones that are still listed.
func (g *Region) from(r *http.Request) *Consumer {
	listed := make(map[string]bool)
	for _, e := range g.sp.ACS() {
		listed[e.URL] = true
	}
	var first *Consumer
	for _, c := range g.consumers {
		switch {
		case !listed[c.here.URL]:
		case c.hasHost(r.Host):
			return c
		case first == nil:
			first = c
		}
	}
	if first == nil {
		return g.consumers[0] // which will say that its URL is not listed
	}
	return first
}

// Refused is the page at Config.RefusedPath for a browser without a
// session: it says, with the reference that the log has, that sign-in did not
// work, and leads to Config.LoginPath. It tells nothing that the answer to
// the response didn't.
//
//	mux.HandleFunc("GET /refused", func(w http.ResponseWriter, r *http.Request) {
//		if signedIn(r) {
//			http.Redirect(w, r, "/", http.StatusSeeOther)
//			return
//		}
//		region.Refused(w, r)
//	})
func (g *Region) Refused(w http.ResponseWriter, r *http.Request) {
	c := g.consumers[0]
	if !c.onlyGet(w, r) {
		c.page(w, http.StatusMethodNotAllowed, textNoResponse, "")
		return
	}
	reference := r.URL.Query().Get(referenceParameter)
	if !isReference(reference) {
		reference = ""
	}
	c.page(w, http.StatusForbidden, textRefused, reference)
}

// Metadata is the page with the service provider's metadata, for GET. It is
// the same in every Region.
func (g *Region) Metadata(w http.ResponseWriter, r *http.Request) {
	c := g.consumers[0]
	if !c.onlyGet(w, r) {
		c.page(w, http.StatusMethodNotAllowed, textNoResponse, "")
		return
	}
	metadata, err := g.sp.Metadata()
	if err != nil {
		c.notStarted(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(metadata) // net/http drops it for HEAD
}

// onlyGet sets the headers, and reports whether the method fits.
func (c *Consumer) onlyGet(w http.ResponseWriter, r *http.Request) bool {
	c.secure(w.Header())
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	return false
}
