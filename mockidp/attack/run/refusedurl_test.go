package run_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// An error names the host of a refused URL, and not who may go there.
func TestRefusedURLsKeepTheirUserInformation(t *testing.T) {
	idp, err := run.NewIdP()
	require.NoError(t, err)
	for raw, shown := range map[string]string{
		"ftp://admin:hunter2@host.invalid/x":   `"ftp://…@host.invalid/x"`,
		"ftp://hunter2@host.invalid/x":         `"ftp://…@host.invalid/x"`,
		"ftp://admin:hunter2/3@host.invalid/x": `"ftp://…@host.invalid/x"`,
		"ftp://admin:hunter2@[::1":             `"ftp://…@[::1"`,
		"ftp://admin:hunter2%40host.invalid":   `"ftp://…"`,
	} {
		_, err := run.Run(t.Context(), run.Target{IdPInitiated: true, ACS: raw, Probe: "http://localhost:1/", EntityID: "sp", Identity: regexp.MustCompile("x"), IdP: idp})
		require.Error(t, err, raw)
		assert.Contains(t, err.Error(), shown)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
