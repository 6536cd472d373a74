package peers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// checkDiscovery checks that the address where a sign-in begins is enough for an attack on a host.
func checkDiscovery(t *testing.T, h *spHost, idp *run.IdP) {
	t.Helper()
	to, found, err := run.Discover(t.Context(), run.Target{Login: h.Login, IdP: idp})
	t.Logf("found: %v", found)
	require.NoError(t, err)
	assert.Equal(t, h.EntityID, to.EntityID)
	assert.Contains(t, h.ACS, to.ACS)
	assert.Equal(t, h.Probe, to.Probe)
	require.NotNil(t, to.Identity)
	assert.Equal(t, []string{"user=bob\n", "bob"}, to.Identity.FindStringSubmatch("user=bob\n"), to.Identity)
}
