// Package npm installs packages of npm for tests, once for all of them.
package npm

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Modules returns a folder with these packages, each as "name@1.2.3": the value for NODE_PATH. It is in the user's
// cache folder, and the packages are installed if they are missing. Scripts of the packages don't run.
func Modules(packages ...string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := strings.NewReplacer("/", "-", " ", "_").Replace(strings.Join(packages, " "))
	dir := filepath.Join(cache, "meridian-peers", name)
	modules := filepath.Join(dir, "node_modules")
	if installed(modules, packages) {
		return modules, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Another process may do the same: each makes its own, and one is kept.
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	args := append([]string{"install", "--prefix", fresh, "--no-audit", "--no-fund", "--ignore-scripts"}, packages...)
	if out, err := exec.Command(npm, args...).CombinedOutput(); err != nil {
		return "", errors.New("npm install: " + err.Error() + "\n" + string(out))
	}
	if err := os.Rename(fresh, dir); err != nil && !installed(modules, packages) {
		return "", err
	}
	return modules, nil
}

// installed reports whether a folder has exactly these packages.
func installed(modules string, packages []string) bool {
	for _, p := range packages {
		raw, err := os.ReadFile(filepath.Join(modules, name(p), "package.json"))
		var about struct{ Version string }
		if err != nil || json.Unmarshal(raw, &about) != nil || about.Version != Version(p) {
			return false
		}
	}
	return true
}

func name(p string) string { return p[:strings.LastIndex(p, "@")] }

// Version returns the version of "name@1.2.3".
func Version(p string) string { return p[strings.LastIndex(p, "@")+1:] }
