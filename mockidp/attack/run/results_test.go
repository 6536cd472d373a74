package run_test

import (
	"cmp"
	"fmt"
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
// overview equals the sections, and so does its number of withheld rows.
func TestResultsAddUp(t *testing.T) {
	text, err := os.ReadFile("RESULTS.md")
	require.NoError(t, err)
	parts := strings.Split(string(text), "\n## ")
	overview := map[string][]int{} // the counts of the three classes and the other five, by label
	for _, row := range tableRows(parts[0], 9)[1:] {
		overview[row[0]] = numbers(t, row[1:])
	}
	require.Equal(t, 16, len(parts), "an overview and fifteen peers")
	require.Equal(t, 16, len(overview), "fifteen peers and Meridian")
	counted := regexp.MustCompile(`(\d+) attacks: (\d+) let in, (\d+) tolerated, (\d+) refused, (\d+) failed, ` +
		`(\d+) accepted, (\d+) stricter, (\d+) open(?:, (\d+) withheld)?\.`)
	withheld := 0
	classes := map[string]map[string]int{} // how many rows each class has, by peer
	for _, section := range parts[1:] {
		peer := firstWord(section)
		m := counted.FindStringSubmatch(strings.ReplaceAll(section, "\n", " "))
		require.NotNil(t, m, peer)
		m[9] = cmp.Or(m[9], "0")
		n := numbers(t, m[1:])
		assert.Equal(t, n[0], n[1]+n[2]+n[3]+n[4]+n[5]+n[6]+n[7]+n[8], peer)
		withheld += n[8]

		classes[peer] = letInClasses(t, peer, section)
		if same := sameAs.FindStringSubmatch(section); same != nil {
			require.Contains(t, classes, same[1], peer)
			classes[peer] = classes[same[1]]
		}
		class := classes[peer]
		assert.Equal(t, n[1], class["Hole"]+class["Weaker"]+class["Policy"], "%s: let in", peer)
		want := []int{class["Hole"], class["Weaker"], class["Policy"], n[2], n[3], n[4], n[5] + n[6], n[7]}
		found := false
		for label, got := range overview {
			found = found || slices.Equal(got, want) && strings.EqualFold(firstWord(label), peer)
		}
		assert.True(t, found, "%s: the overview has no such row: %v", peer, want)
	}
	assert.Contains(t, parts[0], "\n"+strconv.Itoa(withheld)+" rows are withheld ")
}

// The rows of the tables on logout and on artifacts add up to the attacks, and the attacks that were let in exist.
func TestLaterResultsAddUp(t *testing.T) {
	for _, x := range []struct {
		title, count   string
		rows           []string
		columns, peers int
	}{
		{"Logout messages", "The %d attacks on single logout", logoutRows, 8, 12},
		{"Artifacts", "The %d attacks by artifacts", artifactRows, 8, 6},
	} {
		t.Run(x.title, func(t *testing.T) {
			section := resultsSection(t, x.title)
			all := 0
			for _, e := range run.List() {
				if slices.ContainsFunc(x.rows, func(row string) bool { return strings.HasPrefix(e.ID, row) }) {
					all++
				}
			}
			assert.Contains(t, section, fmt.Sprintf(x.count, all))
			peers := tableRows(section, x.columns)
			require.Len(t, peers, 1+x.peers)
			for _, row := range peers[1:] {
				sum := 0
				for _, n := range numbers(t, row[1:]) {
					sum += n
				}
				assert.Equal(t, all, sum, row[0])
			}
			letInClasses(t, x.title, section)
		})
	}
}

// resultsSection returns a section below the overview.
func resultsSection(t *testing.T, title string) string {
	t.Helper()
	text, err := os.ReadFile("RESULTS.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n### "+title+"\n")
	require.True(t, found, title)
	section, _, _ = strings.Cut(section, "\n## ")
	section, _, _ = strings.Cut(section, "\n### ")
	return section
}

// sameAs is in a section without a table.
var sameAs = regexp.MustCompile(`Let in: the same as at (\S+),`)

// letInClasses counts the attacks in a section's table by class.
func letInClasses(t *testing.T, peer, section string) map[string]int {
	t.Helper()
	class, seen := map[string]int{}, map[string]bool{}
	for _, row := range tableRows(section, 4) {
		if row[0] == "Cause" {
			continue
		}
		require.Contains(t, []string{"Hole", "Weaker", "Policy"}, row[2], "%s: %s", peer, row[0])
		for _, id := range strings.Split(row[1], ", ") {
			assert.True(t, slices.ContainsFunc(run.List(), func(e run.Entry) bool { return e.ID == id }),
				"%s: no attack is called %s", peer, id)
			assert.False(t, seen[id], "%s: %s twice", peer, id)
			seen[id] = true
			class[row[2]]++
		}
	}
	return class
}

func numbers(t *testing.T, texts []string) (out []int) {
	t.Helper()
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "%q", texts)
		out = append(out, n)
	}
	return out
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
