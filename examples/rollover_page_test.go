package examples_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rolloverPage is where the sequences are.
const rolloverPage = "../acs/ROLLOVER.md"

// sequence is one section of the page: its steps, and what its table says of them.
type sequence struct {
	Name  string
	Steps []string
	// After has the cells of the table by the number of the step, without its first column.
	After map[int][][]string
}

var (
	pageStep = regexp.MustCompile(`(?m)^(\d+)\. \*\*(.+?)\.\*\*`)
	pageRow  = regexp.MustCompile(`(?m)^\| (\d+) \| (.+) \|$`)
)

// sequences reads the page. Each section with numbered steps is a sequence.
func sequences(t *testing.T) []sequence {
	t.Helper()
	raw, err := os.ReadFile(rolloverPage)
	require.NoError(t, err)
	var out []sequence
	for _, section := range strings.Split(string(raw), "\n## ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		s := sequence{Name: name, After: map[int][][]string{}}
		for i, m := range pageStep.FindAllStringSubmatch(text, -1) {
			require.Equal(t, i+1, number(t, m[1]), name)
			s.Steps = append(s.Steps, m[2])
		}
		for _, m := range pageRow.FindAllStringSubmatch(text, -1) {
			step := number(t, m[1])
			require.NotContains(t, s.After, step, name)
			require.LessOrEqual(t, step, len(s.Steps), name)
			for _, cell := range strings.Split(m[2], " | ") {
				s.After[step] = append(s.After[step], names(t, cell))
			}
		}
		require.Contains(t, s.After, 0, "%s: what is there before", name)
		out = append(out, s)
	}
	return out
}

// names reads a cell: names of keys, or a dash for none.
func names(t *testing.T, cell string) []string {
	t.Helper()
	if cell == "–" {
		return nil
	}
	list := strings.Split(cell, ", ")
	for _, name := range list {
		require.Contains(t, []string{"old", "new"}, name, cell)
	}
	return list
}

func number(t *testing.T, s string) int {
	t.Helper()
	require.Len(t, s, 1)
	return int(s[0] - '0')
}
