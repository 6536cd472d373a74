package center_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

const (
	firstIdP  = "https://first.idp.example/saml"
	secondIdP = "https://second.idp.example/saml"
)

func adopt(tx *center.Tx) error {
	return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: firstIdP, Name: "First"})
}

// migrated is writable with two identity providers, and an alice and a group at each.
func migrated(t *testing.T) (*center.Instance, *center.View) {
	t.Helper()
	inst, err := center.New(writable())
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, v.Update(adopt))
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		_ = tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP})
		_ = tx.PutUser(center.User{ID: "u-9", UserName: "alice@example.com", IdentityProvider: secondIdP})
		return tx.PutGroup(center.Group{
			ID: "g-9", Name: "Developers", Members: []string{"u-9"}, IdentityProvider: secondIdP,
		})
	}))
	return inst, v
}

// Invariant 18: a user belongs to the identity provider that vouches for them.
func TestInvariant18_UsersOfTwoIdentityProviders(t *testing.T) {
	_, v := migrated(t)
	for provider, id := range map[string]string{firstIdP: "u-1", secondIdP: "u-9"} {
		u, ok := v.UserOf(provider, "alice@example.com")
		require.True(t, ok, provider)
		assert.Equal(t, id, u.ID)
	}
	for _, provider := range []string{"", secondIdP, firstIdP + "/", strings.ToUpper(firstIdP), "https://third.example"} {
		_, ok := v.UserOf(provider, "carol@example.com")
		assert.False(t, ok, provider)
	}
	_, ok := v.User("alice@example.com")
	assert.False(t, ok, "two users have the name")
	carol, ok := v.User("carol@example.com")
	assert.True(t, ok)
	assert.Equal(t, firstIdP, carol.IdentityProvider)
	assert.Equal(t, []center.IdentityProvider{{EntityID: firstIdP, Name: "First"}, {EntityID: secondIdP}},
		v.IdentityProviders())
	assert.Equal(t, "First", v.IdentityProviders()[0].Label())
	assert.Equal(t, secondIdP, v.IdentityProviders()[1].Label())
}

// Without a list, all users belong to the only identity provider, unless their own field names another.
func TestUserOfWithoutAList(t *testing.T) {
	d := seed()
	d.Users[0].IdentityProvider = firstIdP
	v := view(t, d, "us-east-1")
	for provider, want := range map[string]bool{firstIdP: true, secondIdP: false, "": false} {
		_, ok := v.UserOf(provider, "alice@example.com")
		assert.Equal(t, want, ok, provider)
		_, ok = v.UserOf(provider, "carol@example.com")
		assert.True(t, ok, provider)
	}
	_, ok := v.User("alice@example.com")
	assert.True(t, ok)
	assert.Empty(t, v.IdentityProviders())
	d.Users = append(d.Users, center.User{ID: "u-9", UserName: "alice@example.com", IdentityProvider: secondIdP})
	_, err := center.New(d)
	requireReason(t, center.ReasonDuplicate, err)
}

