package mockidp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// An error names the host of a refused URL, without the user information.
func TestRefusedURLsKeepTheirUserInformation(t *testing.T) {
	idp := mockidp.NewUnstarted(mockidp.Config{})
	for raw, shown := range map[string]string{
		"https://admin:hunter2@host.invalid/x":   `"https://…@host.invalid/x"`,
		"https://hunter2@host.invalid/x":         `"https://…@host.invalid/x"`,
		"https://admin:hunter2/3@host.invalid/x": `"https://…@host.invalid/x"`,
		"https://admin:hunter2@[::1":             `"https://…@[::1"`,
		"https://admin:hunter2%40host.invalid":   `"https://…"`,
	} {
		_, err := idp.AddApp(mockidp.App{Label: "A", Audience: "a", ACS: []mockidp.ACS{{URL: raw}}})
		require.Error(t, err, raw)
		assert.Contains(t, err.Error(), shown)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
