package mockidp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// A Server of another's Config has the same users, apps, keys and metadata, and changes to one don't reach the other.
func TestConfigMakesTheSameServer(t *testing.T) {
	old := start(t, mockidp.Config{OddPaths: true, Org: "Export", Faults: []mockidp.Fault{{Kind: mockidp.Delay, Count: 3}},
		Users: []mockidp.User{{Login: "alice@example.com", Groups: []string{"Team"}}},
		Apps:  []mockidp.App{{Label: "One", Groups: []string{"Team"}}, {Label: "Two", Profile: mockidp.Entra}}})
	one, two := old.Apps()[0], old.Apps()[1]
	next, err := old.AddKey(otherKey(), nil)
	require.NoError(t, err)
	own, err := old.AddAppKey(two.ID, testkit.RSAKey("app"), nil)
	require.NoError(t, err)
	require.NoError(t, old.SignAppWith(two.ID, own.ID))
	first := old.Keys()[0]
	require.NoError(t, old.SignWith(next.ID))
	require.NoError(t, old.AddUser(mockidp.User{Login: "bob@example.com", Attributes: map[string][]string{"a": {"b"}}}))

	c := old.Config()
	c.BaseURL, c.OddPaths = "http://idp.localhost:1", false
	same, err := mockidp.Open(c)
	require.NoError(t, err)
	require.Equal(t, old.Users(), same.Users())
	require.Equal(t, old.Groups(), same.Groups())
	require.Equal(t, old.Apps(), same.Apps())
	require.Equal(t, old.Faults(), same.Faults())
	require.Equal(t, next.Certificate, same.Certificate())
	ids := func(s *mockidp.Server, app string) (out []string) {
		list, err := s.AppKeys(app)
		require.NoError(t, err)
		for _, k := range list {
			out = append(out, k.ID)
		}
		return out
	}
	require.Equal(t, []string{next.ID, first.ID}, ids(same, one.ID))
	require.Equal(t, []string{next.ID, first.ID, own.ID}, ids(same, two.ID))
	signs, err := same.Snapshot().SigningKey(two.ID)
	require.NoError(t, err)
	require.Equal(t, own.ID, signs.ID)

	c.Users[0].Groups[0], c.Apps[0].Groups[0] = "changed", "changed"
	require.Equal(t, same.Users(), old.Users())
	require.Equal(t, same.Apps(), old.Apps())
	again := same.Config()
	require.Equal(t, []mockidp.KeyPair{{Key: again.Keys[0].Key, Certificate: first.Certificate},
		{Key: again.Keys[1].Key, Certificate: own.Certificate, Apps: []string{two.ID}}}, again.Keys)
}

func TestFurtherKeysAreChecked(t *testing.T) {
	first := start(t, mockidp.Config{Key: rsaKey()}).Certificate()
	for name, list := range map[string][]mockidp.KeyPair{
		"no key":      {{}},
		"twice":       {{Key: rsaKey(), Certificate: first}},
		"no app":      {{Key: otherKey(), Apps: []string{"none"}}},
		"empty ID":    {{Key: otherKey(), Apps: []string{""}}},
		"another key": {{Key: otherKey(), Certificate: first}},
	} {
		_, err := mockidp.Open(mockidp.Config{Key: rsaKey(), Certificate: first, Keys: list})
		var e *mockidp.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, mockidp.ReasonConfig, e.Reason, name)
	}
}
