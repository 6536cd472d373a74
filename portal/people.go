package portal

import (
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/portal/center"
)

// The pages on which operators find users and end their sessions.
const (
	pathPerson      = PathPeople + "/person" // one user, with the parameter id
	pathEndSessions = PathPeople + "/end"    // asks, and ends one session of a user, or all
)

// peopleBody is the page on which operators find users and sessions.
type peopleBody struct {
	Query    string
	People   []personRow
	Looked   int    // how many users the search looked at
	More     string // the address at which it goes on, or ""
	Next     bool   // whether the page is full, so that More is its next one
	First    string // the address of the first page; "": this is it
	Sessions *sessionsFound
}

// personRow is a user in a list.
type personRow struct {
	center.User
	Of   string // the identity provider, if there are several
	Href string
}

func (p *Portal) personRow(u center.User) personRow {
	return personRow{User: u, Of: p.providerOf(u), Href: personPath(u.ID)}
}

func personPath(id string) string { return pathPerson + "?" + url.Values{"id": {id}}.Encode() }

// directory returns the state in which operators find users, or nil if the Directory doesn't list them.
func (p *Portal) directory() *center.Snapshot {
	switch d := p.cfg.Directory.(type) {
	case *center.Snapshot:
		return d
	case interface{ Snapshot() *center.Snapshot }:
		return d.Snapshot()
	}
	return nil
}

type peopleHandler func(http.ResponseWriter, *http.Request, *visit, *center.Snapshot)

// readsPeople serves operators in the Regions in which users may be read: by the table of tasks, all.
func (p *Portal) readsPeople(h peopleHandler) http.HandlerFunc {
	return p.operator(func(w http.ResponseWriter, r *http.Request, v *visit) {
		read := center.Attempt{Task: center.TaskIdentities}
		if err := read.Check(p.cfg.Directory.Regions(), p.cfg.Region); err != nil {
			p.refuseVisit(w, r, &Error{Reason: ReasonNotInUse, Rule: "list of users", Err: err})
			return
		}
		s := p.directory()
		if s == nil {
			p.notFound(w, r)
			return
		}
		h(w, r, v, s)
	})
}

func (p *Portal) mountPeople() {
	p.get(PathPeople, p.readsPeople(p.peoplePage))
	p.get(pathPerson, p.readsPeople(p.personPage))
	p.handle(pathEndSessions, byMethod{
		http.MethodGet: p.readsPeople(p.askEndSessions), http.MethodPost: p.readsPeople(p.endSessions),
	})
}

func (p *Portal) peoplePage(w http.ResponseWriter, r *http.Request, v *visit, s *center.Snapshot) {
	q, from := newQuery(r.URL.Query().Get("q")), r.URL.Query().Get("from")
	found := q.people(s, from)
	body := peopleBody{Query: q.Text, Looked: found.Looked, Next: len(found.Users) >= maxPeople}
	room := budget(maxTexts)
	for _, u := range found.Users {
		row := p.personRow(u)
		if !room.take(u.Label(), u.UserName, row.Href, row.Of, u.Email) {
			row.Email = ""
		}
		body.People = append(body.People, row)
	}
	at := func(from string) string {
		values := url.Values{}
		for name, value := range map[string]string{"q": q.Text, "from": from} {
			if value != "" {
				values.Set(name, value)
			}
		}
		to := url.URL{Path: PathPeople, RawQuery: values.Encode()}
		return to.String()
	}
	if found.Next != "" {
		body.More = at(found.Next)
	}
	if from != "" {
		body.First = at("")
	} else if namesSession(q.Text) {
		var err error
		if body.Sessions, err = p.sessionsNamed(r, v, q.Text); err != nil {
			p.refuseVisit(w, r, unavailable("search for sessions", err))
			return
		}
	}
	p.render(w, r, http.StatusOK, "people", v.page("People", "operator", body))
}
