package scim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// An error shows the host of a refused URL, but not its user information.
func TestRefusedURLHidesUserInformation(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	for raw, shown := range map[string]string{
		"https://admin:hunter2@host.invalid/x":   `"https://…@host.invalid/x"`,
		"https://hunter2@host.invalid/x":         `"https://…@host.invalid/x"`,
		"https://admin:hunter2/3@host.invalid/x": `"https://…@host.invalid/x"`,
		"https://admin:hunter2@[::1":             `"https://…@[::1"`,
		"https://admin:hunter2%40host.invalid":   `"https://…"`,
	} {
		_, err := scim.New(scim.Config{View: view, BaseURL: raw, Tokens: []string{strings.Repeat("x", 32)}})
		require.Error(t, err, raw)
		assert.Contains(t, err.Error(), shown)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
