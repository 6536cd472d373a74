package center_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// crowd is an instance of users in groups of 20, with an application for the first.
func crowd(t *testing.T, users int) (*center.Instance, *center.View) {
	d := center.Data{
		Regions: []center.Region{{Name: "us-east-1"}}, PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}},
		Accounts: []center.Account{{ID: "111111111111", Name: "Production"}},
	}
	for i := range users {
		d.Users = append(d.Users, center.User{UserName: fmt.Sprintf("user%d", i)})
		if i%20 == 0 {
			d.Groups = append(d.Groups, center.Group{Name: fmt.Sprintf("group%d", i)})
			d.Assignments = append(d.Assignments, center.Assignment{
				Principal: center.GroupPrincipal(fmt.Sprintf("group%d", i)), AccountID: "111111111111",
				PermissionSet: "ReadOnly",
			})
		}
		g := &d.Groups[len(d.Groups)-1]
		g.Members = append(g.Members, d.Users[i].UserName)
	}
	inst, err := center.New(d)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	return inst, v
}

// allocated is how many bytes a function allocates.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// The cost of a change doesn't depend on the size of the instance. A copy of 20,000 users would be megabytes.
func TestAChangeCostsWhatItChanges(t *testing.T) {
	inst, v := crowd(t, 20_000)
	update := func(change func(*center.Tx) error) func() {
		return func() { require.NoError(t, v.Update(change)) }
	}
	apply := func(r center.Record) func() {
		return func() { require.NoError(t, inst.Apply([]center.Record{r})) }
	}
	for name, change := range map[string]func(){
		"PutUser":     update(putUser(center.User{UserName: "user42", DisplayName: "x"})),
		"a new user":  update(putUser(center.User{UserName: "new"})),
		"RemoveUser":  update(func(tx *center.Tx) error { return tx.RemoveUser("user43") }),
		"PutGroup":    update(func(tx *center.Tx) error { return tx.PutGroup(center.Group{Name: "group40"}) }),
		"RemoveGroup": update(func(tx *center.Tx) error { return tx.RemoveGroup("group60") }),
		"Assign": update(func(tx *center.Tx) error {
			return tx.Assign(center.Assignment{
				Principal: center.UserPrincipal("user1"), AccountID: "111111111111", PermissionSet: "ReadOnly",
			})
		}),
		"PutPermissionSet": update(func(tx *center.Tx) error {
			return tx.PutPermissionSet(center.PermissionSet{Name: "ReadOnly", Description: "x"})
		}),
		"a refused account": func() {
			require.Error(t, v.Update(func(tx *center.Tx) error { return tx.RemoveAccount("111111111111") }))
		},
		"PutRegion": update(func(tx *center.Tx) error { return tx.PutRegion(center.Region{Name: "eu-central-1"}) }),
		"Apply":     apply(center.Record{Kind: center.KindUser, Key: "a", Value: []byte(`{"id":"a","userName":"a"}`)}),
		"Apply of a removal": apply(center.Record{
			Kind: center.KindAssignment, Key: "111111111111/ReadOnly/group/group80",
		}),
	} {
		assert.Less(t, allocated(change), 256<<10, name)
	}
}

// Ten times the users take ten times the work in one update, and not a hundred times: PutUser must not search.
func TestALargeUpdateCostsWhatItChanges(t *testing.T) {
	_, v := crowd(t, 20_000)
	update := func(users int) int {
		return allocated(func() {
			require.NoError(t, v.Update(func(tx *center.Tx) error {
				for i := range users {
					u := center.User{UserName: fmt.Sprintf("user%d", i), DisplayName: fmt.Sprint(users)}
					if err := tx.PutUser(u); err != nil {
						return err
					}
				}
				return nil
			}))
		})
	}
	few := update(1_000)
	assert.Less(t, update(10_000), 20*few)
}
