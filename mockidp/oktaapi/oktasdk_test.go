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
	if testing.Short() && !testkit.Required("okta") {
		testkit.Skip(t, "compiling the SDK takes a while")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	run := func(env []string, name string, args ...string) (string, error) {
		c := exec.CommandContext(ctx, name, args...)
		c.Dir = dir
		c.Env = append(os.Environ(), append(env, "GOFLAGS=-mod=mod", "GOWORK=off")...)
		c.WaitDelay = 10 * time.Second
		out, err := c.CombinedOutput()
		return string(out), err
	}
	source := must(os.ReadFile(filepath.Join("testdata", "oktasdk", "main.go.txt")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(
		"module oktasdk\n\ngo 1.25.0\n\nrequire github.com/okta/okta-sdk-golang/v2 v2.20.0\n"), 0o600))
	if out, err := run(nil, "go", "mod", "download", "github.com/okta/okta-sdk-golang/v2@v2.20.0"); err != nil {
		testkit.Lacking(t, "okta", "okta-sdk-golang v2.20.0 can't be downloaded: "+err.Error()+": "+out)
	}
	out, err := run(nil, "go", "build", "-o", "oktasdk", ".")
	require.NoError(t, err, out)

	a := newAPI(t, twoApps())
	out, err = run([]string{"OKTA_URL=" + a.url, "OKTA_TOKEN=" + a.token, "HOME=" + dir}, filepath.Join(dir, "oktasdk"))
	require.NoError(t, err, out)
	assert.True(t, strings.HasSuffix(out, "done\n"), out)

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
