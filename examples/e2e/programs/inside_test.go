package programs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// insideVariable names the test that runs inside.
const insideVariable = "MERIDIAN_PROGRAMS_INSIDE"

// inside reports whether the test runs in namespaces of its own, where fixed ports are free and hosts has the names. If
// not, it runs the test there: by this program, which ends with all processes that it started. The kind is container.
func inside(t *testing.T, hosts string, env ...string) bool {
	t.Helper()
	if os.Getenv(insideVariable) == t.Name() {
		return true
	}
	unshare := testkit.RequireProgram(t, "container", "unshare")
	ip := testkit.RequireProgram(t, "container", "ip", "/sbin/ip", "/usr/sbin/ip")
	flags := []string{"--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	testkit.RequireSuccess(t, "container", append(append([]string{unshare}, flags...), ip, "link", "set", "lo", "up")...)

	file := filepath.Join(t.TempDir(), "hosts")
	require.NoError(t, os.WriteFile(file, []byte(hosts), 0o644))
	self, err := os.Executable()
	require.NoError(t, err)
	const script = `ip=$1 hosts=$2; shift 2; $ip link set lo up && mount --bind "$hosts" /etc/hosts && exec "$@"`
	cmd := exec.CommandContext(t.Context(), unshare, append(flags, "sh", "-c", script, "sh", ip, file,
		self, "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "15m")...)
	cmd.Env = append(os.Environ(), append(env, insideVariable+"="+t.Name(), "MERIDIAN_SKIPPED=")...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name()+" ", "the test ran")
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "--- PASS: ") {
			t.Log(strings.TrimSpace(line))
		}
	}
	return false
}
