package shortcuts_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/shortcuts"
)

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func role(n int) shortcuts.Target {
	return shortcuts.Target{AccountID: fmt.Sprintf("%012d", n), PermissionSet: "ReadOnly"}
}

func TestRecentBeginsWithWhatWasOpenedLast(t *testing.T) {
	var l shortcuts.List
	for i := range 12 {
		l.Open(role(i), at(i))
	}
	l.Open(role(6), at(20))
	l.Open(role(11), at(2)) // a clock that is behind changes nothing
	recent := l.Recent()
	require.Len(t, recent, shortcuts.MaxRecent)
	assert.Equal(t, []shortcuts.Target{role(6), role(11), role(10), role(9)}, recent[:4])
	last, when := l.LastOpened()
	assert.Equal(t, role(6), last)
	assert.Equal(t, at(20), when)
}

func TestFavoritesAreMarkedAndUnmarked(t *testing.T) {
	var l shortcuts.List
	app := shortcuts.Target{Application: "wiki"}
	assert.True(t, l.Mark(role(1), true, at(1)))
	assert.True(t, l.Mark(app, true, at(0)))
	before := l
	assert.Equal(t, []shortcuts.Target{app, role(1)}, l.Favorites())
	assert.True(t, l.Mark(role(1), false, at(-5)), "the user's click counts, whatever the clock")
	assert.False(t, l.IsFavorite(role(1)))
	assert.Equal(t, []shortcuts.Target{app}, l.Favorites())
	assert.True(t, before.IsFavorite(role(1)), "a list that was handed out doesn't change")
	assert.False(t, shortcuts.Merge(l, before).IsFavorite(role(1)), "the later mark counts")
}

func TestMarkRefusesMoreThanMaxFavorites(t *testing.T) {
	var l shortcuts.List
	for i := range shortcuts.MaxFavorites {
		require.True(t, l.Mark(role(i), true, at(i)))
	}
	assert.False(t, l.Mark(role(99), true, at(99)))
	assert.True(t, l.Mark(role(0), true, at(99)), "it is one already")
	assert.True(t, l.Mark(role(0), false, at(100)))
	assert.True(t, l.Mark(role(99), true, at(101)))
	assert.Len(t, l.Favorites(), shortcuts.MaxFavorites)
}

// However much a user opens and marks, in several Regions, the list stays small.
func TestListIsBounded(t *testing.T) {
	var a, b shortcuts.List
	for i := range 5_000 {
		a.Open(role(i), at(i))
		b.Mark(role(i), i%3 > 0, at(i))
		b.Mark(role(i), i%2 > 0, at(i))
	}
	l := shortcuts.Merge(a, b)
	assert.LessOrEqual(t, len(l.Items), 48)
	raw, err := json.Marshal(l)
	require.NoError(t, err)
	assert.Less(t, len(raw), 10<<10)
}

func lists(t *rapid.T) []shortcuts.List {
	out := make([]shortcuts.List, rapid.IntRange(1, 4).Draw(t, "lists"))
	target := rapid.Custom(func(t *rapid.T) shortcuts.Target { return role(rapid.IntRange(0, 40).Draw(t, "target")) })
	for i := range out {
		for range rapid.IntRange(0, 40).Draw(t, "acts") {
			when := at(rapid.IntRange(0, 30).Draw(t, "when"))
			if rapid.Bool().Draw(t, "opens") {
				out[i].Open(target.Draw(t, "what"), when)
			} else {
				out[i].Mark(target.Draw(t, "what"), rapid.Bool().Draw(t, "favorite"), when)
			}
		}
	}
	return out
}

func TestMergeDependsOnTheSetOfLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := lists(t)
		want := shortcuts.Merge(all...)
		assert.Equal(t, want, shortcuts.Merge(rapid.Permutation(all).Draw(t, "order")...))
		assert.Equal(t, want, shortcuts.Merge(append(all, all...)...), "however often each arrives")
		assert.Equal(t, want, shortcuts.Merge(want))
		raw, err := json.Marshal(want)
		require.NoError(t, err)
		var read shortcuts.List
		require.NoError(t, json.Unmarshal(raw, &read))
		assert.Equal(t, want, shortcuts.Merge(read), "as it was stored")
	})
}

func TestMemoryStoreMergesWhatWasPutMeanwhile(t *testing.T) {
	m, ctx := shortcuts.NewMemoryStore(), t.Context()
	one, err := m.Shortcuts(ctx, "u-1")
	require.NoError(t, err)
	two := one
	one.Open(role(1), at(1))
	two.Mark(role(2), true, at(2))
	require.NoError(t, m.Put(ctx, "u-1", one))
	require.NoError(t, m.Put(ctx, "u-1", two))
	got, err := m.Shortcuts(ctx, "u-1")
	require.NoError(t, err)
	assert.Equal(t, shortcuts.Merge(one, two), got)
	none, err := m.Shortcuts(ctx, "u-2")
	require.NoError(t, err)
	assert.Empty(t, none.Items)
}

// Another Region may have marked a target at the last instant that can be stored. The user can end that, and change the
// rest of the list.
func TestAMarkAtTheLastInstantIsNotForGood(t *testing.T) {
	for _, raw := range []string{
		"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.9999+10:00", "9999-12-31T23:59:59-10:00",
	} {
		var hostile shortcuts.List
		require.NoError(t, json.Unmarshal([]byte(`{"items":[{"app":"a","favorite":true,"marked":"`+raw+`"}]}`), &hostile))
		own := shortcuts.Merge(hostile)
		for range 3 {
			require.True(t, own.Mark(shortcuts.Target{Application: "a"}, true, at(1)))
			require.True(t, own.Mark(shortcuts.Target{Application: "a"}, false, at(2)))
		}
		require.True(t, own.Mark(shortcuts.Target{Application: "b"}, true, at(3)))
		stored, err := json.Marshal(own)
		require.NoError(t, err, raw)
		require.NoError(t, json.Unmarshal(stored, &own))
		for _, both := range []shortcuts.List{shortcuts.Merge(own, hostile), shortcuts.Merge(hostile, own)} {
			assert.Equal(t, []shortcuts.Target{{Application: "b"}}, both.Favorites(), raw)
		}
	}
}
