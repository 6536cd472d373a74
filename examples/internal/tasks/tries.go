package tasks

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

const (
	tried     = "Tried" // the name of what a try makes
	triedUser = "tried@example.com"
)

// ask asks the table about reads and writes.
func ask(task center.Task) try {
	return func(_ *World, here, of Site) string {
		write := here.View.Check(center.Attempt{Task: task, Write: true, Application: of.Name})
		read := here.View.Check(center.Attempt{Task: task, Application: of.Name})
		check.Must(check.Same("the answer for a read of "+string(task), fmt.Sprint(write), fmt.Sprint(read)))
		if write == nil {
			return ""
		}
		return write.Error()
	}
}

// provision adds and removes a user by SCIM, with a token that is valid in the Region.
func provision(w *World, here, _ Site) string {
	const base, token = "https://scim.example/scim/v2", "a token of the identity provider"
	s := check.Get(scim.New(scim.Config{View: here.View, BaseURL: base, Tokens: []string{token},
		Logger: slog.New(slog.DiscardHandler)}))
	send := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/scim+json")
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		return rec
	}
	made := send(http.MethodPost, base+"/Users",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+triedUser+`"}`)
	if made.Code == http.StatusForbidden {
		return made.Body.String()
	}
	var user struct{ ID string }
	check.Must(check.Same("the status of a new user", http.StatusCreated, made.Code),
		json.Unmarshal(made.Body.Bytes(), &user))
	w.everywhere("the new user", hasUser(true))
	gone := send(http.MethodDelete, base+"/Users/"+user.ID, "")
	check.Must(check.Same("the status of the user's removal", http.StatusNoContent, gone.Code))
	w.everywhere("the end of the user", hasUser(false))
	return ""
}

func hasUser(want bool) func(Site) bool {
	return func(s Site) bool { _, ok := s.View.Snapshot().User(triedUser); return ok == want }
}

func putUser(w *World, here, _ Site) string {
	user := center.User{UserName: triedUser}
	if why := update(here, func(tx *center.Tx) error { return tx.PutUser(user) }); why != "" {
		return why
	}
	w.everywhere("the new user", hasUser(true))
	why := update(here, func(tx *center.Tx) error { return tx.RemoveUser(triedUser) })
	w.everywhere("the end of the user", hasUser(false))
	return why
}

// endSessions ends Bob's sessions, of which one is in the other Region, by the operators' page.
func endSessions(w *World, here, _ Site) string {
	for _, s := range w.Sites {
		check.Must(check.Same("the status of Bob's page", http.StatusOK, w.page(corp.Bob, s, portal.PathSessions).Status))
	}
	const action = portal.PathPeople + "/end"
	b, p := w.browserOf(corp.Alice, here), w.page(corp.Alice, here, action+"?"+url.Values{"id": {corp.Bob}}.Encode())
	f, ok := p.FormFor(action)
	check.Must(check.Same("whether the page can end sessions", true, ok))
	p = check.Get(b.Submit(p, f, nil))
	check.Must(check.Same("the status of the page", http.StatusOK, p.Status))
	w.everywhere("the end of Bob's session", func(s Site) bool {
		return check.Get(w.browserOf(corp.Bob, s).Look(s.Origin+portal.PathSessions)).Status == http.StatusSeeOther
	})
	for _, s := range w.Sites { // a browser that signs in again within a minute waits for its other tabs
		delete(w.browsers, browserKey(corp.Bob, s))
	}
	return ""
}

// addRegion asks the operators' page for a Region that no instance can have, so that nothing begins.
func addRegion(w *World, here, _ Site) string {
	b, p := w.browserOf(corp.Alice, here), w.page(corp.Alice, here, portal.PathAddRegion)
	if read := w.page(corp.Alice, here, portal.PathOperator); read.Status != http.StatusOK {
		return "the Regions can't be read: " + read.Text()
	}
	q := check.Get(b.Submit(p, testkit.Form{Action: portal.PathAddRegion, Method: "post"},
		url.Values{"region": {"eu-south-1"}}))
	check.Must(check.Same("whether the page is refused like its form", p.Status == http.StatusForbidden,
		q.Status == http.StatusForbidden))
	if q.Status == http.StatusForbidden {
		return q.Text()
	}
	check.Must(check.Same("the status of the page", http.StatusUnprocessableEntity, q.Status),
		person.Says(q, "must opt in to this Region"))
	return ""
}

func describe(w *World, here, _ Site) string {
	good := here.View.Metadata()
	put := func(name string) string {
		m := good
		m.Name = name
		return update(here, func(tx *center.Tx) error { return tx.PutInstanceMetadata(m) })
	}
	if why := put(tried); why != "" {
		return why
	}
	w.everywhere("the name of the instance", func(s Site) bool { return s.View.Metadata().Name == tried })
	why := put(good.Name)
	w.everywhere("the earlier name", func(s Site) bool { return s.View.Metadata().Name == good.Name })
	return why
}

