package oktaapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

func groupPageRoutes(get, post pageRouter) {
	get("/groups", (*visit).groupsPage)
	get("/new-group", func(v *visit) { v.newGroup(http.StatusOK, groupForm().values(&mockidp.Group{}), nil) })
	post("/new-group", (*visit).createGroup)
	group := func(route pageRouter, path string, h func(*visit, mockidp.Group)) {
		route(path, func(v *visit) {
			g, ok := v.GroupByID(v.r.PathValue("id"))
			if !ok {
				v.notFound("group")
				return
			}
			h(v, g)
		})
	}
	group(get, "/groups/{id}", func(v *visit, g mockidp.Group) {
		f := groupForm()
		v.groupPage(http.StatusOK, g, f.view(f.version(&g), f.values(&g), nil), "")
	})
	group(post, "/groups/{id}", (*visit).saveGroup)
	group(post, "/groups/{id}/members", (*visit).changeMember)
	group(get, "/groups/{id}/delete", func(v *visit, g mockidp.Group) {
		v.confirm("/groups", "Delete "+g.Name+"?", confirmView{Action: groupPath(g) + "/delete", Button: "Delete",
			Back: groupPath(g), Text: "The group is removed from its users and from the apps that are assigned to it."})
	})
	group(post, "/groups/{id}/delete", func(v *visit, g mockidp.Group) {
		if err := v.idp.RemoveGroup(g.Name); err != nil {
			v.fail(http.StatusConflict, sentence(plain(err)))
			return
		}
		v.to("/groups", "deleted")
	})
}

func groupPath(g mockidp.Group) string { return "/groups/" + url.PathEscape(g.ID) }

func groupForm() form[mockidp.Group] {
	return form[mockidp.Group]{{inputs: []input[mockidp.Group]{
		required(textInput("name", "Name", "", func(g *mockidp.Group) *string { return &g.Name },
			"name of a Group", "already exists", "Group.Name")),
		textInput("description", "Description", "", func(g *mockidp.Group) *string { return &g.Description }),
	}}}
}

type groupRow struct {
	mockidp.Group
	Members, Apps int
}

type groupsView struct {
	List   listView
	Groups []groupRow
}

func (v *visit) groupsPage() {
	all, q := v.allGroups(), v.searchText()
	slices.SortFunc(all, func(a, b mockidp.Group) int { return compareFold(a.Name, b.Name) })
	list := slices.DeleteFunc(slices.Clone(all), func(g mockidp.Group) bool { return !found(q, g.Name, g.Description) })
	var body groupsView
	list, body.List = shownPage(v, list, len(all))
	users, apps, counts := v.Users(), v.Apps(), map[string]int{}
	for _, u := range users {
		for _, name := range u.Groups {
			if name != mockidp.Everyone {
				counts[name]++
			}
		}
	}
	counts[mockidp.Everyone] = len(users)
	for _, g := range list {
		row := groupRow{Group: g, Members: counts[g.Name]}
		for _, a := range apps {
			if slices.Contains(a.Groups, g.Name) {
				row.Apps++
			}
		}
		body.Groups = append(body.Groups, row)
	}
	v.render(http.StatusOK, "groups", page{Title: "Groups", Here: "/groups", Body: body})
}

func (v *visit) newGroup(status int, values url.Values, wrong problems) {
	v.render(status, "new", page{Title: "New group", Here: "/groups", Body: newView{
		Form: groupForm().view("", values, wrong), Action: "/new-group", Button: "Create group", Back: "/groups"}})
}

func (v *visit) createGroup() {
	f, g := groupForm(), mockidp.Group{}
	err := f.apply(&g, v.form)
	if err == nil {
		err = v.idp.Update(func(all *mockidp.Change) error {
			if _, taken := all.Group(g.Name); taken {
				return problems{"name": fmt.Sprintf("The group %s already exists.", quote(g.Name))}
			}
			err := all.PutGroup(g)
			g, _ = all.Group(g.Name)
			return err
		})
	}
	if err != nil {
		v.newGroup(http.StatusUnprocessableEntity, v.form, f.place(err))
		return
	}
	v.to(groupPath(g), "created")
}

func (v *visit) saveGroup(g mockidp.Group) {
	f, current := groupForm(), g
	err := v.idp.Update(func(all *mockidp.Change) error {
		now, ok := all.GroupByID(g.ID)
		if !ok || now.Name == mockidp.Everyone {
			return problems{"": "This group can't be changed."}
		}
		current = now
		next := now
		if err := f.change(&next, v.form); err != nil {
			return err
		}
		if err := all.RenameGroup(now.Name, next.Name); err != nil {
			return err
		}
		return all.PutGroup(next)
	})
	if err != nil {
		v.groupPage(http.StatusUnprocessableEntity, g, f.view(f.version(&current), v.form, f.place(err)), "")
		return
	}
	v.to(groupPath(g), "saved")
}

// changeMember adds the user that is typed in, or removes the one whose button was pressed.
func (v *visit) changeMember(g mockidp.Group) {
	login, note, joins := v.form.Get("add"), "added", true
	if v.form.Has("remove") {
		login, note, joins = v.form.Get("remove"), "removed", false
	}
	var err error
	u, known := v.find(login)
	switch {
	case !known:
		err = fmt.Errorf("there is no user %s", quote(login))
	case g.Name == mockidp.Everyone:
		err = fmt.Errorf("every user is in %s", mockidp.Everyone)
	default:
		err = v.idp.UpdateUser(u.Login, func(u *mockidp.User) error {
			u.Groups = slices.DeleteFunc(u.Groups, func(name string) bool { return name == g.Name })
			if joins {
				u.Groups = append(u.Groups, g.Name)
			}
			return nil
		})
	}
	if err != nil {
		f := groupForm()
		v.groupPage(http.StatusUnprocessableEntity, g, f.view(f.version(&g), f.values(&g), nil), sentence(plain(err)))
		return
	}
	v.to(groupPath(g), note)
}

type groupView struct {
	Group     mockidp.Group
	Form      formView
	Built     bool // Everyone, which can't change
	List      listView
	Members   []mockidp.User
	Apps      []mockidp.App
	Suggested []mockidp.User
	Problem   string // of the form that adds a member
	Action    string
}

func (v *visit) groupPage(status int, g mockidp.Group, f formView, problem string) {
	v.shows(groupPath(g))
	users, q := v.Users(), v.searchText()
	members := slices.DeleteFunc(slices.Clone(users), func(u mockidp.User) bool { return !u.In(g.Name) })
	matching := slices.DeleteFunc(slices.Clone(members), func(u mockidp.User) bool { return !found(q, u.Login, u.Name()) })
	body := groupView{Group: g, Form: f, Built: g.Name == mockidp.Everyone, Problem: problem, Action: groupPath(g),
		Apps:      slices.DeleteFunc(v.Apps(), func(a mockidp.App) bool { return !slices.Contains(a.Groups, g.Name) }),
		Suggested: slices.DeleteFunc(users, func(u mockidp.User) bool { return u.In(g.Name) })}
	body.Suggested = body.Suggested[:min(maxSuggested, len(body.Suggested))]
	body.Members, body.List = shownPage(v, matching, len(members))
	v.render(status, "group", page{Title: g.Name, Here: "/groups", Body: body})
}
