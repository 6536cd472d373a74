package mockidp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// A Snapshot never changes, neither with the Server nor with the values that the Snapshot returned.
func TestSnapshotIsImmutable(t *testing.T) {
	idp := start(t, twoRegions())
	changed, before := idp.Changed(), idp.Snapshot()
	users := before.Users()
	users[0].Groups[0], users[0].Login = "x", "x"
	apps := before.Apps()
	apps[0].ACS[0].URL = "x"
	require.NoError(t, idp.RemoveUser(bob))
	require.NoError(t, idp.RenameGroup("Engineering", "Eng"))
	require.NoError(t, idp.RemoveApp("mark"))
	<-changed

	assert.Len(t, before.Users(), 2)
	u, ok := before.User(alice)
	require.True(t, ok)
	assert.Equal(t, []string{"Engineering"}, u.Groups)
	byID, ok := before.UserByID(u.ID)
	assert.True(t, ok)
	assert.Equal(t, u, byID)
	g, ok := before.Group("Engineering")
	require.True(t, ok)
	assert.Equal(t, []mockidp.Group{g}, before.Groups())
	byID2, ok := before.GroupByID(g.ID)
	assert.True(t, ok)
	assert.Equal(t, g, byID2)
	everyone, ok := before.Group(mockidp.Everyone)
	assert.True(t, ok)
	assert.Regexp(t, `^00g[0-9A-Za-z]{17}$`, everyone.ID)
	app, ok := before.App("idc")
	require.True(t, ok)
	assert.Equal(t, virginia, app.DefaultACS().URL)
	assert.Equal(t, idp.TileURL("idc"), before.TileURL("idc"))
	assert.NotEmpty(t, before.TileURL("mark"))
	assert.Len(t, before.Apps(), 2)
	assert.Len(t, idp.Snapshot().Apps(), 1)
}

// A missing object is reported by a second result, an error or a zero value.
func TestSnapshotOfMissingObjects(t *testing.T) {
	idp := start(t, twoRegions())
	v := idp.Snapshot()
	_, user := v.User("none")
	_, userID := v.UserByID("none")
	_, group := v.Group("none")
	_, groupID := v.GroupByID("none")
	_, app := v.App("none")
	_, assignment := v.Assignment("none", "none")
	assert.Equal(t, []bool{false, false, false, false, false, false},
		[]bool{user, userID, group, groupID, app, assignment})
	assert.Empty(t, v.TileURL("none"))
	assert.Zero(t, v.UserTimes("none"))
	assert.Zero(t, v.GroupTimes("none"))
	assert.Zero(t, v.AppTimes("none"))
	assert.Zero(t, v.GroupAssigned("none", "none"))
	assert.Zero(t, v.GroupAssigned("idc", "none"))
	for id, why := range map[string]mockidp.Reason{"none": mockidp.ReasonNoSuchApp, "mark": mockidp.ReasonNotSAML} {
		_, err := v.AppKeys(id)
		assert.Equal(t, why, reason(t, err), id)
		_, err = v.SigningKey(id)
		assert.Equal(t, why, reason(t, err), id)
		_, err = v.Metadata(id, "")
		assert.Equal(t, why, reason(t, err), id)
	}
	_, err := v.Metadata("idc", "none")
	assert.Equal(t, mockidp.ReasonNoSuchKey, reason(t, err))
}

func TestSnapshotKeys(t *testing.T) {
	idp := start(t, twoRegions())
	first := idp.Keys()[0]
	assert.Equal(t, mockidp.RSASHA256, first.Methods()[0])
	assert.False(t, first.Created.IsZero())
	own, err := idp.AddAppKey("idc", ecdsaKey(), nil)
	require.NoError(t, err)
	require.NoError(t, idp.SignAppWith("idc", own.ID))
	v := idp.Snapshot()
	signs, err := v.SigningKey("idc")
	require.NoError(t, err)
	assert.Equal(t, own.ID, signs.ID)
	assert.True(t, signs.Signing)
	assert.Equal(t, mockidp.ECDSASHA256, signs.Methods()[0])
	published, err := v.Metadata("idc", "")
	require.NoError(t, err)
	assert.Equal(t, idp.Metadata("idc"), published)
	assert.Len(t, publishedBy(t, published), 2)
	one, err := v.Metadata("idc", first.ID)
	require.NoError(t, err)
	assert.Len(t, publishedBy(t, one), 1)

	for years, add := range map[int]func(int) (mockidp.Key, error){2: idp.GenerateKey,
		3: func(n int) (mockidp.Key, error) {
			return idp.GenerateAppKey("idc", n)
		}} {
		k, err := add(years)
		require.NoError(t, err)
		assert.Equal(t, time.Now().UTC().Year()+years, k.Certificate.NotAfter.Year())
	}
}

