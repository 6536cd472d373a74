package center_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// writes has every write that only the primary Region may make.
var writes = map[string]func(*center.Tx) error{
	"PutRegion":             func(tx *center.Tx) error { return tx.PutRegion(center.Region{Name: "eu-west-1"}) },
	"RemoveRegion":          func(tx *center.Tx) error { return tx.RemoveRegion("ap-south-1") },
	"AdoptIdentityProvider": adopt,
	"PutUser": func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "dave@example.com", Inactive: true})
	},
	"RemoveUser":          func(tx *center.Tx) error { return tx.RemoveUser("u-1") },
	"PutGroup":            func(tx *center.Tx) error { return tx.PutGroup(center.Group{Name: "New"}) },
	"RemoveGroup":         func(tx *center.Tx) error { return tx.RemoveGroup("g-1") },
	"PutPermissionSet":    func(tx *center.Tx) error { return tx.PutPermissionSet(center.PermissionSet{Name: "New"}) },
	"RemovePermissionSet": func(tx *center.Tx) error { return tx.RemovePermissionSet("Deploy") },
	"PutAccount": func(tx *center.Tx) error {
		return tx.PutAccount(center.Account{ID: "444444444444", Name: "New"})
	},
	"RemoveAccount": func(tx *center.Tx) error { return tx.RemoveAccount("555555555555") },
	"Assign": func(tx *center.Tx) error {
		alice := center.UserPrincipal("u-1")
		return tx.Assign(center.Assignment{Principal: alice, AccountID: "333333333333", PermissionSet: "Admin"})
	},
	"Unassign": func(tx *center.Tx) error { return tx.Unassign(seed().Assignments[0]) },
}

// writable is seed with an unused element of every kind.
func writable() center.Data {
	d := seed()
	d.Regions = append(d.Regions, center.Region{Name: "ap-south-1"})
	d.Accounts = append(d.Accounts, center.Account{ID: "555555555555", Name: "Unused"})
	return d
}

func TestInvariant13WritesInThePrimaryOnly(t *testing.T) {
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			inst, err := center.New(writable())
			require.NoError(t, err)
			additional, err := inst.In("eu-central-1")
			require.NoError(t, err)
			primary, err := inst.In("us-east-1")
			require.NoError(t, err)
			before := inst.Snapshot()

			e := requireReason(t, center.ReasonNotPrimary, additional.Update(write))
			assert.Equal(t, "us-east-1", e.Primary)
			assert.Contains(t, e.Error(), "us-east-1")
			assert.Same(t, before, inst.Snapshot(), "a refused write changes nothing")

			// A caller can't ignore the error.
			err = additional.Update(func(tx *center.Tx) error { _ = write(tx); return nil })
			requireReason(t, center.ReasonNotPrimary, err)
			assert.Same(t, before, inst.Snapshot())

			require.NoError(t, primary.Update(write), "the primary may")
			assert.NotEqual(t, before.Data(), inst.Snapshot().Data())
			assert.Equal(t, inst.Snapshot().Data(), additional.Snapshot().Data(), "the additional Region sees it")
		})
	}
}

func TestApplicationsAreManagedInTheirOwnRegion(t *testing.T) {
	inst, err := center.New(seed())
	require.NoError(t, err)
	farm := center.Application{Name: "Farm", URL: "https://farm2.example", Region: "eu-central-1"}
	moved := center.Application{Name: "Farm", URL: "https://farm2.example", Region: "us-east-1"}
	primary, _ := inst.In("us-east-1")
	frankfurt, _ := inst.In("eu-central-1")

	put := func(a center.Application) func(*center.Tx) error {
		return func(tx *center.Tx) error { return tx.PutApplication(a) }
	}
	e := requireReason(t, center.ReasonNotAppRegion, primary.Update(put(farm)))
	assert.Contains(t, e.Want, "eu-central-1")
	requireReason(t, center.ReasonNotAppRegion, primary.Update(put(moved)))
	requireReason(t, center.ReasonNotAppRegion, frankfurt.Update(put(moved)))
	remove := func(tx *center.Tx) error { return tx.RemoveApplication("Farm") }
	requireReason(t, center.ReasonNotAppRegion, primary.Update(remove))
	require.NoError(t, frankfurt.Update(put(farm)))
	assert.Equal(t, "https://farm2.example", inst.Snapshot().Data().Applications[1].URL)
	require.NoError(t, frankfurt.Update(remove))
	assert.Len(t, inst.Snapshot().Data().Applications, 1)
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	before := v.Snapshot()
	canceled := errors.New("canceled")
	add := func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "dave@example.com", Inactive: true})
	}

	err := v.Update(func(tx *center.Tx) error { return errors.Join(add(tx), canceled) })
	require.ErrorIs(t, err, canceled)
	assert.Same(t, before, v.Snapshot())

	err = v.Update(func(tx *center.Tx) error {
		return errors.Join(add(tx), tx.PutUser(center.User{ID: "u-9", UserName: "dave@example.com", Inactive: true}))
	})
	requireReason(t, center.ReasonDuplicate, err)
	assert.Same(t, before, v.Snapshot())

	require.NoError(t, v.Update(func(*center.Tx) error { return nil }))
	assert.Same(t, before, v.Snapshot(), "no change, no new snapshot")
}

