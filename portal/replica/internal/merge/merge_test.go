package merge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Records that arrive in any order, late or more than once, have the
// same in every Region.
func TestEveryOrderOfArrivalComesToTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arrivals(t)
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 10).Draw(t, "again")
		order := rapid.Permutation(append(append([]arrival{}, all...), again...)).Draw(t, "order")
		same(t, newRegion(virginia).know(all...), newRegion(virginia).know(order...))
	})
}

// It makes no difference when the instance is told what has changed: after each
// arrival, or of several at once, or at the end.
func TestAPrefixAndThenTheRestComesToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arrivals(t)
		one, two := newRegion(frankfurt).know(all...), newRegion(frankfurt)
		var touched []merge.Name
		for _, a := range all {
			touched = append(touched, two.hear(a)...)
			if rapid.Bool().Draw(t, "tell") {
				two.dir.Changes(touched)
				touched = nil
			}
		}
		two.dir.Changes(touched)
		same(t, one, two)
	})
}

// A Region speaks for itself alone: its log, its sessions and its components of
// epochs are the same whatever the others say.
func TestARegionSpeaksForItselfAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arrivals(t)
		whole := newRegion(mumbai).know(all...)
		for _, name := range regions {
			own := newRegion(mumbai)
			for _, a := range all {
				if a.region == name {
					own.know(a)
				}
			}
			require.Equal(t, own.said(name), whole.said(name), name)
			require.Empty(t, mayNotSay(name, whole.said(name)))
		}
	})
}

// When a session was last used is said by its Region alone, and never goes back.
func TestSeenNeverGoesBack(t *testing.T) {
	r := newRegion(frankfurt)
	s := merge.Session{ID: "1", UserID: user(1), Region: virginia, Created: base, Seen: base, Expires: after(60)}
	r.know(arrival{region: virginia, kind: merge.EntrySession, entry: merge.Entry{Key: key(0), Session: &s}})
	for _, step := range []struct {
		from       string
		says, want int
	}{{virginia, 5, 5}, {virginia, 3, 5}, {frankfurt, 9, 5}, {virginia, 7, 7}} {
		r.know(arrival{region: step.from, kind: merge.EntrySeen, entry: merge.Entry{Key: key(0), Seen: after(step.says)}})
		got, ok := r.sessions.Get(key(0))
		require.True(t, ok)
		require.Equal(t, after(step.want), got.Seen)
	}
	_, _, ok := r.sessions.Touch(key(0), after(20), time.Minute)
	assert.False(t, ok, "it lives elsewhere")
	own := newRegion(virginia)
	own.know(arrival{region: virginia, kind: merge.EntrySession, entry: merge.Entry{Key: key(0), Session: &s}})
	for _, step := range []struct {
		minute int
		due    bool
	}{{4, false}, {5, true}, {6, false}, {2, false}, {10, true}} {
		_, due, ok := own.sessions.Touch(key(0), after(step.minute), 5*time.Minute)
		assert.True(t, ok)
		assert.Equal(t, step.due, due, "at minute %d", step.minute)
	}
}
