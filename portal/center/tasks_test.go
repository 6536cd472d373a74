package center_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// reasonOf returns the Reason of an error of this package, or "" for none.
func reasonOf(t *testing.T, err error) center.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *center.Error
	require.ErrorAs(t, err, &e)
	return e.Reason
}

// Rule 65: the table of tasks is the announcement's, row by row, in the primary and in an additional Region. The
// columns are a read and a write for an application of the Region itself, and for one of the other Region; a task that
// isn't about an application ignores them.
func TestRule65TableOfTasks(t *testing.T) {
	const (
		ok      = center.Reason("")
		primary = center.ReasonNotPrimary
		app     = center.ReasonNotAppRegion
	)
	regions := []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}
	type cells struct{ read, write, readOther, writeOther center.Reason }
	full := cells{}
	readOnly := cells{write: primary, writeOther: primary}
	none := cells{primary, primary, primary, primary}
	own := cells{readOther: app, writeOther: app}
	managed := cells{writeOther: app}
	want := map[center.Task][2]cells{
		center.TaskIdentities:        {full, readOnly},
		center.TaskSessions:          {full, full},
		center.TaskInstance:          {full, readOnly},
		center.TaskAppAssignments:    {own, own},
		center.TaskPropagation:       {own, own},
		center.TaskAppAccess:         {own, own},
		center.TaskIdentityProviders: {full, readOnly},
		center.TaskCustomerApps:      {own, own},
		center.TaskAccountAccess:     {full, full},
		center.TaskAppManagement:     {managed, managed},
		center.TaskPermissions:       {full, none},
	}
	table := center.Tasks()
	require.Len(t, table, 11)
	require.Len(t, want, len(table))
	for _, row := range table {
		for i, here := range []string{"us-east-1", "eu-central-1"} {
			other, cells := regions[1-i].Name, want[row.Task][i]
			for _, try := range []struct {
				write bool
				app   string
				want  center.Reason
			}{
				{false, here, cells.read}, {true, here, cells.write},
				{false, other, cells.readOther}, {true, other, cells.writeOther},
			} {
				err := center.Attempt{Task: row.Task, Write: try.write, Application: try.app}.Check(regions, here)
				require.Equal(t, try.want, reasonOf(t, err), "%s in %s: %+v", row.Task, here, try)
				switch try.want { // a refusal names the Region to go to
				case primary:
					var e *center.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, "us-east-1", e.Primary)
					assert.Contains(t, err.Error(), `the primary Region "us-east-1"`)
				case app:
					assert.Contains(t, err.Error(), `the application's own Region "`+other+`"`)
				}
			}
		}
	}
	table[0].Additional = center.RightFull
	assert.NotEqual(t, table[0], center.Tasks()[0], "the table was changed by a caller")
}

// Rule 74: what isn't in the table is refused: another task, a Region that isn't listed or is being removed, an
// application without a Region.
func TestRule74TasksAreDeniedByDefault(t *testing.T) {
	regions := []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1", Status: center.RegionAdding},
		{Name: "eu-west-1", Status: center.RegionRemoving}}
	check := func(a center.Attempt, here string) center.Reason { return reasonOf(t, a.Check(regions, here)) }
	assert.Equal(t, center.ReasonInvalid, check(center.Attempt{Task: "Everything"}, "us-east-1"))
	assert.Equal(t, center.ReasonInvalid, check(center.Attempt{}, "us-east-1"))
	assert.Equal(t, center.ReasonUnknownRegion, check(center.Attempt{Task: center.TaskSessions}, "ap-south-1"))
	assert.Equal(t, center.ReasonUnknownRegion, check(center.Attempt{Task: center.TaskSessions}, ""))
	assert.Equal(t, center.ReasonUnknownRegion,
		reasonOf(t, center.Attempt{Task: center.TaskSessions}.Check(nil, "us-east-1")))
	for _, row := range center.Tasks() {
		if row.Primary == center.RightOwn || row.Primary == center.RightOwnRead {
			assert.Equal(t, center.ReasonRequired, check(center.Attempt{Task: row.Task, Write: true}, "us-east-1"))
		}
		for _, here := range []string{"eu-central-1", "eu-west-1"} {
			got := check(center.Attempt{Task: row.Task, Write: true, Application: here}, here)
			switch {
			case row.Task == center.TaskSessions: // what ends access is never held back
				assert.Empty(t, got)
			case row.Additional == center.RightRead || row.Additional == center.RightNone:
				assert.Equal(t, center.ReasonNotPrimary, got)
			case here == "eu-central-1": // it writes its own applications while it is added
				assert.Empty(t, got)
			default:
				assert.Equal(t, center.ReasonNotInUse, got, "%s in %s", row.Task, here)
			}
		}
	}
}

