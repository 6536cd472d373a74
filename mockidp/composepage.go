package mockidp

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// startComposing leads to the page on which the answer to a pending sign-in is composed. user is signed in, or nil.
func (s *Server) startComposing(w http.ResponseWriter, r *http.Request, p pending, key string, user *User) *Error {
	key, err := s.storePending(p, key)
	if err != nil {
		return err
	}
	v := url.Values{"pending": {key}}
	if user != nil {
		v.Set("login", user.Login)
	}
	s.redirect(w, r, pathCompose+"?"+v.Encode())
	return nil
}

// composing is a request to one of the pages: what it answers, and its parameters.
type composeRequest struct {
	st   *state
	key  string // of the pending sign-in; "" if sign-in is IdP-initiated
	app  *App   // nil: not chosen yet
	p    pending
	form url.Values
}

// composePage returns a handler that calls h with what the form or the query is about.
func (s *Server) composePage(h func(http.ResponseWriter, *http.Request, composeRequest) *Error) handler {
	check := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) *Error {
		if !s.config.Compose {
			return badParameter("", "", "the page on which an answer is composed is switched off (Config.Compose)")
		}
		c := composeRequest{st: s.state.Load(), form: r.URL.Query()}
		if r.Method == http.MethodPost {
			if err := check.Check(r); err != nil {
				return malformed(err, "a page of another site sent this form")
			}
			var err *Error
			if c.form, err = readForm(w, r, maxComposed); err != nil {
				return err
			}
		}
		c.key = c.form.Get("pending")
		var err *Error
		switch id := c.form.Get("app"); {
		case c.key != "":
			if c.p, err = s.pendingOf(c.form); err == nil {
				c.app, err = c.st.samlApp(c.p.appID)
			}
		case id != "":
			if c.app, err = c.st.samlApp(id); err == nil {
				c.p = pending{appID: c.app.ID, relayState: c.app.DefaultRelayState, at: s.now()}
			}
		}
		if err != nil {
			return err
		}
		if s.config.AnyServiceProvider && c.app != nil && c.app.open() {
			c.p.target = c.p.typedTarget(c.form)
			c.app = c.p.in(c.app)
		}
		return h(w, r, c)
	}
}

// pageComposition reads the form of the page. Its attributes are rows, because their names are edited too. A form that
// wasn't filled in for this user, as after the choice of another one, is filled in, and filled is true.
func (s *Server) pageComposition(c composeRequest) (out composition, filled bool, err *Error) {
	v := c.form
	if v.Has("groups") {
		v["group"] = strings.Split(strings.ReplaceAll(v.Get("groups"), "\r\n", "\n"), "\n")
	}
	if out.user, err = c.st.person(v); err != nil {
		return out, false, err
	}
	if err = out.setStatus(v.Get("status"), v.Get("substatus"), v.Get("message")); err != nil {
		return out, false, err
	}
	if err = out.setACS(c.app, c.p, v.Get("acs")); err != nil {
		return out, false, err
	}
	out.attack, out.relayState = v.Get("attack"), c.p.relayState
	if c.p.req == nil && v.Has("relay_state") {
		out.relayState = v.Get("relay_state")
	}
	if v.Get("do") == "fill" || v.Get("filled_for") != out.user.Login {
		err = s.fill(&out, c.app, c.p, v.Get("preset"))
		if err == nil && !v.Has("filled_for") { // the parameters of a script, which fills in the page
			err = out.override(v)
		}
		return out, true, err
	}
	out.nameID, out.nameIDFormat = v.Get("nameid"), v.Get("nameid_format")
	for i, name := range v["attr_name"] {
		row := Attribute{Name: name}
		if list := v["attr_format"]; i < len(list) {
			row.NameFormat = list[i]
		}
		if list := v["attr_values"]; i < len(list) {
			row.Values = strings.Split(strings.TrimRight(strings.ReplaceAll(list[i], "\r\n", "\n"), "\n"), "\n")
		}
		out.attributes = append(out.attributes, row)
	}
	return out, false, nil
}

// named returns the attributes without the rows that have no name: a row is removed by emptying its name.
func named(rows []Attribute) []Attribute {
	return slices.DeleteFunc(slices.Clone(rows), func(a Attribute) bool { return strings.TrimSpace(a.Name) == "" })
}

