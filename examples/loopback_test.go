package examples_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// Packages that don't import each other have a test each for loopback names, and
// these agree. Those of mockidp/testkit and mockidp/attack/run are not exported,
// and have tests of their own with this table.
func TestLoopbackIsWhatTheSharedTableSays(t *testing.T) {
	table, err := os.ReadFile("../testdata/loopback.txt")
	require.NoError(t, err)
	n := 0
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		want, quoted, _ := strings.Cut(strings.TrimSpace(line), " ")
		host, err := strconv.Unquote(quoted)
		require.NoError(t, err, line)
		require.Contains(t, []string{"yes", "no"}, want, line)
		for name, is := range map[string]func(string) bool{
			"saml": saml.IsLoopback, "center": center.IsLoopback, "mockidp": mockidp.IsLoopback,
		} {
			assert.Equal(t, want == "yes", is(host), "%s: %q", name, host)
		}
		n++
	}
	require.Greater(t, n, 40)
}
