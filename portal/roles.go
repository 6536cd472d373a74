package portal

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// roleBody is the page of a permission set in an account.
type roleBody struct {
	Account       center.Account
	PermissionSet center.PermissionSet
	Favorite      bool
	Actions       []roleAction
	// Issues reports whether the user can get credentials here: from the page at KeysPath, by POST.
	Issues   bool
	KeysPath string
	Keys     *accessKeys // for the command line; nil: none
	DeepLink string      // an address of this page that survives a sign-in, or ""
}

// roleAction is an Action for a role.
type roleAction struct{ Name, Href string }

// role is the page of a permission set in an account. If the permission set isn't assigned to the user, the page is not
// found, whether or not the permission set exists.
func (p *Portal) role(w http.ResponseWriter, r *http.Request, v *visit) {
	p.renderRole(w, r, v, func(center.Account, center.PermissionSet) *accessKeys { return nil })
}

func (p *Portal) renderRole(w http.ResponseWriter, r *http.Request, v *visit,
	keys func(center.Account, center.PermissionSet) *accessKeys) {
	role, t, ok := p.roleOf(r, v)
	if !ok {
		p.noRole(w, r, v, textNoRole)
		return
	}
	p.opened(r, v, t)
	body := roleBody{
		Account: role.Account, PermissionSet: role.PermissionSet, Favorite: p.shortcutsOf(r, v).IsFavorite(t),
		Issues: p.cfg.Credentials != nil, KeysPath: rolePath(t) + "/keys", Keys: keys(role.Account, role.PermissionSet),
	}
	for _, a := range p.cfg.Actions {
		name := cmp.Or(a.Name, p.theme.Texts(r).T("Management console"))
		body.Actions = append(body.Actions, roleAction{name, a.link(p.cfg.Region, v.user, role, "")})
	}
	if at := p.place(r).portal; at != "" {
		body.DeepLink = at + consolePath(t)
	}
	title := p.theme.Texts(r).T("%s in %s", role.PermissionSet.Name, role.Account.Name)
	p.render(w, r, http.StatusOK, "role", v.page(title, "", body))
}

// roleOf returns the role that a request's path names, if the user has it.
func (p *Portal) roleOf(r *http.Request, v *visit) (center.Role, shortcuts.Target, bool) {
	t := shortcuts.Target{AccountID: r.PathValue("account"), PermissionSet: r.PathValue("permissionSet")}
	role, ok := p.cfg.Directory.RoleOf(v.user.ID, t.AccountID, t.PermissionSet)
	role.PermissionSet.SessionDuration = cmp.Or(role.PermissionSet.SessionDuration, time.Hour) // center's default
	return role, t, ok
}

// noRole answers a request for what is not assigned to the user.
func (p *Portal) noRole(w http.ResponseWriter, r *http.Request, v *visit, text string) {
	body := messageBody{Text: text, Action: "Back to your accounts", Href: pathHome}
	p.render(w, r, http.StatusNotFound, "message", v.page("Not found", "", body))
}

// keysBody is the page with a role's credentials.
type keysBody struct {
	Account       center.Account
	PermissionSet center.PermissionSet
	Lines         shellLines
	Expires       time.Time
	Back          string
}

// roleKeys issues credentials for a role, and shows them once. It is a POST, so that no other site, and no browser that
// loads pages ahead, causes it.
func (p *Portal) roleKeys(w http.ResponseWriter, r *http.Request, v *visit) {
	role, t, ok := p.roleOf(r, v)
	if !ok || p.cfg.Credentials == nil {
		p.noRole(w, r, v, textNoRole)
		return
	}
	vars, expires, err := p.cfg.Credentials.Environment(r.Context(), v.user, role, v.session.Tags)
	lines, ok := newShellLines(vars, slices.Sorted(maps.Keys(vars)))
	if err == nil && !ok {
		err = newError(ReasonUnavailable, "credentials of a role", "environment variables on one line each", "")
	}
	if err != nil {
		p.refuseVisit(w, r, unavailable("credentials of a role", err))
		return
	}
	if why := p.auditKeys(r.Context(), v.session, role, expires); why != nil {
		p.refuse(w, r, why)
		return
	}
	p.log.InfoContext(r.Context(), "portal: credentials shown", "user", v.user.UserName, "account", t.AccountID,
		"permissionSet", t.PermissionSet, "expires", expires)
	body := keysBody{role.Account, role.PermissionSet, lines, expires, rolePath(t)}
	title := p.theme.Texts(r).T("%s in %s", role.PermissionSet.Name, role.Account.Name)
	p.render(w, r, http.StatusOK, "keys", v.page(title, "", body))
}

func consolePath(t shortcuts.Target) string {
	return PathConsole + "?" + url.Values{"account_id": {t.AccountID}, "role_name": {t.PermissionSet}}.Encode()
}

// console is where deep links lead: to the first of Config.Actions, or else to the page of the permission set. The
// portal's script turns AWS's form of such links, /#/console?…, into this one.
func (p *Portal) console(w http.ResponseWriter, r *http.Request, v *visit) {
	q := r.URL.Query()
	t := shortcuts.Target{AccountID: q.Get("account_id"), PermissionSet: q.Get("role_name")}
	role, ok := p.cfg.Directory.RoleOf(v.user.ID, t.AccountID, t.PermissionSet)
	if !ok {
		p.noRole(w, r, v, textNoDeepLink)
		return
	}
	if len(p.cfg.Actions) == 0 {
		http.Redirect(w, r, rolePath(t), http.StatusSeeOther)
		return
	}
	p.opened(r, v, t)
	to := p.cfg.Actions[0].link(p.cfg.Region, v.user, role, q.Get("destination"))
	http.Redirect(w, r, to, http.StatusSeeOther)
}
