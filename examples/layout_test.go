// Package examples_test holds the tests of how the module is laid out.
package examples_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

const module = "github.com/meridian-saml/meridian"

// arrows reads the layout from the module's documentation: which of our packages
// each package may import, in files that aren't tests.
func arrows(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("../doc.go")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(raw), "// # Layout\n")
	require.True(t, found, "doc.go has no layout")
	table, _, _ := strings.Cut(rest, "// # ")
	out, name := map[string][]string{}, ""
	for line := range strings.Lines(table) {
		row, isRow := strings.CutPrefix(line, "//\t")
		if !isRow {
			continue
		}
		fields := strings.FieldsFunc(row, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '–' })
		if !unicode.IsSpace(rune(row[0])) { // otherwise it goes on with the row above
			name, fields = fields[0], fields[1:]
			require.NotContains(t, out, name)
		}
		out[name] = append(out[name], fields...)
	}
	require.NotEmpty(t, out)
	return out
}

type pkg struct {
	ImportPath string
	Standard   bool // in the standard library
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Dir,GoFiles,Imports,Deps"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		require.NoError(t, dec.Decode(&p))
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

func short(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func TestArrows(t *testing.T) {
	seen, arrows := make(map[string]bool), arrows(t)
	for _, p := range list(t, "./...") {
		name := short(p.ImportPath)
		if name == "" || strings.HasPrefix(name, "examples") {
			continue // examples wire the parts together
		}
		seen[name] = true
		allowed, known := arrows[name]
		require.True(t, known, "%s is not in the layout", name)
		var imports []string
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, module) {
				imports = append(imports, short(imported))
			}
		}
		require.ElementsMatch(t, allowed, imports, "imports of %s", name)
	}
	for name := range arrows {
		require.True(t, seen[name], "%s is in the layout and not in the module", name)
	}
}

// The core imports only the standard library, without HTTP, files and logs.
func TestCoreStaysPure(t *testing.T) {
	for _, p := range list(t, "-deps", "./saml/...") {
		ours := strings.HasPrefix(p.ImportPath, module+"/saml")
		require.True(t, p.Standard || ours, "saml pulls in %s", p.ImportPath)
		if !ours {
			continue
		}
		for _, banned := range []string{"net/http", "os", "log", "log/slog"} {
			require.NotContains(t, p.Imports, banned, p.ImportPath)
		}
	}
}

// testkit adds no other dependency to a test.
func TestTestkitIsStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t, "-deps", "./mockidp/testkit") {
		require.True(t, p.Standard || p.ImportPath == module+"/mockidp/testkit", "testkit pulls in %s", p.ImportPath)
	}
}

// Merging a Region's state, and checking the integrity of a log, needs no network,
// files, logs, goroutines and clock.
func TestMergeAndIntegrityStayPure(t *testing.T) {
	staysPure(t, "/portal/replica/internal/merge", "bytes", "cmp", "encoding/json", "fmt", "maps", "math", "slices",
		"strings", "time", module+"/acs/sessions", module+"/portal/center", module+"/portal/internal/refusal",
		module+"/portal/shortcuts")
	staysPure(t, "/portal/replica/internal/integrity", "crypto/hmac", "crypto/sha256", "encoding/base64",
		"encoding/binary", "encoding/hex", "fmt", "maps", "slices", "strconv", "strings", "time")
}

func staysPure(t *testing.T, pkg string, imports ...string) {
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, p := range list(t, "-deps", "."+pkg) {
		// portal/center's copy-on-write trees: no network, clock, goroutine or log.
		pure := p.Standard || strings.HasPrefix(p.ImportPath, module) || p.ImportPath == "github.com/tidwall/btree"
		require.True(t, pure, "%s pulls in %s", pkg, p.ImportPath)
		require.NotContains(t, []string{"net/http", "log", "log/slog"}, p.ImportPath)
		if p.ImportPath != module+pkg {
			continue
		}
		require.Subset(t, imports, p.Imports)
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt, *ast.ChanType:
					require.Fail(t, "a goroutine or a channel", name)
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" {
						require.NotContains(t, clock, n.Sel.Name, name)
					}
				}
				return true
			})
		}
	}
}

// The libraries of the mock are independent of the code under test: no service
// provider package imports any of them, except the one for their users.
func TestOtherImplementationsStayOut(t *testing.T) {
	others := []string{"github.com/crewjam/saml", "github.com/russellhaering/goxmldsig", "github.com/beevik/etree"}
	for _, p := range list(t, "./acs/...", "./portal/...", "./examples/sp", "./examples/samlcheck") {
		if short(p.ImportPath) == "acs/samlspcompat" {
			continue
		}
		for _, other := range others {
			require.NotContains(t, p.Deps, other, p.ImportPath)
		}
	}
}

// OpenTelemetry is in one package, and that has its API only: a program chooses the SDK and the exporters.
func TestOpenTelemetryIsInOnePackage(t *testing.T) {
	api := []string{"go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/codes",
		"go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/metric/noop",
		"go.opentelemetry.io/otel/trace", "go.opentelemetry.io/otel/trace/noop"}
	for _, p := range list(t, "./...") {
		switch name := short(p.ImportPath); {
		case name == "acs/telemetry":
			for _, imported := range p.Imports {
				if strings.HasPrefix(imported, "go.opentelemetry.io/") {
					require.Contains(t, api, imported)
				}
			}
			require.NotContains(t, strings.Join(p.Deps, " "), "go.opentelemetry.io/otel/sdk")
		case name != "examples/telemetry":
			require.NotContains(t, strings.Join(p.Deps, " "), "go.opentelemetry.io/", name)
		}
	}
}

// AWS's SDK is a client in tests, in modules of their own: with the same code on both sides, a mistake could cancel
// out.
func TestTheAWSSDKStaysOut(t *testing.T) {
	for _, p := range list(t, "-test", "./...") {
		for _, dep := range p.Deps {
			require.False(t, strings.HasPrefix(dep, "github.com/aws/"), "%s pulls in %s", p.ImportPath, dep)
		}
	}
}

// What a user of the core parts has to build and audit stays small.
func TestHeavyDependenciesStayOut(t *testing.T) {
	heavy := []string{"github.com/nats-io/", "github.com/redis/", "github.com/tink-crypto/", "github.com/chromedp/"}
	light := []string{
		"./saml", "./acs", "./acs/middleware", "./acs/samlspcompat", "./acs/telemetry", "./mockidp", "./examples/sp",
	}
	for _, pattern := range light {
		for _, p := range list(t, pattern) {
			i := slices.IndexFunc(p.Deps, func(dep string) bool {
				return slices.ContainsFunc(heavy, func(h string) bool { return strings.HasPrefix(dep, h) })
			})
			require.Equal(t, -1, i, "%s pulls in %v", p.ImportPath, p.Deps[max(i, 0)])
		}
	}
}
