package center_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// Rule 65: the metadata and policy of an identity provider are written in the primary only, have limits, and belong to
// a listed identity provider. They are records that outlive a round trip, and end with their identity provider.
func TestRule65FederationsAreOfThePrimary(t *testing.T) {
	const idp = "https://idp.example"
	inst, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}},
		IdentityProviders: []center.IdentityProvider{{EntityID: idp}, {EntityID: "https://other.example"}}})
	require.NoError(t, err)
	us, err := inst.In("us-east-1")
	require.NoError(t, err)
	eu, err := inst.In("eu-central-1")
	require.NoError(t, err)
	put := func(v *center.View, f center.Federation) error {
		return v.Update(func(tx *center.Tx) error { return tx.PutFederation(f) })
	}
	one := center.Federation{EntityID: idp, Metadata: []byte("<EntityDescriptor/>"),
		Policy: center.FederationPolicy{Scopes: []string{"example.org"}}}
	requireReason(t, center.ReasonNotPrimary, put(eu, one))
	large, empty, stray := one, one, one
	large.Metadata, empty.Metadata = make([]byte, center.MaxFederationMetadata), nil
	stray.EntityID = "https://evil.example"
	requireReason(t, center.ReasonQuota, put(us, large))
	requireReason(t, center.ReasonRequired, put(us, empty))
	requireReason(t, center.ReasonDangling, put(us, stray))
	require.NoError(t, put(us, one))
	one.Metadata[0], one.Policy.Scopes[0] = 'X', "evil.example" // the instance has a copy
	got := us.Snapshot().Federation(idp)
	require.NotNil(t, got)
	assert.Equal(t, "<EntityDescriptor/>", string(got.Metadata))
	assert.Equal(t, []string{"example.org"}, got.Policy.Scopes)
	assert.False(t, got.UpdatedAt.IsZero())
	update(t, us, func(tx *center.Tx) error { return tx.PutUser(center.User{UserName: "u", IdentityProvider: idp}) })
	assert.Same(t, got, us.Snapshot().Federation(idp), "another change leaves the pointer")
	requireReason(t, center.ReasonNotPrimary, eu.Update(func(tx *center.Tx) error { return tx.RemoveFederation(idp) }))

	records := inst.Snapshot().Records()
	d, err := center.Assemble(records)
	require.NoError(t, err)
	again, err := center.New(d)
	require.NoError(t, err)
	assert.Equal(t, records, again.Snapshot().Records())
	assert.Len(t, slices.Collect(again.Snapshot().Federations("")), 1)
	for _, value := range [][]byte{[]byte("{"), []byte(`{"entityId":"https://other.example"}`), []byte(`[]`), nil} {
		i := slices.IndexFunc(records, func(r center.Record) bool { return r.Kind == center.KindFederation })
		require.True(t, center.KindFederation.Optional())
		require.NoError(t, again.Apply([]center.Record{records[i]}))
		require.NoError(t, again.Apply([]center.Record{{Kind: center.KindFederation, Key: idp, Value: value}}))
		assert.Nil(t, again.Snapshot().Federation(idp), "%s: what can't be read is trusted less, not more", value)
	}

	requireReason(t, center.ReasonDangling, us.Update(func(tx *center.Tx) error {
		return tx.RemoveIdentityProvider(idp) // it has a user
	}))
	assert.NotNil(t, us.Snapshot().Federation(idp))
	update(t, us, func(tx *center.Tx) error {
		if err := tx.RemoveUser("u"); err != nil {
			return err
		}
		return tx.RemoveIdentityProvider(idp)
	})
	assert.Nil(t, us.Snapshot().Federation(idp))
	assert.False(t, slices.ContainsFunc(inst.Snapshot().Records(), func(r center.Record) bool {
		return bytes.Contains(r.Value, []byte("EntityDescriptor"))
	}))
}

// An instance's identity source is a detail of its description: an instance without other metadata has it too, and it
// outlives a round trip.
func TestIdentitySourceIsADetail(t *testing.T) {
	for _, m := range []center.InstanceMetadata{{}, {Name: "example"}} {
		m.IdentitySource = center.SourceActiveDirectory
		inst, err := center.New(center.Data{Instance: m, Regions: []center.Region{{Name: "us-east-1"}}})
		require.NoError(t, err)
		records := inst.Snapshot().Records()
		d, err := center.Assemble(records)
		require.NoError(t, err)
		assert.Equal(t, m, d.Instance)
		other, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}}})
		require.NoError(t, err)
		require.NoError(t, other.Apply(records))
		assert.Equal(t, records, other.Snapshot().Records())
		requireReason(t, center.ReasonInvalid, view(t, d, "us-east-1").Update(func(tx *center.Tx) error {
			return tx.PutRegion(center.Region{Name: "eu-central-1"})
		}))
	}
	_, err := center.New(center.Data{Instance: center.InstanceMetadata{IdentitySource: "LDAP"},
		Regions: []center.Region{{Name: "us-east-1"}}})
	requireReason(t, center.ReasonInvalid, err)
}
