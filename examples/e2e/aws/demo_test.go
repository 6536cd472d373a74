package aws_test

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

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The walk of the demo has the CLI sign in to both Regions on this machine, and to one while the other is lost. It
// needs neither root nor a hosts file: the profiles of the control page name the Regions' addresses.
func TestWalkWithTheCLI(t *testing.T) {
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	bin := t.TempDir()
	demo := filepath.Join(bin, "demo")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", demo, "../../demo").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, suite := range suites[1:] { // TestLoginInBothRegions has the older one, too
		t.Run(suite, func(t *testing.T) {
			tree := filepath.Join(cache, "meridian-peers", "awscli-"+suite)
			testkit.RequireFile(t, "awscli", filepath.Join(tree, "usr", "bin", "aws"))
			one := func(pattern ...string) string {
				found, err := filepath.Glob(filepath.Join(append([]string{tree, "usr"}, pattern...)...))
				require.NoError(t, err)
				require.NotEmpty(t, found, pattern)
				return found[0]
			}
			path := t.TempDir()
			script := "#!/bin/sh\nPYTHONHOME=" + tree + "/usr exec " + one("lib*", "ld-linux*") + " --library-path " +
				one("lib", "*-linux-gnu") + " " + one("bin", "python3.??") + " " + one("bin", "aws") + " \"$@\"\n"
			require.NoError(t, os.WriteFile(filepath.Join(path, "aws"), []byte(script), 0o700))
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, demo, "-walk")
			cmd.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			lines := strings.Split(string(out), "\n")
			require.Greater(t, len(lines), 26)
			assert.Contains(t, lines[12], "signed Alice in with the profiles ReadOnly and ReadOnly-additional")
			assert.Contains(t, lines[25], "the profile ReadOnly-additional got new credentials, and signed in again")
			assert.Contains(t, lines[26], "led AWS's command line to eu-central-1")
		})
	}
}
