package merge_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Each file of testdata/faults is a patch that puts one fault into this package,
// into the integrity package beside it or, where the code that guards against it
// is not pure, into the model of it here. It is applied to a copy. The simulation
// has to find each in at least 19 of 20 seeds.
//
// It takes minutes, and runs where MERIDIAN_SIM_FAULTS is set: to 1, or to a part of
// the names of those to find. To find out whether the checker sees a fault, add a
// patch, made with git diff in portal/replica/internal, and no code. A line before
// it says what is wrong.
func TestSimulationFindsFaults(t *testing.T) {
	if os.Getenv("MERIDIAN_SIM_FAULTS") == "" {
		testkit.Skip(t, "MERIDIAN_SIM_FAULTS is not set")
	}
	patches, err := filepath.Glob("testdata/faults/*.patch")
	require.NoError(t, err)
	require.NotEmpty(t, patches)
	require.Empty(t, stepsTo(t, withFault(t, "")), "without a fault")
	for _, patch := range patches {
		name := strings.TrimSuffix(filepath.Base(patch), ".patch")
		if only := os.Getenv("MERIDIAN_SIM_FAULTS"); only != "1" && !strings.Contains(name, only) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			steps := stepsTo(t, withFault(t, patch))
			slices.Sort(steps)
			t.Logf("found in %d of %d seeds, after %v steps in the middle", len(steps), faultSeeds, median(steps))
			require.GreaterOrEqual(t, len(steps), faultSeeds*19/20)
		})
	}
}

// A change to the code that a fault is in says so at once, and not only where the
// faults are looked for.
func TestFaultsApply(t *testing.T) {
	testkit.RequireProgram(t, "git", "git")
	dir := copied(t)
	patches := must(t, filepath.Glob)("testdata/faults/*.patch")
	require.NotEmpty(t, patches)
	for _, patch := range patches {
		out, err := command(dir, "git", "apply", "--check", "-p1", must(t, filepath.Abs)(patch))
		require.NoError(t, err, "%s does not apply: %s", patch, out)
	}
}

const (
	faultSeeds = 20
	faultSteps = 3 * perSeed // at most, a seed
)

func median(sorted []int) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}

// copied is where the two packages are copied to.
func copied(t *testing.T) string {
	dir := t.TempDir()
	for _, pkg := range []string{"merge", "integrity"} {
		require.NoError(t, os.CopyFS(filepath.Join(dir, pkg), os.DirFS(filepath.Join("..", pkg))))
	}
	return dir
}

// withFault builds the tests with a patch, or with none, and returns the program.
func withFault(t *testing.T, patch string) string {
	dir, here := copied(t), must(t, filepath.Abs)("..")
	if patch != "" {
		out, err := command(dir, "git", "apply", "-p1", must(t, filepath.Abs)(patch))
		require.NoError(t, err, "%s does not apply: %s", patch, out)
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, file := range append(must(t, filepath.Glob)(filepath.Join(dir, "merge/*.go")),
		must(t, filepath.Glob)(filepath.Join(dir, "integrity/*.go"))...) {
		rel := must(t, func(s string) (string, error) { return filepath.Rel(dir, s) })(file)
		overlay.Replace[filepath.Join(here, rel)] = file
	}
	b, err := json.Marshal(overlay)
	require.NoError(t, err)
	file, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "simulation")
	require.NoError(t, os.WriteFile(file, b, 0o600))
	out, err := command(".", "go", "test", "-c", "-overlay", file, "-o", program, ".")
	require.NoError(t, err, out)
	return program
}

var seedLine = regexp.MustCompile(`(?m)^seed \d+ step (\d+)$`)

// stepsTo returns at which steps the seeds went wrong that did.
func stepsTo(t *testing.T, program string) (steps []int) {
	cmd := exec.Command(program, "-test.run", "^TestSimulationSeeds$")
	cmd.Env = append(os.Environ(), fmt.Sprint("MERIDIAN_SIM_SEEDS=", faultSeeds),
		fmt.Sprint("MERIDIAN_SIM_STEPS=", faultSteps))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, m := range seedLine.FindAllStringSubmatch(string(out), -1) {
		steps = append(steps, must(t, strconv.Atoi)(m[1]))
	}
	return steps
}

func command(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must calls a function that may fail, and does not.
func must[A, B any](t *testing.T, f func(A) (B, error)) func(A) B {
	return func(a A) B {
		b, err := f(a)
		require.NoError(t, err)
		return b
	}
}
