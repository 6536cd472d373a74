package merge_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

const later center.Kind = "later" // a kind that this version doesn't know

func rec(kind center.Kind, key, value string, optional bool) merge.Record {
	r := merge.Record{Kind: kind, Key: key, Optional: optional}
	if value != "" {
		r.Value = json.RawMessage(value)
	}
	return r
}

func userRecord(id string, active bool) merge.Record {
	return rec(center.KindUser, id, fmt.Sprintf(`{"id":%q,"userName":%q,"active":%t}`, id, id, active), false)
}

func unread(r *region, name string) string {
	what, _ := r.dir.Unread(name)
	return what
}

// A record of an unknown kind doesn't take the rest of its transaction with it.
// One that may be skipped is kept, and is in the next full transaction.
func TestUnknownKindsThatMayBeSkippedAreKept(t *testing.T) {
	r := newRegion(virginia).know(
		primary(1, true, []merge.Record{userRecord("u-1", true)}),
		primary(2, false, []merge.Record{rec(later, "x", `{"a":1}`, true), userRecord("u-1", false)}),
	)
	assert.Contains(t, r.state()["shown user u-1"], `\"active\":false`)
	assert.NotContains(t, r.state(), "shown later x")
	assert.Empty(t, unread(r, virginia))
	full := r.dir.Compose(virginia, 3, nil, true)
	assert.Contains(t, full.Records, merge.Record{Kind: later, Key: "x", Value: json.RawMessage(`{"a":1}`), Stamp: 2,
		Optional: true})

	// The version that knows the kind finds what it wrote.
	upgraded := &region{merge.NewDirectory(virginia, later), merge.NewSessions(virginia, virginia)}
	upgraded.know(arrival{region: virginia, tx: &full})
	assert.Contains(t, upgraded.state(), "log us-east-1 later x")
}

// A record of an unknown kind that may not be skipped is in the way until it is
// gone, by a record or by a full transaction. The version that knows the kind
// has nothing in its way.
func TestUnknownKindsThatMayEndAccess(t *testing.T) {
	strict := primary(2, false, []merge.Record{rec(later, "x", `1`, false)})
	for what, end := range map[string]arrival{
		"removed":          primary(3, false, []merge.Record{rec(later, "x", "", false)}),
		"may be skipped":   primary(3, false, []merge.Record{rec(later, "x", "1", true)}),
		"a full one lacks": primary(3, true, nil),
	} {
		for _, all := range [][]arrival{{strict, end}, {end, strict}} {
			r := newRegion(frankfurt).know(all...)
			assert.Empty(t, unread(r, virginia), what)
		}
		assert.Contains(t, unread(newRegion(frankfurt).know(strict), virginia), `"later"`)
	}
	knows := &region{merge.NewDirectory(virginia, later), merge.NewSessions(virginia, virginia)}
	assert.Empty(t, unread(knows.know(strict), virginia))
}

// What another Region's log holds that can't be read hides that Region's
// applications, and nothing else.
func TestAnUnreadLogHidesItsApplications(t *testing.T) {
	app := rec(center.KindApplication, "a", `{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1"}`,
		false)
	list := []merge.Record{rec(center.KindRegion, frankfurt, `{"name":"eu-central-1"}`, false), userRecord("u-1", true)}
	eu := func(stamp uint64, full bool, records ...merge.Record) arrival {
		return arrival{region: frankfurt, tx: &merge.Transaction{Stamp: stamp, Full: full, Records: records}}
	}
	r := newRegion(mumbai).know(primary(1, true, list), eu(1, true, app))
	require.Contains(t, r.state(), "shown application a")
	r.know(eu(2, false, rec(later, "x", "1", false)))
	assert.NotContains(t, r.state(), "shown application a")
	assert.Contains(t, r.state(), "shown user u-1")
	assert.Contains(t, unread(r, frankfurt), `"later"`)
	assert.Empty(t, unread(r, virginia))
	r.know(eu(3, false, rec(later, "x", "", false)))
	assert.Contains(t, r.state(), "shown application a")

	r.dir.Changes(r.dir.Miss(frankfurt, "format 2"))
	assert.NotContains(t, r.state(), "shown application a")
	assert.Equal(t, "format 2", unread(r, frankfurt))
	r.know(eu(4, false))
	assert.NotContains(t, r.state(), "shown application a", "what was missed is still missing")
	r.know(eu(5, true, app))
	assert.Contains(t, r.state(), "shown application a")

	r.know(eu(6, false, rec(later, "x", "1", false)))
	r.dir.Changes(r.dir.Miss(frankfurt, "format 2"))
	r.know(eu(7, false, rec(later, "x", "", false)))
	assert.NotContains(t, r.state(), "shown application a", "also if a record was in the way meanwhile")
	r.know(eu(8, true, app))
	assert.Contains(t, r.state(), "shown application a")
}

// An entry of an unknown kind that may not be skipped is in the way until no
// session can live that it is about. One that may be skipped is in no Region's way.
func TestUnknownEntries(t *testing.T) {
	say := func(minutes int, optional bool) arrival {
		return arrival{region: frankfurt, kind: "later", entry: merge.Entry{Key: "k", Until: after(minutes),
			Optional: optional}}
	}
	blocked := func(r *region) bool { _, _, ok := r.sessions.Unread(); return ok }
	assert.False(t, blocked(newRegion(virginia).know(say(5, true))))
	r := newRegion(virginia).know(say(5, false), say(9, false), say(7, false))
	assert.True(t, blocked(r))
	from, what, _ := r.sessions.Unread()
	assert.Equal(t, frankfurt, from)
	assert.Contains(t, what, `"later"`)
	r.sessions.Sweep(after(8), 0)
	assert.True(t, blocked(r))
	r.sessions.Sweep(after(10), 0)
	assert.False(t, blocked(r))

	r.sessions.Miss(frankfurt, "format 2", after(5))
	r.sessions.Miss(frankfurt, "format 2", time.Time{})
	r.sessions.Miss(frankfurt, "format 2", after(5))
	r.sessions.Sweep(after(1000), 0)
	assert.True(t, blocked(r), "for good")
	knows := &region{merge.NewDirectory(virginia), merge.NewSessions(virginia, virginia, "later")}
	assert.False(t, blocked(knows.know(say(5, false))))
}

