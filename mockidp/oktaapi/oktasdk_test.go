package oktaapi_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Okta's SDK for Go uses the API, in a module of its own, so that this one doesn't
// need it. The test is skipped where the SDK can't be downloaded, and with -short,
// unless MERIDIAN_REQUIRE lists "okta".
func TestOktaSDK(t *testing.T) {
	const sdk, version = "github.com/okta/okta-sdk-golang/v2", "v2.20.0"
	program := testkit.NewModule(t, "okta", map[string]string{
		"main.go": string(must(os.ReadFile(filepath.Join("testdata", "oktasdk", "main.go.txt")))),
		"go.mod":  "module oktasdk\n\ngo 1.25.0\n\nrequire " + sdk + " " + version + "\n",
	}, sdk+"@"+version).Build()

	a := newAPI(t, twoApps())
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program)
	c.Env = append(os.Environ(), "OKTA_URL="+a.url, "OKTA_TOKEN="+a.token, "HOME="+t.TempDir())
	c.WaitDelay = 10 * time.Second
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.True(t, strings.HasSuffix(string(out), "done\n"), "%s", out)

	// The Server has what the SDK did.
	u, ok := a.idp.User("sdk@example.com")
	require.True(t, ok)
	assert.Equal(t, mockidp.Deprovisioned, u.Status)
	assert.Equal(t, []string{"SDK group"}, u.Groups)
	apps := a.idp.Apps()
	app := apps[3]
	assert.Equal(t, "SDK app", app.Label)
	assert.Len(t, app.ACS, 2)
	assert.Equal(t, []string{"sdk@example.com"}, app.Users)
	assert.Equal(t, []string{"SDK group"}, app.Groups)
	assert.Len(t, a.idp.Keys(), 1)
	for _, id := range []string{app.ID, "pay"} { // generated for one, cloned for the other
		keys, err := a.idp.AppKeys(id)
		require.NoError(t, err)
		require.Len(t, keys, 2)
		assert.Equal(t, []bool{id == "pay", id != "pay"}, []bool{keys[0].Signing, keys[1].Signing}, id)
	}
}
