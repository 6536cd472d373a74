package attack_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// tableRow is a line of the table in testdata/README.md.
var tableRow = regexp.MustCompile(`^\| ([A-L]\d\d) \| (.*) \| (\d+|–) \| (.*) \|$`)

var testName = regexp.MustCompile("^`([a-z/0-9]+)\\.(Test[A-Za-z0-9_]+)`$")

// TestTableIsTrue checks that the table has every row of the catalogue once and in
// order, counts its vectors, and names tests that exist.
func TestTableIsTrue(t *testing.T) {
	text, err := os.ReadFile(testdata + "/README.md")
	require.NoError(t, err)
	rows := attack.Rows()
	at := 0
	for _, line := range strings.Split(string(text), "\n") {
		m := tableRow.FindStringSubmatch(line)
		if m == nil {
			require.NotRegexp(t, `^\| [A-L]\d`, line, "a line of the table that can't be read")
			continue
		}
		require.Less(t, at, len(rows), line)
		row := rows[at]
		at++
		require.Equal(t, row.ID, m[1])
		require.Equal(t, strings.ReplaceAll(row.Name, "|", `\|`), m[2], row.ID)
		requireVectors(t, row.ID, m[3])
		requireTests(t, row.ID, m[3], m[4])
	}
	require.Equal(t, len(rows), at, "rows in the table")
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), fmt.Sprintf("has %d rows;", len(rows)))
}

func requireVectors(t *testing.T, id, count string) {
	t.Helper()
	var files []string
	for _, pattern := range []string{id + ".txt", id + "-*.txt"} {
		more, err := filepath.Glob(filepath.Join(vectors, pattern))
		require.NoError(t, err)
		files = append(files, more...)
	}
	if count == "–" {
		count = "0"
	}
	want, err := strconv.Atoi(count)
	require.NoError(t, err)
	require.Len(t, files, want, id)
}

func requireTests(t *testing.T, id, count, cell string) {
	t.Helper()
	if cell == "" {
		require.NotEqual(t, "–", count, "%s has neither a vector nor a test", id)
		return
	}
	for _, name := range strings.Split(cell, ", ") {
		m := testName.FindStringSubmatch(name)
		require.NotNil(t, m, "%s: %s is not a test's name", id, name)
		source := sourceOf(t, m[1], m[2])
		require.NotEmpty(t, source, "%s: there is no %s in %s", id, m[2], m[1])
		if id[0] != 'L' { // whose rows were made of the tests
			require.Contains(t, source, id, "%s in %s doesn't name the row", m[2], m[1])
		}
	}
}

// sourceOf returns the text of a test function and its comment, or "" if a package's test files have no such function.
func sourceOf(t *testing.T, pkg, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(pkg), "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution|parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == name {
				return f.Doc.Text() + string(text[set.Position(f.Pos()).Offset:set.Position(f.End()).Offset])
			}
		}
	}
	return ""
}

// header matches a line of testdata/README.md that explains a header.
var header = regexp.MustCompile("(?m)^- `([a-z-]+)`: ")

// The README explains every header that a vector has.
func TestHeadersAreExplained(t *testing.T) {
	text, err := os.ReadFile(testdata + "/README.md")
	require.NoError(t, err)
	_, format, ok := strings.Cut(string(text), "\n## Vectors\n")
	require.True(t, ok)
	explained := make(map[string]bool)
	for _, m := range header.FindAllStringSubmatch(format, -1) {
		explained[m[1]] = true
	}
	files, err := filepath.Glob(vectors + "/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		vector, err := os.ReadFile(file)
		require.NoError(t, err)
		head, _, _ := strings.Cut(string(vector), "\n\n")
		for _, line := range strings.Split(head, "\n") {
			key, _, _ := strings.Cut(line, ": ")
			require.True(t, explained[key], "%s: %s", file, key)
		}
	}
}

// The README beside the keys explains each of them.
func TestKeysAreExplained(t *testing.T) {
	text, err := os.ReadFile(testdata + "/keys/README.md")
	require.NoError(t, err)
	for name := range keys() {
		require.Contains(t, string(text), "\n| `"+name+"` | ")
	}
	require.Equal(t, len(keys()), strings.Count(string(text), ".pem` | "))
}

// A vector's headers end with two line feeds, which Git would change on some systems.
func TestGitKeepsBytes(t *testing.T) {
	text, err := os.ReadFile("../../.gitattributes")
	require.NoError(t, err)
	require.Contains(t, string(text), "\n* -text\n")
}
