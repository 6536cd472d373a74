package examples_test

import (
	"fmt"
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

var (
	featureRow  = regexp.MustCompile(`(?m)^\| ((?:[^|]* \| ){8}[^|]*) \|$`)
	ownCell     = regexp.MustCompile(`^(yes|partly|\*\*no\*\*)(?:: [^<]+?)?(?: <!-- (.+) -->)?$`)
	anotherCell = regexp.MustCompile(`^(?:(?:yes|partly|no) \([rs]\)|not known)$`)
)

// The page that compares Meridian with other service providers names tests for each feature that Meridian has, and says
// of every other cell how it is known. The README has the number of features.
func TestComparedFeatures(t *testing.T) {
	all := allTests(t)
	page, err := os.ReadFile("../acs/COMPARED.md")
	require.NoError(t, err)
	features, head := 0, ""
	for _, row := range featureRow.FindAllStringSubmatch(string(page), -1) {
		cells := strings.Split(row[1], " | ")
		require.Len(t, cells, 9)
		switch {
		case strings.HasPrefix(cells[0], "---"):
			continue
		case strings.TrimSpace(cells[0]) == "":
			require.True(t, head == "" || head == row[1], "the head is the same in every table: %s", row[1])
			head = row[1]
			continue
		}
		features++
		own := ownCell.FindStringSubmatch(cells[1])
		require.NotNil(t, own, "%s: %s", cells[0], cells[1])
		names := strings.Fields(own[2])
		assert.Equal(t, own[1] != "**no**", len(names) > 0, "%s: tests for what there is, and for nothing else", cells[0])
		for _, name := range names {
			f, found := all[name]
			assert.True(t, found && !f.skipped, "%s: no test is called %s", cells[0], name)
		}
		for _, other := range cells[2:] {
			assert.Regexp(t, anotherCell, other, cells[0])
		}
	}
	require.Greater(t, features, 80)
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), fmt.Sprintf(" %d features", features))
}
