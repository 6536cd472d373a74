package oktaapi_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// watch reports the times of an object of the API that a step changes. Each step is
// an hour after the previous one; a time that it changes must be that hour or null.
type watch struct {
	*api
	path string
	was  object
}

var timeNames = []string{"created", "activated", "statusChanged", "lastLogin", "lastUpdated", "passwordChanged",
	"lastMembershipUpdated"}

func (w *watch) changes(step func(), want ...string) {
	w.t.Helper()
	w.idp.Advance(time.Hour)
	step()
	is := w.ok(200, "GET", w.path, nil)
	now := w.idp.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	var changed []string
	for _, name := range timeNames {
		if is[name] != w.was[name] {
			changed = append(changed, name)
			assert.Contains(w.t, []any{now, nil}, is[name], name)
		}
	}
	assert.ElementsMatch(w.t, want, changed)
	w.was = is
}

// stoppedClock is a Config whose clock is stopped a microsecond past a
// millisecond.
func stoppedClock(c mockidp.Config) mockidp.Config {
	c.Now = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC) }
	return c
}

func TestTimesOfAUser(t *testing.T) {
	t.Parallel()
	a := newAPI(t, stoppedClock(twoRegions()))
	const path = "/api/v1/users/alice"
	w := &watch{a, path, a.ok(200, "GET", path, nil)}
	begin := "2026-01-01T00:00:00.000Z"
	assert.Equal(t, []any{begin, begin, begin, nil, begin, begin},
		[]any{w.was["created"], w.was["activated"], w.was["statusChanged"], w.was["lastLogin"], w.was["lastUpdated"],
			w.was["passwordChanged"]})

	post := func(does string) func() { return func() { a.ok(200, "POST", path+does, nil) } }
	put := func(body object) func() { return func() { a.ok(200, "POST", path, body) } }
	w.changes(func() {})
	w.changes(put(object{"profile": object{"department": "R&D"}}), "lastUpdated")
	w.changes(put(object{"profile": object{"department": "R&D"}})) // as it is
	w.changes(put(object{"credentials": object{"password": object{"value": "another"}}}), "lastUpdated", "passwordChanged")
	w.changes(post("/lifecycle/suspend"), "lastUpdated", "statusChanged")
	w.changes(post("/lifecycle/unsuspend"), "lastUpdated", "statusChanged")
	w.changes(post("/lifecycle/deactivate"), "lastUpdated", "statusChanged")
	w.changes(post("/lifecycle/activate"), "lastUpdated", "statusChanged", "activated")
	w.changes(func() { require.NoError(t, a.idp.RenameUser(alice, "alice@example.org")) }, "lastUpdated")
	w.changes(func() { require.NoError(t, a.idp.RenameUser("alice@example.org", alice)) }, "lastUpdated")
	w.changes(func() { require.NoError(t, a.idp.RenameGroup("Engineering", "Eng")) }) // the group's
	w.changes(func() { require.NoError(t, a.idp.RemoveGroup("Eng")) })
	w.changes(func() { a.ok(200, "PUT", "/api/v1/apps/idc", a.ok(200, "GET", "/api/v1/apps/idc", nil)) })

	b := newBrowser(t, a.idp)
	w.changes(func() { b.signIn(alice, "wrong") })
	w.changes(func() { b.signIn(alice, "another") }, "lastLogin")
	w.changes(func() { b.get(a.idp.DashboardURL()).contains(t, "My Apps") }) // no sign-in
	w.changes(func() {
		require.NoError(t, a.idp.QueueUser(alice))
		newBrowser(t, a.idp).get(a.idp.SignInURL())
	}, "lastLogin")

	// A user who is created again has new times.
	w.changes(func() {
		require.NoError(t, a.idp.RemoveUser(alice))
		a.ok(200, "POST", "/api/v1/users?activate=false", object{"profile": object{"login": alice}})
	}, "created", "activated", "statusChanged", "lastLogin", "lastUpdated", "passwordChanged")
}

