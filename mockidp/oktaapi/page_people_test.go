package oktaapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func user(t *testing.T, idp *mockidp.Server, login string) mockidp.User {
	t.Helper()
	u, ok := idp.User(login)
	require.True(t, ok, login)
	return u
}

func TestConsoleCreatesAUser(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	p := c.fill("/new-person", "login", "carol@example.com", "firstName", "Carol", "password", "secret", "secondFactor",
		"123456", "groups.name", "Engineering", "attributes.name", "costCenter", "attributes.values", "1\r\n2\r\n")
	p.has(t, "Created.", "Carol", "Identity Center – N. Virginia")
	u := user(t, idp, "carol@example.com")
	assert.Equal(t, mockidp.User{ID: u.ID, Login: "carol@example.com", FirstName: "Carol", Password: "secret",
		SecondFactor: "123456", Email: "carol@example.com", Groups: []string{"Engineering"},
		Attributes: map[string][]string{"costCenter": {"1", "2"}}}, u)
}

// A refused form keeps what was typed, names the input, and changes nothing.
func TestConsoleRefusesAUser(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	for _, test := range []struct{ name, input, value, text string }{
		{"no login", "login", "", "This is required"},
		{"taken", "login", strings.ToUpper(alice), "already exists"},
		{"no group", "groups.name", "Sales", "Row 1: there is no group"},
		{"bad ID", "id", "a b", "an ID consists of"},
		{"reserved attribute", "attributes.name", "email", "invalid or reserved attribute name"},
		{"unnamed attribute", "attributes.values", "x", "an attribute needs a name"},
		{"status", "status", "9", "Choose one of the list"},
	} {
		v := filled(t, c.page("/new-person"))
		v.Set("login", "carol@example.com")
		v.Set(test.input, test.value)
		p := c.send("/new-person", v, "lastName", "<Carol>")
		assert.Equal(t, 422, p.Status, test.name)
		input, _, _ := strings.Cut(test.input, ".")
		p.has(t, "Nothing was changed", test.text, `value="&lt;Carol&gt;"`, `href="#f-`+input+`"`, `id="f-`+input+`-problem"`)
	}
	assert.Len(t, idp.Users(), 2)
}

// A saved form changes what the user changed and nothing else, even what it can't show.
func TestConsoleEditsAUser(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Users[0].Attributes = map[string][]string{"address": {"one\ntwo", " three "}, "empty": nil, "role": {"admin"}}
	conf.Users[0].FirstName = " Alice "
	idp := start(t, conf)
	c := openConsole(t, idp)
	before := user(t, idp, alice)
	path := "/people/" + before.ID
	c.fill(path).has(t, "Saved.")
	assert.Equal(t, before, user(t, idp, alice))

	v := filled(t, c.page(path))
	v["attributes.values"][2] = "reader\r\nwriter"
	c.send(path, v, "login", "al@example.com").has(t, "Saved.")
	after := user(t, idp, "al@example.com")
	before.Login, before.Attributes["role"] = "al@example.com", []string{"reader", "writer"}
	assert.Equal(t, before, after)
	app, _ := idp.App("mark")
	assert.Equal(t, []string{"al@example.com"}, app.Users)

	// The password stays unless another is typed.
	c.fill(path, "password", "new").has(t, "Saved.")
	assert.Equal(t, "new", user(t, idp, "al@example.com").Password)
}

// A form doesn't overwrite a change that was made after it was opened, unless it is sent again.
func TestConsoleNoticesAnotherChange(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	path := "/people/" + user(t, idp, alice).ID
	v := filled(t, c.page(path))
	require.NoError(t, idp.UpdateUser(alice, func(u *mockidp.User) error { u.LastName = "Other"; return nil }))
	p := c.send(path, v, "firstName", "Alicia")
	assert.Equal(t, 422, p.Status)
	p.has(t, "This changed after the form was opened", `value="Alicia"`)
	assert.Equal(t, "Alice", user(t, idp, alice).FirstName)
	c.send(path, filled(t, p)).has(t, "Saved.")
	assert.Equal(t, "Alicia Example", user(t, idp, alice).Name())
}

// Rows are added, moved and removed without saving and without a script.
func TestConsoleRows(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	path := "/people/" + user(t, idp, alice).ID
	p := c.fill(path, "row", "attributes:add", "attributes.name", "a")
	v := filled(t, p)
	assert.Equal(t, []string{"a", ""}, v["attributes.name"])
	v["attributes.name"][1], v["attributes.values"][1] = "b", "2"
	v.Set("row", "attributes:up:2")
	v = filled(t, c.send(path, v))
	assert.Equal(t, []string{"b", "a"}, v["attributes.name"])
	assert.Equal(t, []string{"2", ""}, v["attributes.values"])
	v.Set("row", "attributes:remove:2")
	v = filled(t, c.send(path, v))
	assert.Equal(t, []string{"b"}, v["attributes.name"])
	assert.Empty(t, user(t, idp, alice).Attributes)
	c.send(path, v).has(t, "Saved.")
	assert.Equal(t, map[string][]string{"b": {"2"}}, user(t, idp, alice).Attributes)
	for _, odd := range []string{"attributes:up:1", "attributes:down:9", "attributes:remove:-1",
		"attributes:x", "groups:up:99999999999999999999"} {
		assert.Equal(t, 200, c.fill(path, "row", odd).Status, odd)
	}
}

