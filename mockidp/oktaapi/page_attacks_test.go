package oktaapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestConsoleAttacks(t *testing.T) {
	t.Parallel()
	conf := hostile()
	for i := range 700 {
		conf.Mutations = append(conf.Mutations, fmt.Sprintf("C%d/case", i))
	}
	idp := start(t, conf)
	c := openConsole(t, idp)
	p := c.page("/attacks")
	p.has(t, "None is switched on", "No fault is set", "1–50 of 703", "All families", "Wrapping (2)", "Signatures (1)",
		"Others (700)", "Two assertions")
	assert.Less(t, len(p.Body), 40_000)
	p = c.page("/attacks?q=a03")
	p.has(t, "1–2 of 2", "A03/assertion")
	p.lacks(t, `id=B01"`)
	c.page("/attacks?q=assertions+cve").has(t, "1–1 of 1", "/attack?id=A03")
	c.page("/attacks?family=Signatures").has(t, "1–1 of 1", "/attack?id=B01")
	c.page("/attack?id=A03%2Fassertion").has(t, "Variants", "/attack?id=A03", `name="attack" value="A03/assertion"`)
	c.page("/attack?id=B01").has(t, `name="attack" value="B01"`)
	assert.Equal(t, 404, c.get(c.at+"/attack?id=Z").Status)

	c.press("/attack", "attack", "A03", "do", "queue", "app", "", "user", "").has(t, "Queued: A03")
	c.press("/attack", "attack", "A03", "do", "on", "app", "idc", "user", alice)
	c.press("/attack", "attack", "B01", "do", "on").has(t, "A03 for "+alice+", at Identity Center – N. Virginia",
		"B01 for all users", `aria-label="Switch off B01 for all users"`)
	p = c.press("/attack", "attack", "B01", "do", "on", "app", "idc", "user", "<carol>")
	assert.Equal(t, 422, p.Status)
	p.has(t, "No user has the login", `value="&lt;carol&gt;"`, `<option value="idc" selected>`)
	p = c.press("/attacks/off", "app", "", "user", "")
	p.has(t, "Switched off", "A03 for "+alice)
	p.lacks(t, "B01 for all users")
	c.press("/attacks/all-off").has(t, "None is switched on")
}

func TestConsoleFaults(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	c.page("/attacks").has(t, "started without attacks")
	c.press("/faults", "kind", "skew", "app", "idc", "count", "2", "for", "-1h", "status", "0", "chance", "0.5").has(t,
		"The times in the message are off by -1h0m0s, at Identity Center – N. Virginia, probability 0.5, 2 more")
	assert.Equal(t, []mockidp.Fault{{Kind: mockidp.ClockSkew, App: "idc", Count: 2, For: -time.Hour, Chance: 0.5}},
		idp.Faults())
	for input, value := range map[string]string{
		"for": "soon", "count": "x", "chance": "2", "status": "404", "kind": "none"} {
		v := values("kind", "delay", "count", "1")
		v.Set(input, value)
		p := c.post(c.at+"/faults", v)
		require.Equal(t, 422, p.Status, input)
		p.has(t, "Nothing was changed", `value="`+value+`"`)
	}
	c.press("/faults/clear").has(t, "No fault is set")
}

func TestConsoleFaultsOfTheFederation(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	c.press("/faults", "kind", "metadata-slow", "for", "30s", "count", "0", "endpoint", "query", "entity", "urn:x").has(t,
		"Federation: the metadata comes slowly within 30s, query, urn:x, always")
	c.press("/faults", "kind", "metadata-redirect", "count", "1", "url", "http://169.254.169.254/").has(t,
		"Federation: a redirect, http://169.254.169.254/, 1 more")
	assert.Equal(t, []mockidp.Fault{{Kind: mockidp.MetadataSlow, For: 30 * time.Second, Endpoint: mockidp.EndpointQuery,
		Entity: "urn:x"}, {Kind: mockidp.MetadataRedirect, Count: 1, URL: "http://169.254.169.254/"}}, idp.Faults())
	for input, value := range map[string]string{"endpoint": "all", "app": "idc", "url": "http://x.example/"} {
		v := values("kind", "metadata-cut", "count", "1")
		v.Set(input, value)
		require.Equal(t, 422, c.post(c.at+"/faults", v).Status, input)
	}
	for _, kind := range mockidp.FaultKinds() {
		idp.ClearFaults("")
		c.press("/faults", "kind", string(kind), "count", "1").lacks(t, string(kind)+", 1 more") // it has a text
		assert.Len(t, idp.Faults(), 1)
	}
}
