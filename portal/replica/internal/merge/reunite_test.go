package merge_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

func word(kind center.Kind, key, value string, stamp uint64) merge.Record {
	r := merge.Record{Kind: kind, Key: key, Stamp: stamp}
	if value != "" {
		r.Value = json.RawMessage(value)
	}
	return r
}

func TestReuniteKeepsWhatEitherPlaceEnded(t *testing.T) {
	begin := merge.Transaction{Stamp: 10, Full: true, Records: []merge.Record{word(center.KindUser, "u-1", `{"id":"u-1","active":true}`, 10), word(center.KindUser, "u-2", `{"id":"u-2","active":true}`, 10)}}
	disabled := merge.Transaction{Stamp: 50, Records: []merge.Record{word(center.KindUser, "u-1", `{"id":"u-1"}`, 0), word(merge.KindEnded, "u-1", "50", 0)}}
	removed := merge.Transaction{Stamp: 51, Records: []merge.Record{word(center.KindUser, "u-2", "", 0), word(merge.KindEnded, "u-2", "51", 0)}}
	apart := merge.Transaction{Stamp: 60, Full: true, Records: append(begin.Records, word(center.KindUser, "u-3", `{"id":"u-3","active":true}`, 60))}
	for _, all := range [][]merge.Transaction{{begin, disabled, removed, apart}, {apart, removed, begin, disabled}} {
		got, last, whole := merge.Reunite("us-east-1", "us-east-1", all)
		assert.True(t, whole)
		assert.Equal(t, uint64(60), last)
		values := map[string]string{}
		for _, r := range got {
			values[string(r.Kind)+" "+r.Key] = string(r.Value)
		}
		assert.Equal(t, map[string]string{
			"user u-1": `{"id":"u-1"}`, "user u-3": `{"id":"u-3","active":true}`, "ended u-1": "50", "ended u-2": "51",
		}, values)
	}
}

// A copy that hasn't heard of a removal brings nothing back.
func TestReuniteBringsNothingBackThatACopyStillHas(t *testing.T) {
	old := merge.Transaction{Stamp: 10, Full: true, Records: []merge.Record{word(center.KindUser, "u-1", `{"id":"u-1","active":true}`, 10)}}
	now := merge.Transaction{Stamp: 60, Full: true, Records: []merge.Record{word(merge.KindEnded, "u-1", "30", 30)}}
	got, _, _ := merge.Reunite("us-east-1", "us-east-1", []merge.Transaction{now, old})
	assert.Len(t, got, 1)
}

// A Region that was removed in one place stays removed, although a later whole
// state of another place doesn't know that.
func TestReuniteKeepsRemovals(t *testing.T) {
	begin := merge.Transaction{Stamp: 10, Full: true, Records: []merge.Record{word(center.KindRegion, "eu-central-1", `{"name":"eu-central-1"}`, 10)}}
	removed := merge.Transaction{Stamp: 50, Records: []merge.Record{word(center.KindRegion, "eu-central-1", "", 0), word(merge.KindRemoved, "eu-central-1", "50", 0)}}
	apart := merge.Transaction{Stamp: 60, Full: true, Records: begin.Records}
	got, _, _ := merge.Reunite("us-east-1", "us-east-1", []merge.Transaction{begin, removed, apart})
	assert.Equal(t, []merge.Record{word(merge.KindRemoved, "eu-central-1", "50", 50)}, got)
}

// A version that doesn't know a kind of record keeps what may end access, as it
// keeps the marks that it knows.
func TestReuniteKeepsUnknownRecordsThatMayEndAccess(t *testing.T) {
	begin := merge.Transaction{Stamp: 10, Full: true}
	strict, optional := word(later, "x", "1", 0), word(later, "y", "1", 0)
	optional.Optional = true
	added := merge.Transaction{Stamp: 50, Records: []merge.Record{strict, optional}}
	apart := merge.Transaction{Stamp: 60, Full: true}
	got, _, _ := merge.Reunite("us-east-1", "us-east-1", []merge.Transaction{begin, added, apart})
	assert.Equal(t, []merge.Record{word(later, "x", "1", 50)}, got)
	got, _, _ = merge.Reunite("us-east-1", "us-east-1", []merge.Transaction{begin, added, {Stamp: 55, Records: []merge.Record{word(later, "x", "", 0)}}, apart})
	assert.Empty(t, got, "it was taken out")
}
