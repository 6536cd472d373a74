package testkit

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const requireVariable = "MERIDIAN_REQUIRE"

// RequireProgram returns the path of the first program that exists. The names are looked up on PATH, or are
// paths. If none exists the test is skipped, or fails if MERIDIAN_REQUIRE lists the kind. With -short no test that
// needs a program runs, unless its kind is required.
func RequireProgram(t testing.TB, kind string, names ...string) string {
	t.Helper()
	Long(t, kind, "it needs "+names[0])
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Lacking(t, kind, "no "+strings.Join(names, ", "))
	return ""
}

// RequireChromium is RequireProgram for Chromium, by any of the names that distributions give it. Its kind is
// "browser".
func RequireChromium(t testing.TB) string {
	t.Helper()
	return RequireProgram(t, "browser", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
}

// RequireFile is RequireProgram for a file or folder that a program installs.
func RequireFile(t testing.TB, kind, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		Lacking(t, kind, "no "+path)
	}
}

// RequireSuccess is RequireProgram for a condition that a command checks.
func RequireSuccess(t testing.TB, kind string, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		Lacking(t, kind, strings.TrimSpace(strings.Join(command, " ")+": "+err.Error()+"\n"+string(out)))
	}
}

// Lacking skips a test because a requirement is missing, or fails it if MERIDIAN_REQUIRE lists the kind.
func Lacking(t testing.TB, kind, why string) {
	t.Helper()
	if Required(kind) {
		t.Fatalf("%s, which %s=%s requires", why, requireVariable, os.Getenv(requireVariable))
		return
	}
	Skip(t, why)
}

// Long skips a test with -short, unless MERIDIAN_REQUIRE lists the kind. why is the reason that is printed.
func Long(t testing.TB, kind, why string) {
	t.Helper()
	if testing.Short() && !Required(kind) {
		Skip(t, "-short: "+why)
	}
}

// Required reports whether MERIDIAN_REQUIRE lists a kind.
func Required(kind string) bool {
	return slices.Contains(strings.Split(os.Getenv(requireVariable), ","), kind)
}