// A locked user is unlocked from the notice and from their row.
func TestConsoleUnlocks(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.MaxFailures = 1
	idp := start(t, conf)
	c := openConsole(t, idp)
	for _, page := range []string{"/", "/people"} {
		b := newBrowser(t, idp)
		b.signIn(alice, "wrong")
		require.Equal(t, mockidp.LockedOut, user(t, idp, alice).Status)
		p := c.page(page)
		p.has(t, alice+" is locked out", `aria-label="Unlock `+alice+`"`)
		form, ok := p.FormFor("/people/" + user(t, idp, alice).ID + "/status/unlock")
		require.True(t, ok)
		p = c.post(c.at+form.Action, form.Values())
		p.has(t, "Unlocked.")
		assert.Equal(t, page, p.URL.Path)
		p.lacks(t, "is locked out")
		require.Equal(t, mockidp.Active, user(t, idp, alice).Status)
		assert.Equal(t, 200, b.signIn(alice, mockidp.DefaultPassword).Status)
	}
	path := "/people/" + user(t, idp, alice).ID
	b := newBrowser(t, idp)
	b.signIn(alice, mockidp.DefaultPassword).has(t, "My Apps")
	c.press(path+"/end-sessions").has(t, "The user is signed out here")
	b.get(idp.DashboardURL()).has(t, `name="password"`)
	for _, step := range []struct {
		do   string
		then mockidp.UserStatus
	}{{"suspend", mockidp.Suspended}, {"unlock", mockidp.Suspended}, {"unsuspend", mockidp.Active},
		{"deactivate", mockidp.Deprovisioned}, {"activate", mockidp.Active}} {
		c.press(path + "/status/" + step.do)
		assert.Equal(t, step.then, user(t, idp, alice).Status, step.do)
	}
	assert.Equal(t, 404, c.press(path+"/status/promote").Status)
}

// The list of 10,000 users is a small page that can be searched.
func TestConsoleManyUsers(t *testing.T) {
	t.Parallel()
	idp := start(t, company(10_000, 300))
	c := openConsole(t, idp)
	for _, path := range []string{"/", "/people", "/groups", "/groups/" + must(everyoneID(idp)), "/apps",
		"/people/" + user(t, idp, "user1@example.com").ID, "/apps/" + idp.Apps()[0].ID + "/assignments"} {
		assert.Less(t, len(c.page(path).Body), 60_000, path)
	}
	p := c.page("/people?q=USER777")
	p.has(t, "1–11 of 11", "user7770@example.com")
	p.lacks(t, "user1@example.com")
	p = c.page("/people?page=200")
	p.has(t, "9951–10000 of 10000", "page=199")
	p.lacks(t, "page=201")
	c.page("/people?page=99999").has(t, "9951–10000 of 10000")
	c.page("/people?status=SUSPENDED").has(t, "None")
}

func everyoneID(idp *mockidp.Server) (string, error) {
	g, ok := idp.Snapshot().Group(mockidp.Everyone)
	if !ok {
		return "", fmt.Errorf("no group %s", mockidp.Everyone)
	}
	return g.ID, nil
}

func TestConsoleGroups(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	c.fill("/new-group", "name", "Finance", "description", "Counts").has(t, "Created.", "Finance")
	assert.Equal(t, 422, c.fill("/new-group", "name", "Finance").Status)
	g, _ := idp.Snapshot().Group("Finance")
	path := "/groups/" + g.ID
	c.press(path+"/members", "add", bob).has(t, "Added.", bob)
	assert.Equal(t, []string{"Finance"}, user(t, idp, bob).Groups)
	p := c.press(path+"/members", "add", "dave@example.com")
	assert.Equal(t, 422, p.Status)
	p.has(t, "There is no user", `value="dave@example.com"`, `aria-describedby="add-problem"`,
		`action="`+path+`" role="search"`)
	c.fill(path, "name", "Money").has(t, "Saved.", "Money")
	assert.Equal(t, []string{"Money"}, user(t, idp, bob).Groups)
	c.fill(path, "name", "Engineering").has(t, "already exists", `value="Engineering"`)
	c.press(path+"/members", "remove", bob).has(t, "Removed.")
	assert.Empty(t, user(t, idp, bob).Groups)
	everyone := "/groups/" + must(everyoneID(idp))
	c.page(everyone).has(t, "It can't be changed", "1–2 of 2")
	assert.Equal(t, 422, c.press(everyone+"/members", "add", bob).Status)
	assert.Equal(t, 422, c.press(everyone, "name", "x").Status)
	assert.Equal(t, 404, c.get(c.at+"/groups/none").Status)
}

// “Sign out of all apps” says what the mock did, and where the browser has to go.
func TestConsoleSignsOut(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	require.NoError(t, idp.UpdateApp("idc", func(a *mockidp.App) error {
		a.LogoutURL, a.InsecureUnsignedLogout = virginia, true
		return nil
	}))
	path := "/people/" + user(t, idp, alice).ID
	b := newBrowser(t, idp)
	b.signIn(alice, mockidp.DefaultPassword)
	b.get(idp.TileURL("idc"))
	c := openConsole(t, idp)
	c.page(path)
	c.press(path+"/logout").has(t, alice+" is signed out", "No app was called by SOAP", idp.URL+"/login/logout?logout=")
	b.get(idp.DashboardURL()).has(t, `name="password"`)
	c.page(path)
	c.press(path+"/logout").lacks(t, "/login/logout?logout=")
}
