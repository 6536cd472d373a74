package oktaapi

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

// assignmentsView is the page with the users and groups that an app is assigned to.
type assignmentsView struct {
	appView
	Groups          []mockidp.Group
	Users           []mockidp.User
	List            listView // of Users
	SuggestedUsers  []mockidp.User
	SuggestedGroups []mockidp.Group
	Problem, About  string // of which form: user or group
}

func (v *visit) assignmentsPage(status int, a mockidp.App, problem string) {
	body := assignmentsView{appView: v.appHead(a, "/assignments"), Problem: problem, About: "user"}
	if v.form.Has("group") {
		body.About = "group"
	}
	for _, g := range v.allGroups() {
		if slices.Contains(a.Groups, g.Name) {
			body.Groups = append(body.Groups, g)
		} else if len(body.SuggestedGroups) < maxSuggested {
			body.SuggestedGroups = append(body.SuggestedGroups, g)
		}
	}
	direct, q := []mockidp.User(nil), v.searchText()
	for _, u := range v.Users() {
		if assigned(&a, u) {
			direct = append(direct, u)
		} else if len(body.SuggestedUsers) < maxSuggested {
			body.SuggestedUsers = append(body.SuggestedUsers, u)
		}
	}
	matching := slices.DeleteFunc(slices.Clone(direct), func(u mockidp.User) bool { return !found(q, u.Login, u.Name()) })
	body.Users, body.List = shownPage(v, matching, len(direct))
	v.render(status, "app_assignments", page{Title: "Assignments: " + a.Label, Here: "/apps", Body: body})
}

// assign adds the user or the group of the form, or removes the one whose button was pressed.
func (v *visit) assign(a mockidp.App) {
	err, note := error(nil), "added"
	name := func(field string) string { return v.form.Get(field) }
	change := func(f func(*mockidp.App)) error {
		return v.idp.UpdateApp(a.ID, func(a *mockidp.App) error { f(a); return nil })
	}
	switch {
	case v.form.Has("remove-user"):
		note = "removed"
		err = change(func(a *mockidp.App) {
			a.Users = slices.DeleteFunc(a.Users, func(l string) bool { return mockidp.SameLogin(l, name("remove-user")) })
		})
	case v.form.Has("remove-group"):
		note = "removed"
		err = change(func(a *mockidp.App) {
			a.Groups = slices.DeleteFunc(a.Groups, func(g string) bool { return g == name("remove-group") })
		})
	case v.form.Has("group"):
		if _, known := v.Group(name("group")); !known {
			err = fmt.Errorf("there is no group %s", quote(name("group")))
			break
		}
		err = change(func(a *mockidp.App) {
			if !slices.Contains(a.Groups, name("group")) {
				a.Groups = append(a.Groups, name("group"))
			}
		})
	default:
		u, known := v.find(name("user"))
		if !known {
			err = fmt.Errorf("there is no user %s", quote(name("user")))
			break
		}
		err = change(func(a *mockidp.App) {
			if !assigned(a, u) {
				a.Users = append(a.Users, u.Login)
			}
		})
	}
	if err != nil {
		v.assignmentsPage(http.StatusUnprocessableEntity, a, sentence(plain(err)))
		return
	}
	v.to(appPath(a)+"/assignments", note)
}

// appKeysView is the page with the keys of an app.
type appKeysView struct {
	appView
	Keys    []mockidp.Key // Signing reports whether it signs for the app
	Pinned  bool          // the app names its key
	Problem string
	Others  []mockidp.App // whose key may be copied to
}

func (v *visit) appKeysPage(status int, a mockidp.App, problem string) {
	body := appKeysView{appView: v.appHead(a, "/keys"), Keys: v.keys(a.ID), Pinned: a.KeyID != "", Problem: problem,
		Others: slices.DeleteFunc(v.samlApps(), func(b mockidp.App) bool { return b.ID == a.ID })}
	if k, err := v.SigningKey(a.ID); err == nil {
		if _, listed := v.findKey(a.ID, k.ID); !listed {
			body.Keys = append(body.Keys, k)
		}
	}
	v.render(status, "app_keys", page{Title: "Keys: " + a.Label, Here: "/apps", Body: body})
}

func (v *visit) changeAppKey(a mockidp.App) {
	kid, note, err := v.form.Get("key"), "", error(nil)
	switch do := v.form.Get("do"); do {
	case "add":
		note = "key"
		err = v.addKey(func(years int) (mockidp.Key, error) { return v.idp.GenerateAppKey(a.ID, years) },
			func(k parsedKey) (mockidp.Key, error) { return v.idp.AddAppKey(a.ID, k.key, k.certificate) })
	case "sign":
		err, note = v.idp.SignAppWith(a.ID, kid), "signs"
	case "follow":
		err, note = v.idp.SignAppWith(a.ID, ""), "signs"
	case "copy":
		_, err = v.idp.CloneKey(a.ID, kid, v.form.Get("app"))
		note = "key"
	case "remove":
		err, note = v.idp.RetireAppKey(a.ID, kid), "removed"
	default:
		err = fmt.Errorf("there is no action %s", quote(do))
	}
	if err != nil {
		v.appKeysPage(http.StatusUnprocessableEntity, a, sentence(plain(err)))
		return
	}
	v.to(appPath(a)+"/keys", note)
}
