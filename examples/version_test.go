package examples_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Each program prints its version, as the build recorded it.
func TestVersion(t *testing.T) {
	if testing.Short() {
		testkit.Skip(t, "it builds all programs")
	}
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./demo", "./mockidp", "./samlcheck",
		"./sp").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, command := range []string{"demo", "mockidp", "mockidp attack", "samlcheck", "samlcheck metadata", "sp"} {
		words := strings.Fields(command)
		out, err := exec.Command(filepath.Join(dir, words[0]), append(words[1:], "-version")...).Output()
		require.NoError(t, err, command)
		require.Regexp(t, "^"+command+` \S+ .*`+regexp.QuoteMeta(runtime.Version())+"\n$", string(out))
	}
}
