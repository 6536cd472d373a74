package peers_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// requireProgram returns where a program is: a name on PATH, or a path. A test
// that needs one which is not here is skipped, unless MERIDIAN_REQUIRE (comma
// separated) has its kind: then it fails. The kinds are "peers" and "browser".
func requireProgram(t *testing.T, kind, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		lacking(t, kind, "no "+name)
	}
	return path
}

// requireFile is requireProgram for what a program brings along.
func requireFile(t *testing.T, kind, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		lacking(t, kind, "no "+path)
	}
}

// requireSuccess is requireProgram for what only running a program can tell.
func requireSuccess(t *testing.T, kind string, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		lacking(t, kind, strings.Join(command, " ")+": "+err.Error()+"\n"+string(out))
	}
}

func lacking(t *testing.T, kind, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("MERIDIAN_REQUIRE"), ","), kind) {
		t.Fatalf("%s, which MERIDIAN_REQUIRE=%s asks for", why, os.Getenv("MERIDIAN_REQUIRE"))
	}
	t.Skip(why)
}
