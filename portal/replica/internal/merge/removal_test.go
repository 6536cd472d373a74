package merge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// micro is an instant as a stamp.
func micro(t time.Time) uint64 { return uint64(t.UnixMicro()) }

func listed(region string, position int) merge.Record {
	return merge.Record{Kind: center.KindRegion, Key: region, Value: fmt.Appendf(nil, `{"position":%d,"name":%q}`,
		position, region)}
}

func removal(region string, stamp uint64) []merge.Record {
	return []merge.Record{{Kind: center.KindRegion, Key: region},
		{Kind: merge.KindRemoved, Key: region, Value: fmt.Appendf(nil, "%d", stamp)}}
}

func app(region, id string) merge.Record {
	v, err := json.Marshal(center.Application{ID: id, Name: id, Region: region})
	if err != nil {
		panic(err)
	}
	return merge.Record{Kind: center.KindApplication, Key: id, Value: v}
}

// stay is all that is written about a Region that comes, goes, and comes back.
func stay(gone, back time.Time) []arrival {
	tx := func(region string, at time.Time, full bool, records ...merge.Record) arrival {
		return arrival{region: region, tx: &merge.Transaction{Stamp: micro(at), Full: full, Records: records}}
	}
	made := func(key string, at time.Time) arrival {
		s := &merge.Session{ID: key, SignIn: key, UserID: "u-1", Region: frankfurt, Created: at, Seen: at,
			Expires: at.Add(time.Hour)}
		return arrival{region: frankfurt, kind: merge.EntrySession, entry: merge.Entry{Key: key, Session: s}}
	}
	return []arrival{
		tx(virginia, gone.Add(-2*time.Hour), true, listed(virginia, 0), listed(frankfurt, 1)),
		tx(frankfurt, gone.Add(-time.Hour), true, app(frankfurt, "old")),
		made("before", gone.Add(-time.Minute)),
		{region: frankfurt, kind: merge.EntryUser, entry: merge.Entry{User: "u-2", Epoch: uint64(gone.Unix() - 60)}},
		{region: frankfurt, kind: merge.EntrySignedOut, entry: merge.Entry{User: "u-1", ID: "elsewhere",
			Until: gone.Add(10 * time.Hour)}},
		tx(virginia, gone, false, removal(frankfurt, micro(gone))...),
		tx(virginia, back, false, listed(frankfurt, 1)),
		tx(frankfurt, back.Add(time.Minute), true, app(frankfurt, "new")),
		made("after", back.Add(2*time.Minute)),
	}
}

func texts(r *region) []string {
	var out []string
	r.dir.Changes(nil)
	for _, f := range append(r.dir.Facts(), r.sessions.Facts()...) {
		b, err := json.Marshal(f.Value)
		if err != nil {
			panic(err)
		}
		out = append(out, f.Key+" "+string(b))
	}
	slices.Sort(out)
	return out
}

// A Region that came back is another one, in every order of arrival: nothing that it
// made before it was removed counts, and all that it ended does.
func TestRegionsThatComeBackAreTheSameInEveryOrder(t *testing.T) {
	gone := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	all := stay(gone, gone.Add(time.Hour))
	want := newRegion(mumbai)
	for _, a := range all {
		want.hear(a)
	}
	_, ok := want.sessions.Get("before")
	assert.False(t, ok)
	_, ok = want.sessions.Get("after")
	assert.True(t, ok)
	_, _, there := want.dir.Entry(frankfurt)
	assert.True(t, there)
	assert.False(t, want.dir.Standing(frankfurt).Gone())
	require.Contains(t, fmt.Sprint(texts(want)), "log eu-central-1 application new")
	require.NotContains(t, fmt.Sprint(texts(want)), "application old")
	require.Contains(t, fmt.Sprint(texts(want)), "elsewhere")
	rapid.Check(t, func(t *rapid.T) {
		got := newRegion(mumbai)
		for _, a := range rapid.Permutation(append(all, rapid.SampledFrom(all).Draw(t, "again"))).Draw(t, "order") {
			got.hear(a)
		}
		require.Equal(t, texts(want), texts(got))
	})
}

// A removal counts if it is newer than every entry that was heard of.
func TestOldRemovalsSayNothing(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	d := merge.NewDirectory(virginia)
	full := func(at time.Time, records ...merge.Record) {
		d.Fold(virginia, merge.Transaction{Stamp: micro(at), Full: true, Records: records})
	}
	full(now, listed(virginia, 0), listed(frankfurt, 1))
	d.Fold(mumbai, merge.Transaction{Stamp: micro(now.Add(time.Hour)),
		Records: removal(frankfurt, micro(now.Add(time.Hour)))})
	assert.False(t, d.Standing(frankfurt).Gone(), "not the primary's word")
	old := merge.Record{Kind: merge.KindRemoved, Key: frankfurt,
		Value: fmt.Appendf(nil, "%d", micro(now.Add(-time.Hour))), Stamp: micro(now.Add(-time.Hour))}
	full(now.Add(time.Hour), listed(virginia, 0), old)
	_, _, there := d.Entry(frankfurt)
	assert.False(t, there, "not in the list any more")
	assert.False(t, d.Standing(frankfurt).Gone(), "but not removed: the primary was put back to an older state")
	d.Fold(virginia, merge.Transaction{Stamp: micro(now.Add(2 * time.Hour)),
		Records: removal(frankfurt, micro(now.Add(2*time.Hour)))})
	assert.True(t, d.Standing(frankfurt).Gone())
	tx := d.Compose(virginia, micro(now), nil, true)
	d.Fold(virginia, tx)
	assert.True(t, d.Standing(frankfurt).Gone(), "kept in full transactions")
}

