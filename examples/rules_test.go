package examples_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table in portal/REGIONS.md names a test for each rule. It must be there,
// and say in its comment or its name which rule it is about.
func TestRulesHaveTests(t *testing.T) {
	raw, err := os.ReadFile("../portal/REGIONS.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| ([0-9]+) \\|.*`([a-z0-9/]+)\\.((?:Test|Benchmark)\\w+)` \\|$").FindAllStringSubmatch(string(raw), -1)
	require.Equal(t, 35, len(rows), "rules with a test")
	all := regexp.MustCompile(`(?m)^\| [0-9]+ \|`).FindAllString(string(raw), -1)
	require.Equal(t, len(all), len(rows), "each rule names a test")
	for _, row := range rows {
		rule, folder, name := row[1], row[2], row[3]
		about, found := testComment(t, folder, name)
		require.True(t, found, "rule %s: there is no %s in %s", rule, name, folder)
		require.Regexp(t, fmt.Sprintf(`Rules? ?([0-9]+(,| and| to)? )*%s\b|Rule%[1]s\D`, rule), about+" "+name, "rule %s", rule)
	}
}

// testComment is the comment above a test.
func testComment(t *testing.T, folder, name string) (string, bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name && f.Recv == nil {
				return f.Doc.Text(), true
			}
		}
	}
	return "", false
}
