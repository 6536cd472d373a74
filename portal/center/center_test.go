package center_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// seed is an instance in two Regions. Alice has access directly and through two overlapping groups,
// bob is inactive.
func seed() center.Data {
	return center.Data{
		Regions: []center.Region{
			{
				Name:       "us-east-1",
				PortalURLs: []string{"https://us-east-1.portal.example"}, ACSURLs: []string{"https://us-east-1.signin.example/acs"},
			},
			{
				Name:       "eu-central-1",
				PortalURLs: []string{"https://eu-central-1.portal.example"},
				ACSURLs:    []string{"https://eu-central-1.signin.example/acs"},
			},
		},
		Users: []center.User{
			{ID: "u-1", UserName: "alice@example.com", DisplayName: "Alice"},
			{ID: "u-2", UserName: "bob@example.com", Inactive: true},
			{UserName: "carol@example.com"},
		},
		Groups: []center.Group{
			{ID: "g-1", Name: "Developers", Members: []string{"u-1", "u-2"}},
			{ID: "g-2", Name: "Auditors", Members: []string{"u-1"}},
		},
		PermissionSets: []center.PermissionSet{
			{Name: "ReadOnly"}, {Name: "Admin", SessionDuration: 4 * time.Hour}, {Name: "Deploy"},
		},
		Accounts: []center.Account{
			{ID: "222222222222", Name: "Production"}, {ID: "111111111111", Name: "Production"},
			{ID: "333333333333", Name: "Lab"},
		},
		Assignments: []center.Assignment{
			{Principal: center.UserPrincipal("u-1"), AccountID: "222222222222", PermissionSet: "ReadOnly"},
			{Principal: center.GroupPrincipal("g-1"), AccountID: "222222222222", PermissionSet: "Admin"},
			{Principal: center.GroupPrincipal("g-1"), AccountID: "111111111111", PermissionSet: "ReadOnly"},
			{Principal: center.GroupPrincipal("g-2"), AccountID: "111111111111", PermissionSet: "ReadOnly"},
			{Principal: center.GroupPrincipal("g-2"), AccountID: "333333333333", PermissionSet: "ReadOnly"},
		},
		Applications: []center.Application{
			{
				Name: "Wiki", URL: "https://wiki.example", Region: "us-east-1",
				AssignedTo: []center.Principal{center.GroupPrincipal("g-1"), center.UserPrincipal("u-1")},
			},
			{
				Name: "Farm", URL: "https://farm.example", Region: "eu-central-1",
				AssignedTo: []center.Principal{center.GroupPrincipal("g-2")},
			},
		},
	}
}

func view(t *testing.T, d center.Data, region string) *center.View {
	t.Helper()
	inst, err := center.New(d)
	require.NoError(t, err)
	v, err := inst.In(region)
	require.NoError(t, err)
	return v
}

func requireReason(t *testing.T, want center.Reason, err error) *center.Error {
	t.Helper()
	var e *center.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Reason, "%v", err)
	return e
}

func TestUserNameIsMatchedByteForByte(t *testing.T) {
	v := view(t, seed(), "eu-central-1")
	u, ok := v.User("alice@example.com")
	require.True(t, ok)
	assert.Equal(t, "u-1", u.ID)
	for _, not := range []string{
		"Alice@example.com", "alice@example.com ", " alice@example.com", "alice@example.co", "alice@EXAMPLE.com", "u-1", "",
	} {
		_, ok := v.User(not)
		assert.False(t, ok, "%q", not)
	}
	u, ok = v.UserByID("carol@example.com")
	require.True(t, ok, "a user without an ID is found by userName")
	assert.Equal(t, "carol@example.com", u.Label())
}

func TestAccountsAreSortedWithoutDuplicates(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		var got []string
		for _, a := range view(t, seed(), region).Accounts("u-1") {
			line := a.Account.Name + " " + a.Account.ID + ":"
			for _, p := range a.PermissionSets {
				line += " " + p.Name
			}
			got = append(got, line)
		}
		assert.Equal(t, []string{
			"Lab 333333333333: ReadOnly",
			"Production 111111111111: ReadOnly",
			"Production 222222222222: Admin ReadOnly",
		}, got)
	}
}

func TestApplicationsOfAllRegions(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		var got []string
		for _, a := range view(t, seed(), region).Applications("u-1") {
			got = append(got, a.Name+" "+a.Region)
		}
		assert.Equal(t, []string{"Farm eu-central-1", "Wiki us-east-1"}, got)
	}
}

func TestInactiveAndUnknownUsersHaveNoAccess(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	for _, id := range []string{"u-2", "nobody", ""} {
		assert.Empty(t, v.Accounts(id))
		assert.Empty(t, v.Applications(id))
	}
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: "u-2", UserName: "bob@example.com"})
	}))
	assert.Len(t, v.Accounts("u-2"), 2, "the same user has access once active")
}

