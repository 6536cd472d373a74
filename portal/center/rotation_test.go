package center_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// Each Region takes itself out of rotation, also an additional one, and puts itself back. Records and Data have it.
func TestRotationIsOfTheRegionItself(t *testing.T) {
	inst, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}})
	require.NoError(t, err)
	set := func(region string, in bool) {
		v, err := inst.In(region)
		require.NoError(t, err)
		require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.SetRotation(in) }))
	}
	out := func(s *center.Snapshot) (list []string) {
		for _, name := range []string{"us-east-1", "eu-central-1", "sa-east-1"} {
			if since, ok := s.OutOfRotation(name); ok {
				assert.False(t, since.IsZero())
				list = append(list, name)
			}
		}
		return list
	}
	assert.Empty(t, out(inst.Snapshot()))
	before := inst.Snapshot()
	set("eu-central-1", false)
	assert.Equal(t, []string{"eu-central-1"}, out(inst.Snapshot()))
	since, _ := inst.Snapshot().OutOfRotation("eu-central-1")
	set("eu-central-1", false)
	again, _ := inst.Snapshot().OutOfRotation("eu-central-1")
	assert.Equal(t, since, again, "it stays as it is")
	set("us-east-1", false)

	changes := center.Diff(before, inst.Snapshot())
	require.Len(t, changes, 2)
	assert.Equal(t, center.KindRotation, changes[0].Kind)
	assert.True(t, center.KindRotation.Optional())
	other, err := center.New(before.Data())
	require.NoError(t, err)
	require.NoError(t, other.Apply(changes))
	assert.Equal(t, []string{"us-east-1", "eu-central-1"}, out(other.Snapshot()))
	copied, err := center.New(other.Snapshot().Data())
	require.NoError(t, err)
	assert.Equal(t, inst.Snapshot().Records(), copied.Snapshot().Records())
	require.NoError(t, other.Apply([]center.Record{{Kind: center.KindRotation, Key: "eu-central-1", Value: []byte("{")},
		{Kind: center.KindRotation, Key: "sa-east-1", Value: []byte(`{"region":"sa-east-1","since":"2026-01-01T00:00:00Z"}`)},
	}))
	assert.Equal(t, []string{"us-east-1"}, out(other.Snapshot()), "unreadable: in; not of the instance: nothing")

	set("us-east-1", true)
	set("us-east-1", true)
	assert.Equal(t, []string{"eu-central-1"}, out(inst.Snapshot()))
	var kept int
	for _, r := range inst.Snapshot().Records() {
		if r.Kind == center.KindRotation {
			kept++
		}
	}
	assert.Equal(t, 1, kept)
}
