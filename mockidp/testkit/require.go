package testkit

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// required names the environment variable.
const required = "MERIDIAN_REQUIRE"

// RequireProgram returns the path of the first program of those names that there
// is: names on PATH, or paths. Where there is none the test is skipped, or fails
// if MERIDIAN_REQUIRE lists the kind.
func RequireProgram(t testing.TB, kind string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Lacking(t, kind, "no "+strings.Join(names, ", "))
	return ""
}

// RequireChromium is RequireProgram for Chromium, by any of the names that
// distributions give it. Its kind is "browser".
func RequireChromium(t testing.TB) string {
	t.Helper()
	return RequireProgram(t, "browser", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
}

// RequireFile is RequireProgram for a file or folder that a program brings along.
func RequireFile(t testing.TB, kind, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		Lacking(t, kind, "no "+path)
	}
}

// RequireSuccess is RequireProgram for what only running a program can tell.
func RequireSuccess(t testing.TB, kind string, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		Lacking(t, kind, strings.TrimSpace(strings.Join(command, " ")+": "+err.Error()+"\n"+string(out)))
	}
}

// Lacking skips a test that this machine has not all for, or fails it if
// MERIDIAN_REQUIRE lists the kind.
func Lacking(t testing.TB, kind, why string) {
	t.Helper()
	if Required(kind) {
		t.Fatalf("%s, which %s=%s asks for", why, required, os.Getenv(required))
		return
	}
	Skip(t, why)
}

// Required says whether MERIDIAN_REQUIRE lists a kind.
func Required(kind string) bool {
	return slices.Contains(strings.Split(os.Getenv(required), ","), kind)
}