// Every kind of center is known here, and shown.
func TestKindsOfTheInstanceAreKnown(t *testing.T) {
	inst, err := center.New(center.Data{
		Regions: []center.Region{{Name: virginia}}, Users: []center.User{{UserName: "u",
			Inactive: true}}, Groups: []center.Group{{Name: "g"}},
		PermissionSets: []center.PermissionSet{{Name: "p"}}, Accounts: []center.Account{{ID: "111111111111", Name: "a"}},
		Assignments: []center.Assignment{{Principal: center.GroupPrincipal("g"), AccountID: "111111111111",
			PermissionSet: "p"}},
		Applications: []center.Application{{Name: "a", URL: "https://a.example", Region: virginia}},
	})
	require.NoError(t, err)
	var all []merge.Record
	for _, r := range inst.Snapshot().Records() {
		all = append(all, merge.Record{Kind: r.Kind, Key: r.Key, Value: r.Value})
	}
	r := newRegion(virginia).know(primary(1, true, all))
	assert.Empty(t, unread(r, virginia))
	assert.Len(t, r.dir.Records(), len(all))
}

// What a later version adds to an element outlives a full transaction of an
// older one, and not an update of the same element.
func TestUnknownFieldsAreKept(t *testing.T) {
	value := `{"id":"u-1","userName":"u-1","active":true,"later":{"a":1}}`
	r := newRegion(virginia).know(primary(1, true, []merge.Record{rec(center.KindUser, "u-1", value, false)}))
	tx := r.dir.Compose(virginia, 2, r.dir.Draft(virginia, []center.Record{{Kind: center.KindUser, Key: "u-2",
		Value: []byte(`{"id":"u-2","userName":"u-2"}`)}}), true)
	assert.JSONEq(t, value, string(tx.Records[0].Value))
}

// A Region that writes what this version can't read is in the way until it is
// removed. What that may have ended is over then, and nothing else is.
func TestWhatARemovedRegionWroteIsNotInTheWay(t *testing.T) {
	made := func(k, minutes int) arrival {
		s := &merge.Session{ID: key(k), UserID: "u", Region: mumbai, Created: after(minutes), Expires: after(100)}
		return arrival{region: mumbai, kind: merge.EntrySession, entry: merge.Entry{Key: key(k), Session: s}}
	}
	stamp := uint64(after(5).UnixMicro())
	strange := arrival{region: frankfurt, kind: "later", entry: merge.Entry{Key: "x"}}
	removed := primary(stamp, false, []merge.Record{{Kind: merge.KindRemoved, Key: frankfurt,
		Value: fmt.Appendf(nil, "%d", stamp)}})
	for _, all := range [][]arrival{
		{made(0, 4), strange, removed, made(1, 6)}, {removed, made(1, 6), strange, made(0, 4)},
	} {
		r := newRegion(virginia).know(all...)
		_, _, blocked := r.sessions.Unread()
		assert.False(t, blocked)
		_, ok := r.sessions.Get(key(0))
		assert.False(t, ok, "it may have been ended")
		_, ok = r.sessions.Get(key(1))
		assert.True(t, ok)
	}
	r := newRegion(virginia).know(made(0, 4), removed)
	_, ok := r.sessions.Get(key(0))
	assert.True(t, ok, "where nothing is unread")
	r = newRegion(virginia).know(primary(stamp-1, false, nil))
	r.dir.Miss(frankfurt, "format 2")
	r.know(removed)
	assert.Empty(t, unread(r, frankfurt))
}

// A log that is read again begins with the whole state that a message followed
// which can't be read. That does not make good for the message; a later whole state
// does, also one that was heard before the message was read.
func TestAWholeStateMakesGoodForWhatItFollows(t *testing.T) {
	whole, next, later := primary(1, true, nil), primary(2, false, nil), primary(4, true, nil)
	r := newRegion(frankfurt).know(whole, next)
	r.dir.Miss(virginia, "format 2")
	assert.Equal(t, "format 2", unread(r.know(whole), virginia))
	r.know(next)
	r.dir.Miss(virginia, "format 2")
	assert.Empty(t, unread(r.know(later), virginia))

	r = newRegion(frankfurt).know(whole, next)
	r.dir.FoldEarly(virginia, *later.tx)
	r.dir.Miss(virginia, "format 2")
	assert.Equal(t, "format 2", unread(r, virginia))
	assert.Empty(t, unread(r.know(later), virginia))
}

// A later transaction of the primary doesn't make good for a message of a Region
// that was added again.
func TestAMessageMissedAfterARemovalIsStillMissing(t *testing.T) {
	r := newRegion(mumbai).know(primary(3, true, []merge.Record{listed(frankfurt, 1)}),
		primary(4, false, removal(frankfurt, 4)),
		primary(5, false, []merge.Record{listed(frankfurt, 1)}))
	r.dir.Miss(frankfurt, "format 2")
	r.know(primary(6, false, nil))
	assert.Equal(t, "format 2", unread(r, frankfurt))
}
