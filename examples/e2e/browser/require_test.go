package browser_test

import (
	"os/exec"
	"testing"
)

// requireBrowser returns the path of a Chromium, by any of the names that
// distributions give it.
func requireBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return requireProgram(t, "browser", "chromium")
}
