package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

func (p *Portal) regionNamed(name string) (center.Region, bool) {
	all := p.cfg.Directory.Regions()
	i := slices.IndexFunc(all, func(r center.Region) bool { return r.Name == name })
	if i < 0 {
		return center.Region{}, false
	}
	return all[i], true
}

func (p *Portal) activeRegion(name string) bool {
	r, ok := p.regionNamed(name)
	return ok && r.Active()
}

// inUse returns an error unless the directory lists this Region as active. While it is being added, its data may be
// incomplete; when it is removed, package replica erases its data.
func (p *Portal) inUse() *Error {
	if p.activeRegion(p.cfg.Region) {
		return nil
	}
	return newError(ReasonNotInUse, "status of the Region", "an active Region of the instance", p.cfg.Region)
}

// mayBegin returns an error if the next request would refuse the session: the Region is not in use, or its data is
// stale. The error names unreachable Regions, so only authenticated users may see it.
func (p *Portal) mayBegin() *Error {
	if why := p.inUse(); why != nil {
		return why
	}
	return p.stale()
}

// portalOf returns the active Region that has a portal at exactly this origin.
func (p *Portal) portalOf(origin string) (region string) {
	for _, r := range p.cfg.Directory.Regions() {
		if r.Active() && slices.Contains(origins(r.PortalURLs), origin) {
			return r.Name
		}
	}
	return ""
}

// originOf returns the origin of an absolute http or https URL as browsers write it: in lower case and without a
// default port. For other URLs it returns "".
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + canonicalHost(u.Scheme, u.Host)
}

func canonicalHost(scheme, host string) string {
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	return strings.TrimSuffix(strings.ToLower(host), port)
}

// origins returns the origins of URLs in their order, without duplicates.
func origins(urls []string) []string {
	var out []string
	for _, raw := range urls {
		if o := originOf(raw); o != "" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

func acsOrigins(sp *saml.ServiceProvider, region string) []string {
	var urls []string
	for _, e := range sp.ACS() {
		if e.Region == region {
			urls = append(urls, e.URL)
		}
	}
	return origins(urls)
}

// at returns the origin in the list that the request was sent to, or "". The Host header only selects from the list. It
// is never part of an address.
func at(r *http.Request, list []string) string {
	for _, origin := range list {
		if scheme, host, _ := strings.Cut(origin, "://"); host == canonicalHost(scheme, r.Host) {
			return origin
		}
	}
	return ""
}

// place is where a request arrived, among the origins of this Region.
type place struct {
	portals []string // of this Region's portal; possibly none
	// portal and acs are the origin of a portal and of a consumer that the request was sent to, or "". They are equal
	// where the portal and its consumer share a host.
	portal, acs string
}

// place asks the directory each time, because portals' addresses can change.
func (p *Portal) place(r *http.Request) place {
	out := place{acs: at(r, p.acsOrigins)}
	if here, ok := p.regionNamed(p.cfg.Region); ok {
		out.portals = origins(here.PortalURLs)
		out.portal = at(r, out.portals)
	}
	return out
}

// isEntrance reports whether a request is for a portal URL of the Region that has a path, as AWS's classic ones do.
// Such a URL shows the home page.
func (p *Portal) isEntrance(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	here, _ := p.regionNamed(p.cfg.Region)
	return slices.ContainsFunc(here.PortalURLs, func(raw string) bool {
		u, err := url.Parse(raw)
		return err == nil && at(r, []string{originOf(raw)}) != "" &&
			strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(r.URL.Path, "/")
	})
}

// apart reports whether this is a portal whose consumers are on other origins. No response from the identity provider
// can arrive here then.
func (l place) apart() bool { return l.portal != "" && l.acs == "" }

// origin is the portal's, or else the consumer's, or "" for an address that is not configured.
func (l place) origin() string { return cmp.Or(l.portal, l.acs) }

// counterpart returns the origin in other that corresponds to origin in own: the one at the same index, or else the
// first. All lists of an instance have the same order, such as IPv4 before dual-stack. For an empty list it returns "".
func counterpart(origin string, own, other []string) string {
	i := slices.Index(own, origin)
	if i < 0 || i >= len(other) {
		i = 0
	}
	if len(other) == 0 {
		return ""
	}
	return other[i]
}
