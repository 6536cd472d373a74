package merge_test

import (
	"encoding/json"
	"fmt"
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
	begin := merge.Transaction{Stamp: 10, Full: true, Records: []merge.Record{word(center.KindUser, "u-1",
		`{"id":"u-1","active":true}`, 10), word(center.KindUser, "u-2", `{"id":"u-2","active":true}`, 10)}}
	disabled := merge.Transaction{Stamp: 50, Records: []merge.Record{word(center.KindUser, "u-1", `{"id":"u-1"}`, 0),
		word(merge.KindEnded, "u-1", "50", 0)}}
	removed := merge.Transaction{Stamp: 51, Records: []merge.Record{word(center.KindUser, "u-2", "", 0),
		word(merge.KindEnded, "u-2", "51", 0)}}
	apart := merge.Transaction{Stamp: 60, Full: true, Records: append(begin.Records,
		word(center.KindUser, "u-3", `{"id":"u-3","active":true}`, 60))}
	for _, all := range [][]merge.Transaction{{begin, disabled, removed, apart}, {apart, removed, begin, disabled}} {
		got, last, whole := merge.Reunite("us-east-1", "us-east-1", []merge.Piece{{Log: all}}, nil)
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
	old := merge.Transaction{Stamp: 10, Full: true, Records: []merge.Record{word(center.KindUser, "u-1",
		`{"id":"u-1","active":true}`, 10)}}
	now := merge.Transaction{Stamp: 60, Full: true, Records: []merge.Record{word(merge.KindEnded, "u-1", "30", 30)}}
	got, _, _ := merge.Reunite("us-east-1", "us-east-1", []merge.Piece{{Log: []merge.Transaction{now, old}}}, nil)
	assert.Len(t, got, 1)
}

// A Region that was removed in one place stays removed, although a later whole
// state of another place doesn't know that.
func TestReuniteKeepsRemovals(t *testing.T) {
	begin := merge.Transaction{Stamp: 10, Full: true, Records: []merge.Record{word(center.KindRegion, "eu-central-1",
		`{"name":"eu-central-1"}`, 10)}}
	removed := merge.Transaction{Stamp: 50, Records: []merge.Record{word(center.KindRegion, "eu-central-1", "", 0),
		word(merge.KindRemoved, "eu-central-1", "50", 0)}}
	apart := merge.Transaction{Stamp: 60, Full: true, Records: begin.Records}
	got, _, _ := merge.Reunite("us-east-1", "us-east-1", []merge.Piece{{Log: []merge.Transaction{begin, removed,
		apart}}}, nil)
	assert.Equal(t, []merge.Record{word(merge.KindRemoved, "eu-central-1", "50", 50)}, got)
}

// An older copy of a log was put back and went on, while another Region's copy of
// the log as it was has been compacted. No transaction of the two stands in the
// same place. That they are two histories is seen by their stamps.
func TestReuniteTellsHistoriesApartByTheirStamps(t *testing.T) {
	user := word(center.KindUser, "u-1", `{"id":"u-1","active":true}`, 0)
	begin := merge.Transaction{Stamp: 10, First: 1, Full: true, Records: []merge.Record{user}}
	ended := merge.Transaction{Stamp: 60, First: 9, Full: true, Records: []merge.Record{word(merge.KindEnded, "u-1",
		"50", 50)}}
	again := merge.Transaction{Stamp: 70, First: 2, Records: []merge.Record{user}}
	values, _ := united([]merge.Piece{{Store: "s", Log: []merge.Transaction{ended}},
		{Store: "s", Log: []merge.Transaction{begin, again}}}, nil)
	assert.Equal(t, map[string]string{"user u-1": `{"active":false,"id":"u-1"}`, "ended u-1": "50"}, values)
}

// A Region that a recovery names may have a long log. If each transaction were
// compared with each, this would take a quarter of an hour.
func TestReuniteTakesLongLogs(t *testing.T) {
	log := make([]merge.Transaction, 200_000)
	for i := range log {
		log[i] = merge.Transaction{First: uint64(i + 1), Stamp: uint64(i + 1), Full: i == 0,
			Records: []merge.Record{word(center.KindGroup, "g-1", `{}`, 0)}}
	}
	_, last, whole := merge.Reunite("us-east-1", "us-east-1", []merge.Piece{{Log: log}, {Log: log}}, nil)
	assert.True(t, whole)
	assert.EqualValues(t, len(log), last)
}

// A copy followed a log, and went on with an older copy of it that was put back. It
// is of two histories, and the second did not know what the first ended.
func TestReuniteTakesACopyOfTwoHistoriesApart(t *testing.T) {
	user := word(center.KindUser, "u-1", `{"id":"u-1","active":true}`, 0)
	begin := merge.Transaction{Stamp: 10, First: 1, Full: true, Records: []merge.Record{user}}
	ended := merge.Transaction{Stamp: 60, First: 2, Records: []merge.Record{word(center.KindUser, "u-1", "", 0),
		word(merge.KindEnded, "u-1", "60", 0)}}
	other := merge.Transaction{Stamp: 20, First: 3}
	again := merge.Transaction{Stamp: 70, First: 4, Records: []merge.Record{user}}
	values, _ := united([]merge.Piece{{Store: "s", Log: []merge.Transaction{begin, ended, other, again}}}, nil)
	assert.Equal(t, map[string]string{"user u-1": `{"active":false,"id":"u-1"}`, "ended u-1": "60"}, values)
}

// A copy followed a log, and went on with an older copy of it that was put back, at
// a later place. Nothing in the copy shows that. But the other history, which didn't
// know what was ended, has the same transaction: it may be the one that wrote it.
func TestReuniteBelievesTheHistoryThatKnewLess(t *testing.T) {
	user := word(center.KindUser, "u-1", `{"id":"u-1","active":true}`, 0)
	begin := merge.Transaction{Stamp: 10, First: 1, Full: true, Records: []merge.Record{user}}
	ended := merge.Transaction{Stamp: 50, First: 2, Records: []merge.Record{word(center.KindUser, "u-1", "", 0),
		word(merge.KindEnded, "u-1", "50", 0)}}
	other := merge.Transaction{Stamp: 55, First: 2}
	again := merge.Transaction{Stamp: 70, First: 3, Records: []merge.Record{user}}
	mixed, own := merge.Piece{Store: "s", Log: []merge.Transaction{begin, ended, again}}, merge.Piece{Store: "s",
		Log: []merge.Transaction{begin, other, again}}
	for _, pieces := range [][]merge.Piece{{mixed, own}, {own, mixed}} {
		values, _ := united(pieces, nil)
		assert.Equal(t, map[string]string{"user u-1": `{"active":false,"id":"u-1"}`, "ended u-1": "50"}, values)
	}
	values, _ := united([]merge.Piece{mixed}, nil)
	assert.Equal(t, map[string]string{"user u-1": `{"id":"u-1","active":true}`, "ended u-1": "50"}, values)
}

// A version that doesn't know a kind of record keeps what may end access, as it
// keeps the marks that it knows.
func TestReuniteKeepsUnknownRecordsThatMayEndAccess(t *testing.T) {
	begin := merge.Transaction{Stamp: 10, Full: true}
	strict, optional := word(later, "x", "1", 0), word(later, "y", "1", 0)
	optional.Optional = true
	added := merge.Transaction{Stamp: 50, Records: []merge.Record{strict, optional}}
	apart := merge.Transaction{Stamp: 60, Full: true}
	got, _, _ := merge.Reunite("us-east-1", "us-east-1", []merge.Piece{{Log: []merge.Transaction{begin, added, apart}}},
		nil)
	assert.Equal(t, []merge.Record{word(later, "x", "1", 50)}, got)
	got, _, _ = merge.Reunite("us-east-1", "us-east-1", []merge.Piece{{Log: []merge.Transaction{begin, added,
		{Stamp: 55, Records: []merge.Record{word(later, "x", "", 0)}}, apart}}}, nil)
	assert.Empty(t, got, "it was taken out")
}

// Stamps grow along a log: a piece with a stamp twice contradicts it.
func TestReuniteTellsEqualStampsApart(t *testing.T) {
	begin := merge.Transaction{Stamp: 10, First: 1, Full: true, Records: []merge.Record{person("u-1", true, 10)}}
	ended := merge.Transaction{Stamp: 50, First: 2, Records: []merge.Record{person("u-1", false, 0),
		word(merge.KindEnded, "u-1", "50", 0)}}
	again := merge.Transaction{Stamp: 50, First: 3, Records: []merge.Record{person("u-1", true, 0)}}
	values, _ := united([]merge.Piece{{Log: []merge.Transaction{begin, ended}}, {Log: []merge.Transaction{again}}}, nil)
	assert.Equal(t, map[string]string{"user u-1": `{"active":false,"id":"u-1"}`, "ended u-1": "50"}, values)
}

// united is what pieces come to, by name.
func united(pieces, beside []merge.Piece) (values map[string]string, last uint64) {
	records, last, _ := merge.Reunite("us-east-1", "us-east-1", pieces, beside)
	values = map[string]string{}
	for _, r := range records {
		values[string(r.Kind)+" "+r.Key] = string(r.Value)
	}
	return values, last
}

func person(id string, active bool, stamp uint64) merge.Record {
	return word(center.KindUser, id, fmt.Sprintf(`{"active":%t,"id":%q}`, active, id), stamp)
}

// A Region lost its disk twice, and its peers have copies of different logs of
// it. Neither's whole state, nor a change that was made without knowledge, undoes what
// was ended in the other.
func TestReuniteTwoHistoriesUndoesNoEnd(t *testing.T) {
	group := word(center.KindGroup, "g", `{"id":"g","members":["u-1","u-2"],"name":"G"}`, 10)
	first := merge.Piece{Store: "a", Log: []merge.Transaction{
		{First: 1, Stamp: 10, Full: true, Records: []merge.Record{person("u-1", true, 10), person("u-2", true, 10),
			person("u-3", true, 10), person("u-4", true, 10), group}},
		{First: 2, Stamp: 50, Records: []merge.Record{person("u-1", false, 0), word(merge.KindEnded, "u-1", "50", 0)}},
		{First: 3, Stamp: 51, Records: []merge.Record{person("u-2", false, 0), word(merge.KindEnded, "u-2", "51", 0)}},
		{First: 4, Stamp: 52, Records: []merge.Record{person("u-3", false, 0), word(merge.KindEnded, "u-3", "52", 0)}},
		{First: 5, Stamp: 53, Records: []merge.Record{person("u-3", true, 0)}},
		{First: 6, Stamp: 54, Records: []merge.Record{word(center.KindUser, "u-4", "", 0),
			word(merge.KindEnded, "u-4", "54", 0), word(merge.KindGone, "user u-4", "54", 0)}},
		{First: 7, Stamp: 55, Full: true, Records: []merge.Record{
			person("u-1", false, 50), person("u-2", false, 51), person("u-3", true, 53), group, word(merge.KindEnded, "u-1",
				"50", 50), word(merge.KindEnded, "u-2", "51", 51),
			word(merge.KindEnded, "u-3", "52", 52), word(merge.KindEnded, "u-4", "54", 54), word(merge.KindGone, "user u-4",
				"54", 54),
		}},
	}}
	second := merge.Piece{Store: "b", Log: []merge.Transaction{
		{First: 1, Stamp: 60, Full: true, Records: []merge.Record{person("u-1", true, 10), person("u-2", true, 10),
			person("u-3", true, 10), person("u-4", true, 10), group, word(merge.KindEnded, "u-1", "20", 20)}},
		{First: 2, Stamp: 61, Records: []merge.Record{person("u-2", true, 0)}}, // a new e-mail address, say
	}}
	want := map[string]string{
		"user u-1": `{"active":false,"id":"u-1"}`, "user u-2": `{"active":false,"id":"u-2"}`, "user u-3": `{"active":true,"id":"u-3"}`,
		"group g":   `{"id":"g","members":["u-1","u-2"],"name":"G"}`,
		"ended u-1": "50", "ended u-2": "51", "ended u-3": "52", "ended u-4": "54", "gone user u-4": "54",
	}
	lagging := merge.Piece{Store: "a", Log: first.Log[:3]}
	for _, pieces := range [][]merge.Piece{{first, second}, {second, first}, {lagging, second, first}} {
		got, last := united(pieces, nil)
		assert.Equal(t, want, got)
		assert.Equal(t, uint64(61), last)
	}
	// No place has the word that removed u-4 any more, only the mark.
	want["user u-4"] = `{"active":false,"id":"u-4"}`
	got, _ := united([]merge.Piece{second, {Store: "a", Log: first.Log[6:]}, lagging}, nil)
	assert.Equal(t, want, got)
	delete(want, "user u-4")
	// The second one began with a lost disk: only what it ended counts.
	second.Log = append(second.Log, merge.Transaction{First: 3, Stamp: 70,
		Records: []merge.Record{person("u-3", false, 0), word(merge.KindEnded, "u-3", "70", 0), person("u-5", true, 0)}})
	want["user u-3"], want["ended u-3"] = `{"active":false,"id":"u-3"}`, "70"
	got, last := united([]merge.Piece{first}, []merge.Piece{second})
	assert.Equal(t, want, got)
	assert.Equal(t, uint64(70), last)
}

// Two primaries ran from one directory: one log, which goes on in two ways.
func TestReuniteTwinsUndoNoEnd(t *testing.T) {
	begin := merge.Transaction{First: 1, Stamp: 10, Full: true, Records: []merge.Record{person("u-1", true, 10)}}
	one := merge.Piece{Store: "a", Log: []merge.Transaction{begin,
		{First: 2, Stamp: 50, Records: []merge.Record{person("u-1", false, 0), word(merge.KindEnded, "u-1", "50", 0)}}}}
	twin := merge.Piece{Store: "a", Log: []merge.Transaction{begin,
		{First: 2, Stamp: 55, Records: []merge.Record{person("u-1", true, 0)}}}}
	for _, pieces := range [][]merge.Piece{{one, twin}, {twin, one}} {
		got, _ := united(pieces, nil)
		assert.Equal(t, map[string]string{"user u-1": `{"active":false,"id":"u-1"}`, "ended u-1": "50"}, got)
	}
	// The same in one log is an administrator's word, however it is divided.
	again := merge.Piece{Store: "a", Log: []merge.Transaction{{First: 3, Stamp: 55,
		Records: []merge.Record{person("u-1", true, 0)}}}}
	for _, pieces := range [][]merge.Piece{{one, again}, {again, one}} {
		got, _ := united(pieces, nil)
		assert.Equal(t, map[string]string{"user u-1": `{"active":true,"id":"u-1"}`, "ended u-1": "50"}, got)
	}
}

// What was removed in one place may be referred to in what another one changed.
func TestReuniteRefersToWhatIsThere(t *testing.T) {
	begin := merge.Transaction{First: 1, Stamp: 10, Full: true, Records: []merge.Record{
		person("u-1", true, 10), person("u-2", true, 10), word(center.KindPermissionSet, "p", `{"name":"p"}`,
			10), word(center.KindAccount, "1", `{"id":"1"}`, 10),
		word(center.KindRegion, "us-east-1", `{"name":"us-east-1"}`, 10), word(center.KindRegion, "eu-central-1",
			`{"name":"eu-central-1"}`, 10),
	}}
	one := merge.Piece{Store: "a", Log: []merge.Transaction{begin,
		{First: 2, Stamp: 50, Records: []merge.Record{word(center.KindUser, "u-2", "", 0),
			word(merge.KindGone, "user u-2", "50", 0)}},
		{First: 3, Stamp: 51, Records: []merge.Record{word(center.KindRegion, "eu-central-1", "", 0),
			word(merge.KindRemoved, "eu-central-1", "51", 0)}},
	}}
	twin := merge.Piece{Store: "a", Log: []merge.Transaction{begin,
		{First: 2, Stamp: 55, Records: []merge.Record{word(center.KindGroup, "g", `{"id":"g","members":["u-1","u-2"]}`, 0)}},
		{First: 3, Stamp: 56, Records: []merge.Record{word(center.KindAssignment, "x",
			`{"principal":{"type":"user","id":"u-2"},"accountId":"1","permissionSet":"p"}`, 0)}},
		{First: 4, Stamp: 57, Records: []merge.Record{word(center.KindRegion, "eu-central-1",
			`{"name":"eu-central-1","label":"new"}`, 0)}},
	}}
	got, _ := united([]merge.Piece{one, twin}, nil)
	assert.Equal(t, map[string]string{
		"user u-1": `{"active":true,"id":"u-1"}`, "group g": `{"id":"g","members":["u-1"]}`, "permissionSet p": `{"name":"p"}`, "account 1": `{"id":"1"}`,
		"region us-east-1": `{"name":"us-east-1"}`, "gone user u-2": "50", "removed eu-central-1": "51",
	}, got)
}

// Two histories gave one name to different elements, which no instance can hold.
func TestDistinctLeavesNoNameTwice(t *testing.T) {
	got, last, contested := merge.Distinct([]merge.Record{
		word(center.KindUser, "u-1", `{"id":"u-1","userName":"a","active":true,"other":1}`, 10),
		word(center.KindUser, "u-2", `{"id":"u-2","userName":"a","active":true}`, 30),
		word(center.KindUser, "u-3", `{"id":"u-3","userName":"u-1","active":true}`, 20),
		word(merge.KindEnded, "u-1", "5", 5),
		word(center.KindGroup, "g-1", `{"id":"g-1","name":"G","members":["u-3"]}`, 10),
		word(center.KindGroup, "g-2", `{"id":"g-2","name":"G"}`, 11),
		word(center.KindRegion, "x", `{"name":"x","portalUrls":["https://a","https://b"]}`, 10),
		word(center.KindRegion, "y", `{"name":"y","acsUrls":["https://a"]}`, 11),
	}, 30)
	assert.Equal(t, []string{"u-1", "u-2"}, contested)
	assert.EqualValues(t, 31, last)
	values := map[string]string{}
	for _, r := range got {
		values[string(r.Kind)+" "+r.Key] = string(r.Value)
	}
	assert.Equal(t, map[string]string{
		"user u-1": `{"active":false,"id":"u-1","other":1,"userName":"u-1~"}`, "user u-2": `{"active":false,"id":"u-2","userName":"a"}`,
		"user u-3": `{"id":"u-3","userName":"u-1","active":true}`, "ended u-1": "31", "ended u-2": "31",
		"group g-1": `{"id":"g-1","members":["u-3"],"name":"g-1"}`, "group g-2": `{"id":"g-2","name":"G"}`,
		"region x": `{"name":"x","portalUrls":["https://b"]}`, "region y": `{"name":"y","acsUrls":["https://a"]}`,
	}, values)
	again, _, contested := merge.Distinct(got, last)
	assert.Empty(t, contested)
	assert.Equal(t, got, again)
}
