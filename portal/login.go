package portal

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/acs"
)

// fromParameter names, in the address of a page, the Region whose portal the
// person comes from: somebody who has no session here gets one from there.
const fromParameter = "from"

// maxLoginReturn is what acs takes as LoginOptions.ReturnTo. A longer place
// would only make an address that proxies refuse.
const maxLoginReturn = 2048

// loginURL is where a request without a session goes.
func (p *Portal) loginURL(r *http.Request) string {
	out, to := url.Values{}, *r.URL
	if q := to.Query(); p.otherRegion(q.Get(fromParameter)) {
		out.Set(fromParameter, q.Get(fromParameter))
		q.Del(fromParameter)
		to.RawQuery = q.Encode()
	}
	if back := to.RequestURI(); back != pathHome && len(back) <= maxLoginReturn {
		out.Set("return_to", back)
	}
	if len(out) == 0 {
		return PathLogin
	}
	return PathLogin + "?" + out.Encode()
}

// login starts a sign-in: by SAML where this origin has a consumer, and from
// the consumer's origin where it has none. Only a link that says so asks
// another Region first; somebody who is signed in already stays that then.
func (p *Portal) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		p.region.Login(w, r) // which has an answer for the others
		return
	}
	if err := acs.CheckNavigation(r); err != nil {
		p.region.Login(w, r) // which refuses it
		return
	}
	if why := p.inUse(); why != nil {
		p.secure(w)
		p.refuseVisit(w, r, why)
		return
	}
	q, l := r.URL.Query(), p.place(r)
	to := localPath(q.Get("return_to"))
	if from := p.otherPortal(l, q.Get(fromParameter)); from.origin != "" {
		p.secure(w)
		if _, err := p.current(r); err == nil {
			http.Redirect(w, r, cmp.Or(to, pathHome), http.StatusSeeOther)
			return
		}
		p.begins(w, r, l, from, to)
		return
	}
	if own := counterpart(l.portal, l.portals, p.acsOrigins); l.apart() && own != "" {
		p.secure(w)
		p.begins(w, r, l, source{region: p.cfg.Region, origin: own}, to)
		return
	}
	p.nameBrowser(w, r)
	p.region.Login(w, r)
}

// plainly starts a sign-in that asks no other Region.
func (p *Portal) plainly(w http.ResponseWriter, r *http.Request, returnTo string) {
	to := PathLogin
	if returnTo != "" && returnTo != pathHome {
		to += "?return_to=" + url.QueryEscape(returnTo)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// otherPortal returns the portal of another Region that a handoff may come
// from, or nothing if there is no use in trying.
func (p *Portal) otherPortal(l place, region string) source {
	if !p.shared || l.portal == "" || !p.otherRegion(region) || p.unreachable(region) {
		return source{}
	}
	r, ok := p.regionNamed(region)
	if !ok || !r.Active() {
		return source{}
	}
	return source{region: region, origin: counterpart(l.portal, l.portals, origins(r.PortalURLs))}
}

// samlLogin starts a sign-in at the identity provider that ends at returnTo.
func (p *Portal) samlLogin(w http.ResponseWriter, r *http.Request, returnTo string) {
	w.Header().Del("Content-Security-Policy") // the form to the provider has its own
	p.nameBrowser(w, r)
	p.region.StartLogin(w, r, acs.LoginOptions{ReturnTo: returnTo})
}
