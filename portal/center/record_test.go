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
	assert.Equal(t, []string{"us-east-1", "eu-central-1", "ap-south-1"}, []string{d.Regions[0].Name, d.Regions[1].Name, d.Regions[2].Name}, "Regions have their order")
}

// Every write there is, told to another instance by its difference alone.
func TestDiffAppliedElsewhereIsTheSame(t *testing.T) {
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
		for range 2 { // twice is once
			require.NoError(t, there.Apply(changes), name)
			require.Equal(t, here.Snapshot().Records(), there.Snapshot().Records(), name)
		}
		assert.Empty(t, center.Diff(here.Snapshot(), there.Snapshot()), name)
	}
}

func TestAssembleLeavesOutPrincipalsThatAreGone(t *testing.T) {
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
		inst, err := center.New(seed())
		require.NoError(t, err)
		before := inst.Snapshot()
		requireReason(t, center.ReasonInvalid, inst.Apply([]center.Record{r}))
		assert.Same(t, before, inst.Snapshot(), name)
	}
}

func TestApplyChecksTheOutcome(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	before := inst.Snapshot()
	requireReason(t, center.ReasonDangling, inst.Apply([]center.Record{{Kind: center.KindAccount, Key: "222222222222"}}))
	assert.Same(t, before, inst.Snapshot())
}

// The primary stays the primary, whatever was agreed elsewhere.
func TestApplyKeepsThePrimary(t *testing.T) {
	inst, err := center.New(writable())
	require.NoError(t, err)
	before := inst.Snapshot()
	for name, changes := range map[string][]center.Record{
		"overtaken": {{Kind: center.KindRegion, Key: "eu-central-1", Value: []byte(`{"position":0,"name":"eu-central-1"}`)}},
		"removed":   {{Kind: center.KindApplication, Key: "Wiki"}, {Kind: center.KindRegion, Key: "us-east-1"}},
	} {
		requireReason(t, center.ReasonPrimaryFixed, inst.Apply(changes))
		assert.Same(t, before, inst.Snapshot(), name)
	}
}

// One who is removed moves all that come after. They are not made into JSON
// for that, which would be most of what a removal costs.
func TestARemovalEncodesNobodyElse(t *testing.T) {
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
	require.Equal(t, []center.Record{{Kind: center.KindUser, Key: "user0@example.com"}}, center.Diff(before.Snapshot(), after.Snapshot()))
	assert.Less(t, testing.AllocsPerRun(1, func() { center.Diff(before.Snapshot(), after.Snapshot()) }), float64(users))
}

// What one Region accepts, all others can: a Record loses nothing of it.
func TestURLsSurviveBeingRecords(t *testing.T) {
	d := seed()
	d.Regions[0].ACSURLs = []string{"https://us-east-1.signin.example/\xff"}
	_, err := center.New(d)
	requireReason(t, center.ReasonInvalid, err)
}

// journal keeps what it was told, and refuses as it is told.
type journal struct {
	mu      sync.Mutex
	regions []string
	kept    [][]center.Record
	refuse  []error
}

func (j *journal) Commit(region string, changes []center.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.refuse) > 0 {
		err := j.refuse[0]
		j.refuse = j.refuse[1:]
		return err
	}
	j.regions, j.kept = append(j.regions, region), append(j.kept, changes)
	return nil
}

func TestJournalIsToldBeforeAndCanRefuse(t *testing.T) {
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
	assert.Same(t, before, inst.Snapshot(), "what is not kept does not happen")

	require.NoError(t, v.Update(put))
	require.Len(t, j.kept, 1)
	assert.Equal(t, []string{"us-east-1"}, j.regions)
	assert.Equal(t, center.Diff(before, inst.Snapshot()), j.kept[0])
	require.NoError(t, v.Update(put), "the same again")
	assert.Len(t, j.kept, 1, "what changes nothing is not told")

	require.NoError(t, inst.Apply([]center.Record{{Kind: center.KindUser, Key: "dave@example.com"}}))
	assert.Len(t, j.kept, 1, "what was agreed elsewhere is not told")
}

// meanwhile is a journal that hears of another change before each of the first
// attempts.
type meanwhile struct {
	journal
	applied int
	apply   func()
}

func (m *meanwhile) Commit(region string, changes []center.Record) error {
	if m.applied < 3 {
		m.applied++
		go m.apply() // waits for the lock that this update holds
		return center.ErrConflict
	}
	return m.journal.Commit(region, changes)
}

func TestConflictMeansTryAgainOnWhatIsThere(t *testing.T) {
	j := &meanwhile{}
	inst, err := center.NewJournaled(seed(), j)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Add(3)
	j.apply = func() {
		defer wg.Done()
		assert.NoError(t, inst.Apply([]center.Record{{Kind: center.KindUser, Key: "u-2", Value: []byte(`{"id":"u-2","userName":"bob@example.com","active":true}`)}}))
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
	require.ErrorIs(t, err, center.ErrConflict, "it gives up in the end")
}

// A user's JSON is what it was when Go's field was called Active, so older
// versions read what newer ones write, and only who is said to be active is.
func TestUserInJSONIsActiveOrNot(t *testing.T) {
	for written, u := range map[string]center.User{
		`{"id":"u-1","userName":"a","active":true}`:                      {ID: "u-1", UserName: "a"},
		`{"userName":"b","email":"b@example.com","active":false}`:        {UserName: "b", Email: "b@example.com", Inactive: true},
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
	for _, silent := range []string{`{"userName":"a"}`, `{}`, `null`} {
		var u center.User
		require.NoError(t, json.Unmarshal([]byte(silent), &u))
		assert.True(t, u.Inactive, silent)
	}
	assert.Error(t, json.Unmarshal([]byte(`{"userName":"a","active":1}`), new(center.User)))
}