func TestNewRefuses(t *testing.T) {
	cases := []struct {
		name string
		want center.Reason
		make func(*center.Data)
	}{
		{"no Region", center.ReasonRequired, func(d *center.Data) { *d = center.Data{} }},
		{"two equal Regions", center.ReasonDuplicate, func(d *center.Data) { d.Regions[1].Name = "us-east-1" }},
		{"Region name that is not a code", center.ReasonInvalid, func(d *center.Data) { d.Regions[0].Name = "Frankfurt" }},
		{"unknown status", center.ReasonInvalid, func(d *center.Data) { d.Regions[1].Status = "REPLICATED" }},
		{"primary not active", center.ReasonInvalid, func(d *center.Data) { d.Regions[0].Status = center.RegionAdding }},
		{"portal URL shared", center.ReasonDuplicate, func(d *center.Data) {
			d.Regions[1].PortalURLs = d.Regions[0].PortalURLs
		}},
		{"plain http portal", center.ReasonInvalid, func(d *center.Data) {
			d.Regions[0].PortalURLs[0] = "http://us-east-1.portal.example"
		}},
		{"ACS URL without host", center.ReasonInvalid, func(d *center.Data) { d.Regions[0].ACSURLs[0] = "https:///acs" }},
		{"duplicate userName", center.ReasonDuplicate, func(d *center.Data) { d.Users[1].UserName = "alice@example.com" }},
		{"duplicate user ID", center.ReasonDuplicate, func(d *center.Data) { d.Users[1].ID = "u-1" }},
		{"ID that is another's default", center.ReasonDuplicate, func(d *center.Data) {
			d.Users[1].ID = "carol@example.com"
		}},
		{"no userName", center.ReasonRequired, func(d *center.Data) { d.Users[0].UserName = "" }},
		{"userName with space around", center.ReasonInvalid, func(d *center.Data) {
			d.Users[0].UserName = "alice@example.com "
		}},
		{"userName with line feed", center.ReasonInvalid, func(d *center.Data) {
			d.Users[0].UserName = "alice@example.com\nbob"
		}},
		{"userName too long", center.ReasonInvalid, func(d *center.Data) { d.Users[0].UserName = strings.Repeat("a", 300) }},
		{"duplicate group", center.ReasonDuplicate, func(d *center.Data) { d.Groups[1].Name = "Developers" }},
		{"unknown user in group", center.ReasonDangling, func(d *center.Data) { d.Groups[0].Members[0] = "u-9" }},
		{"duplicate user in group", center.ReasonDuplicate, func(d *center.Data) { d.Groups[0].Members[1] = "u-1" }},
		{"duplicate permission set", center.ReasonDuplicate, func(d *center.Data) { d.PermissionSets[0].Name = "Admin" }},
		{"permission set with slash", center.ReasonInvalid, func(d *center.Data) { d.PermissionSets[2].Name = "a/b" }},
		{"session too long", center.ReasonInvalid, func(d *center.Data) {
			d.PermissionSets[0].SessionDuration = 13 * time.Hour
		}},
		{"short account ID", center.ReasonInvalid, func(d *center.Data) { d.Accounts[0].ID = "22222222222" }},
		{"account ID with letter", center.ReasonInvalid, func(d *center.Data) { d.Accounts[0].ID = "22222222222x" }},
		{"duplicate account", center.ReasonDuplicate, func(d *center.Data) { d.Accounts[0].ID = "111111111111" }},
		{"assignment to an unknown user", center.ReasonDangling, func(d *center.Data) {
			d.Assignments[0].Principal.ID = "u-9"
		}},
		{"assignment of group to user", center.ReasonDangling, func(d *center.Data) {
			d.Assignments[0].Principal.ID = "g-1"
		}},
		{"assignment to an unknown type", center.ReasonInvalid, func(d *center.Data) {
			d.Assignments[0].Principal.Type = ""
		}},
		{"assignment in an unknown account", center.ReasonDangling, func(d *center.Data) {
			d.Assignments[0].AccountID = "999999999999"
		}},
		{"assignment of an unknown set", center.ReasonDangling, func(d *center.Data) {
			d.Assignments[0].PermissionSet = "Nope"
		}},
		{"duplicate assignment", center.ReasonDuplicate, func(d *center.Data) { d.Assignments[1] = d.Assignments[0] }},
		{"application in an unknown Region", center.ReasonDangling, func(d *center.Data) {
			d.Applications[0].Region = "eu-west-1"
		}},
		{"application with script URL", center.ReasonInvalid, func(d *center.Data) {
			d.Applications[0].URL = "javascript:alert(1)"
		}},
		{"application with local URL", center.ReasonInvalid, func(d *center.Data) { d.Applications[0].URL = "/wiki" }},
		{"duplicate application", center.ReasonDuplicate, func(d *center.Data) { d.Applications[1].Name = "Wiki" }},
		{"application for an unknown group", center.ReasonDangling, func(d *center.Data) {
			d.Applications[1].AssignedTo[0].ID = "g-9"
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := seed()
			c.make(&d)
			inst, err := center.New(d)
			e := requireReason(t, c.want, err)
			assert.Nil(t, inst)
			assert.True(t, strings.HasPrefix(e.Error(), "center: "), "%v", e)
			assert.Less(t, len(e.Error()), 500)
		})
	}
}

