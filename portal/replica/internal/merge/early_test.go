package merge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

const component = "us-east-1"

func held(t *testing.T, s *merge.Sessions, region, id string, epoch map[string]uint64) {
	t.Helper()
	now := time.Now().Round(0)
	v := merge.Session{ID: id, SignIn: id, UserID: "u", Region: region, Created: now, Seen: now,
		Expires: now.Add(time.Hour), Epoch: epoch}
	require.NoError(t, s.Take(region, merge.EntrySession, merge.Entry{Key: "key-" + id, Session: &v}))
}

func alive(s *merge.Sessions, id string) bool {
	_, ok := s.Get("key-" + id)
	return ok
}

// What is foreseen ends the sessions that are known, and none that begins later:
// the transaction may never be written.
func TestForeseenEndsAreOfKnownSessions(t *testing.T) {
	s := merge.NewSessions(component, component)
	disable := merge.Transaction{Stamp: 7, Records: []merge.Record{{Kind: merge.KindEnded, Key: "u", Value: []byte("7")}}}
	held(t, s, component, "before", nil)
	s.Foresee("eu-central-1", disable)
	assert.True(t, alive(s, "before"), "another Region's log disables no user")
	s.Foresee(component, disable)
	assert.False(t, alive(s, "before"))
	assert.Empty(t, s.Epoch("u"))
	held(t, s, component, "after", nil)
	assert.True(t, alive(s, "after"))
	s.Enforce(component, disable)
	assert.False(t, alive(s, "after"))

	s.Sweep(time.Now().Add(2*time.Hour), time.Minute)
	assert.False(t, alive(s, "before"))
}

// A count that ends all sessions is more than any that one of them carries.
func TestNextEpochIsAboveWhatSessionsCarry(t *testing.T) {
	s := merge.NewSessions(component, component)
	assert.EqualValues(t, 5, s.NextEpoch("u", component, 5))
	require.NoError(t, s.Take(component, merge.EntryUser, merge.Entry{User: "u", Epoch: 9}))
	assert.EqualValues(t, 10, s.NextEpoch("u", component, 5))
	held(t, s, component, "here", map[string]uint64{component: 20})
	assert.EqualValues(t, 21, s.NextEpoch("u", component, 5))
	held(t, s, "eu-central-1", "there", map[string]uint64{component: 1 << 63})
	assert.EqualValues(t, 21, s.NextEpoch("u", component, 5), "no Region can use up another's counts")
	held(t, s, "ap-south-1", "elsewhere", map[string]uint64{component: 30})
	assert.EqualValues(t, 31, s.NextEpoch("u", component, 5), "this Region lost its count, and its clock is behind")
}
