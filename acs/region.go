package acs

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// Region is one Region's way in: a consumer for each of its ACS URLs, and the start of sign-ins. It never
// changes: a URL that joins the service provider's list later needs a new Region, and one that leaves the
// list gets 410 (Gone). It is safe for concurrent use.
type Region struct {
	consumers []*Consumer // in the list's order; at least one
	sp        *saml.ServiceProvider
}

// NewRegion makes the consumers of a Region from the service provider's current list. The error is a
// [*Error] with ReasonConfig that names the field.
func NewRegion(cfg Config) (*Region, error) {
	if cfg.ACS != "" {
		return nil, badConfig("Config.ACS", "is for New; a Region has every URL that the list has for it")
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
		return nil, badConfig("Config.Region", "the service provider has no ACS URL in Region "+storeerr.Quote(cfg.Region))
	}
	return region, nil
}

// Login is the page that starts a sign-in, for GET. Its parameter return_to is LoginOptions.ReturnTo.
func (g *Region) Login(w http.ResponseWriter, r *http.Request) {
	if !g.consumers[0].onlyGet(w, r) || r.Method == http.MethodHead {
		return
	}
	fields, _ := formFields(r.URL.RawQuery, "return_to") // nil after an error: then there is no ReturnTo
	g.StartLogin(w, r, LoginOptions{ReturnTo: fields["return_to"]})
}

// StartLogin sends the browser to the identity provider with an AuthnRequest for the ACS URL of this
// Region whose host is the request's, because the browser will send its cookies there; otherwise for the
// Region's first. It writes an error page if it can't.
func (g *Region) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	g.consumerFor(r).StartLogin(w, r, o)
}

// consumerFor returns the consumer for a sign-in, of those that are still listed.
func (g *Region) consumerFor(r *http.Request) *Consumer {
	list := g.sp.ACS()
	var first *Consumer
	for _, c := range g.consumers {
		if !slices.ContainsFunc(list, func(e saml.Endpoint) bool { return e.URL == c.here.URL }) {
			continue
		}
		if c.hasHost(r.Host) {
			return c
		}
		first = cmp.Or(first, c)
	}
	return cmp.Or(first, g.consumers[0]) // whose answer says that its URL is not listed
}

// Refused is the page at Config.RefusedPath for a browser without a session. It says, with the reference that the log
// has, that sign-in did not work, and leads to Config.LoginPath. It tells no more than the answer to the response did.
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
		return
	}
	reference := r.URL.Query().Get(referenceParameter)
	if !referenceFormat.MatchString(reference) {
		reference = ""
	}
	c.page(w, answer{status: http.StatusForbidden, text: textRefused}, reference)
}

// Metadata is the page with the service provider's metadata, for GET. It is the same in every Region.
func (g *Region) Metadata(w http.ResponseWriter, r *http.Request) {
	c := g.consumers[0]
	if !c.onlyGet(w, r) {
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

// onlyGet sets the headers. If the method is neither GET nor HEAD it writes a 405 and returns false.
func (c *Consumer) onlyGet(w http.ResponseWriter, r *http.Request) bool {
	c.setHeaders(w.Header())
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	c.page(w, answers[string(ReasonMethod)], "")
	return false
}
