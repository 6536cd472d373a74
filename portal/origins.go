package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// originOf returns the origin of an absolute URL as browsers write it: lower
// case, without a default port, and "" for what has none.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + canonicalHost(u.Scheme, u.Host)
}

func canonicalHost(scheme, host string) string {
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}

// origins returns the origins of URLs, each once, in their order.
func origins(urls []string) []string {
	var out []string
	for _, raw := range urls {
		if o := originOf(raw); o != "" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// acsOrigins returns the origins of a Region's consumers.
func acsOrigins(sp *saml.ServiceProvider, region string) []string {
	var urls []string
	for _, e := range sp.ACS() {
		if e.Region == region {
			urls = append(urls, e.URL)
		}
	}
	return origins(urls)
}

// at returns the one of these origins that a request was sent to, or "". The
// Host chooses from a configured list, and no address is ever built from it.
func at(r *http.Request, list []string) string {
	i := slices.IndexFunc(list, func(origin string) bool {
		scheme, host, _ := strings.Cut(origin, "://")
		return host == canonicalHost(scheme, r.Host)
	})
	if i < 0 {
		return ""
	}
	return list[i]
}

// A place is where a request arrived, among the origins of this Region. The
// directory is asked each time: the addresses of portals come and go.
type place struct {
	portals []string // of this Region's portal; possibly none
	// portal is the one of them that the request was sent to, acs the origin of
	// a consumer. Each is empty if it was sent to another; both are the same
	// where the portal and its consumer share a host.
	portal, acs string
}

func (p *Portal) place(r *http.Request) place {
	out := place{acs: at(r, p.acsOrigins)}
	if here, ok := p.regionNamed(p.cfg.Region); ok {
		out.portals = origins(here.PortalURLs)
		out.portal = at(r, out.portals)
	}
	return out
}

// isEntrance says whether a request is for one of the Region's portal URLs that
// has a path, as the classic ones of AWS do. What is there is the home page.
func (p *Portal) isEntrance(r *http.Request) bool {
	here, _ := p.regionNamed(p.cfg.Region)
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && slices.ContainsFunc(here.PortalURLs, func(raw string) bool {
		u, err := url.Parse(raw)
		return err == nil && at(r, []string{originOf(raw)}) != "" && strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(r.URL.Path, "/")
	})
}

// apart says whether this is a portal that no identity provider's answer can
// reach, because its consumers are on other origins.
func (l place) apart() bool { return l.portal != "" && l.acs == "" }

// origin is the portal's or else the consumer's, or "" for an address that is
// not configured.
func (l place) origin() string { return cmp.Or(l.portal, l.acs) }

// counterpart returns the origin of another list that stands for the same as
// origin does in its own: lists of one instance have the same order, IPv4 and
// dual-stack say. Where there is none it is the first, and "" of an empty list.
func counterpart(origin string, own, other []string) string {
	if i := slices.Index(own, origin); i >= 0 && i < len(other) {
		return other[i]
	}
	if len(other) > 0 {
		return other[0]
	}
	return ""
}