// Rule 65: every change of a Tx is one of the table's, so an additional Region can't make a change that the table
// refuses, and the primary none of another Region's application.
func TestRule65UpdatesKeepTheTableOfTasks(t *testing.T) {
	app := func(region string) center.Application {
		return center.Application{ID: "app-" + region, Name: region, URL: "https://app.example", Region: region}
	}
	inst, err := center.New(center.Data{
		Regions:        []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}},
		Users:          []center.User{{ID: "u", UserName: "u"}},
		Groups:         []center.Group{{ID: "g", Name: "g"}},
		PermissionSets: []center.PermissionSet{{Name: "set"}},
		Accounts:       []center.Account{{ID: "111111111111", Name: "a"}},
		Applications:   []center.Application{app("us-east-1"), app("eu-central-1")},
	})
	require.NoError(t, err)
	assigned := func(region string) center.Application {
		a := app(region)
		a.AssignedTo = []center.Principal{center.UserPrincipal("u")}
		return a
	}
	assignment := center.Assignment{Principal: center.UserPrincipal("u"), AccountID: "111111111111", PermissionSet: "set"}
	changes := []struct {
		task   center.Task
		app    string
		change func(*center.Tx) error
	}{
		{center.TaskIdentities, "", func(tx *center.Tx) error { return tx.PutUser(center.User{UserName: "v"}) }},
		{center.TaskIdentities, "", func(tx *center.Tx) error { return tx.RemoveUser("u") }},
		{center.TaskIdentities, "", func(tx *center.Tx) error { return tx.PutGroup(center.Group{Name: "h"}) }},
		{center.TaskIdentities, "", func(tx *center.Tx) error { return tx.RemoveGroup("g") }},
		{center.TaskInstance, "", func(tx *center.Tx) error { return tx.PutRegion(center.Region{Name: "eu-west-1"}) }},
		{center.TaskInstance, "", func(tx *center.Tx) error {
			return tx.PutInstanceMetadata(center.InstanceMetadata{Name: "example"})
		}},
		{center.TaskIdentityProviders, "", func(tx *center.Tx) error {
			return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: "https://idp.example"})
		}},
		{center.TaskPermissions, "", func(tx *center.Tx) error {
			return tx.PutPermissionSet(center.PermissionSet{Name: "other"})
		}},
		{center.TaskPermissions, "", func(tx *center.Tx) error { return tx.RemovePermissionSet("set") }},
		{center.TaskPermissions, "", func(tx *center.Tx) error { return tx.Assign(assignment) }},
		{center.TaskPermissions, "", func(tx *center.Tx) error {
			return tx.PutAccount(center.Account{ID: "222222222222", Name: "b"})
		}},
	}
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		changes = append(changes, []struct {
			task   center.Task
			app    string
			change func(*center.Tx) error
		}{
			{center.TaskAppManagement, region, func(tx *center.Tx) error { return tx.PutApplication(app(region)) }},
			{center.TaskAppAssignments, region, func(tx *center.Tx) error { return tx.PutApplication(assigned(region)) }},
			{center.TaskAppManagement, region, func(tx *center.Tx) error { return tx.RemoveApplication("app-" + region) }},
		}...)
	}
	undo := assert.AnError // so that each change meets the same state
	for _, here := range []string{"us-east-1", "eu-central-1"} {
		v, err := inst.In(here)
		require.NoError(t, err)
		for i, c := range changes {
			want := reasonOf(t, v.Check(center.Attempt{Task: c.task, Write: true, Application: c.app}))
			err := v.Update(func(tx *center.Tx) error {
				if err := c.change(tx); err != nil {
					return err
				}
				return undo
			})
			if want == "" {
				require.ErrorIs(t, err, undo, "change %d in %s", i, here)
			} else {
				require.Equal(t, want, reasonOf(t, err), "change %d in %s", i, here)
			}
		}
	}
}
