package center_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

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

// hundredThousand is an instance of 100,000 users of one identity provider, with e-mail addresses, externalIds and
// dates. A hundred share a group, and each group has an assignment in one of 1,000 accounts.
func hundredThousand() center.Data {
	const idp = "https://idp.example.com"
	d := center.Data{
		Regions: []center.Region{{Name: "us-east-1"}}, IdentityProviders: []center.IdentityProvider{{EntityID: idp}},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}, {Name: "Administrator"}},
	}
	at := center.Dates{CreatedAt: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}
	for i := range 1_000 {
		d.Accounts = append(d.Accounts, center.Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprintf("Account %d", i)})
	}
	for i := range 100_000 {
		u := center.User{
			ID: fmt.Sprintf("u-%06d", i), UserName: fmt.Sprintf("user%06d@example.com", i), IdentityProvider: idp,
			DisplayName: fmt.Sprintf("User %06d", i), Email: fmt.Sprintf("user%06d@example.com", i),
			ExternalID: fmt.Sprintf("00u%06d", i), Dates: at,
		}
		d.Users = append(d.Users, u)
		if i%100 == 0 {
			g := center.Group{ID: fmt.Sprintf("g-%06d", i), Name: fmt.Sprintf("Group %d", i), IdentityProvider: idp, Dates: at}
			d.Groups = append(d.Groups, g)
			d.Assignments = append(d.Assignments, center.Assignment{
				Principal: center.GroupPrincipal(g.ID), AccountID: d.Accounts[i/100].ID, PermissionSet: "ReadOnly",
			})
		}
		g := &d.Groups[len(d.Groups)-1]
		g.Members = append(g.Members, u.ID)
	}
	return d
}

// liveHeap is how many bytes live objects have.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkModelOf100000 measures the memory that the model takes beside the Data that it was made of, and the time of
// making it, of a change, and of the reads that AWS's clients need.
func BenchmarkModelOf100000(b *testing.B) {
	before := liveHeap()
	d := hundredThousand()
	b.Run("Data", func(b *testing.B) { // of which the model shares the strings
		for b.Loop() {
			b.ReportMetric(float64(liveHeap()-before)/1e6, "MB")
		}
	})
	inst, err := center.New(d)
	if err != nil {
		b.Fatal(err)
	}
	v, err := inst.In("us-east-1")
	if err != nil {
		b.Fatal(err)
	}
	u := d.Users[4242]
	s := v.Snapshot()
	uuid := s.UserUUID(u.ID)
	b.Run("New", func(b *testing.B) {
		for b.Loop() {
			before := liveHeap()
			one, err := center.New(d)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(liveHeap()-before)/1e6, "MB")
			runtime.KeepAlive(one)
		}
	})
	for name, f := range map[string]func() bool{
		"Update": func() bool {
			u.DisplayName += "x"
			u.DisplayName = u.DisplayName[:min(len(u.DisplayName), 40)]
			return v.Update(func(tx *center.Tx) error { return tx.PutUser(u) }) == nil
		},
		"UserByUUID":       func() bool { _, ok := s.UserByUUID(uuid); return ok },
		"UserOf":           func() bool { _, ok := s.UserOf(u.IdentityProvider, u.UserName); return ok },
		"UserByExternalID": func() bool { _, ok := s.UserByExternalID(u.IdentityProvider, u.ExternalID); return ok },
		"UsersByEmail":     func() bool { return len(s.UsersByEmail(u.Email)) == 1 },
		"MembershipsOf":    func() bool { return len(slices.Collect(s.MembershipsOf(u.ID, ""))) == 1 },
		"RolesOf":          func() bool { return len(slices.Collect(s.RolesOf(u.ID))) == 1 },
		"PageOf100": func() bool {
			n := 0
			for range s.Users(u.ID) {
				if n++; n == 100 {
					break
				}
			}
			return n == 100
		},
		"All": func() bool {
			n := 0
			for range s.Users("") {
				n++
			}
			return n == len(d.Users)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !f() {
					b.Fatal("another result")
				}
			}
		})
	}
}
