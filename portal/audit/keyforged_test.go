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
	_, err = r.sealer.Open(t.Context(), forged, []byte("kind"))
	require.Error(t, err)
	l.Tick()
	for _, a := range l.Alerts() {
		assert.NotEqual(t, "KeyUnusable", a.Rule)
	}
	l.Flush()
	all, _ := exported(t, l)
	refused := named(all, "Decrypt")
	require.Len(t, refused, 1, "it is an event")
	assert.Equal(t, "KMS_InvalidCiphertextException", refused[0].ErrorCode)

	require.NoError(t, r.ring.Disable(r.keyID))
	forged[21]++
	_, err = r.sealer.Open(t.Context(), forged, []byte("kind"))
	require.Error(t, err)
	l.Tick()
	unusable := func(a audit.Alert) bool { return a.Rule == "KeyUnusable" }
	assert.True(t, slices.ContainsFunc(l.Alerts(), unusable), "%v", l.Alerts())
}
