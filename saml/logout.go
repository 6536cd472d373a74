package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// SOAP is the binding of messages between servers (Bindings 3.2). Logout messages can be sent by it.
const SOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

// LogoutEndpoint is a single logout URL of this service provider (Profiles 4.4).
type LogoutEndpoint struct {
	// URL has the rules of [Endpoint].URL. It is not an ACS URL.
	URL string
	// Region is the name of this URL's Region. It may be empty where there is one Region.
	Region string
}

// LogoutService is an address of an identity provider for logout messages (Metadata 2.4.2).
type LogoutService struct {
	Binding string // HTTPRedirect, HTTPPost or SOAP
	URL     string
	// ResponseURL is where responses are sent to. Empty: URL.
	ResponseURL string
}

func (s LogoutService) check() *Error {
	if s.Binding != HTTPRedirect && s.Binding != HTTPPost && s.Binding != SOAP {
		return metadataError("Binding", "%s is none of HTTP-Redirect, HTTP-POST and SOAP", quote(s.Binding))
	}
	if err := checkLocation("Location", s.URL); err != nil {
		return err
	}
	if s.ResponseURL == "" {
		return nil
	}
	return checkLocation("ResponseLocation", s.ResponseURL)
}

// logoutServices reads the addresses for logout messages. One with an address that can't be used, or that this program
// itself must not connect to, is ignored with a warning.
func (d *metadataDecoder) logoutServices(idp *IdP, role xmltree.Node) {
	for n := role.Child(xmltree.Metadata, "SingleLogoutService"); n.OK(); n = n.NextSame() {
		s := LogoutService{
			Binding: d.anyURI(n, "Binding"), URL: d.anyURI(n, "Location"), ResponseURL: d.anyURI(n, "ResponseLocation"),
		}
		said := ServiceReport{
			Element: "SingleLogoutService", Binding: s.Binding, URL: s.URL, ResponseURL: s.ResponseURL,
		}
		if s.Binding != HTTPRedirect && s.Binding != HTTPPost && s.Binding != SOAP {
			said.Ignored = "the binding is none of HTTP-Redirect, HTTP-POST and SOAP"
			d.report.addService(said)
			continue
		}
		err := s.check()
		if err == nil && s.Binding == SOAP {
			err = checkDirectLocation("Location", s.URL)
		}
		if err != nil {
			d.warn("SingleLogoutService: " + err.Detail)
			said.Ignored = err.Detail
			d.report.addService(said)
			continue
		}
		d.report.addService(said)
		idp.logout = append(idp.logout, s)
	}
}

// maxOriginsOf bounds the endpoints whose origins are used, because all of them go into one header, and metadata can
// list thousands.
const maxOriginsOf = 8

