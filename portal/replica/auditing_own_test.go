package replica_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
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
	put := func(id string) func(*center.Tx) error {
		return func(tx *center.Tx) error {
			return tx.PutApplication(center.Application{ID: id, Name: id, URL: "https://app.example", Region: frankfurt})
		}
	}
	require.NoError(t, eu.View().Update(by(center.Actor{Client: "okta"}, put("forged"))))
	require.NoError(t, eu.View().Update(by(center.Actor{UserID: "u-1", Session: "s-1"}, put("later"))))
	for region, l := range w.logs {
		var all []audit.Event
		var said []string
		eventually(t, "the later event in "+region, func() bool {
			all, said = changeEvents(t, l)
			return said[len(said)-1] == "PutApplication later"
		})
		for i, want := range []audit.Identity{audit.Service(), audit.User("u-1", "alice@example.com", "s-1")} {
			e := all[len(all)-2+i]
			assert.Equal(t, want, e.Identity, "%s: a provisioning client writes in the primary only", region)
			assert.Equal(t, frankfurt, e.Additional["OriginRegion"])
		}
		remote, err := l.Search(t.Context(), audit.Query{Class: audit.Remote})
		require.NoError(t, err)
		assert.Equal(t, region == frankfurt, len(remote.Events) == 0, region)
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
	for _, id := range []string{"near-1", "near-2"} { // changes that take effect, with stamps before those
		value, err := json.Marshal(center.Application{ID: id, Name: "Near", URL: "https://app.example", Region: frankfurt})
		require.NoError(t, err)
		require.NoError(t, replica.WriteStamped(w.nodes[frankfurt], uint64(time.Now().UnixMicro()), "application", id,
			string(value)))
		for region, l := range w.logs {
			eventually(t, id+" in "+region, func() bool {
				_, said := changeEvents(t, l)
				return slices.Contains(said, "PutApplication "+id)
			})
		}
	}
	_, said := changeEvents(t, w.logs[virginia])
	w.restart(virginia, func() {}) // which reads all streams again
	require.NoError(t, w.nodes[virginia].View().Update(putUser(center.User{ID: "u-9", UserName: "nina@example.com"})))
	assert.NotContains(t, said, "CreateUser u-9")
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
