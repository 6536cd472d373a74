package center_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

func TestRecordsAssembleInAnyOrder(t *testing.T) {
	v := view(t, writable(), "us-east-1")
	want := v.Snapshot().Records()
	records := slices.Clone(want)
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	d, err := center.Assemble(records)
	require.NoError(t, err)
	inst, err := center.New(d)
	require.NoError(t, err)
	assert.Equal(t, want, inst.Snapshot().Records())
	stored, err := center.NewStored(records, nil)
	require.NoError(t, err)
	assert.Equal(t, want, stored.Snapshot().Records())
	assert.Equal(t, d, stored.Snapshot().Data())
	for i, name := range []string{"us-east-1", "eu-central-1", "ap-south-1"} {
		assert.Equal(t, name, d.Regions[i].Name, "Regions keep their order")
	}
}

// Every kind of write, applied to another instance as a Diff.
func TestAppliedDiffGivesTheSameState(t *testing.T) {
	for name, write := range writes {
		here, err := center.New(writable())
		require.NoError(t, err)
		there, err := center.New(writable())
		require.NoError(t, err)
		primary, err := here.In("us-east-1")
		require.NoError(t, err)

		before := here.Snapshot()
		require.NoError(t, primary.Update(write), name)
		changes := center.Diff(before, here.Snapshot())
		assert.NotEmpty(t, changes, name)
		for range 2 { // applying again changes nothing
			require.NoError(t, there.Apply(changes), name)
			require.Equal(t, here.Snapshot().Records(), there.Snapshot().Records(), name)
		}
		assert.Empty(t, center.Diff(here.Snapshot(), there.Snapshot()), name)
	}
}

func TestAssembleDropsUnknownPrincipals(t *testing.T) {
	records := view(t, seed(), "us-east-1").Snapshot().Records()
	records = slices.DeleteFunc(records, func(r center.Record) bool { return r.Kind == center.KindAssignment })
	records = append(records, center.Record{Kind: center.KindGroup, Key: "g-1"})
	d, err := center.Assemble(records)
	require.NoError(t, err)
	inst, err := center.New(d)
	require.NoError(t, err)
	apps := inst.Snapshot().Data().Applications
	require.Len(t, apps, 2)
	assert.Equal(t, "Wiki", apps[1].Name)
	assert.Equal(t, []center.Principal{center.UserPrincipal("u-1")}, apps[1].AssignedTo)
}

func TestAssembleRefuses(t *testing.T) {
	for name, r := range map[string]center.Record{
		"unknown kind":    {Kind: "robot", Key: "x", Value: []byte(`{}`)},
		"no JSON":         {Kind: center.KindUser, Key: "x", Value: []byte(`{`)},
		"wrong key":       {Kind: center.KindUser, Key: "x", Value: []byte(`{"id":"y","userName":"y"}`)},
		"value of a list": {Kind: center.KindRegion, Key: "us-east-1", Value: []byte(`[]`)},
	} {
		_, err := center.Assemble([]center.Record{r})
		requireReason(t, center.ReasonInvalid, err)
		_, err = center.NewStored([]center.Record{r}, nil)
		requireReason(t, center.ReasonInvalid, err)
		inst, err := center.New(seed())
		require.NoError(t, err)
		before := inst.Snapshot()
		requireReason(t, center.ReasonInvalid, inst.Apply([]center.Record{r}))
		assert.Same(t, before, inst.Snapshot(), name)
	}
}

func TestApplyChecksTheResult(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	before := inst.Snapshot()
	requireReason(t, center.ReasonDangling, inst.Apply([]center.Record{{Kind: center.KindAccount, Key: "222222222222"}}))
	assert.Same(t, before, inst.Snapshot())
}

// Apply can't replace the primary.
func TestApplyKeepsThePrimary(t *testing.T) {
	inst, err := center.New(writable())
	require.NoError(t, err)
	before := inst.Snapshot()
	for name, changes := range map[string][]center.Record{
		"another first": {
			{Kind: center.KindRegion, Key: "eu-central-1", Value: []byte(`{"position":0,"name":"eu-central-1"}`)},
		},
		"removed": {{Kind: center.KindApplication, Key: "Wiki"}, {Kind: center.KindRegion, Key: "us-east-1"}},
	} {
		requireReason(t, center.ReasonPrimaryFixed, inst.Apply(changes))
		assert.Same(t, before, inst.Snapshot(), name)
	}
}

// Removing a user changes the index of all later ones. Diff must not encode those as JSON, which
// would be most of a removal's cost.
func TestDiffEncodesOnlyChangedUsers(t *testing.T) {
	const users = 1000
	d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
	for i := range users {
		d.Users = append(d.Users, center.User{UserName: fmt.Sprintf("user%d@example.com", i), Inactive: true})
	}
	before, err := center.New(d)
	require.NoError(t, err)
	d.Users = d.Users[1:]
	after, err := center.New(d)
	require.NoError(t, err)
	diff := func() []center.Record { return center.Diff(before.Snapshot(), after.Snapshot()) }
	require.Equal(t, []center.Record{{Kind: center.KindUser, Key: "user0@example.com"}}, diff())
	assert.Less(t, testing.AllocsPerRun(1, func() { diff() }), float64(users))
}

