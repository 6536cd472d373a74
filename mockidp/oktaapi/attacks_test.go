package oktaapi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestAttacks(t *testing.T) {
	t.Parallel()
	conf := twoApps()
	for i := range conf.Apps {
		conf.Apps[i].Groups = []string{mockidp.Everyone}
	}
	conf.Mutations = []string{"A", "B", "C"}
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{Response: []byte("<x/>")}, nil }
	a := newAPI(t, conf)
	told := func(app, login string) string {
		t.Helper()
		_, err := a.idp.IdPInitiated(app, login, "")
		require.NoError(t, err)
		ms := a.idp.Messages()
		return ms[len(ms)-1].Attack
	}
	on := func(body object) []any {
		t.Helper()
		return a.ok(200, "POST", "/control/attacks", body)["attacks"].([]any)
	}
	assert.Empty(t, a.ok(200, "GET", "/control/attacks", nil)["attacks"])
	on(object{"id": "A"})
	on(object{"id": "B", "app": "pay", "user": "alice"})
	assert.Equal(t, []any{object{"id": "A"}, object{"id": "B", "app": "pay", "user": alice},
		object{"id": "C", "app": "pay"}}, on(object{"id": "C", "app": "pay"}))
	assert.Equal(t, []string{"A", "B", "C"}, []string{told("idc", alice), told("pay", alice), told("pay", bob)})
	m := a.ok(200, "GET", "/control/messages/3", nil)
	assert.Equal(t, []any{"C", "https://payroll.example/acs", "post"},
		[]any{m["attack"], dig(m, "form.url"), dig(m, "form.method")})
	assert.Equal(t, "SAMLResponse", dig(m["form"].(object)["fields"].([]any)[0], "name"))
	a.ok(204, "DELETE", "/control/attacks?app=pay&user=alice", nil)
	assert.Equal(t, "C", told("pay", alice))
	a.ok(204, "DELETE", "/control/attacks?app=", nil)
	assert.Equal(t, "", told("idc", alice))
	assert.Len(t, a.ok(200, "GET", "/control/attacks", nil)["attacks"], 1)
	a.ok(204, "DELETE", "/control/attacks", nil)
	assert.Empty(t, a.idp.StandingMutations())
	a.refused(400, "E0000001", "POST", "/control/attacks", object{"app": "pay"})
	a.refused(400, "E0000001", "POST", "/control/attacks", object{"id": "Z"})
	a.refused(404, "E0000007", "POST", "/control/attacks", object{"id": "A", "app": "none"})
	a.refused(404, "E0000007", "POST", "/control/attacks", object{"id": "A", "user": "nobody"})
	a.refused(404, "E0000007", "DELETE", "/control/attacks?user=nobody", nil)
}