func TestUpdatesOfSeveralIdentityProviders(t *testing.T) {
	for name, c := range map[string]struct {
		reason center.Reason
		rule   string
		change func(*center.Tx) error
	}{
		"the same userName": {center.ReasonDuplicate, "userName of user", func(tx *center.Tx) error {
			return tx.PutUser(center.User{ID: "x", UserName: "alice@example.com", IdentityProvider: secondIdP})
		}},
		"the same group name": {center.ReasonDuplicate, "name of group", func(tx *center.Tx) error {
			return tx.PutGroup(center.Group{ID: "x", Name: "Developers", IdentityProvider: secondIdP})
		}},
		"another user without an ID": {center.ReasonDuplicate, "ID of user", func(tx *center.Tx) error {
			return tx.PutUser(center.User{UserName: "carol@example.com", IdentityProvider: secondIdP})
		}},
		"another group without an ID": {center.ReasonDuplicate, "ID of group", func(tx *center.Tx) error {
			_ = tx.PutGroup(center.Group{Name: "New", IdentityProvider: firstIdP})
			return tx.PutGroup(center.Group{Name: "New", IdentityProvider: secondIdP})
		}},
		"a user of none": {center.ReasonDangling, "identityProvider of user", func(tx *center.Tx) error {
			return tx.PutUser(center.User{ID: "x", UserName: "x"})
		}},
		"a user of an unlisted one": {center.ReasonDangling, "identityProvider of user", func(tx *center.Tx) error {
			return tx.PutUser(center.User{ID: "x", UserName: "x", IdentityProvider: "https://third.example"})
		}},
		"a group of none": {center.ReasonDangling, "identityProvider of group", func(tx *center.Tx) error {
			return tx.PutGroup(center.Group{ID: "x", Name: "x"})
		}},
		"a member of another one": {center.ReasonInvalid, "member of group", func(tx *center.Tx) error {
			return tx.PutGroup(center.Group{ID: "x", Name: "x", Members: []string{"u-1"}, IdentityProvider: secondIdP})
		}},
		"a member who moves": {center.ReasonInvalid, "member of group", func(tx *center.Tx) error {
			u := tx.Data().Users[0]
			u.UserName, u.IdentityProvider = "moved@example.com", secondIdP
			return tx.PutUser(u)
		}},
		"removal of one in use": {center.ReasonDangling, "identityProvider of", func(tx *center.Tx) error {
			return tx.RemoveIdentityProvider(secondIdP)
		}},
		"removal of an unknown one": {center.ReasonNotFound, "identityProvider", func(tx *center.Tx) error {
			return tx.RemoveIdentityProvider("https://third.example")
		}},
		"no entity ID": {center.ReasonRequired, "entityId", func(tx *center.Tx) error {
			return tx.PutIdentityProvider(center.IdentityProvider{Name: "x"})
		}},
		"a long entity ID": {center.ReasonInvalid, "entityId", func(tx *center.Tx) error {
			return tx.PutIdentityProvider(center.IdentityProvider{EntityID: strings.Repeat("x", 1025)})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inst, v := migrated(t)
			before := inst.Snapshot()
			e := requireReason(t, c.reason, v.Update(c.change))
			assert.Contains(t, e.Rule, c.rule)
			assert.Same(t, before, inst.Snapshot())
		})
	}
	inst, v := migrated(t)
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		_ = tx.RemoveUser("u-9")
		_ = tx.RemoveGroup("g-9")
		return tx.RemoveIdentityProvider(secondIdP)
	}))
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.RemoveIdentityProvider(firstIdP) }), "the last one")
	u, ok := inst.Snapshot().UserOf(firstIdP, "alice@example.com")
	assert.True(t, ok)
	assert.Equal(t, firstIdP, u.IdentityProvider)
	for _, change := range []func(*center.Tx) error{
		func(tx *center.Tx) error { return tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP}) },
		func(tx *center.Tx) error { return tx.RemoveIdentityProvider(firstIdP) },
	} {
		eu, err := inst.In("eu-central-1")
		require.NoError(t, err)
		requireReason(t, center.ReasonNotPrimary, eu.Update(change))
	}
}

func TestAdoptIdentityProvider(t *testing.T) {
	inst, err := center.New(writable())
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	before := inst.Snapshot()
	e := requireReason(t, center.ReasonDangling, v.Update(func(tx *center.Tx) error {
		return tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP})
	}))
	assert.Contains(t, e.Rule, "identityProvider of user")
	require.NoError(t, v.Update(adopt))
	after := inst.Snapshot()
	for _, u := range after.Data().Users {
		assert.Equal(t, firstIdP, u.IdentityProvider)
		was, _ := before.UserByID(u.ID)
		was.IdentityProvider, was.UpdatedAt = firstIdP, u.UpdatedAt
		assert.Equal(t, was, u, "nothing else changes")
		assert.NotZero(t, u.UpdatedAt)
	}
	for _, g := range after.Data().Groups {
		assert.Equal(t, firstIdP, g.IdentityProvider)
	}
	assert.Equal(t, before.Accounts("u-1"), after.Accounts("u-1"))
	again := func() {
		state := inst.Snapshot()
		require.NoError(t, v.Update(func(tx *center.Tx) error {
			return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: firstIdP})
		}))
		assert.Empty(t, center.Diff(state, inst.Snapshot()))
	}
	again()
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		_ = tx.PutIdentityProvider(center.IdentityProvider{EntityID: secondIdP})
		return tx.PutUser(center.User{UserName: "bea@example.com", IdentityProvider: secondIdP})
	}))
	again()
	requireReason(t, center.ReasonInvalid, v.Update(func(tx *center.Tx) error {
		return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: "https://third.example"})
	}))

	ambiguous := seed()
	ambiguous.Users[0].IdentityProvider = secondIdP
	e = requireReason(t, center.ReasonInvalid, view(t, ambiguous, "us-east-1").Update(adopt))
	assert.Contains(t, e.Rule, "alice@example.com")
	ambiguous = seed()
	ambiguous.Groups[1].IdentityProvider = secondIdP
	e = requireReason(t, center.ReasonInvalid, view(t, ambiguous, "us-east-1").Update(adopt))
	assert.Contains(t, e.Rule, "Auditors")
}