// A staged user was never activated and never changed status.
func TestTimesOfAStagedUser(t *testing.T) {
	t.Parallel()
	a := newAPI(t, stoppedClock(twoRegions()))
	made := a.ok(200, "POST", "/api/v1/users?activate=false", object{"profile": object{"login": "carol@example.com"}})
	assert.Equal(t, []any{nil, nil, nil}, []any{made["activated"], made["statusChanged"], made["lastLogin"]})
	w := &watch{a, "/api/v1/users/carol", made}
	w.changes(func() { a.ok(200, "POST", "/api/v1/users/carol/lifecycle/activate", nil) }, "activated", "statusChanged",
		"lastUpdated")
	b := newBrowser(t, a.idp)
	b.signIn(alice, mockidp.DefaultPassword)
	assert.NotNil(t, a.ok(200, "GET", "/api/v1/users/alice", nil)["lastLogin"])
	a.idp.Reset()
	assert.Nil(t, a.ok(200, "GET", "/api/v1/users/alice", nil)["lastLogin"])
	a.refused(404, "E0000007", "GET", "/api/v1/users/carol", nil)
	assert.Equal(t, "2026-01-01T00:00:00.000Z", a.ok(200, "GET", "/api/v1/users/alice", nil)["lastUpdated"])
}

func TestTimesOfAGroup(t *testing.T) {
	t.Parallel()
	a := newAPI(t, stoppedClock(twoRegions()))
	eng := "/api/v1/groups/" + a.list("/api/v1/groups?q=Eng", "id")[0]
	all := "/api/v1/groups/" + a.list("/api/v1/groups?q=Everyone", "id")[0]
	w := &watch{a, eng, a.ok(200, "GET", eng, nil)}
	everyone := &watch{a, all, a.ok(200, "GET", all, nil)}
	member := func(method, who string) func() { return func() { a.ok(204, method, eng+"/users/"+who, nil) } }
	w.changes(member("PUT", "bob"), "lastMembershipUpdated")
	w.changes(member("PUT", "bob"))
	w.changes(member("DELETE", "bob"), "lastMembershipUpdated")
	rename := func(name, about string) func() {
		return func() { a.ok(200, "PUT", eng, object{"profile": object{"name": name, "description": about}}) }
	}
	w.changes(rename("Eng", ""), "lastUpdated")
	w.changes(rename("Eng", "Makes things"), "lastUpdated")
	w.changes(rename("Eng", "Makes things"))
	w.changes(func() { require.NoError(t, a.idp.RenameUser(alice, "a@example.com")) })
	everyone.changes(func() {})
	w.changes(func() { require.NoError(t, a.idp.RemoveUser("a@example.com")) }, "lastMembershipUpdated")
	everyone.changes(func() { require.NoError(t, a.idp.AddUser(mockidp.User{Login: "new", Groups: []string{"Eng"}})) },
		"lastMembershipUpdated")
	w.was = a.ok(200, "GET", eng, nil)
	assert.Equal(t, everyone.was["lastMembershipUpdated"], w.was["lastMembershipUpdated"])
	w.changes(func() {
		require.NoError(t, a.idp.UpdateUser("new", func(u *mockidp.User) error { u.Groups = nil; return nil }))
	}, "lastMembershipUpdated")
}

