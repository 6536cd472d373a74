package examples_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table in portal/REGIONS.md names the tests of each rule. Each must be there, and say in its comment or its name
// which rule it is about.
func TestRulesHaveTests(t *testing.T) {
	raw, err := os.ReadFile("../portal/REGIONS.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| ([0-9]+) \|.*\| ([^|]*) \|$`).FindAllStringSubmatch(string(raw), -1)
	require.Equal(t, 69, len(rows), "rules")
	seen := map[string]bool{}
	for _, row := range rows {
		rule := row[1]
		require.False(t, seen[rule], "rule %s has two rows", rule)
		seen[rule] = true
		for name := range strings.SplitSeq(row[2], ", ") {
			test := regexp.MustCompile("^`([a-z0-9/]+)\\.((?:Test|Benchmark)\\w+)`$").FindStringSubmatch(name)
			require.NotNil(t, test, "rule %s: %s names no test", rule, name)
			about, found := testComment(t, test[1], test[2])
			require.True(t, found, "rule %s: there is no %s in %s", rule, test[2], test[1])
			about += " " + test[2]
			require.Regexp(t, fmt.Sprintf(`Rules? ?([0-9]+(,| and| to)? )*%s\b|Rule%[1]s\D`, rule), about, "rule %s", rule)
		}
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
