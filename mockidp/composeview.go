package mockidp

import (
	"net/http"
	"net/url"
	"slices"
)

// composeView is the body of the page on which an answer is composed.
type composeView struct {
	Apps []*App // to choose from, while App is nil

	App              *App
	Pending          string
	Request          *authnRequest // nil: sign-in is IdP-initiated
	From             string        // the Issuer of the request, or the app's Audience
	NoACS            bool          // the app has no assertion consumer service: nothing can be sent
	Registers        bool          // the page that refuses a service provider registers it
	Failed           *Error        // why nothing was sent, or nil
	Changed          bool          // the page was filled in again, because another login was typed
	MadeUp           bool          // no user has the login
	Search           string
	People           []person
	Found, UserCount int
	MakeUp           string // the link to the page with a user who is made up

	User          User
	NameID        string
	NameIDFormats []option
	Presets       []option
	Preset        string
	Attributes    []attributeRow
	ACS           []option // that the app has
	Target        bool     // Config.AnyServiceProvider: ACSURL and Audience are typed instead
	ACSURL        string
	Audience      string
	RelayState    string

	Statuses, SubStatuses []option
	Message               string
	ErrorOpen             bool
	AttackSearch          string
	Attacks               *attackList // nil: there are none
	AttackCount           int
	AttackOpen            bool
	Encrypted             bool

	idpDetails
	PasswordLink string
}

// option is an option of a select.
type option struct {
	Value, Label string
	Selected     bool
}

type person struct {
	*User
	Link    string
	Current bool
}

type attributeRow struct {
	Attribute
	N       int // from 1
	Index   int // from 0
	Formats []option
}

// options lists choices. A value that isn't among them is added, and selected.
func options(from []choice, value string) []option {
	var out []option
	found := false
	for _, c := range from {
		out = append(out, option{c.Value, c.Name, c.Value == value})
		found = found || c.Value == value
	}
	if !found {
		out = append(out, option{value, value, true})
	}
	return out
}

// showCompose shows the page with a composition.
func (s *Server) showCompose(w http.ResponseWriter, status int, c composeRequest, comp composition, v composeView) {
	v.App, v.Request, v.From, v.Changed = c.app, c.p.req, c.app.Audience, c.form.Has("changed")
	if c.p.req != nil && c.p.req.HasIssuer {
		v.From = c.p.req.Issuer
	}
	v.User, v.NameID, v.RelayState, v.Encrypted = comp.user, comp.nameID, comp.relayState, c.app.Encrypt != nil
	v.MadeUp = c.st.user(comp.user.Login) == nil
	v.NameIDFormats = options(nameIDFormats, comp.nameIDFormat)
	v.Presets = []option{{"", "as the app sends them", v.Preset == ""}}
	for _, p := range presets {
		v.Presets = append(v.Presets, option{p.ID, p.Title, p.ID == v.Preset})
	}
	for i, a := range comp.attributes {
		v.Attributes = append(v.Attributes, attributeRow{a, i + 1, i, options(attributeFormats, a.NameFormat)})
	}
	if t := comp.target; t != nil {
		v.Target, v.ACSURL, v.Audience = true, t.acs, t.audience
	}
	if list, err := c.app.acsChoices(c.p.req); err == nil && comp.target == nil {
		for _, u := range list {
			v.ACS = append(v.ACS, option{u, u, u == comp.acs})
		}
	}
	s.listPeople(c, comp, &v)
	v.listStatuses(c.form.Get("status"), c.form.Get("substatus"))
	v.Message = c.form.Get("message")
	if len(s.config.Mutations) > 0 {
		v.Attacks = &attackList{s.families(v.AttackSearch), s.mutationOrdered(c.app.ID), comp.attack}
		for _, f := range v.Attacks.Families {
			v.AttackCount += len(f.Mutations)
		}
		v.AttackOpen = comp.attack != "" || v.AttackSearch != "" || c.form.Get("do") == "find"
	}
	v.idpDetails = s.idpDetails(c.st, c.app)
	if c.key != "" {
		v.PasswordLink = s.prefix + pathSignIn + "?pending=" + url.QueryEscape(c.key)
	}
	s.render(w, status, "compose", page{Title: "Send a response", Script: scriptPage, Body: v})
}

func (s *Server) listPeople(c composeRequest, comp composition, v *composeView) {
	var users []*User
	users, v.Found = c.st.findUsers(v.Search)
	v.UserCount = len(c.st.users)
	link := func(login string) string {
		q := url.Values{"login": {login}, "q": {v.Search}, "preset": {v.Preset}, "acs": {comp.acs},
			"relay_state": {comp.relayState}, "audience": {""}}
		if comp.target != nil && c.p.req == nil {
			q.Set("audience", comp.target.audience)
		}
		if c.key != "" {
			q.Set("pending", c.key)
		} else {
			q.Set("app", c.app.ID)
		}
		for name, values := range q {
			if values[0] == "" {
				q.Del(name)
			}
		}
		return s.prefix + pathCompose + "?" + q.Encode()
	}
	for _, u := range users {
		v.People = append(v.People, person{u, link(u.Login), SameLogin(u.Login, comp.user.Login)})
	}
	v.MakeUp = link(madeUpLogin)
}

// madeUpLogin is the login that the page fills in for a user who is made up.
const madeUpLogin = "new@example.com"

func (v *composeView) listStatuses(code, second string) {
	list := func(from []choice, value string) []option {
		from = slices.Insert(slices.Clone(from), 0, choice{"none", ""})
		if c, err := chosen("", value, from); err == nil {
			value = c
		}
		return options(from, value)
	}
	v.Statuses, v.SubStatuses = list(topStatuses, code), list(secondStatuses, second)
	v.ErrorOpen = code != ""
}