// An error names the element in which the bad value is.
func TestErrorNamesTheElement(t *testing.T) {
	for _, change := range []func(d *center.Data) (element string){
		func(d *center.Data) string {
			d.Regions[1].PortalURLs = d.Regions[0].PortalURLs
			return d.Regions[1].Name
		},
		func(d *center.Data) string {
			d.Users[1].UserName = d.Users[0].UserName
			return d.Users[0].UserName
		},
		func(d *center.Data) string {
			d.Groups[0].Members[0] = "u-9"
			return d.Groups[0].Name
		},
		func(d *center.Data) string {
			d.Groups[0].Members[1] = d.Groups[0].Members[0]
			return d.Groups[0].Name
		},
		func(d *center.Data) string {
			d.Applications[0].Region = "eu-west-1"
			return d.Applications[0].Name
		},
		func(d *center.Data) string {
			d.Applications[1].AssignedTo[0].ID = "g-9"
			return d.Applications[1].Name
		},
	} {
		d := seed()
		element := change(&d)
		_, err := center.New(d)
		e, ok := errors.AsType[*center.Error](err)
		require.True(t, ok, "%v", err)
		assert.Contains(t, e.Rule, strconv.Quote(element))
	}
}

func TestInUnknownRegion(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	_, err = inst.In("eu-west-1")
	requireReason(t, center.ReasonUnknownRegion, err)
}

func TestSnapshotsDoNotChange(t *testing.T) {
	d := seed()
	v := view(t, d, "us-east-1")
	before := v.Snapshot()

	d.Users[0].UserName = "mallory@example.com"
	d.Groups[0].Members[0] = "mallory"
	d.Regions[0].PortalURLs[0] = "https://evil.example"
	before.Regions()[0].PortalURLs[0] = "https://evil.example"
	before.Data().Groups[0].Members[0] = "mallory"
	before.Applications("u-1")[0].AssignedTo[0].ID = "mallory"
	before.Accounts("u-1")[2].PermissionSets[0].Name = "Root"
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		tx.Data().Users[0].UserName = "mallory@example.com"
		return tx.RemoveUser("u-2")
	}))

	assert.Equal(t, defaulted(t), before.Data())
	_, ok := before.UserByID("u-2")
	assert.True(t, ok, "an old snapshot keeps the removed user")
	_, ok = v.UserByID("u-2")
	assert.False(t, ok)
}

func defaulted(t *testing.T) center.Data {
	return view(t, seed(), "us-east-1").Snapshot().Data()
}

func TestDataRoundTripsThroughJSON(t *testing.T) {
	want := view(t, seed(), "us-east-1").Snapshot().Data()
	b, err := json.Marshal(want)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"sessionDuration":"4h0m0s"`)
	var got center.Data
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, want, got)
	assert.Error(t, json.Unmarshal([]byte(`{"permissionSets":[{"name":"A","sessionDuration":"soon"}]}`), &got))
}

func TestReadersSeeWholeUpdates(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s := v.Snapshot()
				// One update writes both users, so a snapshot has both or none.
				_, x := s.User("x@example.com")
				_, y := s.User("y@example.com")
				if x != y {
					t.Error("a reader saw half an update")
					return
				}
			}
		})
	}
	for range 200 {
		require.NoError(t, v.Update(func(tx *center.Tx) error {
			return errors.Join(
				tx.PutUser(center.User{UserName: "x@example.com", Inactive: true}),
				tx.PutUser(center.User{UserName: "y@example.com", Inactive: true}))
		}))
		require.NoError(t, v.Update(func(tx *center.Tx) error {
			return errors.Join(tx.RemoveUser("y@example.com"), tx.RemoveUser("x@example.com"))
		}))
	}
	close(stop)
	wg.Wait()
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := v.Update(func(tx *center.Tx) error {
				return tx.PutUser(center.User{UserName: fmt.Sprintf("user%d@example.com", i), Inactive: true})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	assert.Len(t, v.Snapshot().Data().Users, 53)
}
