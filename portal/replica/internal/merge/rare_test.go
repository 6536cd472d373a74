package merge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Each test here is of a fault that was planted, that no test found, and that the
// simulation finds by luck: it needs three rare events in a row.

func TestWhatARemovedRegionHandsOverIsVoid(t *testing.T) {
	gone := base
	code := arrival{region: frankfurt, kind: merge.EntryCode, entry: merge.Entry{Key: "c", Value: []byte("v"),
		Until: after(10)}}
	r := newRegion(mumbai).know(primary(1, true, []merge.Record{listed(virginia, 0), listed(frankfurt, 1)}), code)
	_, ok := r.sessions.Code("c")
	require.True(t, ok)
	r.know(primary(micro(gone), false, removal(frankfurt, micro(gone))))
	_, ok = r.sessions.Code("c")
	assert.False(t, ok, "it was put before the removal")
	r.know(code)
	_, ok = r.sessions.Code("c")
	assert.False(t, ok, "it arrived after the removal")
}

// A Node may hear of a removal in a whole state alone.
func TestAWholeStateEndsTheSessionsOfARemovedRegion(t *testing.T) {
	all := stay(base, base.Add(time.Hour))
	r := newRegion(mumbai).know(all[:3]...)
	whole := append([]merge.Record{listed(virginia, 0)}, removal(frankfurt, micro(base))[1])
	r.know(primary(micro(base)+1, true, whole))
	_, ok := r.sessions.Get("before")
	assert.False(t, ok)

	r.know(all[6], all[8])
	compacted := r.dir.Compose(virginia, micro(base.Add(3*time.Hour)), nil, true)
	r.know(primary(compacted.Stamp, true, compacted.Records))
	_, ok = r.sessions.Get("after")
	assert.True(t, ok, "a removal that is said again is the same")
}

func TestApplicationsOfARemovedRegionAreShownNoMore(t *testing.T) {
	r := newRegion(mumbai).know(stay(base, base.Add(time.Hour))[:2]...)
	require.Contains(t, r.state(), "shown application old")
	r.know(primary(micro(base), false, removal(frankfurt, micro(base))))
	assert.NotContains(t, r.state(), "shown application old")
	all := stay(base, base.Add(time.Hour))
	r.know(all[6], all[1])
	assert.NotContains(t, r.state(), "shown application old", "the Region is back, and its old log arrives again")
}

// The clock of a Region that was added again may be behind the primary's.
func TestARegionThatIsBackWritesAfterItsRemoval(t *testing.T) {
	all := stay(base, base.Add(time.Minute))
	r := newRegion(frankfurt).know(all[0], all[5], all[6])
	tx := r.dir.Compose(frankfurt, micro(base.Add(-time.Minute)), []merge.Record{app(frankfurt, "new")}, false)
	r.know(arrival{region: frankfurt, tx: &tx})
	assert.Contains(t, r.state(), "shown application new")
	knew := r.dir.Last(virginia)
	assert.Equal(t, knew, tx.Records[0].Base, "of the primary's log, and not of its own")
	r.know(primary(knew+1, false, []merge.Record{listed(mumbai, 2)}))
	again := r.dir.Compose(frankfurt, 0, nil, true)
	assert.Equal(t, knew, again.Records[0].Base, "what was known when it was written")
}

// What a Region that is back counts is not over with what it counted before.
func TestARegionThatIsBackEndsSessions(t *testing.T) {
	const life, skew = 40 * time.Minute, 5 * time.Minute
	gone, back := base, base.Add(15*time.Minute)
	r := newRegion(mumbai).know(stay(gone, back)[:7]...)
	made := back.Add(time.Minute)
	s := &merge.Session{ID: "s", SignIn: "s", UserID: "u-2", Region: virginia, Created: made, Expires: made.Add(life),
		Epoch: r.sessions.Epoch("u-2")}
	r.know(arrival{region: virginia, kind: merge.EntrySession, entry: merge.Entry{Key: "s", Session: s}})
	r.know(arrival{region: frankfurt, kind: merge.EntryUser, entry: merge.Entry{User: "u-2",
		Epoch: uint64(made.Unix()) + 1}})
	for now := made; now.Before(s.Expires.Add(4 * skew)); now = now.Add(time.Minute) {
		r.sessions.SweepDeparted(now, life, skew)
		_, alive := r.sessions.Get("s")
		require.False(t, alive, "%s after the removal", now.Sub(gone))
	}
}

