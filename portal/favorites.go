package portal

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

const (
	// sameOpenedEvery and anyOpenedEvery are how often the same target, and any target, is noted as opened. Each note is
	// copied to every Region.
	sameOpenedEvery = time.Hour
	anyOpenedEvery  = 2 * time.Second
	// maxShortcuts is how many notes of each kind, opened and marked, a user can cause in a minute here. Requests that
	// arrive at once have read the same list.
	maxShortcuts = 30
)

// shortcutsOf returns the shortcuts of a visit's user. A page is complete without them, so an error is only logged.
func (p *Portal) shortcutsOf(r *http.Request, v *visit) shortcuts.List {
	list, err := p.cfg.Shortcuts.Shortcuts(r.Context(), v.user.ID)
	if err != nil {
		p.logRefused(r.Context(), unavailable("read of the shortcuts", err), "")
	}
	return list
}

// opened notes that the user opened a target.
func (p *Portal) opened(r *http.Request, v *visit, t shortcuts.Target) {
	if r.Method != http.MethodGet {
		return
	}
	list, now := p.shortcutsOf(r, v), p.now()
	if last, at := list.LastOpened(); last == t && now.Sub(at) < sameOpenedEvery || now.Sub(at) < anyOpenedEvery {
		return
	}
	if !p.opens.allow(v.user.ID, maxShortcuts, now) {
		return
	}
	list.Open(t, now)
	if err := p.cfg.Shortcuts.Put(r.Context(), v.user.ID, list); err != nil {
		p.logRefused(r.Context(), unavailable("write of the shortcuts", err), "")
	}
}

// shortcutRow is a favorite or recent target that is assigned to the user now.
type shortcutRow struct {
	Name string
	// Account is that of a permission set, and zero for an application.
	Account center.Account
	Href    string
	Warning string // that it may not open, or ""
}

// shortcutRows returns the user's favorites, and what the user opened last besides them.
func (p *Portal) shortcutRows(r *http.Request, v *visit, room *budget) (favorites, recent []shortcutRow) {
	list := p.shortcutsOf(r, v)
	var apps []applicationRow
	texts := p.theme.Texts(r)
	if slices.ContainsFunc(list.Items, func(s shortcuts.Shortcut) bool { return s.Application != "" }) {
		apps = p.applicationRows(p.cfg.Directory.Applications(v.user.ID))
	}
	rows := func(targets []shortcuts.Target) (out []shortcutRow) {
		for _, t := range targets {
			if row, ok := p.shortcutRow(v, t, apps, texts); ok && room.take(row.Name, row.Account.Name, row.Href) {
				out = append(out, row)
			}
		}
		return out
	}
	others := slices.DeleteFunc(list.Recent(), list.IsFavorite)
	return rows(list.Favorites()), rows(others)
}

func (p *Portal) shortcutRow(v *visit, t shortcuts.Target, apps []applicationRow, texts *theme.Texts) (
	shortcutRow, bool) {
	if t.Application != "" {
		i := slices.IndexFunc(apps, func(a applicationRow) bool { return a.ID == t.Application })
		if i < 0 {
			return shortcutRow{}, false
		}
		row := shortcutRow{Name: apps[i].Name, Href: apps[i].URL}
		if apps[i].Lost {
			row.Warning = texts.T("Its Region can't be reached from here. It may not open.")
		}
		return row, true
	}
	role, ok := p.cfg.Directory.RoleOf(v.user.ID, t.AccountID, t.PermissionSet)
	return shortcutRow{Name: t.PermissionSet, Account: role.Account, Href: rolePath(t)}, ok
}

func rolePath(t shortcuts.Target) string { return "/accounts/" + t.AccountID + "/" + t.PermissionSet }

// favorite marks a target as a favorite, or ends that. A target that is not assigned to the user can only be unmarked.
func (p *Portal) favorite(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil {
		p.badRequest(w, r)
		return
	}
	t := shortcuts.Target{
		AccountID: r.PostForm.Get("account"), PermissionSet: r.PostForm.Get("set"), Application: r.PostForm.Get("app"),
	}
	mark := r.PostForm.Get("favorite") == "yes"
	if mark && !p.assigned(v, t) {
		p.noRole(w, r, v, textNoRole)
		return
	}
	list, err := p.cfg.Shortcuts.Shortcuts(r.Context(), v.user.ID)
	if err == nil && list.IsFavorite(t) != mark {
		if !list.Mark(t, mark, p.now()) {
			body := messageBody{Text: textManyFavorites, Action: "Go to the portal", Href: pathHome}
			p.render(w, r, http.StatusConflict, "message", v.page("Too many favorites", "", body))
			return
		}
		if !p.marks.allow(v.user.ID, maxShortcuts, p.now()) {
			w.Header().Set("Retry-After", "60")
			body := messageBody{Text: textOftenFavorites, Action: "Go to the portal", Href: pathHome}
			p.render(w, r, http.StatusTooManyRequests, "message", v.page("Too many requests", "", body))
			return
		}
		err = p.cfg.Shortcuts.Put(r.Context(), v.user.ID, list)
	}
	if err != nil {
		p.refuseVisit(w, r, unavailable("write of the shortcuts", err))
		return
	}
	http.Redirect(w, r, cmp.Or(localPath(r.PostForm.Get("back")), pathHome), http.StatusSeeOther)
}

func (p *Portal) assigned(v *visit, t shortcuts.Target) bool {
	if t.Application == "" {
		_, ok := p.cfg.Directory.RoleOf(v.user.ID, t.AccountID, t.PermissionSet)
		return ok
	}
	return t.AccountID == "" && t.PermissionSet == "" &&
		slices.ContainsFunc(p.cfg.Directory.Applications(v.user.ID), func(a center.Application) bool {
			return a.ID == t.Application
		})
}
