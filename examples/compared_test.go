package examples_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	testFunc    = regexp.MustCompile(`(?m)^func ((?:Test|Example)\w*)\(`)
	namedTest   = regexp.MustCompile("`((?:Test|Example)\\w*)`")
	howIsKnown  = regexp.MustCompile(` \((?:d|r|n)\)$`)
	compareRows = regexp.MustCompile(`(?m)^\| (.*) \|$`)
)

// The page that compares the mock with others names a test for each claim about the mock, and says of every other cell
// how it is known.
func TestComparedPage(t *testing.T) {
	tests := map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(source, -1) {
			tests[string(m[1])] = true
		}
		return err
	}))
	page, err := os.ReadFile("../mockidp/COMPARED.md")
	require.NoError(t, err)
	rows := compareRows.FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(rows), 30)
	for _, row := range rows[2:] { // after the head
		cells := strings.Split(row[1], " | ")
		require.Len(t, cells, 8, row[1])
		names := namedTest.FindAllStringSubmatch(cells[1], -1)
		assert.Equal(t, cells[1] != "not yet", len(names) > 0, "%s: %s", cells[0], cells[1])
		for _, name := range names {
			assert.True(t, tests[name[1]], "%s: no test is called %s", cells[0], name[1])
		}
		for _, other := range cells[2:] {
			assert.Regexp(t, howIsKnown, other, cells[0])
		}
	}
}
