package center_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// Rule 72: the primary writes the Regions that may ever be added. No update adds another one, and no
// policy excludes a Region that has the data already.
func TestRule72RegionsOutsideOfThePolicy(t *testing.T) {
	inst, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}},
		Residency: []string{"us-east-1", "eu-central-1", "eu-west-1", "eu-west-1"}})
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	set := func(v *center.View, regions ...string) error {
		return v.Update(func(tx *center.Tx) error { return tx.SetResidency(regions) })
	}
	add := func(name string) error {
		return v.Update(func(tx *center.Tx) error { return tx.PutRegion(center.Region{Name: name}) })
	}
	assert.Equal(t, []string{"eu-central-1", "eu-west-1", "us-east-1"}, v.Snapshot().Residency())
	assert.Equal(t, center.ReasonResidency, reasonOf(t, add("eu-north-1")))
	assert.Equal(t, center.ReasonResidency, reasonOf(t, set(v, "us-east-1")), "a Region with data")
	assert.Equal(t, center.ReasonInvalid, reasonOf(t, set(v, "us-east-1", "eu-central-1", "EU")))
	assert.Equal(t, center.ReasonQuota, reasonOf(t, set(v, manyRegions()...)))
	additional, err := inst.In("eu-central-1")
	require.NoError(t, err)
	assert.Equal(t, center.ReasonNotPrimary, reasonOf(t, set(additional)))
	assert.Len(t, v.Regions(), 2)

	require.NoError(t, add("eu-west-1"))
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "alice@example.com"})
	}))
	// The record outlives a version that doesn't know it, and another Region has it.
	records := v.Snapshot().Records()
	assert.True(t, center.KindResidency.Optional())
	stored, err := center.Assemble(records)
	require.NoError(t, err)
	assert.Equal(t, v.Snapshot().Residency(), stored.Residency)

	require.NoError(t, set(v))
	assert.Nil(t, v.Snapshot().Residency())
	require.NoError(t, add("eu-north-1"))

	_, err = center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}}, Residency: []string{"eu-west-1"}})
	assert.Equal(t, center.ReasonResidency, reasonOf(t, err))
	_, err = center.Assemble([]center.Record{{Kind: center.KindRegion, Key: "us-east-1",
		Value: []byte(`{"name":"us-east-1"}`)}, {Kind: center.KindResidency, Key: "residency", Value: []byte(`{`)}})
	assert.NoError(t, err, "one that can't be read prevents no start")
}

func manyRegions() (out []string) {
	for c := 'a'; c <= 'z'; c++ {
		for _, n := range []string{"1", "2", "3"} {
			out = append(out, "x"+string(c)+"-east-"+n)
		}
	}
	return append(out, "us-east-1", "eu-central-1")
}