// A Record must not change a URL, so invalid UTF-8 is refused.
func TestURLsMustBeUTF8(t *testing.T) {
	d := seed()
	d.Regions[0].ACSURLs = []string{"https://us-east-1.signin.example/\xff"}
	_, err := center.New(d)
	requireReason(t, center.ReasonInvalid, err)
}

// journal records its calls, and returns the errors in refuse first.
type journal struct {
	mu      sync.Mutex
	regions []string
	by      []center.Actor
	kept    [][]center.Record
	refuse  []error
}

func (j *journal) Commit(region string, by center.Actor, changes []center.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.refuse) > 0 {
		err := j.refuse[0]
		j.refuse = j.refuse[1:]
		return err
	}
	j.regions, j.by, j.kept = append(j.regions, region), append(j.by, by), append(j.kept, changes)
	return nil
}

func TestJournal(t *testing.T) {
	j := &journal{}
	inst, err := center.NewJournaled(seed(), j)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	put := func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "dave@example.com"})
	}

	full := errors.New("disk full")
	j.refuse = []error{full}
	before := inst.Snapshot()
	require.ErrorIs(t, v.Update(put), full)
	assert.Same(t, before, inst.Snapshot(), "an update that is not stored has no effect")

	require.NoError(t, v.Update(put))
	require.Len(t, j.kept, 1)
	assert.Equal(t, []string{"us-east-1"}, j.regions)
	assert.Equal(t, center.Diff(before, inst.Snapshot()), j.kept[0])
	require.NoError(t, v.Update(put), "no change")
	assert.Len(t, j.kept, 1, "no Commit without a change")

	require.NoError(t, inst.Apply([]center.Record{{Kind: center.KindUser, Key: "dave@example.com"}}))
	assert.Len(t, j.kept, 1, "no Commit for Apply")
}

// conflicting is a journal whose first attempts conflict with another change.
type conflicting struct {
	journal
	applied int
	apply   func()
}

func (m *conflicting) Commit(region string, by center.Actor, changes []center.Record) error {
	if m.applied < 3 {
		m.applied++
		go m.apply() // waits for the lock that this update holds
		return center.ErrConflict
	}
	return m.journal.Commit(region, by, changes)
}

func TestUpdateIsRetriedAfterAConflict(t *testing.T) {
	j := &conflicting{}
	inst, err := center.NewJournaled(seed(), j)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Add(3)
	j.apply = func() {
		defer wg.Done()
		bob := []byte(`{"id":"u-2","userName":"bob@example.com","active":true}`)
		assert.NoError(t, inst.Apply([]center.Record{{Kind: center.KindUser, Key: "u-2", Value: bob}}))
	}
	calls := 0
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		calls++
		return tx.PutUser(center.User{ID: "u-9", UserName: "dave@example.com"})
	}))
	wg.Wait()
	assert.Equal(t, 4, calls)
	_, dave := v.UserByID("u-9")
	bob, _ := v.UserByID("u-2")
	assert.True(t, dave)
	assert.False(t, bob.Inactive, "neither change was lost")

	j.applied = -1 << 30
	j.apply = func() {}
	err = v.Update(func(tx *center.Tx) error { return tx.RemoveUser("u-9") })
	require.ErrorIs(t, err, center.ErrConflict, "Update gives up at last")
}

// A user's JSON has "active", as in older versions. A user without it is inactive.
func TestUserJSON(t *testing.T) {
	for written, u := range map[string]center.User{
		`{"id":"u-1","userName":"a","active":true}`: {ID: "u-1", UserName: "a"},
		`{"userName":"b","email":"b@a.example","active":false}`: {UserName: "b", Email: "b@a.example",
			Inactive: true},
		`{"userName":"c","stableId":"s","active":true}`:                  {UserName: "c", StableID: "s"},
		`{"userName":"d","displayName":"D \u003cd\u003e","active":true}`: {UserName: "d", DisplayName: "D <d>"},
	} {
		raw, err := json.Marshal(u)
		require.NoError(t, err)
		assert.Equal(t, written, string(raw))
		var read center.User
		require.NoError(t, json.Unmarshal([]byte(written), &read))
		assert.Equal(t, u, read)
	}
	for _, without := range []string{`{"userName":"a"}`, `{}`, `null`} {
		var u center.User
		require.NoError(t, json.Unmarshal([]byte(without), &u))
		assert.True(t, u.Inactive, without)
	}
	assert.Error(t, json.Unmarshal([]byte(`{"userName":"a","active":1}`), new(center.User)))
}
