package oktaapi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tenants are listed, made and removed; the console of one edits that one, and its links stay in it.
func TestConsoleTenants(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	c.page("/tenants").has(t, "None yet")
	p := c.press("/tenants", "name", "one")
	assert.Equal(t, "/t/one/", p.URL.Path)
	p.has(t, "Created.", "Admin Console · one", `href="/t/one/people"`, `href="/tenants"`)
	p.lacks(t, `href="/t/one/tenants"`)
	one := must(idp.Tenant("one"))
	c.fill("/t/one/new-person", "login", "carol@example.com").has(t, "Created.")
	user(t, one, "carol@example.com")
	assert.Len(t, idp.Users(), 2)
	c.page("/tenants").has(t, `href="/t/one/"`)
	p = c.press("/tenants", "name", "a/b")
	assert.Equal(t, 422, p.Status)
	p.has(t, `value="a/b"`, `id="name-problem"`)
	p = c.get(c.at + "/t/-x/")
	assert.Equal(t, 404, p.Status)
	p.has(t, "Not found", "Sections")
	c.page("/tenants/one/delete").has(t, "Delete one?")
	require.Len(t, idp.Tenants(), 1)
	c.press("/tenants/one/delete").has(t, "Deleted.")
	assert.Empty(t, idp.Tenants())
	assert.Equal(t, 404, c.get(c.at+"/tenants/one/delete").Status)
	assert.Equal(t, 404, c.get(c.at+"/t/one/tenants").Status)
}
