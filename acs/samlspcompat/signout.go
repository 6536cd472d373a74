package samlspcompat

import (
	"net/http"

	"github.com/meridian-saml/meridian/acs"
)

// askToSignOut shows the form that signs out.
func (m *Middleware) askToSignOut(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	acs.SetPageHeaders(w.Header())
	pages := acs.Config{RenderPage: m.cfg.RenderPage, PageLook: m.cfg.PageLook}
	pages.WritePage(w, r, acs.Page{
		Kind: acs.PageQuestion, Status: http.StatusOK, Title: "Sign out?",
		Text: "This ends your session here and, if it can be asked, at your identity provider.",
		Form: &acs.PageForm{
			Action: m.paths.Logout, Buttons: []acs.PageButton{{Text: "Sign out"}},
			Targets: acs.LogoutTargets(m.sp, m.cfg.Options.IDPMetadata.EntityID),
		},
	})
}
