package run_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

func TestLoopbackIsWhatTheSharedTableSays(t *testing.T) {
	table, err := os.ReadFile("../../../testdata/loopback.txt")
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
		assert.Equal(t, want == "yes", run.IsLoopback(host), "%q", host)
		n++
	}
	require.Greater(t, n, 40)
}
