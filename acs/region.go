package acs

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// Region serves one Region: it has a consumer for each of its ACS URLs, and starts sign-ins. It never changes. A
// URL that is added to the service provider's list later needs a new Region, and one that is removed from the list
// gets 410 (Gone). A Region is safe for concurrent use.
type Region struct {
	consumers []*Consumer // in the list's order; at least one
	sp        *saml.ServiceProvider
}

// NewRegion returns a Region with the URLs of the service provider's current list. The error is a [*Error] with
// ReasonConfig that names the field.
func NewRegion(cfg Config) (*Region, error) {
	if cfg.ACS != "" {
		return nil, badConfig("Config.ACS", "must be empty for NewRegion, which serves every ACS URL of the Region")
	}
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	region := &Region{sp: cfg.SP}
	shared := newShared(&cfg)
	for _, e := range cfg.SP.ACS() {
		if e.Region != cfg.Region {
			continue
		}
		cfg.ACS = e.URL
		c, err := newConsumer(cfg, shared)
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
	if cfg.EndSessions == nil && slices.ContainsFunc(cfg.SP.Logout(), region.isOwn) {
		return nil, badConfig("Config.EndSessions", "is required for a Region of saml.Config.Logout")
	}
	return region, nil
}

// Login handles a GET that starts a sign-in with the options of Config.LoginOptions. Its query parameter return_to is
// LoginOptions.ReturnTo. It is also a request initiator: target is another name of return_to (Service Provider Request
// Initiation Protocol). Its parameter entityID is ignored, because with it a link of another site would choose the
// identity provider.
func (g *Region) Login(w http.ResponseWriter, r *http.Request) {
	if !g.consumers[0].onlyGet(w, r) || r.Method == http.MethodHead {
		return
	}
	c := g.consumerFor(r)
	o := c.loginOptions(r)
	fields, _ := formFields(r.URL.RawQuery, "return_to", "target") // nil after an error, so ReturnTo is that of o
	o.ReturnTo = cmp.Or(fields["return_to"], fields["target"], o.ReturnTo)
	c.StartLogin(w, r, o)
}

// StartLogin sends the browser to the identity provider with an AuthnRequest, or writes an error page. The request
// is for the ACS URL of this Region that has the host of r, because the browser will send its cookies there. If
// there is none, it is for the Region's first ACS URL.
func (g *Region) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	g.consumerFor(r).StartLogin(w, r, o)
}

// consumerFor returns the consumer for a sign-in. Its URL must still be listed.
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
	return cmp.Or(first, g.consumers[0]) // which answers that its URL is not listed
}

// Refused writes the page at Config.RefusedPath for a browser without a session. It has a short message, the
// reference that the log has, and a link to Config.LoginPath. It reveals nothing about the refusal.
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
	c.page(w, r, answer{status: http.StatusForbidden, text: textRefused}, reference)
}

// Overloaded reports whether this node has refused a response in the last ten seconds because there were more at the
// same time than the stores take. An unauthenticated client can cause this, so show it to operators, and don't act on
// it without them.
func (g *Region) Overloaded() bool { return g.consumers[0].admission.overloaded(retrySoon) }

// Metadata handles a GET of the service provider's metadata, which is the same in every Region.
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
	c.page(w, r, answers[string(ReasonMethod)], "")
	return false
}
