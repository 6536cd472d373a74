package testkit_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestLoopbackMatchesTheSharedTable(t *testing.T) {
	table, err := os.ReadFile("../../testdata/loopback.txt")
	require.NoError(t, err)
	canceled, cancel := context.WithCancel(t.Context())
	cancel() // so nothing is dialled
	n := 0
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		want, quoted, _ := strings.Cut(strings.TrimSpace(line), " ")
		host, err := strconv.Unquote(quoted)
		require.NoError(t, err, line)
		require.Contains(t, []string{"yes", "no"}, want, line)
		_, err = testkit.DialLoopback(canceled, "tcp", net.JoinHostPort(host, "1"))
		assert.Equal(t, want == "yes", errors.Is(err, context.Canceled), "%q: %v", host, err)
		n++
	}
	require.Greater(t, n, 40)
}
