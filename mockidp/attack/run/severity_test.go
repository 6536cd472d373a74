package run_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

func TestEveryAttackHasASeverity(t *testing.T) { assert.Empty(t, run.SeverityMistakes()) }

// findingOf returns the only finding of an attack that was let in.
func findingOf(t *testing.T, id, reason string) run.Finding {
	t.Helper()
	all := (&run.Report{Results: []run.Result{{ID: id, Verdict: run.LetIn, Reason: reason}}}).Findings()
	require.Len(t, all, 1)
	return all[0]
}

// The tool is not milder than RESULTS.md: it sees a whole service provider, and can't know what a project leaves to
// the application.
func TestSeveritiesAgreeWithResults(t *testing.T) {
	text, err := os.ReadFile("RESULTS.md")
	require.NoError(t, err)
	compared := 0
	for _, row := range tableRows(string(text), 4) {
		for _, id := range strings.Split(row[1], ", ") {
			if _, ok := attack.RowOf(id); !ok {
				continue
			}
			compared++
			got := findingOf(t, id, "").Severity
			switch row[2] {
			case "Hole":
				assert.Equal(t, run.Hole, got, "%s: %s", id, row[0])
			case "Weaker":
				assert.NotEqual(t, run.Policy, got, "%s: %s", id, row[0])
			}
		}
	}
	assert.Greater(t, compared, 200)
}

// A forged name is a hole, whatever rule lets it in.
func TestForgeryIsAHole(t *testing.T) {
	for id, reason := range map[string]string{
		"D20/no-data": "signed in as the forged user", "D48/get": "signed in as the forged user",
		"C25/base-id": `"alice@example.com", with an attribute that is not signed`,
	} {
		assert.Equal(t, run.Hole, findingOf(t, id, reason).Severity, id)
		assert.NotEqual(t, run.Hole, findingOf(t, id, `signed in as "alice@example.com"`).Severity, id)
	}
	assert.Equal(t, "signature wrapping", findingOf(t, "A03/assertion", "signed in as the forged user").Problem)
}
