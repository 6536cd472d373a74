package examples_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// The German catalogs have a translation for each text of the pages, and no others: so English lacks none, German is
// whole, and a text that changes in English is translated again.
func TestCatalogsAreWhole(t *testing.T) {
	for catalog, from := range map[string][]string{
		"../portal/texts":    {"../portal", "../portal/templates", "../portal/awsapi/oidc"},
		"../acs/theme/texts": {"../acs", "../acs/middleware", "../acs/samlspcompat", "../acs/discovery", "../portal/failover"},
	} {
		want := map[string]bool{}
		for _, dir := range from {
			addKeys(t, dir, want)
		}
		require.NotEmpty(t, want, catalog)
		if catalog == "../portal/texts" { // the operators' page shows the table of tasks
			for _, row := range center.Tasks() {
				for _, key := range []string{string(row.Task), string(row.Primary), string(row.Additional)} {
					want[key] = true
				}
			}
		}
		got := map[string]any{}
		raw, err := os.ReadFile(filepath.Join(catalog, "de.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &got))
		var missing, stale []string
		for key := range want {
			if got[key] == nil {
				missing = append(missing, key)
			}
		}
		for key := range got {
			if !want[key] {
				stale = append(stale, key)
			}
		}
		slices.Sort(missing)
		slices.Sort(stale)
		require.Empty(t, missing, "keys that %s/de.json lacks", catalog)
		require.Empty(t, stale, "keys of %s/de.json that no page has", catalog)
	}
}

// templateKey is a text in a template: {{$.T "Sign in"}}.
var templateKey = regexp.MustCompile(`\.T ("(?:[^"\\]|\\.)*")`)

// addKeys adds the keys of a folder's templates, Go files and refusals.json.
func addKeys(t *testing.T, dir string, keys map[string]bool) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		switch {
		case strings.HasSuffix(name, "_test.go"), entry.Name() == "samples.go":
		case strings.HasSuffix(name, ".go"):
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool { addGoKeys(n, keys); return true })
		case strings.HasSuffix(name, ".html"):
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range templateKey.FindAllSubmatch(raw, -1) {
				key, err := strconv.Unquote(string(m[1]))
				require.NoError(t, err)
				keys[key] = true
			}
		case entry.Name() == "refusals.json":
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			var all []struct{ Title, Text, Action string }
			require.NoError(t, json.Unmarshal(raw, &all))
			for _, one := range all {
				maps.Copy(keys, map[string]bool{one.Title: true, one.Text: true, one.Action: true})
			}
		}
	}
}

// textFields are the fields and variables of Go code whose value is a key.
var textFields = []string{"Title", "Text", "Action", "LinkText", "Problem"}

// addGoKeys adds the keys in a part of Go code: the first value of a call of T, the values of constants and variables
// whose name begins with "text", and those of textFields and of the functions that make pages.
func addGoKeys(n ast.Node, keys map[string]bool) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if called, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 0 {
			switch called.Sel.Name {
			case "T", "HTML", "plain", "page":
				addText(n.Args[0], keys)
			case "say":
				addText(n.Args[3], keys)
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(textFields, key.Name) {
			addText(n.Value, keys)
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			field, ok := to.(*ast.SelectorExpr)
			if ok && slices.Contains(textFields, field.Sel.Name) && len(n.Rhs) == len(n.Lhs) {
				addText(n.Rhs[i], keys)
			}
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if strings.HasPrefix(name.Name, "text") && i < len(n.Values) {
				ast.Inspect(n.Values[i], func(part ast.Node) bool {
					expr, ok := part.(ast.Expr)
					return !ok || !addText(expr, keys)
				})
			}
		}
	}
}

// addText adds a constant text, and reports whether n is one.
func addText(n ast.Expr, keys map[string]bool) bool {
	text, ok := constantText(n)
	if ok && strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
		keys[text] = true
	}
	return ok
}

func constantText(n ast.Expr) (string, bool) {
	switch n := n.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(n.Value)
		return text, n.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		a, ok := constantText(n.X)
		b, also := constantText(n.Y)
		return a + b, ok && also && n.Op == token.ADD
	}
	return "", false
}
