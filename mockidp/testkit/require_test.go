package testkit_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// inner is the environment variable that makes TestLacks run.
const inner = "MERIDIAN_TESTKIT_INNER"

func TestMain(m *testing.M) { testkit.Main(m) }

// recorder is a testing.TB that records its outcome.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Helper()                      {}
func (r *recorder) Name() string                 { return "TestRecorded" }
func (r *recorder) Skip(args ...any)             { r.outcome = "skipped: " + fmt.Sprint(args...) }
func (r *recorder) Fatalf(f string, args ...any) { r.outcome = "failed: " + fmt.Sprintf(f, args...) }

// TestLacks requires missing programs and files, in a separate process.
func TestLacks(t *testing.T) {
	if os.Getenv(inner) == "" {
		return
	}
	for range 2 {
		t.Run("file", func(t *testing.T) { testkit.RequireFile(t, "peers", "/no/such/file") })
	}
	t.Run("program", func(t *testing.T) { testkit.RequireProgram(t, "peers", "no-such-program", "no-such-other") })
}

func TestRequireFinds(t *testing.T) {
	t.Setenv("MERIDIAN_REQUIRE", "peers") // also with -short
	self, err := os.Executable()
	require.NoError(t, err)
	r := &recorder{}
	assert.Equal(t, self, testkit.RequireProgram(r, "peers", "no-such-program", self))
	testkit.RequireFile(r, "peers", self)
	testkit.RequireSuccess(r, "peers", self, "-test.run", "^$")
	assert.Empty(t, r.outcome)
}

func TestRequiredFails(t *testing.T) {
	t.Setenv("MERIDIAN_REQUIRE", "browser,peers")
	r := &recorder{}
	testkit.RequireSuccess(r, "peers", "no-such-program")
	assert.Contains(t, r.outcome, "which MERIDIAN_REQUIRE=browser,peers requires")
	assert.True(t, testkit.Required("browser"))
	assert.False(t, testkit.Required("brow"))
}

// A run reports at its end what was skipped, and passes.
func TestMainReportsSkippedTests(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "skipped")
	cmd := exec.Command(self, "-test.run", "^TestLacks$")
	cmd.Env = append(os.Environ(), inner+"=1", "MERIDIAN_REQUIRE=", "MERIDIAN_SKIPPED="+file)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	const in = "skipped in github.com/meridian-saml/meridian/mockidp/testkit: "
	want := in + "TestLacks/file TestLacks/file#01: no /no/such/file\n" +
		in + "TestLacks/program: no no-such-program, no-such-other\n"
	rest, passed := strings.CutPrefix(string(out), "PASS\n")
	assert.True(t, passed && strings.HasSuffix(rest, want), "%s", out) // with -cover there is a line in between
	assert.Equal(t, strings.Count(want, "skipped in"), strings.Count(rest, "skipped in"))
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(written))

	cmd.Env = append(os.Environ(), inner+"=1", "MERIDIAN_REQUIRE=peers")
	cmd = &exec.Cmd{Path: cmd.Path, Args: cmd.Args, Env: cmd.Env}
	out, err = cmd.CombinedOutput()
	require.Error(t, err)
	assert.NotContains(t, string(out), in)
}