// handleCompose shows the page. Each of its buttons but the one that sends leads here, by GET, with all fields.
func (s *Server) handleCompose(w http.ResponseWriter, _ *http.Request, c composeRequest) *Error {
	if c.app == nil {
		s.composeApps(w, c.st)
		return nil
	}
	if c.form.Get("login") == "" && !c.form.Has("filled_for") {
		c.form.Set("login", c.st.firstUser(c.app, c.p))
	}
	if c.form.Get("login") == "" {
		c.form.Set("login", madeUpLogin)
	}
	body := composeView{Pending: c.key, Preset: c.form.Get("preset"), Search: cut(c.form.Get("q")),
		AttackSearch: cut(c.form.Get("find"))}
	comp, _, err := s.pageComposition(c)
	if err != nil && err.Reason != ReasonNoACS {
		return err
	}
	body.NoACS = err != nil
	if body.NoACS {
		body.Registers = s.config.SelfRegistration
		if err := s.fill(&comp, c.app, c.p, body.Preset); err != nil {
			return err
		}
	}
	do := c.form.Get("do")
	if n, found := strings.CutPrefix(do, "remove-"); found {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(comp.attributes) {
			comp.attributes = slices.Delete(comp.attributes, i, i+1)
		}
	}
	if do == "add" {
		comp.attributes = append(comp.attributes, Attribute{NameFormat: AttrUnspecified})
	}
	s.showCompose(w, http.StatusOK, c, comp, body)
	return nil
}

// handleSend sends the answer.
func (s *Server) handleSend(w http.ResponseWriter, r *http.Request, c composeRequest) *Error {
	if c.app == nil {
		return badParameter("pending or app", "", "the form names no app")
	}
	comp, filled, err := s.pageComposition(c)
	if err != nil {
		return err
	}
	if filled && c.form.Has("filled_for") && comp.status == nil { // another login was typed: its attributes weren't shown
		c.form.Del("filled_for")
		for _, name := range []string{"nameid", "nameid_format", "attr_name", "attr_format", "attr_values", "do"} {
			c.form.Del(name)
		}
		c.form.Set("changed", "")
		s.redirect(w, r, pathCompose+"?"+c.form.Encode())
		return nil
	}
	typed := comp
	comp.attributes = named(comp.attributes)
	if err = s.checkComposition(c.st, comp); err == nil {
		err = s.sendComposed(w, r, c.st, c.app, c.p, comp)
	}
	if err != nil { // what was typed isn't lost
		s.showCompose(w, err.status(), c, typed, composeView{Preset: c.form.Get("preset"), Search: cut(c.form.Get("q")),
			AttackSearch: cut(c.form.Get("find")), Failed: err})
	}
	return nil
}

// firstUser is the login that the page begins with: of the Subject of the request, else of login_hint, else of the
// first user who may sign in to the app, else of the first of all.
func (st *state) firstUser(app *App, p pending) string {
	if expected := p.expected(st, app); expected != nil {
		return expected.Login
	}
	if hinted := st.user(p.loginHint); hinted != nil {
		return hinted.Login
	}
	var all, open *User
	for _, u := range st.users {
		if all == nil || u.Login < all.Login {
			all = u
		}
		if app.openTo(u) && u.Status == Active && (open == nil || u.Login < open.Login) {
			open = u
		}
	}
	if first := cmp.Or(open, all); first != nil {
		return first.Login
	}
	return ""
}

// maxListedUsers is how many users the page lists. The others are found by searching.
const maxListedUsers = 8

// findUsers returns the first users in whose login, name or groups each word of a search occurs, by login, and how many
// there are.
func (st *state) findUsers(search string) (first []*User, found int) {
	words := strings.Fields(strings.ToLower(search))
	for _, u := range st.users {
		text := strings.ToLower(u.Login + " " + u.Name() + " " + u.Email + " " + strings.Join(u.Groups, " "))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			first = append(first, u)
		}
	}
	slices.SortFunc(first, func(a, b *User) int { return strings.Compare(a.Login, b.Login) })
	return first[:min(len(first), maxListedUsers)], len(first)
}

// composeApps lists the apps for which an answer can be composed.
func (s *Server) composeApps(w http.ResponseWriter, st *state) {
	var apps []*App
	for _, a := range st.apps {
		if a.Kind == SAML {
			apps = append(apps, a)
		}
	}
	s.render(w, http.StatusOK, "compose", page{Title: "Send a response", Body: composeView{Apps: apps}})
}
