package oktaapi

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

func peopleRoutes(get, post pageRouter) {
	get("/people", func(v *visit) { v.peoplePage(http.StatusOK, "") })
	get("/new-person", func(v *visit) {
		f := v.personForm(true)
		v.newPerson(http.StatusOK, f, f.values(&person{}), nil)
	})
	post("/new-person", (*visit).createPerson)
	person := func(route pageRouter, path string, h func(*visit, mockidp.User)) {
		route(path, func(v *visit) {
			u, ok := v.UserByID(v.r.PathValue("id"))
			if !ok {
				v.notFound("user")
				return
			}
			h(v, u)
		})
	}
	person(get, "/people/{id}", func(v *visit, u mockidp.User) {
		f, p := v.personForm(false), personOf(u)
		v.personPage(http.StatusOK, u, f.view(f.version(&p), f.values(&p), nil))
	})
	person(post, "/people/{id}", (*visit).savePerson)
	person(post, "/people/{id}/status/{transition}", (*visit).movePerson)
	person(post, "/people/{id}/end-sessions", func(v *visit, u mockidp.User) {
		if err := v.idp.EndSessions(u.Login); err != nil {
			v.fail(http.StatusConflict, sentence(plain(err)))
			return
		}
		v.to(personPath(u), "ended")
	})
	person(post, "/people/{id}/logout", func(v *visit, u mockidp.User) {
		done, err := v.idp.Logout(v.r.Context(), u.Login)
		if err != nil {
			v.fail(http.StatusConflict, sentence(plain(err)))
			return
		}
		v.render(http.StatusOK, "signed_out", page{Title: u.Login + " is signed out", Here: "/people",
			Body: signedOutView{done, personPath(u)}})
	})
	person(get, "/people/{id}/delete", func(v *visit, u mockidp.User) {
		v.confirm("/people", "Delete "+u.Login+"?", confirmView{Action: personPath(u) + "/delete", Button: "Delete",
			Back: personPath(u), Text: "The user is removed from all groups and apps, and their sessions end."})
	})
	person(post, "/people/{id}/delete", func(v *visit, u mockidp.User) {
		if err := v.idp.RemoveUser(u.Login); err != nil {
			v.fail(http.StatusConflict, sentence(plain(err)))
			return
		}
		v.to("/people", "deleted")
	})
}

// signedOutView is what single logout did for a person.
type signedOutView struct {
	mockidp.LogoutResult
	Back string
}

func personPath(u mockidp.User) string { return "/people/" + url.PathEscape(u.ID) }

type peopleView struct {
	List     listView
	Users    []mockidp.User
	Locked   lockedView
	Status   string // the filter
	Statuses []option
}

// peoplePage lists the users that match the search and the status in the query.
func (v *visit) peoplePage(status int, problem string) {
	all := v.Users()
	q, only := v.searchText(), v.r.URL.Query().Get("status")
	body := peopleView{Locked: locked(all), Status: only, Statuses: []option{{"", "All"}}}
	for _, s := range userStatuses {
		body.Statuses = append(body.Statuses, option{statusWords[s.value], s.text})
	}
	list := slices.DeleteFunc(slices.Clone(all), func(u mockidp.User) bool {
		return only != "" && statusWords[u.Status] != only || !found(q, u.Login, u.Name(), u.Email)
	})
	body.Users, body.List = shownPage(v, list, len(all))
	v.render(status, "people", page{Title: "People", Here: "/people", Live: true, Problem: problem, Body: body})
}

func (v *visit) newPerson(status int, f form[person], values url.Values, wrong problems) {
	v.render(status, "new", page{Title: "New user", Here: "/people", Body: newView{
		Form: f.view("", values, wrong), Action: "/new-person", Button: "Create user", Back: "/people"}})
}

// newView is a page with the form of something new.
type newView struct {
	Form                 formView
	Lead                 string
	Action, Button, Back string
}

func (v *visit) createPerson() {
	f := v.personForm(true)
	if f.rearranged(v.form) {
		v.newPerson(http.StatusOK, f, v.form, nil)
		return
	}
	var p person
	err := f.apply(&p, v.form)
	var made mockidp.User
	if err == nil {
		u := p.user()
		err = v.idp.Update(func(all *mockidp.Change) error {
			err := all.AddUser(u)
			made, _ = all.User(u.Login)
			return err
		})
	}
	if err != nil {
		v.newPerson(http.StatusUnprocessableEntity, f, v.form, f.place(err))
		return
	}
	v.to(personPath(made), "created")
}

func (v *visit) savePerson(u mockidp.User) {
	f := v.personForm(false)
	if f.rearranged(v.form) {
		v.personPage(http.StatusOK, u, f.view(v.form.Get("was"), v.form, nil))
		return
	}
	current := personOf(u)
	err := v.idp.Update(func(all *mockidp.Change) error {
		now, ok := all.UserByID(u.ID)
		if !ok {
			return &mockidp.Error{Reason: mockidp.ReasonNoSuchUser, Detail: "the user was removed"}
		}
		p := personOf(now)
		current = personOf(now)
		if err := f.change(&p, v.form); err != nil {
			return err
		}
		if p.Login != now.Login {
			if err := all.RenameUser(now.Login, p.Login); err != nil {
				return err
			}
		}
		return all.UpdateUser(p.Login, func(u *mockidp.User) error { *u = p.user(); return nil })
	})
	if err != nil {
		v.personPage(http.StatusUnprocessableEntity, u, f.view(f.version(&current), v.form, f.place(err)))
		return
	}
	v.to(personPath(u), "saved")
}

// movePerson carries out a lifecycle operation of a user, from their page or from a row.
func (v *visit) movePerson(u mockidp.User) {
	name := v.r.PathValue("transition")
	move, known := transitions[name]
	if !known {
		v.notFound("operation")
		return
	}
	err := v.idp.UpdateUser(u.Login, func(u *mockidp.User) error {
		if slices.Contains(move.from, u.Status) {
			u.Status = move.to
		}
		return nil // it was done already
	})
	if err != nil {
		v.fail(http.StatusConflict, sentence(plain(err)))
		return
	}
	note := map[string]string{"unlock": "unlocked", "suspend": "suspended", "deactivate": "deactivated"}[name]
	if note == "" {
		note = "activated"
	}
	to := personPath(u)
	if back := v.form.Get("back"); back == "/" || back == "/people" {
		to = back
	}
	v.to(to, note)
}

type personView struct {
	User      mockidp.User
	Form      formView
	Times     mockidp.UserTimes
	LastLogin time.Time
	Apps      []mockidp.App
	Moves     []option // lifecycle operations
	Action    string
}

func (v *visit) personPage(status int, u mockidp.User, f formView) {
	body := personView{User: u, Form: f, Times: v.UserTimes(u.ID), LastLogin: v.idp.LastLogin(u.ID), Action: personPath(u),
		Apps: slices.DeleteFunc(v.Apps(), func(a mockidp.App) bool { return !a.AssignedTo(u) })}
	for _, name := range lifecycleLinks[u.Status] {
		body.Moves = append(body.Moves, option{name, sentenceCase(name)})
	}
	v.render(status, "person", page{Title: u.Name(), Here: "/people", Body: body})
}
