package run_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// The error about a URL does not show its user information.
func TestRefusedURLsKeepTheirUserInformation(t *testing.T) {
	idp, err := run.NewIdP()
	require.NoError(t, err)
	for _, raw := range []string{
		"ftp://admin:hunter2@host.invalid/x", "ftp://hunter2@host.invalid/x", "ftp://admin:hunter2@[::1",
	} {
		_, err := run.Run(t.Context(), run.Target{
			IdPInitiated: true, ACS: raw, Probe: "http://localhost:1/", EntityID: "sp", IdP: idp,
			Identity: regexp.MustCompile("x"),
		})
		require.ErrorContains(t, err, "ACS is not an http or https URL")
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
