package sessions_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/acs/sessions"
)

var epochs = rapid.Custom(func(t *rapid.T) sessions.Epoch {
	return rapid.MapOf(rapid.SampledFrom([]string{"", "us-east-1", "eu-central-1", "ap-south-1"}),
		rapid.Uint64Range(0, 3)).
		Draw(t, "epoch")
})

// same reports whether two Epochs are equal, with missing components as zero.
func same(a, b sessions.Epoch) bool { return a.Covers(b) && b.Covers(a) }

func TestEpochLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := epochs.Draw(t, "a"), epochs.Draw(t, "b"), epochs.Draw(t, "c")
		before := maps.Clone(a)
		ab := a.Merge(b)
		assert.True(t, maps.Equal(before, a), "Merge makes a new map")
		assert.True(t, same(ab, b.Merge(a)), "commutative")
		assert.True(t, same(ab.Merge(c), a.Merge(b.Merge(c))), "associative")
		assert.True(t, same(a.Merge(a), a), "idempotent")
		assert.True(t, same(a.Merge(nil), a), "the nil Epoch is nothing")
		assert.True(t, ab.Covers(a) && ab.Covers(b), "an upper bound")
		if c.Covers(a) && c.Covers(b) {
			assert.True(t, c.Covers(ab), "the least one")
		}
		if a.Covers(b) && b.Covers(c) {
			assert.True(t, a.Covers(c), "transitive")
		}
		assert.Equal(t, a.Covers(b), same(ab, a))
		assert.True(t, a.Covers(nil))
	})
}

// The sessions that are alive in the end don't depend on the order in which sessions, sign-outs and revocations
// arrive.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		var events []func(*sessions.MemoryStore) error
		ctx := context.Background()
		var want []string
		user := rapid.SampledFrom([]string{"alice", "bob"})
		signIn := rapid.SampledFrom([]string{"s1", "s2", "s3"})
		raised, ended := map[string]uint64{}, map[[2]string]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "revocations") {
			u := user.Draw(t, "of")
			raised[u]++
			events = append(events, func(m *sessions.MemoryStore) error { return m.RevokeUser(ctx, u) })
		}
		for range rapid.IntRange(0, 3).Draw(t, "sign-outs") {
			u, s := user.Draw(t, "of"), signIn.Draw(t, "sign-in")
			ended[[2]string{u, s}] = true
			events = append(events, func(m *sessions.MemoryStore) error { return m.EndSignIn(ctx, u, u+s, now.Add(time.Hour)) })
		}
		for i := range rapid.IntRange(1, 8).Draw(t, "sessions") {
			u, s, e := user.Draw(t, "of"), signIn.Draw(t, "sign-in"), rapid.Uint64Range(0, 3).Draw(t, "epoch")
			key := strconv.Itoa(i)
			if e >= raised[u] && !ended[[2]string{u, s}] {
				want = append(want, key)
			}
			session := sessions.Session{
				ID:      key,
				SignIn:  u + s,
				UserID:  u,
				Created: now,
				Seen:    now,
				Expires: now.Add(time.Hour),
				Epoch:   sessions.Epoch{"here": e},
			}
			events = append(events, func(m *sessions.MemoryStore) error { return m.Create(ctx, key, session) })
		}
		m := sessions.NewMemoryStore(sessions.MemoryConfig{Region: "here"})
		for _, event := range rapid.Permutation(events).Draw(t, "order") {
			require.NoError(t, event(m))
		}
		var got []string
		for _, u := range []string{"alice", "bob"} {
			list, err := m.List(ctx, u)
			require.NoError(t, err)
			for _, s := range list {
				got = append(got, s.ID)
				_, err := m.Get(ctx, s.ID)
				require.NoError(t, err, "what is listed is alive")
			}
			e, err := m.Epoch(ctx, u)
			require.NoError(t, err)
			assert.Equal(t, raised[u], e["here"])
		}
		slices.Sort(got)
		slices.Sort(want)
		assert.Equal(t, want, got)
	})
}
