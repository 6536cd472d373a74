// Package tasks tries each row of the table of tasks in two Regions, by what users, operators and programs use: the
// portals' pages, SCIM, and updates of the instance.
package tasks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/center"
)

// Site is a Region that runs.
type Site struct {
	Name, Origin string
	View         *center.View
}

// World is an instance of package corp in two Regions, with what tries it.
type World struct {
	Sites   [2]Site // the primary first
	IdP     string  // the identity provider's origin
	Browser func() *testkit.Browser
	Until   func(func() error) error // waits for what replication brings

	browsers map[string]*testkit.Browser // by user and Region
}

// A try uses a task in a Region. If the task depends on an application, it is one of the Region of. A change that is
// allowed is awaited in both Regions, and undone. A change that is refused returns what the refusal says.
type try func(w *World, here, of Site) (refused string)

// tries are the ways to use each task. No API of this module propagates identities or disables applications, so only
// the table is asked about these two.
var tries = map[center.Task][]try{
	center.TaskIdentities:        {provision, putUser},
	center.TaskSessions:          {endSessions},
	center.TaskInstance:          {addRegion, describe},
	center.TaskAppAssignments:    {assignApplication},
	center.TaskPropagation:       {ask(center.TaskPropagation)},
	center.TaskAppAccess:         {ask(center.TaskAppAccess)},
	center.TaskIdentityProviders: {putFederation},
	center.TaskCustomerApps:      {createApplication, ask(center.TaskCustomerApps)},
	center.TaskAccountAccess:     {useRole},
	center.TaskAppManagement:     {renameApplication},
	center.TaskPermissions:       {putPermissionSet},
}

// Table tries all rows, and returns how often a use was allowed and refused. It ends by check.Must at the first
// difference from the table: also if a row has no try, or if a refusal doesn't name the Region to go to.
func (w *World) Table() (allowed, refused int) {
	check.Must(check.Same("the rows of the table", len(tries), len(center.Tasks())))
	for _, row := range center.Tasks() {
		check.Must(check.That("the tries of "+string(row.Task), len(tries[row.Task]) > 0, "some", "none"))
		for i, here := range w.Sites {
			right := []center.Right{row.Primary, row.Additional}[i]
			ofApp := right == center.RightOwn || right == center.RightOwnRead
			for _, of := range w.Sites {
				if of != here && !ofApp {
					continue
				}
				to := goTo(right, here, of, w.Sites[0])
				for n, use := range tries[row.Task] {
					what := fmt.Sprintf("%s in %s, of %s (%d)", row.Task, here.Name, of.Name, n+1)
					said := use(w, here, of)
					if to == "" {
						check.Must(check.Same(what, "", said))
						allowed++
						continue
					}
					check.Must(check.That(what, strings.Contains(said, to), "a refusal that names "+to, said))
					refused++
				}
			}
		}
	}
	return allowed, refused
}

// goTo returns the Region that a refusal must name, or "" if a change is allowed.
func goTo(right center.Right, here, of, primary Site) string {
	switch right {
	case center.RightFull:
		return ""
	case center.RightOwn, center.RightOwnRead:
		if of == here {
			return ""
		}
		return of.Name
	}
	return primary.Name
}

// update changes the instance, and returns why the table refused that.
func update(at Site, change func(*center.Tx) error) string {
	err := at.View.Update(change)
	var e *center.Error
	if errors.As(err, &e) && (e.Reason == center.ReasonNotPrimary || e.Reason == center.ReasonNotAppRegion) {
		return e.Error()
	}
	check.Must(err)
	return ""
}

// everywhere waits until ok in both Regions.
func (w *World) everywhere(what string, ok func(Site) bool) {
	for _, s := range w.Sites {
		check.Must(w.Until(func() error { return check.That(what+" in "+s.Name, ok(s), "true", "false") }))
	}
}

// page opens a page of a portal as a user, who signs in if the portal asks for it.
func (w *World) page(login string, at Site, path string) *testkit.Page {
	b := w.browserOf(login, at)
	p := check.Get(b.Open(at.Origin + path))
	if p.Origin() == w.IdP {
		p = check.Get(person.Person{Login: login, IdP: w.IdP}.SignIn(b, p))
	}
	check.Must(check.Same("the page", at.Origin+path, p.URL.String()))
	return p
}

func (w *World) browserOf(login string, at Site) *testkit.Browser {
	if w.browsers == nil {
		w.browsers = map[string]*testkit.Browser{}
	}
	key := browserKey(login, at)
	if w.browsers[key] == nil {
		w.browsers[key] = w.Browser()
	}
	return w.browsers[key]
}

func browserKey(login string, at Site) string { return login + " " + at.Name }
