package replica_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rule 71: keys of an identity provider, and where the instance may be extended to, are events.
func TestRule71FederationsAndResidencyAreEvents(t *testing.T) {
	t.Parallel()
	w := newAudited(t)
	us := w.nodes[virginia].View()
	f := center.Federation{EntityID: "https://idp.example", Metadata: []byte("<metadata/>")}
	require.NoError(t, us.Update(func(tx *center.Tx) error { return tx.PutFederation(f) }))
	require.NoError(t, us.Update(func(tx *center.Tx) error {
		return tx.SetResidency([]string{virginia, frankfurt, mumbai})
	}))
	require.NoError(t, us.Update(func(tx *center.Tx) error { return tx.RemoveFederation(f.EntityID) }))
	said := w.become("DeleteFederation " + f.EntityID)
	assert.Subset(t, said, []string{"PutFederation " + f.EntityID, "PutResidency residency"})
}

// Rule 71: an additional Region can't make events of changes that aren't its own.
func TestRule71WhatARegionMayNotWriteIsNoEvent(t *testing.T) {
	t.Parallel()
	w := newAudited(t)
	eu := w.nodes[frankfurt]
	require.NoError(t, replica.WriteKind(eu, string(center.KindUser), "u-1", "", false))
	require.NoError(t, replica.WriteKind(eu, string(center.KindRegion), mumbai, "", false))
	putApplication(t, eu, "later")
	for region, l := range w.logs {
		var said []string
		eventually(t, "the later event in "+region, func() bool {
			_, said = changeEvents(t, l)
			return said[len(said)-1] == "PutApplication later"
		})
		assert.NotContains(t, said, "DeleteUser u-1", region)
		assert.NotContains(t, said, "RemoveRegion "+mumbai, region)
		assert.NotContains(t, said, "DeleteRegion "+mumbai, region)
	}
}

// Rule 70: no stamp of a Region keeps the events of the others from being written.
func TestRule70AStampWithoutADateStopsNoEvents(t *testing.T) {
	t.Parallel()
	w := newAudited(t)
	for i, stamp := range []uint64{math.MaxUint64 / 2, math.MaxUint64 - 9} {
		app := center.Application{ID: fmt.Sprint("far-", i), Name: "Far", URL: "https://app.example", Region: frankfurt}
		value, err := json.Marshal(app)
		require.NoError(t, err)
		require.NoError(t, replica.WriteStamped(w.nodes[frankfurt], stamp, "application", app.ID, string(value)))
		for region, l := range w.logs {
			eventually(t, app.ID+" in "+region, func() bool {
				_, said := changeEvents(t, l)
				return said[len(said)-1] == "PutApplication "+app.ID
			})
		}
	}
	require.NoError(t, w.nodes[virginia].View().Update(putUser(center.User{ID: "u-9", UserName: "nina@example.com"})))
	for region, l := range w.logs {
		eventually(t, "the later event in "+region, func() bool {
			all, said := changeEvents(t, l)
			for _, e := range all {
				require.LessOrEqual(t, e.Time.Year(), 9999)
			}
			return slices.Contains(said, "CreateUser u-9")
		})
	}
}
