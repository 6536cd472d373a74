package run_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// RESULTS.md is consistent: the tables and the counts have the same number of
// "let in" attacks. Each attack exists and is in one row and one class. The
// overview equals the sections.
func TestResultsAddUp(t *testing.T) {
	text, err := os.ReadFile("RESULTS.md")
	require.NoError(t, err)
	parts := strings.Split(string(text), "\n## ")
	require.Len(t, parts, 12, "an overview and eleven peers")
	known := map[string]bool{}
	for _, e := range run.List() {
		known[e.ID] = true
	}
	overview := map[string][]int{} // the counts of the three classes and the other five, by label
	for _, row := range tableRows(parts[0], 9) {
		if n, err := strconv.Atoi(row[1]); err == nil {
			overview[row[0]] = append(overview[row[0]], n)
			for _, c := range row[2:] {
				n, err := strconv.Atoi(c)
				require.NoError(t, err, "%s", row)
				overview[row[0]] = append(overview[row[0]], n)
			}
		}
	}
	require.Len(t, overview, 12)
	counted := regexp.MustCompile(`(\d+) attacks: (\d+) let in, (\d+) tolerated, (\d+) refused, (\d+) failed, ` +
		`(\d+) accepted, (\d+) stricter, (\d+) inconclusive, (\d+) not run\.`)
	for _, section := range parts[1:] {
		name, _, _ := strings.Cut(section, "\n")
		m := counted.FindStringSubmatch(strings.ReplaceAll(section, "\n", " "))
		require.NotNil(t, m, name)
		n := make([]int, len(m))
		for i := range m[1:] {
			n[i], err = strconv.Atoi(m[i+1])
			require.NoError(t, err)
		}
		assert.Equal(t, n[0], n[1]+n[2]+n[3]+n[4]+n[5]+n[6]+n[7]+n[8], name)

		class, seen := map[string]int{}, []string{}
		for _, row := range tableRows(section, 5) {
			if row[0] == "Cause" {
				continue
			}
			require.Contains(t, []string{"Hole", "Weaker", "Policy"}, row[3], "%s: %s", name, row[0])
			for _, id := range strings.Split(row[1], ", ") {
				assert.True(t, known[id], "%s: no attack is called %s", name, id)
				assert.NotContains(t, seen, id, name)
				seen = append(seen, id)
				class[row[3]]++
			}
		}
		assert.Len(t, seen, n[1], "%s: let in", name)
		want := []int{class["Hole"], class["Weaker"], class["Policy"], n[2], n[3], n[4], n[5] + n[6], n[7] + n[8]}
		found := false
		for label, got := range overview {
			found = found || slices.Equal(got, want) && strings.EqualFold(firstWord(label), firstWord(name))
		}
		assert.True(t, found, "%s: the overview has no such row: %v", name, want)
	}
}

// tableRows returns the cells of a page's tables that have so many columns.
func tableRows(text string, columns int) (out [][]string) {
	for line := range strings.Lines(text) {
		line, table := strings.CutPrefix(strings.TrimSpace(line), "|")
		if !table || strings.HasPrefix(line, "---") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) == columns {
			out = append(out, cells)
		}
	}
	return out
}

func firstWord(s string) string { return strings.TrimRight(strings.Fields(s)[0], ",") }
