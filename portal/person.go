package portal

import (
	"net/http"

	"github.com/meridian-saml/meridian/portal/center"
)

// personBody is the page of one user, for operators.
type personBody struct {
	Person           personRow
	UUID             string
	Groups           []string
	Accounts         []accountRow
	Applications     []center.Application
	Sessions         []sessionRow
	Behind           []center.Region // that may have sessions which aren't known here
	Done, Problem    string
	MoreGroups       int
	MoreAccounts     int
	MoreApplications int
	MoreSessions     int
}

// How much the page of a user shows.
const (
	maxGroups      = 100
	maxSessionRows = 100
)

func (p *Portal) personPage(w http.ResponseWriter, r *http.Request, v *visit, s *center.Snapshot) {
	u, ok := s.UserByID(r.URL.Query().Get("id"))
	if !ok {
		p.noPerson(w, r, v)
		return
	}
	p.renderPerson(w, r, v, s, u, http.StatusOK, personBody{})
}

const textNoPerson = "The directory has no such user. Sessions of a user who was removed end at their next request."

func (p *Portal) noPerson(w http.ResponseWriter, r *http.Request, v *visit) {
	body := messageBody{Text: textNoPerson, Action: "Find people", Href: PathPeople}
	p.render(w, r, http.StatusNotFound, "message", v.page("Not found", "operator", body))
}

func (p *Portal) renderPerson(w http.ResponseWriter, r *http.Request, v *visit, s *center.Snapshot, u center.User,
	status int, body personBody) {
	list, err := p.cfg.Sessions.List(r.Context(), u.ID)
	if err != nil {
		p.refuseVisit(w, r, unavailable("list of the sessions", err))
		return
	}
	body.Person, body.UUID, body.Behind = p.personRow(u), s.UserUUID(u.ID), p.named(p.behind())
	body.Sessions, body.MoreSessions = first(p.sessionRows(r, list, v.session.ID), maxSessionRows)
	for m := range s.MembershipsOf(u.ID, "") {
		if len(body.Groups) == maxGroups {
			body.MoreGroups++
			continue
		}
		body.Groups = append(body.Groups, s.GroupName(m.GroupID))
	}
	room := budget(maxTexts)
	hits, more := first(query{}.accounts(s.AccountSets(u.ID)), maxRows)
	body.Accounts, body.MoreAccounts = newAccountRows(hits, &room), more
	p.addSets(body.Accounts, hits, &room, false)
	body.Applications, body.MoreApplications = first(s.Applications(u.ID), maxRows)
	p.render(w, r, status, "person", v.page(u.Label(), "operator", body))
}

// first returns the first elements of a list, and how many it has besides.
func first[T any](list []T, most int) ([]T, int) {
	n := min(len(list), most)
	return list[:n], len(list) - n
}