// Regions forget at different moments what a removed one counted. At each
// moment, what one of them makes the other lets in.
func TestEpochsOfRemovedRegions(t *testing.T) {
	const life, skew = 12 * time.Hour, 5 * time.Minute
	gone := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	ahead, behind := newRegion(virginia), newRegion(mumbai)
	both := []*region{ahead, behind}
	for _, r := range both {
		for _, a := range stay(gone, gone)[:6] {
			r.hear(a)
		}
	}
	count := uint64(gone.Unix() - 60)
	session := func(r *region, key string, now time.Time) {
		s := &merge.Session{ID: key, SignIn: key, UserID: "u-2", Region: virginia, Created: now, Seen: now,
			Expires: now.Add(life), Epoch: r.sessions.Epoch("u-2")}
		for _, r := range both {
			require.NoError(t, r.sessions.Take(virginia, merge.EntrySession, merge.Entry{Key: key, Session: s}))
		}
	}
	old := &merge.Session{ID: "old", UserID: "u-2", Region: virginia, Created: gone.Add(-time.Hour),
		Expires: gone.Add(life)}
	for _, r := range both {
		require.NoError(t, r.sessions.Take(virginia, merge.EntrySession, merge.Entry{Key: "old", Session: old}))
	}
	forgot := false
	for now := gone; now.Before(gone.Add(life + 6*skew)); now = now.Add(time.Minute) {
		ahead.sessions.SweepDeparted(now.Add(skew), life, skew)
		behind.sessions.SweepDeparted(now, life, skew)
		for i, r := range both {
			key := fmt.Sprint(now, i)
			session(r, key, now)
			for _, r := range both {
				_, ok := r.sessions.Get(key)
				require.True(t, ok, "%s after the removal", now.Sub(gone))
			}
		}
		if now.Before(old.Expires) {
			for _, r := range both {
				_, ok := r.sessions.Get("old")
				require.False(t, ok, "it was ended before, %s after the removal", now.Sub(gone))
			}
		}
		forgot = behind.sessions.Epoch("u-2")[frankfurt] != count
	}
	assert.True(t, forgot)
}

// A Region that doesn't know yet that it was removed may write a whole state. It
// says again what the removal made void.
func TestAWholeStateBringsNothingBackFromBeforeARemoval(t *testing.T) {
	gone := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	list := primary(1, true, []merge.Record{listed(virginia, 0), listed(frankfurt, 1)})
	removed := primary(micro(gone), false, removal(frankfurt, micro(gone)))
	again := app(frankfurt, "old")
	again.Stamp = 2
	whole := arrival{region: frankfurt, tx: &merge.Transaction{Stamp: micro(gone) + 2, Full: true,
		Records: []merge.Record{again}}}
	for _, all := range [][]arrival{{list, removed, whole}, {whole, list, removed}} {
		assert.NotContains(t, fmt.Sprint(texts(newRegion(mumbai).know(all...))), "application old")
	}
}

// A primary that is put back to an older state may not know that it removed a
// Region. Then what that Region wrote counts again, also where the removal was
// heard.
func TestARemovalThatIsLostLeavesNothingBehind(t *testing.T) {
	gone := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	regions := []merge.Record{listed(virginia, 0), listed(frankfurt, 1)}
	for i := range regions {
		regions[i].Stamp = 1
	}
	list, whole := primary(1, true, regions), primary(micro(gone)+1, true, regions)
	removed := primary(micro(gone), false, removal(frankfurt, micro(gone)))
	wrote := arrival{region: frankfurt, tx: &merge.Transaction{Stamp: 2, Full: true,
		Records: []merge.Record{app(frankfurt, "a")}}}
	later := gone.Add(time.Minute)
	session := &merge.Session{ID: "1", SignIn: "s", UserID: "u-1", Region: frankfurt, Created: later, Seen: later,
		Expires: later.Add(time.Hour)}
	made := arrival{region: frankfurt, kind: merge.EntrySession, entry: merge.Entry{Key: key(0), Session: session}}
	want := newRegion(mumbai).know(list, wrote, made, whole)
	assert.Contains(t, want.state()["shown application a"], frankfurt)
	_, alive := want.sessions.Get(key(0))
	assert.True(t, alive)
	for _, all := range [][]arrival{
		{list, wrote, removed, made, whole}, {list, removed, made, wrote, whole}, {removed, wrote, list, whole,
			made}, {list, wrote, whole, made, removed},
	} {
		same(t, want, newRegion(mumbai).know(all...))
	}
}
