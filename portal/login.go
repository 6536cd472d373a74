package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/acs"
)

const (
	// fromParameter is the query parameter that names the Region whose portal the user comes from. A session there is
	// handed off to a user without a session here.
	fromParameter = "from"
	// maxLoginReturn is the maximum length of acs's LoginOptions.ReturnTo. Proxies may refuse longer addresses.
	maxLoginReturn = 2048
	// maxReturnTo is the maximum length of a handoff's return path, which is kept in a cookie.
	maxReturnTo = 1024
)

func localPath(raw string) string {
	if len(raw) > maxReturnTo {
		return ""
	}
	return acs.LocalPath(raw)
}

// loginURL is where a request without a session is redirected.
func (p *Portal) loginURL(r *http.Request) string {
	out, to := url.Values{}, *r.URL
	q := to.Query()
	if from, ok := p.regionNamed(q.Get(fromParameter)); ok && from.Name != p.cfg.Region {
		out.Set(fromParameter, from.Name)
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

// login starts a sign-in: by SAML if this origin has a consumer, otherwise from the consumer's origin. It tries a
// handoff first only if the link names a Region, and only if the user is not signed in.
func (p *Portal) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || acs.CheckNavigation(r) != nil {
		p.region.Login(w, r) // refuses it
		return
	}
	if why := p.inUse(); why != nil {
		p.secure(w)
		p.refuseVisit(w, r, why)
		return
	}
	r = initiated(r)
	q, l := r.URL.Query(), p.place(r)
	to := localPath(q.Get("return_to"))
	if from := p.otherPortal(l, q.Get(fromParameter)); from.origin != "" {
		p.secure(w)
		if _, err := p.current(r); err == nil {
			http.Redirect(w, r, cmp.Or(to, pathHome), http.StatusSeeOther)
			return
		}
		p.beginHandoff(w, r, l, from, to)
		return
	}
	if own := counterpart(l.portal, l.portals, p.acsOrigins); l.apart() && own != "" {
		p.secure(w)
		p.beginHandoff(w, r, l, source{region: p.cfg.Region, origin: own}, to)
		return
	}
	if idp := p.earlierIdP(r); idp != "" {
		p.startLogin(w, r, acs.LoginOptions{ReturnTo: cmp.Or(q.Get("return_to"), q.Get("target")), IdP: idp})
		return
	}
	p.nameBrowser(w, r)
	p.region.Login(w, r)
}

// plainLogin starts a sign-in without a handoff.
func (p *Portal) plainLogin(w http.ResponseWriter, r *http.Request, returnTo string) {
	to := PathLogin
	if returnTo != "" && returnTo != pathHome {
		to += "?return_to=" + url.QueryEscape(returnTo)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// otherPortal returns the portal of another Region that a handoff may come from, unless the Region is known to be
// unreachable.
func (p *Portal) otherPortal(l place, region string) source {
	if !p.shared || l.portal == "" || region == p.cfg.Region || p.peers()[region].cutOff() {
		return source{}
	}
	r, ok := p.regionNamed(region)
	if !ok || !r.Active() {
		return source{}
	}
	return source{region: region, origin: counterpart(l.portal, l.portals, origins(r.PortalURLs))}
}

func (p *Portal) samlLogin(w http.ResponseWriter, r *http.Request, returnTo string) {
	p.startLogin(w, r, acs.LoginOptions{ReturnTo: returnTo, IdP: p.earlierIdP(r)})
}

func (p *Portal) startLogin(w http.ResponseWriter, r *http.Request, o acs.LoginOptions) {
	w.Header().Del("Content-Security-Policy") // the form to the provider has its own
	p.nameBrowser(w, r)
	o.ForceAuthn = p.asksForceAuthn(r) || r.URL.Path == pathHandoff && r.URL.Query().Has(forceQuery)
	p.region.StartLogin(w, r, o)
}

// destination is where a sign-in that finishes here redirects to. If this host is only a consumer's, that is the
// portal's origin.
func (p *Portal) destination(r *http.Request, returnTo string) string {
	returnTo = cmp.Or(returnTo, pathHome)
	l := p.place(r)
	if l.portal != "" || l.acs == "" || returnTo[0] != '/' || strings.HasPrefix(returnTo, pathHandoff+"?") {
		return returnTo
	}
	return counterpart(l.acs, p.acsOrigins, l.portals) + returnTo
}
