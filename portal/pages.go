package portal

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// accounts is the first page: what the person may do, account by account.
func (p *Portal) accounts(w http.ResponseWriter, r *http.Request, v *visit) {
	p.render(w, r, http.StatusOK, "accounts", v.page("Accounts", "accounts", p.cfg.Directory.Accounts(v.user.ID)))
}

// applications shows the applications of every Region.
func (p *Portal) applications(w http.ResponseWriter, r *http.Request, v *visit) {
	p.render(w, r, http.StatusOK, "applications", v.page("Applications", "applications", p.cfg.Directory.Applications(v.user.ID)))
}

// role is the page of one permission set in one account. One that is not
// assigned to the person is not found, whether or not it exists.
func (p *Portal) role(w http.ResponseWriter, r *http.Request, v *visit) {
	for _, a := range p.cfg.Directory.Accounts(v.user.ID) {
		i := slices.IndexFunc(a.PermissionSets, func(s center.PermissionSet) bool { return s.Name == r.PathValue("permissionSet") })
		if a.Account.ID == r.PathValue("account") && i >= 0 {
			set := a.PermissionSets[i]
			set.SessionDuration = cmp.Or(set.SessionDuration, time.Hour) // as package center means by zero
			body := roleBody{Account: a.Account, PermissionSet: set}
			p.render(w, r, http.StatusOK, "role", v.page(set.Name+" in "+a.Account.Name, "", body))
			return
		}
	}
	pg := v.page("Not found", "", messageBody{Text: textNoRole, button: button{"Back to your accounts", pathHome}})
	p.render(w, r, http.StatusNotFound, "message", pg)
}

type roleBody struct {
	Account       center.Account
	PermissionSet center.PermissionSet
}

func (v *visit) page(title, tab string, body any) page {
	return page{Title: title, Tab: tab, User: &v.user, Until: v.session.Expires, Body: body}
}

// signedOut says that one is, and starts nothing: to sign in again is the
// person's choice.
func (p *Portal) signedOut(w http.ResponseWriter, r *http.Request) {
	_, err := p.current(r)
	if err == nil {
		http.Redirect(w, r, pathHome, http.StatusSeeOther)
		return
	}
	if why := unsure(err); why != nil {
		p.refuseVisit(w, r, why)
		return
	}
	p.render(w, r, http.StatusOK, "signedout", page{Title: "You are signed out"})
}