func TestRemovalsThatAreRefused(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	refused := func(want center.Reason, remove func(*center.Tx) error) {
		t.Helper()
		requireReason(t, want, v.Update(remove))
	}
	refused(center.ReasonDangling, func(tx *center.Tx) error { return tx.RemoveAccount("222222222222") })
	refused(center.ReasonDangling, func(tx *center.Tx) error { return tx.RemovePermissionSet("Admin") })
	refused(center.ReasonDangling, func(tx *center.Tx) error { return tx.RemoveRegion("eu-central-1") })
	refused(center.ReasonPrimaryFixed, func(tx *center.Tx) error { return tx.RemoveRegion("us-east-1") })
	refused(center.ReasonNotFound, func(tx *center.Tx) error { return tx.RemoveGroup("g-9") })
}

func TestRemovedPrincipalComesBackWithoutAccess(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	require.NotEmpty(t, v.Accounts("u-1"))
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.RemoveUser("u-1") }))
	require.NoError(t, v.Update(putUser(center.User{ID: "u-1", UserName: "alice@example.com"})))
	assert.Empty(t, v.Accounts("u-1"))
	assert.Empty(t, v.Applications("u-1"))

	require.NoError(t, v.Update(func(tx *center.Tx) error {
		developers := center.Group{ID: "g-1", Name: "Developers", Members: []string{"u-1"}}
		return errors.Join(tx.RemoveGroup("g-1"), tx.PutGroup(developers))
	}))
	assert.Empty(t, v.Accounts("u-1"))
	assert.Empty(t, v.Applications("u-1"))
}

// The states before and after would be equal, so the user's sessions would not end.
func TestOneUpdateCannotEndAndRestoreAccess(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	alice, ok := v.UserByID("u-1")
	require.True(t, ok)
	disabled := alice
	disabled.Inactive = true
	for name, end := range map[string]func(*center.Tx) error{
		"removed":  func(tx *center.Tx) error { return tx.RemoveUser("u-1") },
		"disabled": putUser(disabled),
	} {
		before := v.Snapshot()
		err := v.Update(func(tx *center.Tx) error { return errors.Join(end(tx), tx.PutUser(alice)) })
		requireReason(t, center.ReasonTwoUpdates, err)
		assert.Same(t, before, v.Snapshot(), name)
	}
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		return errors.Join(tx.PutUser(alice), tx.PutUser(disabled), tx.PutUser(disabled))
	}))
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		return errors.Join(tx.PutUser(disabled), tx.PutUser(alice))
	}), "no access ended")
}

func putUser(u center.User) func(*center.Tx) error {
	return func(tx *center.Tx) error { return tx.PutUser(u) }
}

func TestRenameKeepsAccess(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: "u-1", UserName: "alice.b@example.com"})
	}))
	_, ok := v.User("alice@example.com")
	assert.False(t, ok)
	u, ok := v.User("alice.b@example.com")
	require.True(t, ok)
	assert.Len(t, v.Accounts(u.ID), 3)
}

func TestAssignTwice(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	a := seed().Assignments[0]
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.Assign(a) }))
	assert.Len(t, v.Snapshot().Data().Assignments, 5)
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.Unassign(a) }))
	requireReason(t, center.ReasonNotFound, v.Update(func(tx *center.Tx) error { return tx.Unassign(a) }))

	// An invalid assignment with the key of a valid one removes nothing.
	group := center.Group{ID: "a/b", Name: "Slash"}
	a = center.Assignment{Principal: center.GroupPrincipal("a/b"), AccountID: "333333333333", PermissionSet: "Admin"}
	require.NoError(t, v.Update(func(tx *center.Tx) error { return errors.Join(tx.PutGroup(group), tx.Assign(a)) }))
	a = center.Assignment{AccountID: "333333333333/Admin", PermissionSet: "group"}
	a.Principal = center.Principal{Type: "a", ID: "b"}
	requireReason(t, center.ReasonNotFound, v.Update(func(tx *center.Tx) error { return tx.Unassign(a) }))
	assert.Len(t, v.Snapshot().Data().Assignments, 5)
}

// A transaction that is kept can't change the snapshot that it made.
func TestATransactionEndsWithItsUpdate(t *testing.T) {
	v := view(t, writable(), "us-east-1")
	for name, write := range writes {
		var kept *center.Tx
		require.NoError(t, v.Update(func(tx *center.Tx) error {
			kept = tx
			return tx.PutUser(center.User{UserName: "dave@example.com", DisplayName: name, Inactive: true})
		}))
		before, records := v.Snapshot(), v.Snapshot().Records()
		requireReason(t, center.ReasonInvalid, write(kept))
		requireReason(t, center.ReasonInvalid, kept.RemoveApplication("Wiki"))
		assert.Same(t, before, v.Snapshot(), name)
		assert.Equal(t, records, v.Snapshot().Records(), name)
	}
}
