package center_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/center"
)

// AccountSets agrees with Accounts, for any users and groups.
func TestAccountSetsAreThoseOfAccounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := center.Data{
			Regions: []center.Region{{Name: "us-east-1"}}, Users: []center.User{{UserName: "a"}, {UserName: "b"}},
		}
		principals := []center.Principal{center.UserPrincipal("a"), center.UserPrincipal("b")}
		for _, name := range []string{"g1", "g2", "g3"} {
			g := center.Group{Name: name}
			for _, u := range d.Users {
				if rapid.Bool().Draw(t, name+" has "+u.UserName) {
					g.Members = append(g.Members, u.UserName)
				}
			}
			d.Groups = append(d.Groups, g)
			principals = append(principals, center.GroupPrincipal(name))
		}
		for i := range 4 {
			name := rapid.SampledFrom([]string{"Lab", "Production"}).Draw(t, "account's name")
			d.Accounts = append(d.Accounts, center.Account{ID: fmt.Sprintf("%012d", 9-i), Name: name})
			d.PermissionSets = append(d.PermissionSets, center.PermissionSet{Name: fmt.Sprintf("Set%d", i)})
		}
		seen := map[center.Assignment]bool{}
		for range rapid.IntRange(0, 24).Draw(t, "assignments") {
			a := center.Assignment{
				Principal:     rapid.SampledFrom(principals).Draw(t, "principal"),
				AccountID:     rapid.SampledFrom(d.Accounts).Draw(t, "account").ID,
				PermissionSet: rapid.SampledFrom(d.PermissionSets).Draw(t, "set").Name,
			}
			if !seen[a] {
				d.Assignments = append(d.Assignments, a)
			}
			seen[a] = true
		}
		inst, err := center.New(d)
		require.NoError(t, err)
		for _, user := range []string{"a", "b", "nobody"} {
			var want []center.AccountSets
			for _, a := range inst.Snapshot().Accounts(user) {
				row := center.AccountSets{Account: a.Account}
				for _, set := range a.PermissionSets {
					row.Sets = append(row.Sets, set.Name)
				}
				want = append(want, row)
			}
			for range 2 { // also when it was asked before
				assert.Equal(t, want, inst.Snapshot().AccountSets(user))
			}
		}
	})
}

// After a change, a user has what the new snapshot says. A user who was unknown may exist by then.
func TestAccountSetsFollowChanges(t *testing.T) {
	d := center.Data{
		Regions: []center.Region{{Name: "us-east-1"}}, Users: []center.User{{UserName: "a"}},
		Accounts:       []center.Account{{ID: "111122223333", Name: "Lab"}},
		PermissionSets: []center.PermissionSet{{Name: "Admin"}},
	}
	inst, err := center.New(d)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	before := v.Snapshot()
	for _, user := range []string{"a", "b"} {
		assert.Empty(t, v.AccountSets(user))
		require.NoError(t, v.Update(func(tx *center.Tx) error {
			if err := tx.PutUser(center.User{UserName: user}); err != nil {
				return err
			}
			return tx.Assign(center.Assignment{
				Principal: center.UserPrincipal(user), AccountID: "111122223333", PermissionSet: "Admin",
			})
		}))
		assert.Len(t, v.AccountSets(user), 1)
		assert.Empty(t, before.AccountSets(user))
	}
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.RemoveUser("a") }))
	assert.Empty(t, v.AccountSets("a"))
}

// wide returns an instance of one user with 250 accounts and 20 permission sets in each.
func wide(b *testing.B) *center.Snapshot {
	b.Helper()
	d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}, Users: []center.User{{UserName: "alice"}}}
	for i := range 20 {
		d.PermissionSets = append(d.PermissionSets, center.PermissionSet{Name: fmt.Sprintf("Set%02d", i)})
	}
	for i := range 250 {
		a := center.Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprintf("Account %d", i)}
		d.Accounts = append(d.Accounts, a)
		for _, set := range d.PermissionSets {
			d.Assignments = append(d.Assignments,
				center.Assignment{Principal: center.UserPrincipal("alice"), AccountID: a.ID, PermissionSet: set.Name})
		}
	}
	inst, err := center.New(d)
	require.NoError(b, err)
	return inst.Snapshot()
}

func BenchmarkAccountSets(b *testing.B) {
	s := wide(b)
	b.Run("names", func(b *testing.B) {
		for b.Loop() {
			center.MakeAccountSets(s, "alice")
		}
	})
	b.Run("names again", func(b *testing.B) {
		for b.Loop() {
			s.AccountSets("alice")
		}
	})
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			s.Accounts("alice")
		}
	})
}
