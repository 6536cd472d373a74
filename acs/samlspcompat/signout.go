package samlspcompat

import (
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// askToSignOut shows the form that signs out.
func (m *Middleware) askToSignOut(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	// Referrer-Policy can't be no-referrer: browsers would send "Origin: null" with the form.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "same-origin")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	render := acs.WritePage
	if m.cfg.RenderPage != nil {
		render = m.cfg.RenderPage
	}
	render(w, r, acs.Page{
		Kind: acs.PageQuestion, Status: http.StatusOK, Title: "Sign out?",
		Text: "This ends your session here and, if it can be asked, at your identity provider.",
		Form: &acs.PageForm{
			Action: m.paths.Logout, Buttons: []acs.PageButton{{Text: "Sign out"}}, Targets: m.logoutTargets(),
		},
	})
}

// logoutTargets returns where the answer of the form may redirect: to the identity provider, which may send the browser
// on to others. Its metadata is no source of a host, which could have a semicolon, except one of this machine.
func (m *Middleware) logoutTargets() []string {
	targets := []string{"https:"}
	idp, err := m.sp.IdP(m.cfg.Options.IDPMetadata.EntityID)
	if err != nil {
		return targets
	}
	for _, s := range idp.LogoutServices() {
		if u, err := url.Parse(s.URL); err == nil && u.Scheme == "http" && saml.IsLoopback(u.Hostname()) {
			targets = append(targets, "http://"+u.Host)
		}
	}
	return targets
}
