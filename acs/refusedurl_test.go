package acs_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// An error names the host of a refused URL, and not its user information.
func TestErrorsOmitUserInformation(t *testing.T) {
	w := newWorld(t)
	for raw, shown := range map[string]string{
		"https://admin:hunter2@host.invalid/x":   `"https://…@host.invalid/x"`,
		"https://hunter2@host.invalid/x":         `"https://…@host.invalid/x"`,
		"https://admin:hunter2/3@host.invalid/x": `"https://…@host.invalid/x"`,
		"https://admin:hunter2@[::1":             `"https://…@[::1"`,
		"https://admin:hunter2%40host.invalid":   `"https://…"`,
	} {
		_, err := acs.New(
			acs.Config{SP: w.sp, Store: w.store, ACS: raw, OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {}},
		)
		require.Error(t, err, raw)
		assert.Contains(t, err.Error(), shown)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
