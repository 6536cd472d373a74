package mockidp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// A renamed user keeps the ID, sessions, assignments, groups, place in the queue and mutations.
func TestRenameUser(t *testing.T) {
	conf := namingMutations("A")
	conf.Apps[0].Users = []string{"ALICE@example.com"}
	conf.Users[0].Attributes = map[string][]string{"badge": {"7"}}
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	held := newBrowser(t, idp)
	waiting := held.get(redirect(idp, request(), "s"))
	require.NoError(t, idp.QueueUser(alice))
	require.NoError(t, idp.SetMutation("A", "", alice))
	before, _ := idp.User(alice)
	at := idp.Snapshot().UserTimes(before.ID)

	require.NoError(t, idp.RenameUser("Alice@EXAMPLE.com", "ann@example.com"))
	_, there := idp.User(alice)
	assert.False(t, there)
	after, there := idp.User("ann@example.com")
	require.True(t, there)
	before.Login = "ann@example.com"
	assert.Equal(t, before, after, "the Email too")
	assert.Equal(t, at.Created, idp.Snapshot().UserTimes(after.ID).Created)
	b.get(idp.DashboardURL()).contains(t, "Alice Example")
	assert.Equal(t, []string{"ann@example.com"}, idp.Queued().Users)
	assert.Equal(t, []mockidp.StandingMutation{{ID: "A", User: "ann@example.com"}}, idp.StandingMutations())
	app, _ := idp.App("idc")
	assert.Equal(t, []string{"ann@example.com"}, app.Users)
	given, ok := idp.Snapshot().Assignment("idc", after.ID)
	require.True(t, ok)
	assert.Equal(t, "ann@example.com", given.NameID)
	held.signIn(waiting, "ann@example.com", mockidp.DefaultPassword).answer(t)
	assert.Equal(t, "A", mutationOf(t, idp, "idc", "ann@example.com"))

	// The old login is free, and a new user with it is another user.
	require.NoError(t, idp.AddUser(mockidp.User{Login: alice}))
	other, _ := idp.User(alice)
	assert.NotEqual(t, after.ID, other.ID)
	assert.Equal(t, "", mutationOf(t, idp, "idc", alice))
	require.NoError(t, idp.RemoveUser("ann@example.com"))
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
}

func TestInvalidRenames(t *testing.T) {
	idp := start(t, twoRegions())
	before := idp.Snapshot()
	for name, c := range map[string]struct {
		err error
		why mockidp.Reason
	}{
		"unknown user": {idp.RenameUser("none", "x"), mockidp.ReasonNoSuchUser},
		"taken":        {idp.RenameUser(alice, "BOB@example.com"), mockidp.ReasonConfig},
		"empty":        {idp.RenameUser(alice, ""), mockidp.ReasonConfig},
		"space":        {idp.RenameUser(alice, " ann"), mockidp.ReasonConfig},
		"by UpdateUser": {
			idp.UpdateUser(alice, func(u *mockidp.User) error { u.Login = "ann"; return nil }), mockidp.ReasonConfig},
		"no group":        {idp.RenameGroup("none", "x"), mockidp.ReasonNoSuchGroup},
		"Everyone":        {idp.RenameGroup(mockidp.Everyone, "x"), mockidp.ReasonNoSuchGroup},
		"to Everyone":     {idp.RenameGroup("Engineering", mockidp.Everyone), mockidp.ReasonConfig},
		"nameless group":  {idp.RenameGroup("Engineering", ""), mockidp.ReasonConfig},
		"removed already": {idp.RemoveUser("none"), mockidp.ReasonNoSuchUser},
	} {
		assert.Equal(t, c.why, reason(t, c.err), name)
	}
	assert.Equal(t, before, idp.Snapshot())

	// The same login in another case is the same user.
	require.NoError(t, idp.RenameUser(alice, "Alice@Example.com"))
	u, _ := idp.User(alice)
	assert.Equal(t, "Alice@Example.com", u.Login)
	require.NoError(t, idp.RenameGroup("Engineering", "Engineering"))
	require.NoError(t, idp.PutGroup(mockidp.Group{Name: "Finance"}))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.RenameGroup("Engineering", "Finance")))
}

// A renamed group keeps its ID, members and apps; its old name is free.
func TestRenameGroup(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].GroupAttribute = &mockidp.GroupAttribute{}
	idp := start(t, conf)
	g := idp.Groups()[0]
	require.NoError(t, idp.RenameGroup("Engineering", "Eng"))
	g.Name = "Eng"
	assert.Equal(t, []mockidp.Group{g}, idp.Groups())
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, "Eng", text(t, decode(t, form), "//Attribute[@Name='groups']/AttributeValue"))
	require.NoError(t, idp.PutGroup(mockidp.Group{Name: "Engineering"}))
	assert.NotEqual(t, idp.Groups()[0].ID, idp.Groups()[1].ID)
	require.NoError(t, idp.RemoveGroup("Eng"))
	_, err = idp.IdPInitiated("idc", alice, "")
	assert.Equal(t, mockidp.ReasonNotAssigned, reason(t, err))
}
