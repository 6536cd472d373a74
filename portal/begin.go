package portal

import (
	"html/template"
	"net/http"

	"github.com/meridian-saml/meridian/acs"
)

// beginBody is the page before a sign-in.
type beginBody struct{ Href string }

// askScript answers a GET of the home page without a session. A browser doesn't send the part of an address after "#",
// and drops it on the way to the identity provider and back. So before the sign-in begins, the portal's script turns a
// link such as "/#/console?account_id=..." into the path. Without a script, or without such a part, the sign-in begins
// at once. A link and not a form leads there, because form-action would apply to the redirects after it.
func (p *Portal) askScript(w http.ResponseWriter, r *http.Request) {
	href := PathLogin
	if by := initiators[acs.InitiatorOf(r)]; by != "" && r.Header.Get("Sec-Fetch-Site") != "" {
		href += "?" + byParameter + "=" + by
	}
	p.render(w, r, http.StatusOK, "begin", page{Title: "Sign in", Body: beginBody{href}})
}

// byParameter is the query parameter of a sign-in's address that says what caused the request before. The page before
// a sign-in opens the sign-in on its own, and a browser names the portal as the initiator of that, even if another
// site's page led there.
const byParameter = "by"

// initiators are the values of byParameter.
var initiators = map[acs.Initiator]string{acs.InitiatorPage: "page", acs.InitiatorClick: "click"}

// initiated returns a request whose initiator is no stronger than byParameter says.
func initiated(r *http.Request) *http.Request {
	by := r.URL.Query().Get(byParameter)
	if by == "" || acs.InitiatorOf(r) != acs.InitiatorUser {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Del("Sec-Fetch-User")
	if by == initiators[acs.InitiatorClick] {
		r.Header.Set("Sec-Fetch-User", "?1")
	}
	return r
}

// Refresh returns the elements that open the sign-in without a script: at once if the browser has none, and after a
// while if it didn't load. The first one counts.
func (b beginBody) Refresh() template.HTML {
	to := template.HTMLEscapeString(b.Href)
	return template.HTML(`<noscript><meta http-equiv="refresh" content="0; url=` + to + `"></noscript>` + "\n" +
		`<meta http-equiv="refresh" content="10; url=` + to + `">`)
}
