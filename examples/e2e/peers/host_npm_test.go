package peers_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The packages that the host programs in JavaScript need.
const (
	nodeSAML     = "@node-saml/node-saml@5.1.0"
	samlify      = "samlify@2.13.1"
	samlifyXSD   = "@authenio/samlify-node-xmllint@2.0.0"
	nodePackages = nodeSAML + " " + samlify + " " + samlifyXSD
)

func startNodeSAML(t *testing.T, s hostState) *spHost {
	s.node(t, "node-saml/sp.cjs")
	return s.host(npmVersion(nodeSAML))
}

func startSamlify(t *testing.T, s hostState) *spHost {
	s.node(t, "samlify/sp.cjs")
	return s.host(npmVersion(samlify))
}

// node starts a host program in JavaScript.
func (s hostState) node(t *testing.T, script string) {
	t.Helper()
	node := testkit.RequireProgram(t, "peers", "node")
	modules, err := npmModules()
	if err != nil {
		testkit.Lacking(t, "peers", "npm packages: "+err.Error())
	}
	s.env = append(slices.Clone(s.env), "NODE_PATH="+modules)
	s.run(t, node, peerScript(t, script))
}

// npmModules returns the folder with nodePackages. They are in the user's cache
// folder, and installed if they are missing.
var npmModules = sync.OnceValues(func() (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	dir, err := installNodePackages(npm)
	return filepath.Join(dir, "node_modules"), err
})

func installNodePackages(npm string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	packages := strings.Fields(nodePackages)
	dir := filepath.Join(cache, "meridian-peers", strings.NewReplacer("/", "-", " ", "_").Replace(nodePackages))
	if installed(dir, packages) {
		return dir, nil
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
	if err := os.Rename(fresh, dir); err != nil && !installed(dir, packages) {
		return "", err
	}
	return dir, nil
}

// installed reports whether a folder has exactly these packages.
func installed(dir string, packages []string) bool {
	for _, p := range packages {
		name := p[:strings.LastIndex(p, "@")]
		raw, err := os.ReadFile(filepath.Join(dir, "node_modules", name, "package.json"))
		var about struct{ Version string }
		if err != nil || json.Unmarshal(raw, &about) != nil || about.Version != npmVersion(p) {
			return false
		}
	}
	return true
}

func npmVersion(p string) string { return p[strings.LastIndex(p, "@")+1:] }