// change changes an application of a Region, and undoes that.
func change(w *World, here, of Site, edit func(*center.Application), shown func(app center.Application, s Site) bool,
) string {
	apps := here.View.Snapshot().ApplicationsIn(of.Name)
	check.Must(check.That("applications of "+of.Name, len(apps) > 0, "some", "none"))
	next := apps[0]
	edit(&next)
	put := func(a center.Application) string {
		return update(here, func(tx *center.Tx) error { return tx.PutApplication(a) })
	}
	if why := put(next); why != "" {
		return why
	}
	w.everywhere("the change of "+next.Name, func(s Site) bool { return shown(next, s) })
	why := put(apps[0])
	w.everywhere("the end of the change", func(s Site) bool { return !shown(next, s) })
	return why
}

// assignApplication takes an application from Bob, whose portals then don't show it.
func assignApplication(w *World, here, of Site) string {
	return change(w, here, of, func(a *center.Application) {
		a.AssignedTo = []center.Principal{center.GroupPrincipal(corp.Engineers)}
	}, func(a center.Application, s Site) bool { return !w.shows(corp.Bob, s, a.Name) })
}

// renameApplication changes the second line of an application's tile. Every Region reads every application.
func renameApplication(w *World, here, of Site) string {
	return change(w, here, of, func(a *center.Application) { a.Description = tried },
		func(a center.Application, s Site) bool {
			return w.shows(corp.Alice, s, a.Name) && w.shows(corp.Alice, s, tried)
		})
}

// shows reports whether a user's page of applications has a text.
func (w *World) shows(login string, at Site, text string) bool {
	return strings.Contains(w.page(login, at, "/applications").Text(), text)
}

// createApplication deploys an application, which the portals of both Regions show, and removes it.
func createApplication(w *World, here, of Site) string {
	app := center.Application{Name: tried, URL: of.Origin + corp.AppPath + "tried", Region: of.Name,
		AssignedTo: []center.Principal{center.GroupPrincipal(corp.Engineers)}}
	if why := update(here, func(tx *center.Tx) error { return tx.PutApplication(app) }); why != "" {
		return why
	}
	w.everywhere("the application", func(s Site) bool { return w.shows(corp.Alice, s, tried) })
	why := update(here, func(tx *center.Tx) error { return tx.RemoveApplication(tried) })
	w.everywhere("the end of the application", func(s Site) bool { return !w.shows(corp.Alice, s, tried) })
	return why
}

func putFederation(w *World, here, _ Site) string {
	f := center.Federation{EntityID: "https://tried.example", Metadata: []byte("<EntityDescriptor/>")}
	has := func(want bool) func(Site) bool {
		return func(s Site) bool { return (s.View.Snapshot().Federation(f.EntityID) != nil) == want }
	}
	if why := update(here, func(tx *center.Tx) error { return tx.PutFederation(f) }); why != "" {
		return why
	}
	w.everywhere("the identity provider", has(true))
	why := update(here, func(tx *center.Tx) error { return tx.RemoveFederation(f.EntityID) })
	w.everywhere("the end of the identity provider", has(false))
	return why
}

// useRole opens the page of a permission set, and gets credentials there.
func useRole(w *World, here, _ Site) string {
	role := "/accounts/" + corp.Production + "/" + corp.ReadOnly
	b, p := w.browserOf(corp.Alice, here), w.page(corp.Alice, here, role)
	f, ok := p.FormFor(role + "/keys")
	check.Must(check.Same("the status of the page", http.StatusOK, p.Status),
		check.Same("whether the page offers credentials", true, ok))
	p = check.Get(b.Submit(p, f, nil))
	check.Must(check.Same("the status of the credentials", http.StatusOK, p.Status))
	check.Must(check.That("the credentials", strings.Contains(p.Body, "AWS_ACCESS_KEY_ID"), "a key", p.Text()))
	return ""
}

// putPermissionSet gives Alice a new permission set, which the portals of both Regions have. Where that is refused, the
// table refuses reads for administration too.
func putPermissionSet(w *World, here, _ Site) string {
	read := here.View.Check(center.Attempt{Task: center.TaskPermissions})
	grant := center.Assignment{
		Principal: center.UserPrincipal(corp.Alice), AccountID: corp.Production, PermissionSet: tried,
	}
	why := update(here, func(tx *center.Tx) error {
		if err := tx.PutPermissionSet(center.PermissionSet{Name: tried}); err != nil {
			return err
		}
		return tx.Assign(grant)
	})
	check.Must(check.Same("whether a read is refused like a write", why != "", read != nil))
	if why != "" {
		return why
	}
	status := func(want int) func(Site) bool {
		return func(s Site) bool {
			return w.page(corp.Alice, s, "/accounts/"+corp.Production+"/"+tried).Status == want
		}
	}
	w.everywhere("the page of the permission set", status(http.StatusOK))
	why = update(here, func(tx *center.Tx) error {
		if err := tx.Unassign(grant); err != nil {
			return err
		}
		return tx.RemovePermissionSet(tried)
	})
	w.everywhere("the end of the permission set", status(http.StatusNotFound))
	return why
}
