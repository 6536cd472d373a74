package mockidp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// A Config of the present state replaces a later one: everything that it holds is as it was.
func TestReplace(t *testing.T) {
	t.Parallel()
	c := twoRegions()
	c.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	c.Faults = []mockidp.Fault{{Kind: mockidp.Delay, Count: 2}}
	c.StandingMutations = []mockidp.StandingMutation{{ID: "A03", User: alice}}
	idp := start(t, c)
	own, err := idp.AddAppKey("idc", ecdsaKey(), nil)
	require.NoError(t, err)
	require.NoError(t, idp.SignAppWith("idc", own.ID))
	was, keys := idp.Config(), idp.Keys()

	require.NoError(t, idp.RemoveUser(bob))
	require.NoError(t, idp.PutGroup(mockidp.Group{Name: "Sales"}))
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.Audience, a.KeyID = "other", "" })
	require.NoError(t, idp.RemoveApp("mark"))
	require.NoError(t, idp.RetireAppKey("idc", own.ID))
	added, err := idp.AddKey(nil, nil)
	require.NoError(t, err)
	require.NoError(t, idp.SignWith(added.ID))
	idp.ClearFaults("")
	idp.ClearMutations()
	changed := idp.Changed()
	require.NoError(t, idp.CheckReplace(was))
	assert.Len(t, idp.Users(), 1, "it was checked only")
	require.NoError(t, idp.Replace(was))
	<-changed
	now := idp.Config()
	assert.Equal(t, was.Users, now.Users)
	assert.Equal(t, was.Groups, now.Groups)
	assert.Equal(t, was.Apps, now.Apps)
	assert.Equal(t, was.Faults, now.Faults)
	assert.Equal(t, was.StandingMutations, now.StandingMutations)
	assert.Equal(t, keys[0].Certificate, idp.Certificate())
	assert.Len(t, idp.Keys(), 1)
	signs, err := idp.Snapshot().SigningKey("idc")
	require.NoError(t, err)
	assert.Equal(t, own.Certificate, signs.Certificate)
}

// Without keys in the Config the present ones stay, also those of an app that stays.
func TestReplaceKeepsKeys(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	own, err := idp.AddAppKey("idc", ecdsaKey(), nil)
	require.NoError(t, err)
	require.NoError(t, idp.SignAppWith("idc", own.ID))
	certificate := idp.Certificate()
	c := idp.Config()
	c.Key, c.Certificate, c.Keys = nil, nil, nil
	require.NoError(t, idp.Replace(c))
	assert.Equal(t, certificate, idp.Certificate())
	keys, err := idp.AppKeys("idc")
	require.NoError(t, err)
	assert.Len(t, keys, 2)
	c.Apps = c.Apps[1:]
	require.NoError(t, idp.Replace(c))
	assert.Len(t, idp.Keys(), 1)
}

// An invalid Config changes nothing.
func TestReplaceIsAllOrNothing(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	before := idp.Snapshot()
	for name, change := range map[string]func(*mockidp.Config){
		"duplicate user":   func(c *mockidp.Config) { c.Users = append(c.Users, c.Users[0]) },
		"unknown group":    func(c *mockidp.Config) { c.Apps[0].Groups = []string{"Sales"} },
		"app":              func(c *mockidp.Config) { c.Apps[1].URL = "x" },
		"fault":            func(c *mockidp.Config) { c.Faults = []mockidp.Fault{{Kind: "x"}} },
		"standing":         func(c *mockidp.Config) { c.StandingMutations = []mockidp.StandingMutation{{ID: "A03"}} },
		"key of no app":    func(c *mockidp.Config) { c.Keys = []mockidp.KeyPair{{Key: ecdsaKey(), Apps: []string{"none"}}} },
		"certificate only": func(c *mockidp.Config) { c.Key, c.Certificate = nil, idp.Certificate() },
		"lifetime":         func(c *mockidp.Config) { c.SessionLifetime = -1 },
	} {
		c := idp.Config()
		change(&c)
		assert.Error(t, idp.CheckReplace(c), name)
		var e *mockidp.Error
		require.ErrorAs(t, idp.Replace(c), &e, name)
		assert.Equal(t, before, idp.Snapshot(), name)
	}
}

// The sessions of users who are gone, deactivated or other users now end; others stay.
func TestReplaceEndsSessions(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	a, b := newBrowser(t, idp), newBrowser(t, idp)
	require.Equal(t, 200, a.signIn(a.get(idp.SignInURL()), alice, mockidp.DefaultPassword).Status)
	require.Equal(t, 200, b.signIn(b.get(idp.SignInURL()), bob, "bob's own").Status)
	c := idp.Config()
	c.Users[1].ID = "00uother"
	require.NoError(t, idp.Replace(c))
	a.get(idp.DashboardURL()).contains(t, "My Apps")
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	c.Users[0].Status = mockidp.Suspended
	require.NoError(t, idp.Replace(c))
	a.get(idp.DashboardURL()).contains(t, `name="password"`)
	idp.Reset()
	assert.Len(t, idp.Users(), 2)
}
