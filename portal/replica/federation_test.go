package replica_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rules 21 and 65: metadata of identity providers, of the largest size, reaches every Region, sealed, and so does its
// removal. What an additional Region writes into its own log about one is believed nowhere, not even there.
func TestRule65FederationsAreThePrimarys(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	usDir, euDir := t.TempDir(), t.TempDir()
	us, eu := open(t, k.config(t, virginia, usDir)), open(t, k.config(t, frankfurt, euDir))
	mesh(t, us, eu)
	f := center.Federation{EntityID: "https://idp.example",
		Metadata: bytes.Repeat([]byte("<metadata-of-idp/>"), center.MaxFederationMetadata/18)}
	put := func(f center.Federation) func(*center.Tx) error {
		return func(tx *center.Tx) error { return tx.PutFederation(f) }
	}
	require.NoError(t, us.View().Update(put(f)))
	has := func(n *replica.Node) *center.Federation { return n.View().Snapshot().Federation(f.EntityID) }
	eventually(t, "the metadata in Frankfurt", func() bool { return has(eu) != nil })
	assert.Equal(t, f.Metadata, has(eu).Metadata)
	assert.Empty(t, append(found(t, usDir, "metadata-of-idp"), found(t, euDir, "metadata-of-idp")...))

	evil := f
	evil.Metadata = []byte("<evil/>")
	var e *center.Error
	require.ErrorAs(t, eu.View().Update(put(evil)), &e)
	assert.Equal(t, virginia, e.Primary)
	forged, err := json.Marshal(evil)
	require.NoError(t, err)
	require.NoError(t, replica.WriteKind(eu, string(center.KindFederation), f.EntityID, string(forged), true))
	putApplication(t, eu, "later") // arrives after the forged record
	eventually(t, "what Frankfurt wrote", func() bool { _, ok := us.View().Snapshot().Application("later"); return ok })
	for _, n := range []*replica.Node{us, eu} {
		assert.Equal(t, f.Metadata, has(n).Metadata, n.Region())
	}
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveFederation(f.EntityID) }))
	eventually(t, "the removal in Frankfurt", func() bool { return has(eu) == nil })
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}