// origins returns the origins of the first endpoints, without those that have a meaning in a Content-Security-Policy.
func (i *IdP) origins() (all []string) {
	var urls []string
	for _, s := range i.logout[:min(len(i.logout), maxOriginsOf)] {
		urls = append(urls, s.URL, s.ResponseURL)
	}
	for _, s := range i.sso[:min(len(i.sso), maxOriginsOf)] {
		urls = append(urls, s.URL)
	}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || strings.ContainsAny(u.Host, `*;,'"\`) || strings.ContainsFunc(u.Host, notASCII) {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(all, origin) {
			all = append(all, origin)
		}
	}
	return all
}

func notASCII(r rune) bool { return r <= ' ' || r > '~' }

// logoutList is the validated list of our single logout URLs. It never changes.
type logoutList struct {
	all       []LogoutEndpoint
	tags      map[string]int // the tag of a request ID -> position
	published string         // the one in our metadata; empty: none
}

func (cfg *Config) newLogoutList(in []LogoutEndpoint) (*logoutList, error) {
	switch {
	case len(in) == 0 && cfg.LogoutURL == "" && !cfg.LogoutSOAP:
		return new(logoutList), nil
	case len(in) == 0:
		return nil, configError("Config.Logout", "is required with LogoutURL and LogoutSOAP")
	case len(in) > maxEndpoints:
		return nil, configError("Config.Logout", "at most %d URLs, got %d", maxEndpoints, len(in))
	case cfg.Key == nil:
		return nil, configError("Config.Logout", "needs Config.Key, because all logout messages are signed")
	}
	isACS := func(url string) bool {
		return slices.ContainsFunc(cfg.ACS, func(e Endpoint) bool { return e.URL == url })
	}
	l := &logoutList{all: slices.Clone(in), tags: make(map[string]int), published: in[0].URL}
	for i, e := range in {
		field := fmt.Sprintf("Config.Logout[%d].URL", i)
		if err := checkURL(field, e.URL, cfg.InsecureAllowHTTP); err != nil {
			return nil, err
		}
		tag := logoutTag(e.URL)
		if _, dup := l.tags[tag]; dup || isACS(e.URL) {
			return nil, configError(field, "%s is listed twice, or is an ACS URL", quote(e.URL))
		}
		l.tags[tag] = i
	}
	if cfg.LogoutURL != "" {
		if err := checkURL("Config.LogoutURL", cfg.LogoutURL, cfg.InsecureAllowHTTP); err != nil {
			return nil, err
		}
		if isACS(cfg.LogoutURL) {
			return nil, configError("Config.LogoutURL", "%s is an ACS URL", quote(cfg.LogoutURL))
		}
		l.published = cfg.LogoutURL
	}
	return l, nil
}

// find returns the endpoint with that URL. Empty: the first.
func (l *logoutList) find(url string) (LogoutEndpoint, error) {
	if len(l.all) == 0 {
		return LogoutEndpoint{}, configError("Config.Logout", "is required for logout")
	}
	if url == "" {
		return l.all[0], nil
	}
	i := slices.IndexFunc(l.all, func(e LogoutEndpoint) bool { return e.URL == url })
	if i < 0 {
		return LogoutEndpoint{}, configError("LogoutOptions.URL", "%s is not in Config.Logout", quote(withoutUser(url)))
	}
	return l.all[i], nil
}

// tagOf returns the endpoint whose tag the ID of a LogoutRequest begins with.
func (l *logoutList) tagOf(requestID string) (LogoutEndpoint, bool) {
	i, ok := l.tags[requestID[:min(len(requestID), requestTagLen)]]
	if !ok {
		return LogoutEndpoint{}, false
	}
	return l.all[i], true
}

// logoutTag returns the tag that begins the ID of every LogoutRequest made for a URL, as [requestTag] does for an
// AuthnRequest. The two are never equal, so the ID of one is not taken for that of the other.
func logoutTag(url string) string {
	sum := sha256.Sum256([]byte("logout|" + url))
	return "_" + hex.EncodeToString(sum[:8]) + "-"
}

// Logout returns the current list of our single logout URLs.
func (sp *ServiceProvider) Logout() []LogoutEndpoint { return slices.Clone(sp.logout.Load().all) }

// PublishedLogoutURL returns the single logout URL in our metadata. All logout messages of identity providers have it
// as their Destination. It is Config.LogoutURL or else the first of Config.Logout. Empty: there is no logout.
func (sp *ServiceProvider) PublishedLogoutURL() string { return sp.logout.Load().published }

// ReplaceLogout replaces the list of our single logout URLs, for a Region that was added or removed. The URL in our
// metadata stays: the error has ReasonConfig if it would change, and for a list that New refuses.
func (sp *ServiceProvider) ReplaceLogout(list []LogoutEndpoint) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	next, err := sp.cfg.newLogoutList(list)
	if err != nil {
		return err
	}
	if was := sp.logout.Load().published; next.published != was {
		return configError("Logout", "the first URL must stay %s, to which identity providers send messages", quote(was))
	}
	sp.logout.Store(next)
	return nil
}

// logoutService returns the identity provider's address for a binding. An empty binding means HTTP-Redirect, HTTP-POST
// or SOAP, the first that it offers.
func (i *IdP) logoutService(binding string) (LogoutService, error) {
	for _, want := range []string{HTTPRedirect, HTTPPost, SOAP} {
		at := slices.IndexFunc(i.logout, func(s LogoutService) bool { return s.Binding == want })
		if at >= 0 && (binding == "" || binding == want) {
			return i.logout[at], nil
		}
	}
	return LogoutService{}, metadataError("SingleLogoutService (Metadata 2.4.2)",
		"%s has no address for the binding %s", quote(i.entityID), quote(binding))
}

// LogoutServices lists the addresses for logout messages. Empty: the identity provider has no single logout.
func (i *IdP) LogoutServices() []LogoutService { return slices.Clone(i.logout) }

// maxLogoutValidity bounds how long a LogoutRequest may be applied, because a record of it is kept for that time.
const maxLogoutValidity = 24 * time.Hour

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }
