package portal

import (
	"html/template"
	"net/http"
)

// beginBody is the page before a sign-in.
type beginBody struct{ Href string }

// askScript answers a GET of the home page without a session. A browser doesn't send the part of an address after "#",
// and drops it on the way to the identity provider and back. So before the sign-in begins, the portal's script turns a
// link such as "/#/console?account_id=..." into the path. Without a script, or without such a part, the sign-in begins
// at once. A link and not a form leads there, because form-action would apply to the redirects after it.
func (p *Portal) askScript(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusOK, "begin", page{Title: "Sign in", Body: beginBody{p.loginURL(r)}})
}

// Refresh returns the elements that open the sign-in without a script: at once if the browser has none, and after a
// while if it didn't load. The first one counts.
func (b beginBody) Refresh() template.HTML {
	to := template.HTMLEscapeString(b.Href)
	return template.HTML(`<noscript><meta http-equiv="refresh" content="0; url=` + to + `"></noscript>` + "\n" +
		`<meta http-equiv="refresh" content="10; url=` + to + `">`)
}
