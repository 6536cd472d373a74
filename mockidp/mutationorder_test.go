package mockidp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// namingMutations returns a Config whose answers name their mutation.
func namingMutations(ids ...string) mockidp.Config {
	conf := twoRegions()
	conf.Apps = append(conf.Apps, mockidp.App{ID: "pay", Label: "Payroll", Audience: "pay",
		Groups: []string{mockidp.Everyone}, ACS: []mockidp.ACS{{URL: frank}}})
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	conf.Mutations = ids
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		if m.ID == "" {
			return mockidp.Mutated{}, nil
		}
		return mockidp.Mutated{Response: []byte("<" + m.ID + "/>")}, nil
	}
	return conf
}

// mutationOf returns the mutation of the app's next answer about a user.
func mutationOf(t *testing.T, idp *mockidp.Server, app, login string) string {
	t.Helper()
	form, err := idp.IdPInitiated(app, login, "")
	require.NoError(t, err)
	ms := idp.Messages()
	tag := decode(t, form).Tag
	if tag == "Response" {
		tag = ""
	}
	assert.Equal(t, tag, ms[len(ms)-1].Attack, "the message names it")
	return tag
}

func TestStandingMutations(t *testing.T) {
	conf := namingMutations("ALL", "APP", "USER", "BOTH", "ONCE")
	conf.StandingMutations = []mockidp.StandingMutation{{ID: "ALL"}}
	idp := start(t, conf)
	all := func() []string {
		t.Helper()
		return []string{mutationOf(t, idp, "idc", alice), mutationOf(t, idp, "idc", bob), mutationOf(t, idp, "pay", alice),
			mutationOf(t, idp, "pay", bob)}
	}
	assert.Equal(t, []string{"ALL", "ALL", "ALL", "ALL"}, all())
	// The most specific one applies, in any order of calls, and stays on.
	require.NoError(t, idp.SetMutation("BOTH", "idc", alice))
	require.NoError(t, idp.SetMutation("USER", "", "ALICE@example.com"))
	require.NoError(t, idp.SetMutation("APP", "pay", ""))
	for range 2 {
		assert.Equal(t, []string{"BOTH", "ALL", "USER", "APP"}, all())
	}
	assert.Equal(t, []mockidp.StandingMutation{{ID: "ALL"}, {"BOTH", "idc", alice}, {"USER", "", alice},
		{"APP", "pay", ""}}, idp.StandingMutations())
	// A queued one goes first, and applies once.
	require.NoError(t, idp.QueueMutation("ONCE", "", ""))
	assert.Equal(t, []string{"ONCE", "ALL", "USER", "APP"}, all())

	// The rule follows a renamed user; a pair has one rule; "" switches it off.
	require.NoError(t, idp.RenameUser(alice, "ann@example.com"))
	assert.Equal(t, "USER", mutationOf(t, idp, "pay", "ann@example.com"))
	require.NoError(t, idp.SetMutation("ONCE", "", "ann@example.com"))
	assert.Equal(t, "ONCE", mutationOf(t, idp, "pay", "ann@example.com"))
	require.NoError(t, idp.SetMutation("", "", "ann@example.com"))
	require.NoError(t, idp.SetMutation("", "", "nobody"), "nothing is switched on")
	assert.Equal(t, "APP", mutationOf(t, idp, "pay", "ann@example.com"))
	idp.ClearMutations()
	assert.Empty(t, idp.StandingMutations())
	assert.Equal(t, "", mutationOf(t, idp, "pay", bob))

	require.NoError(t, idp.SetMutation("APP", "pay", ""))
	idp.Reset()
	assert.Equal(t, []string{"ALL", "ALL", "ALL", "ALL"}, all(), "back to the Config")

	for _, bad := range [][3]string{{"NONE", "", ""}, {"ALL", "mark", ""}, {"ALL", "none", ""}, {"ALL", "", "nobody"}} {
		assert.Error(t, idp.SetMutation(bad[0], bad[1], bad[2]), bad)
	}
	for name, list := range map[string][]mockidp.StandingMutation{
		"unknown": {{ID: "NONE"}},
		"no ID":   {{App: "idc"}},
		"app":     {{ID: "ALL", App: "none"}},
		"user":    {{ID: "ALL", User: "nobody"}},
		"twice":   {{ID: "ALL", User: alice}, {ID: "APP", User: "Alice@Example.com"}},
	} {
		conf.StandingMutations = list
		_, err := mockidp.Open(conf)
		assert.Error(t, err, name)
	}
	conf.Mutate = nil
	_, err := mockidp.Open(conf)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}

// The mutation chosen on the sign-in page precedes those queued or switched on, which stay.
func TestAttackChosenOnTheSignInPage(t *testing.T) {
	conf := namingMutations("ALL", "ONCE", "CHOSEN")
	conf.Users[1].SecondFactor = "123"
	idp := start(t, conf)
	b := newBrowser(t, idp)
	page := b.get(redirect(idp, request(), "s"))
	page.contains(t, "none: a good answer")
	require.NoError(t, idp.SetMutation("ALL", "idc", ""))
	require.NoError(t, idp.QueueMutation("ONCE", "idc", ""))
	page = b.get(redirect(idp, request(), "s"))
	page.contains(t, "the queued or switched-on one")
	v := page.fields()
	v.Set("username", bob)
	v.Set("password", "bob's own")
	v.Set("attack", "CHOSEN")
	code := b.post(idp.SignInURL(), v)
	v = code.fields()
	v.Set("code", "123")
	assert.Equal(t, "CHOSEN", decode(t, b.post(idp.URL+"/login/second-factor", v).answer(t)).Tag,
		"also with a second factor")
	for _, want := range []string{"ONCE", "ALL", "ALL"} {
		assert.Equal(t, want, decode(t, b.get(redirect(idp, request(), "")).answer(t)).Tag)
	}
}