func TestSnapshotAssignments(t *testing.T) {
	conf := twoRegions()
	conf.Now = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	conf.Apps[0].NameIDTemplate = "id-${user.email}"
	idp := start(t, conf)
	begin := idp.Now()
	u, _ := idp.User(alice)
	g := idp.Groups()[0]
	got, ok := idp.Snapshot().Assignment("idc", u.ID)
	require.True(t, ok)
	assert.Equal(t, mockidp.Assignment{NameID: "id-" + alice, Created: begin, Updated: begin}, got)
	mark, ok := idp.Snapshot().Assignment("mark", u.ID)
	require.True(t, ok)
	assert.Equal(t, mockidp.Assignment{Direct: true, NameID: alice, Created: begin, Updated: begin}, mark)
	assert.Equal(t, begin, idp.Snapshot().GroupAssigned("idc", g.ID))

	idp.Advance(time.Hour)
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.Users, a.Inactive = []string{bob}, true })
	v := idp.Snapshot()
	other, _ := v.User(bob)
	got, ok = v.Assignment("idc", other.ID)
	assert.True(t, ok, "also of an app that is switched off")
	assert.Equal(t, begin.Add(time.Hour), got.Created)
	assert.Equal(t, mockidp.AppTimes{Created: begin, Updated: begin.Add(time.Hour)}, v.AppTimes("idc"))
	assert.Equal(t, begin, v.UserTimes(u.ID).Created)
	assert.Equal(t, mockidp.GroupTimes{Created: begin, Updated: begin, Membership: begin}, v.GroupTimes(g.ID))
	assert.Zero(t, idp.LastLogin(u.ID))
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	assert.Equal(t, idp.Now(), idp.LastLogin(u.ID))
}

// All parts of an Update take effect, and each sees those before it, or none does.
func TestUpdateIsAllOrNothing(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	require.NoError(t, idp.QueueUser(alice))
	var kept *mockidp.Change
	parts := func(c *mockidp.Change) error {
		kept = c
		made, err := c.AddApp(mockidp.App{Label: "New", ACS: []mockidp.ACS{{URL: ireland}}})
		return errors.Join(err,
			c.PutGroup(mockidp.Group{Name: "Finance"}), c.RenameGroup("Finance", "Treasury"), c.RemoveGroup("Engineering"),
			c.AddUser(mockidp.User{Login: "carol@example.com", Groups: []string{"Treasury"}}), c.RenameUser(alice,
				"ann@example.com"),
			c.UpdateUser("ann@example.com", func(u *mockidp.User) error { u.FirstName = "Ann"; return nil }), c.RemoveUser(bob),
			c.UpdateApp(made.ID, func(a *mockidp.App) error { a.Users = []string{"ANN@example.com"}; return nil }),
			c.RemoveApp("mark"))
	}
	before, failed := idp.Snapshot(), errors.New("failed")
	err := idp.Update(func(c *mockidp.Change) error { return errors.Join(parts(c), failed) })
	require.ErrorIs(t, err, failed)
	assert.Equal(t, before.Users(), idp.Users())
	assert.Equal(t, before.Groups(), idp.Groups())
	assert.Equal(t, before.Apps(), idp.Apps())
	b.get(idp.DashboardURL()).contains(t, "Alice Example")
	assert.Equal(t, []string{alice}, idp.Queued().Users, "what is outside the state is unchanged too")

	require.NoError(t, idp.Update(parts))
	b.get(idp.DashboardURL()).contains(t, "Ann Example")
	assert.Equal(t, []string{"ann@example.com"}, idp.Queued().Users)
	assert.Equal(t, []string{"idc", idp.Apps()[1].ID}, []string{idp.Apps()[0].ID, idp.Apps()[1].ID})
	assert.Equal(t, "New", idp.Apps()[1].Label)
	assert.Len(t, idp.Users(), 2)
	assert.Equal(t, "Treasury", idp.Groups()[0].Name)
	assert.Panics(t, func() { _ = kept.RemoveUser("carol@example.com") }, "a Change ends with its Update")
}

func TestQueuedAndClearQueue(t *testing.T) {
	conf := twoRegions()
	conf.Mutations = []string{"X1"}
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	idp := start(t, conf)
	denied := mockidp.Status{SubCode: mockidp.StatusRequestDenied}
	require.NoError(t, idp.QueueUser(alice))
	require.NoError(t, idp.QueueError("idc", denied))
	require.NoError(t, idp.QueueMutation("X1", "", ""))
	assert.Equal(t, mockidp.Queued{Users: []string{alice}, Errors: []mockidp.QueuedError{{App: "idc", Status: denied}},
		Mutations: []string{"X1"}}, idp.Queued())
	assert.Equal(t, []string{"X1"}, idp.MutationIDs())
	idp.ClearQueue()
	assert.Zero(t, idp.Queued())

	_, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	idp.ClearMessages()
	assert.Empty(t, idp.Messages())
	idp.Advance(time.Hour)
	assert.Equal(t, time.Hour, idp.ClockOffset())
	assert.Equal(t, "Mock organisation", idp.Org())
	assert.Contains(t, mockidp.FaultKinds(), mockidp.DropConnection)
	assert.True(t, mockidp.SameLogin("Alice@Example.com", alice))
	assert.False(t, mockidp.SameLogin(bob, alice))
}
