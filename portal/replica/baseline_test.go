package replica_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// beforeFormats is a commit from before there were formats, whose directories
// can still be opened.
const beforeFormats = "2565376"

// baseline is the commit that testdata/baseline names: the first one that has all
// of format 1. Whatever this version becomes, it runs beside that one. Before it,
// the questions between Regions still changed without a new format. The
// environment variable MERIDIAN_BASELINE names another, such as HEAD.
func baseline(t *testing.T) string {
	t.Helper()
	if commit := os.Getenv("MERIDIAN_BASELINE"); commit != "" {
		return commit
	}
	b, err := os.ReadFile("testdata/baseline")
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

// requireHistory skips a test where git, the history or an old version's modules
// are missing, as in a downloaded module: the kind "git".
func requireHistory(t *testing.T, dir string, command ...string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		testkit.Lacking(t, "git", fmt.Sprintf("needs the repository with its history: %v: %v: %s", command, err, out))
	}
}

// programs are what build has built, by commit: several tests run them.
var programs = struct {
	sync.Mutex
	of map[string][]byte
}{of: map[string][]byte{}}

// build builds the program of a commit that a Region's process runs, which is the
// test's own binary, in a git worktree. It returns its path.
func build(t *testing.T, commit string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	path := filepath.Join(t.TempDir(), "region")
	if b, ok := programs.of[commit]; ok {
		// Otherwise a process that another test starts could inherit the open file, which can't be run meanwhile.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		require.NoError(t, os.WriteFile(path, b, 0o700))
		return path
	}
	tree := filepath.Join(t.TempDir(), "tree")
	requireHistory(t, ".", "git", "cat-file", "-e", commit+"^{commit}")
	requireHistory(t, ".", "git", "worktree", "add", "--quiet", "--detach", tree, commit)
	defer func() {
		out, err := exec.Command("git", "worktree", "remove", "--force", tree).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}()
	requireHistory(t, tree, "go", "list", "-deps", "-test", "./portal/replica")
	givenURL(t, filepath.Join(tree, "portal", "replica", "process_test.go"))
	cmd := exec.Command("go", "test", "-c", "-o", path, "./portal/replica")
	cmd.Dir = tree
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	programs.of[commit], err = os.ReadFile(path)
	require.NoError(t, err)
	return path
}

// givenURL makes a job of a version's tests have a URL, where it has none.
func givenURL(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	const dir, listen = "\tDir, Listen string\n", "\tc.Listen, c.Peers = j.Listen, map[string]replica.Peer{}\n"
	if s := string(b); !strings.Contains(s, "j.URL") && strings.Contains(s, dir) && strings.Contains(s, listen) {
		s = strings.Replace(s, dir, dir+"\tURL string\n", 1)
		s = strings.Replace(s, listen, listen+"\tif j.URL != \"\" {\n\t\tc.Dir, c.Listen, c.URL = \"\", \"\", j.URL\n\t}\n",
			1)
		require.NoError(t, os.WriteFile(file, []byte(s), 0o600))
	}
}