func TestTimesOfAnApp(t *testing.T) {
	t.Parallel()
	a := newAPI(t, stoppedClock(twoApps()))
	const path = "/api/v1/apps/pay"
	a.ok(200, "PUT", path, a.ok(200, "GET", path, nil)) // sets what was zero
	w := &watch{a, path, a.ok(200, "GET", path, nil)}
	alices, _ := a.idp.User(alice)
	bobs, _ := a.idp.User(bob)
	w.changes(func() { a.ok(200, "PUT", path, a.ok(200, "GET", path, nil)) })
	w.changes(func() { a.ok(200, "POST", path+"/lifecycle/deactivate", nil) }, "lastUpdated")
	w.changes(func() { a.ok(200, "POST", path+"/lifecycle/activate", nil) }, "lastUpdated")
	var kid string
	w.changes(func() { kid = must(a.idp.AddAppKey("pay", ecdsaKey(), nil)).ID })
	w.changes(func() { a.switchTo(200, "pay", kid) }, "lastUpdated")
	w.changes(func() { require.NoError(t, a.idp.SignWith(must(a.idp.AddKey(ecdsaKey(), nil)).ID)) }) // not this app's
	w.changes(func() { require.NoError(t, a.idp.SignAppWith("pay", "")) }, "lastUpdated")
	w.changes(func() { require.NoError(t, a.idp.SignWith(a.idp.Keys()[0].ID)) }, "lastUpdated")

	// Assignments have times of their own.
	w.changes(func() { a.ok(200, "POST", path+"/users", object{"id": bobs.ID}) })
	byBob := &watch{a, path + "/users/" + bobs.ID, a.ok(200, "GET", path+"/users/"+bobs.ID, nil)}
	assert.Equal(t, a.idp.Now().Format("2006-01-02T15:04:05.000Z"), byBob.was["created"])
	byBob.changes(func() { a.ok(200, "POST", path+"/users", object{"id": bobs.ID}) })
	byBob.changes(func() { require.NoError(t, a.idp.RenameUser(bob, "b@example.com")) })
	byAlice := &watch{a, path + "/users/" + alices.ID, a.ok(200, "GET", path+"/users/"+alices.ID, nil)}
	assert.Equal(t, "2026-01-01T00:00:00.000Z", byAlice.was["created"], "by the group, from the start")
	byAlice.changes(func() { a.ok(200, "POST", path+"/users", object{"id": alices.ID}) }, "lastUpdated")
	assert.Equal(t, "USER", byAlice.was["scope"])

	// By a group: since both the app and the user have it.
	require.NoError(t, a.idp.PutGroup(mockidp.Group{Name: "Finance"}))
	finance := a.list("/api/v1/groups?q=Finance", "id")[0]
	a.idp.Advance(time.Hour)
	given := a.ok(200, "PUT", path+"/groups/"+finance, object{})
	assert.Equal(t, a.idp.Now().Format("2006-01-02T15:04:05.000Z"), given["lastUpdated"])
	a.idp.Advance(time.Hour)
	require.NoError(t, a.idp.AddUser(mockidp.User{Login: "carol@example.com"}))
	a.idp.Advance(time.Hour)
	a.ok(204, "PUT", "/api/v1/groups/"+finance+"/users/carol", nil)
	joined := a.idp.Now().Format("2006-01-02T15:04:05.000Z")
	a.idp.Advance(time.Hour)
	a.ok(200, "POST", "/api/v1/users/carol", object{"profile": object{"title": "Dr"}})
	carol := a.ok(200, "GET", path+"/users/carol", nil)
	assert.Equal(t, []any{joined, joined, joined, "GROUP"}, []any{carol["created"], carol["lastUpdated"],
		carol["statusChanged"], carol["scope"]})
	assert.Equal(t, given, a.ok(200, "GET", path+"/groups/"+finance, nil))
}

// Polling by time returns every change once.
func TestPollingByTime(t *testing.T) {
	t.Parallel()
	a := newAPI(t, stoppedClock(company(20, 3)))
	since := text2(a.ok(200, "GET", "/api/v1/users/user1@example.com", nil)["lastUpdated"])
	poll := func() []string {
		t.Helper()
		found := a.list(`/api/v1/users?filter=lastUpdated+gt+"`+since+`"`, "profile.login")
		since = a.idp.Now().Format("2006-01-02T15:04:05.000Z")
		return found
	}
	assert.Empty(t, poll())
	a.idp.Advance(time.Millisecond)
	for _, n := range []string{"7", "12"} {
		a.ok(200, "POST", "/api/v1/users/user"+n+"@example.com", object{"profile": object{"title": "Dr"}})
	}
	assert.Equal(t, []string{"user12@example.com", "user7@example.com"}, poll())
	assert.Empty(t, poll())
	a.idp.Advance(time.Millisecond)
	a.ok(204, "DELETE", "/api/v1/users/user3@example.com", nil)
	assert.Equal(t, []string{"user3@example.com"}, poll(), "a deactivated user is listed")

	a.idp.Advance(time.Second)
	before := a.idp.Now().Add(-time.Millisecond).Format(time.RFC3339Nano)
	g := a.idp.Groups()[1]
	a.ok(204, "DELETE", "/api/v1/groups/"+g.ID+"/users/"+a.list("/api/v1/groups/"+g.ID+"/users", "id")[0], nil)
	assert.Equal(t, []string{g.Name},
		a.list(`/api/v1/groups?filter=type+eq+"OKTA_GROUP"+and+(lastUpdated+gt+"`+before+`"+or+lastMembershipUpdated+gt+"`+before+`")`, "profile.name"))
}

// Times are correct under concurrent changes.
func TestTimesUnderLoad(t *testing.T) {
	t.Parallel()
	a := newAPI(t, stoppedClock(company(50, 5)))
	a.idp.Advance(time.Second)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 10 {
				login := fmt.Sprintf("user%d@example.com", i*10+n)
				assert.NoError(t, a.idp.UpdateUser(login, func(u *mockidp.User) error { u.LastName += "x"; return nil }))
			}
		})
	}
	wg.Wait()
	assert.Len(t, a.list(`/api/v1/users?filter=lastUpdated+gt+"2026-01-01T00:00:00.000Z"`, "id"), 40)
}
