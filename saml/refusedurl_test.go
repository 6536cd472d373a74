package saml_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// An error names the host of a refused URL, and not its user information.
func TestErrorsOmitUserInformation(t *testing.T) {
	for raw, shown := range map[string]string{
		"https://admin:hunter2@host.invalid/x":   `"https://…@host.invalid/x"`,
		"https://hunter2@host.invalid/x":         `"https://…@host.invalid/x"`,
		"https://admin:hunter2/3@host.invalid/x": `"https://…@host.invalid/x"`,
		"https://admin:hunter2@[::1":             `"https://…@[::1"`,
		"https://admin:hunter2%40host.invalid":   `"https://…"`,
	} {
		_, err := saml.New(saml.Config{EntityID: "sp", ACS: []saml.Endpoint{{URL: raw}}, IdP: expiredIdP()})
		require.Error(t, err, raw)
		assert.Contains(t, err.Error(), shown)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
