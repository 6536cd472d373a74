package audit_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

// Rule 70: a client that sends a forged token makes a key refuse it. That says nothing about the key, and is no alert.
func TestRule70AForgedCiphertextIsNoAlertOfTheKey(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.Keys = []*audit.KeyUse{r.use}
	l := r.open()
	forged, err := r.sealer.Seal(t.Context(), []byte("token"), []byte("kind"))
	require.NoError(t, err)
	forged[20]++ // in the data key
	for range 3 {
		_, err = r.sealer.Open(audit.WithClient(t.Context(), "198.51.100.9:443", "curl"), forged, []byte("kind"))
		require.Error(t, err)
		forged[20]++
	}
	l.Tick()
	for _, a := range l.Alerts() {
		assert.NotEqual(t, "KeyUnusable", a.Rule)
	}
	l.Flush()
	all, _ := exported(t, l)
	assert.Len(t, named(all, "Decrypt"), 2, "the first, and the number of the others")
	page, err := l.Search(t.Context(), audit.Query{Class: audit.Refusals})
	require.NoError(t, err)
	refused := named(page.Events, "Decrypt")
	require.Len(t, refused, 2, "within the quota of what clients cause")
	assert.Equal(t, "KMS_InvalidCiphertextException", refused[1].ErrorCode)
	assert.Equal(t, "198.51.100.9", refused[1].ClientAddr)
	assert.Equal(t, "2", refused[0].Request["count"])

	require.NoError(t, r.ring.Disable(r.keyID))
	forged[21]++
	_, err = r.sealer.Open(t.Context(), forged, []byte("kind"))
	require.Error(t, err)
	l.Tick()
	unusable := func(a audit.Alert) bool { return a.Rule == "KeyUnusable" }
	assert.True(t, slices.ContainsFunc(l.Alerts(), unusable), "%v", l.Alerts())
}
