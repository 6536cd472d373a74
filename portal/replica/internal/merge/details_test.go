package merge_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

const dated = `{"createdAt":"2026-11-30T12:00:00Z"}`

func datesOf(id string) merge.Record { return rec(center.KindDetails, "user "+id, dated, true) }

// Records of the new kinds may be skipped by versions that don't know them.
func TestDraftsSayWhatMayBeSkipped(t *testing.T) {
	r := newRegion(virginia).know(primary(1, true, nil))
	for _, k := range []center.Kind{center.KindInstance, center.KindDetails, center.KindUser} {
		out := r.dir.Draft(virginia, []center.Record{{Kind: k, Key: "user u-1", Value: []byte(`{}`)}})
		assert.Equal(t, k != center.KindUser, out[0].Optional, k)
	}
}

// An older primary removes a user and leaves the user's details. They are shown for no other user: not for one that an
// older primary adds under the same ID before a whole state, and never after this version has written.
func TestDetailsThatAnOlderPrimaryLeaves(t *testing.T) {
	removed := []arrival{
		primary(1, true, []merge.Record{userRecord("u-1", true), datesOf("u-1")}),
		primary(2, false, []merge.Record{rec(center.KindUser, "u-1", "", false)}),
	}
	shown := "shown details user u-1"
	r := newRegion(virginia).know(removed[0])
	assert.Contains(t, r.state(), shown)
	assert.NotContains(t, r.know(removed[1]).state(), shown)
	assert.NotContains(t, newRegion(virginia).know(removed[1], removed[0]).state(), shown, "in any order")

	full := r.dir.Compose(virginia, 3, nil, true)
	assert.False(t, slices.ContainsFunc(full.Records, func(r merge.Record) bool { return r.Kind == center.KindDetails }))
	added := r.dir.Compose(virginia, 3, r.dir.Draft(virginia, []center.Record{{Kind: center.KindUser, Key: "u-1",
		Value: []byte(`{"id":"u-1","userName":"u-1","active":true}`)}}), false)
	assert.Contains(t, added.Records, merge.Record{Kind: center.KindDetails, Key: "user u-1", Optional: true})
	r.know(arrival{region: virginia, tx: &added})
	assert.Contains(t, r.state(), "shown user u-1")
	assert.NotContains(t, r.state(), shown)
}

// An older primary changes a user: the details stay, also in its whole state.
func TestDetailsOutliveAnOlderPrimary(t *testing.T) {
	r := newRegion(frankfurt).know(
		primary(1, true, []merge.Record{userRecord("u-1", true), datesOf("u-1"),
			rec(center.KindInstance, "instance", `{"id":"ssoins-1234567890abcdef"}`, true)}),
		primary(2, false, []merge.Record{userRecord("u-1", false)}),
	)
	assert.Contains(t, r.state(), "shown details user u-1")
	assert.Contains(t, r.state(), "shown instance instance")
	full := r.dir.Compose(virginia, 3, nil, true)
	assert.Contains(t, full.Records, merge.Record{Kind: center.KindDetails, Key: "user u-1",
		Value: json.RawMessage(dated), Stamp: 1, Optional: true})
}

// Only the primary describes the instance and its elements.
func TestOnlyThePrimarySaysDetails(t *testing.T) {
	eu := func(records ...merge.Record) arrival {
		return arrival{region: frankfurt, tx: &merge.Transaction{Stamp: 2, Full: true, Records: records}}
	}
	r := newRegion(virginia).know(primary(1, true, []merge.Record{userRecord("u-1", true)}),
		eu(datesOf("u-1"), rec(center.KindInstance, "instance", `{"name":"eu"}`, true)))
	for what := range r.state() {
		assert.NotContains(t, what, "details")
		assert.NotContains(t, what, "instance instance")
	}
}