// A state that was put together from several copies may have what an update can't make. It opens, grants nothing, and
// can be changed.
func TestStoredUsersOfNoIdentityProvider(t *testing.T) {
	_, v := migrated(t)
	d := v.Snapshot().Data()
	d.Users[0].IdentityProvider = "" // u-1, in groups of the first one
	d.Groups[1].IdentityProvider = "https://third.example"
	_, err := center.New(d)
	requireReason(t, center.ReasonDangling, err)
	inst, err := center.NewJournaled(d, nil)
	require.NoError(t, err)
	for _, provider := range []string{"", firstIdP, "https://third.example"} {
		u, ok := inst.Snapshot().UserOf(provider, "alice@example.com")
		assert.False(t, ok, "%s: %v", provider, u)
	}
	assert.Len(t, inst.Snapshot().Accounts("u-1"), 1, "its own assignment, and none of a group")
	v, err = inst.In("us-east-1")
	require.NoError(t, err)
	requireReason(t, center.ReasonInvalid, v.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: "u-5", UserName: "new", IdentityProvider: firstIdP})
	}))
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		for _, g := range tx.Data().Groups[:2] {
			g.Members = nil
			_ = tx.PutGroup(g)
		}
		return tx.PutUser(center.User{ID: "u-5", UserName: "new", IdentityProvider: firstIdP})
	}))
	requireReason(t, center.ReasonInvalid, v.Update(adopt)) // it isn't clear whose the user is
}

func TestIdentityProvidersAreRecords(t *testing.T) {
	_, v := migrated(t)
	there, err := center.New(writable())
	require.NoError(t, err)
	changes := center.Diff(there.Snapshot(), v.Snapshot())
	assert.Contains(t, changes, center.Record{Kind: center.KindIdentityProvider, Key: firstIdP,
		Value: []byte(`{"entityId":"` + firstIdP + `","name":"First"}`)})
	require.NoError(t, there.Apply(changes))
	assert.Equal(t, v.Snapshot().Records(), there.Snapshot().Records())
	u, ok := there.Snapshot().UserOf(secondIdP, "alice@example.com")
	assert.True(t, ok)
	assert.Equal(t, "u-9", u.ID)
}

// After a recovery, a user or group may belong to none. Another identity provider's of the same name doesn't get its
// ID, and so not its assignments, unless the ID is given.
func TestAUserOfNoIdentityProviderIsReplacedByIDOnly(t *testing.T) {
	_, v := migrated(t)
	d := v.Snapshot().Data()
	d.Users = append(d.Users, center.User{UserName: "dan@example.com"})
	d.Groups = append(d.Groups, center.Group{Name: "Operators"})
	inst, err := center.NewJournaled(d, nil)
	require.NoError(t, err)
	v, err = inst.In("us-east-1")
	require.NoError(t, err)
	for _, provider := range []string{firstIdP, secondIdP} {
		e := requireReason(t, center.ReasonDuplicate, v.Update(func(tx *center.Tx) error {
			return tx.PutUser(center.User{UserName: "dan@example.com", IdentityProvider: provider})
		}))
		assert.Contains(t, e.Error(), "no identity provider")
		requireReason(t, center.ReasonDuplicate, v.Update(func(tx *center.Tx) error {
			return tx.PutGroup(center.Group{Name: "Operators", IdentityProvider: provider})
		}))
	}
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		_ = tx.PutGroup(center.Group{ID: "Operators", Name: "Operators", IdentityProvider: firstIdP})
		return tx.PutUser(center.User{ID: "dan@example.com", UserName: "dan@example.com", IdentityProvider: firstIdP})
	}))
	_, ok := v.UserOf(firstIdP, "dan@example.com")
	assert.True(t, ok)
}
