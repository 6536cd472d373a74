package center_test

import (
	"fmt"
	"testing"

	"github.com/meridian-saml/meridian/portal/center"
)

// large returns an instance of 10,000 users, 1,000 groups of 20 and 5,000 assignments.
func large(b *testing.B) *center.View {
	b.Helper()
	d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
	for i := range 10_000 {
		d.Users = append(d.Users, center.User{UserName: fmt.Sprintf("user%d@example.com", i)})
	}
	for i := range 10 {
		d.PermissionSets = append(d.PermissionSets, center.PermissionSet{Name: fmt.Sprintf("set%d", i)})
	}
	for i := range 1_000 {
		g := center.Group{Name: fmt.Sprintf("group%d", i)}
		for m := range 20 {
			g.Members = append(g.Members, d.Users[(i*20+m)%10_000].UserName)
		}
		d.Groups = append(d.Groups, g)
		d.Accounts = append(d.Accounts, center.Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprintf("Account %d", i)})
	}
	for i := range 5_000 {
		d.Assignments = append(d.Assignments, center.Assignment{
			Principal: center.GroupPrincipal(d.Groups[i%1_000].Name),
			AccountID: d.Accounts[i%997].ID, PermissionSet: d.PermissionSets[i/1_000].Name,
		})
	}
	inst, err := center.New(d)
	if err != nil {
		b.Fatal(err)
	}
	v, err := inst.In("us-east-1")
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func BenchmarkAccounts(b *testing.B) {
	v := large(b)
	for b.Loop() {
		if len(v.Accounts("user42@example.com")) == 0 {
			b.Fatal("no access")
		}
	}
}

// BenchmarkUpdate changes one user, which checks the whole instance.
func BenchmarkUpdate(b *testing.B) {
	v := large(b)
	for b.Loop() {
		err := v.Update(func(tx *center.Tx) error {
			return tx.PutUser(center.User{UserName: "user42@example.com"})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
