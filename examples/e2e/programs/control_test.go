package programs_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testControl calls the control API of a container by the container's name.
func testControl(t *testing.T, i images) {
	const token = "0123456789abcdef"
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o644))
	control := []string{"--env", "MOCKIDP_CONTROL=0.0.0.0:8702"}

	open := i.start("mockidp", nil, control...)
	require.Error(t, <-open.ended, "beyond loopback, without a token")
	assert.Contains(t, open.output.String(), "requires -control-token")

	c := i.start("mockidp", []string{"-control-token-file", "/token"}, append(control, "-v", file+":/token:ro")...)
	defer c.stop()
	c.healthy([]string{"CMD", "/mockidp", "-healthcheck", "http://127.0.0.1:8702/healthz"})
	status := func(token string) int {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://mockidp:8702/api/v1/users", nil)
		require.NoError(t, err)
		if token != "" {
			req.Header.Set("Authorization", "SSWS "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	assert.Equal(t, 200, status(token))
	assert.Equal(t, 421, status(token+"x"))
	assert.Equal(t, 421, status(""))
	assert.NotContains(t, c.output.String(), token)
}