// A group or a user that is removed and comes back doesn't come back with the old
// access, and one that comes late has the access that was given meanwhile.
func TestPrincipalsThatComeBack(t *testing.T) {
	for _, p := range []struct{ kind, what, assigned string }{
		{string(center.KindUser), `{"id":"p","userName":"n","active":true}`, `{"type":"user","id":"p"}`},
		{string(center.KindGroup), `{"id":"p","name":"n"}`, `{"type":"group","id":"p"}`},
	} {
		t.Run(p.kind, func(t *testing.T) {
			at := newRegion(virginia).know(primary(1, true, []merge.Record{listed(virginia, 0), listed(frankfurt, 1)}))
			update := func(value []byte) arrival {
				tx := at.dir.Compose(virginia, 0, at.dir.Draft(virginia, []center.Record{{Kind: center.Kind(p.kind), Key: "p",
					Value: value}}), false)
				at.know(primary(tx.Stamp, false, tx.Records))
				return primary(tx.Stamp, false, tx.Records)
			}
			made := update([]byte(p.what))
			record := merge.Record{Kind: center.KindApplication, Key: "a", Base: made.tx.Stamp,
				Value: []byte(`{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1","assignedTo":[` + p.assigned + `]}`)}
			assigned := arrival{region: frankfurt, tx: &merge.Transaction{Stamp: 1, Full: true, Records: []merge.Record{record}}}

			r := newRegion(mumbai).know(primary(1, true, []merge.Record{listed(virginia, 0), listed(frankfurt, 1)}), assigned)
			assert.NotContains(t, r.state()["shown application a"], "assignedTo")
			r.know(made)
			assert.Contains(t, r.state()["shown application a"], "assignedTo", "it came after the application")
			r.know(update(nil))
			assert.NotContains(t, r.state()["shown application a"], "assignedTo")
			r.know(update([]byte(p.what)))
			assert.NotContains(t, r.state()["shown application a"], "assignedTo", "it is another one")
		})
	}
}

// The primary can't write another Region's application. What it takes from it is
// gone all the same.
func TestThePrimaryTakesAccessToAnotherRegionsApplication(t *testing.T) {
	user := merge.Record{Kind: center.KindUser, Key: "p", Value: []byte(`{"id":"p","userName":"n","active":true}`)}
	with := merge.Record{Kind: center.KindApplication, Key: "a", Base: 1,
		Value: []byte(`{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1","assignedTo":[{"type":"user","id":"p"}]}`)}
	r := newRegion(virginia).know(primary(1, true, []merge.Record{listed(virginia, 0), listed(frankfurt, 1), user}),
		arrival{region: frankfurt, tx: &merge.Transaction{Stamp: 1, Full: true, Records: []merge.Record{with}}})
	require.Contains(t, r.state()["shown application a"], "assignedTo")
	without := center.Record{Kind: center.KindApplication, Key: "a",
		Value: []byte(`{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1"}`)}
	tx := r.dir.Compose(virginia, 0, r.dir.Draft(virginia, []center.Record{without}), false)
	r.know(primary(tx.Stamp, false, tx.Records))
	assert.NotContains(t, r.state()["shown application a"], "assignedTo")
}

func TestAWholeStateHoldsNothingThatItDeletes(t *testing.T) {
	d := newRegion(virginia).know(primary(1, true, []merge.Record{listed(virginia, 0), listed(frankfurt, 1)})).dir
	tx := d.Compose(virginia, 2, []merge.Record{{Kind: center.KindRegion, Key: frankfurt}}, true)
	require.Len(t, tx.Records, 1)
	assert.Equal(t, virginia, tx.Records[0].Key)
}
