package portal

import (
	"net/http"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// fewAccounts is how many accounts are shown open.
const fewAccounts = 8

// accountRow is an account in a list.
type accountRow struct {
	center.Account
	Sets  []setRow
	Count int  // of the user's permission sets in it
	More  bool // whether Sets lacks some: the account's page has all
	Open  bool
}

// setRow is a permission set in a list.
type setRow struct {
	Name, Description string
	Favorite          bool
}

// accountsBody is the home page.
type accountsBody struct {
	Rows              []accountRow
	Favorites, Recent []shortcutRow // on the first page, without a query
}

func (p *Portal) accounts(w http.ResponseWriter, r *http.Request, v *visit) {
	q := newQuery(r.URL.Query().Get("q"))
	hits := q.accounts(p.cfg.Directory.AccountSets(v.user.ID))
	find := &finder{Path: pathHome, Query: q.Text, Accounts: len(hits), pager: newPager(r, len(hits), maxRows)}
	room := budget(maxTexts)
	hits = part(hits, find.pager)
	body := accountsBody{Rows: newAccountRows(hits, &room)}
	switch {
	case !q.empty():
		find.Applications = len(q.applications(p.cfg.Directory.Applications(v.user.ID)))
	case find.Page == 1:
		body.Favorites, body.Recent = p.shortcutRows(r, v, &room)
	}
	best := !q.empty() && find.Page == 1 // whether the first row is what the user most likely looks for
	p.addSets(body.Rows, hits, &room, best)
	for i, hit := range hits {
		body.Rows[i].Open = !hit.ByName || best && i == 0 || q.empty() && find.Total <= fewAccounts
	}
	pg := v.page("Accounts", "accounts", body)
	pg.Find = find
	p.render(w, r, http.StatusOK, "accounts", pg)
}

func newAccountRows(hits []accountHit, room *budget) []accountRow {
	rows := make([]accountRow, len(hits))
	for i, hit := range hits {
		rows[i] = accountRow{Account: hit.Account, Count: len(hit.Sets)}
		room.take(hit.Account.Name)
	}
	for i, row := range rows {
		if !room.take(row.Email) {
			rows[i].Email = ""
		}
	}
	return rows
}

// addSets adds permission sets to the rows of accounts. What a query found best has more of them than the others.
func (p *Portal) addSets(rows []accountRow, hits []accountHit, room *budget, best bool) {
	sets, each := p.newSetRows(), max(2, maxSets/max(1, len(hits)))
	for i, hit := range hits {
		show, most := hit.Sets, each
		if !hit.ByName {
			show = hit.Found
		}
		if i == 0 && best {
			most = max(each, maxSets/3)
		}
		for _, name := range show[:min(len(show), most)] {
			row := sets.row(name)
			if !room.take(name, hit.Account.Name, row.Description) { // the account's name is in each link
				break
			}
			rows[i].Sets = append(rows[i].Sets, row)
		}
		rows[i].More = len(rows[i].Sets) < len(hit.Sets)
	}
}

// setRows looks each permission set up once.
type setRows struct {
	directory Directory
	known     map[string]setRow
}

func (p *Portal) newSetRows() setRows { return setRows{p.cfg.Directory, map[string]setRow{}} }

func (s setRows) row(name string) setRow {
	row, ok := s.known[name]
	if !ok {
		set, _ := s.directory.PermissionSet(name)
		row = setRow{Name: name, Description: set.Description}
		s.known[name] = row
	}
	return row
}

// accountBody is the page of an account.
type accountBody struct {
	Account center.Account
	Sets    []setRow
}

// account is the page of an account with all permission sets that the user has in it. If there is none, the page is not
// found, whether or not the account exists.
func (p *Portal) account(w http.ResponseWriter, r *http.Request, v *visit) {
	for _, a := range p.cfg.Directory.AccountSets(v.user.ID) {
		if a.Account.ID != r.PathValue("account") {
			continue
		}
		find := &finder{Path: r.URL.Path, pager: newPager(r, len(a.Sets), maxSets)}
		body, list, sets := accountBody{Account: a.Account}, p.shortcutsOf(r, v), p.newSetRows()
		for _, name := range part(a.Sets, find.pager) {
			row := sets.row(name)
			row.Favorite = list.IsFavorite(shortcuts.Target{AccountID: a.Account.ID, PermissionSet: name})
			body.Sets = append(body.Sets, row)
		}
		pg := v.page(a.Account.Name, "", body)
		pg.Find = find
		p.render(w, r, http.StatusOK, "account", pg)
		return
	}
	p.noRole(w, r, v, textNoAccount)
}

// applicationRow is an application in the list.
type applicationRow struct {
	center.Application
	RegionLabel string
	Favorite    bool
	// Lost reports whether the Region in which the application runs can't be reached from here.
	Lost bool
}

func (p *Portal) applications(w http.ResponseWriter, r *http.Request, v *visit) {
	q := newQuery(r.URL.Query().Get("q"))
	found := q.applications(p.cfg.Directory.Applications(v.user.ID))
	find := &finder{
		Path: pathApplications, Query: q.Text, Applications: len(found), pager: newPager(r, len(found), maxRows),
	}
	if !q.empty() {
		find.Accounts = len(q.accounts(p.cfg.Directory.AccountSets(v.user.ID)))
	}
	list := p.shortcutsOf(r, v)
	rows := p.applicationRows(part(found, find.pager))
	for i, row := range rows {
		rows[i].Favorite = list.IsFavorite(shortcuts.Target{Application: row.ID})
	}
	pg := v.page("Applications", "applications", rows)
	pg.Find = find
	p.render(w, r, http.StatusOK, "applications", pg)
}

func (p *Portal) applicationRows(apps []center.Application) []applicationRow {
	heard := p.peers()
	rows := make([]applicationRow, 0, len(apps))
	for _, app := range apps {
		region, _ := p.regionNamed(app.Region)
		rows = append(rows, applicationRow{
			Application: app, RegionLabel: region.Label, Lost: heard[app.Region].cutOff(),
		})
	}
	return rows
}
