package center_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// pages reads a list in pages of a size, each from where the one before has stopped.
func pages[T any](size int, list func(from string) iter.Seq[T], id func(T) string) (all []string) {
	for from, more := "", true; more; {
		n := 0
		more = false
		for v := range list(from) {
			if n == size {
				from, more = id(v), true
				break
			}
			all = append(all, id(v))
			n++
		}
	}
	return all
}

func TestPagesInTheOrderOfIDs(t *testing.T) {
	d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
	for i := range 57 {
		id := fmt.Sprintf("%c-%d", "uUzZ/"[i%5], rand.Int())
		d.Users = append(d.Users, center.User{ID: id, UserName: fmt.Sprint("user", i)})
	}
	for i := range 23 {
		g := center.Group{ID: fmt.Sprint("g", rand.Int()), Name: fmt.Sprint("group", i)}
		for j, u := range d.Users {
			if j%(i+1) == 0 {
				g.Members = append(g.Members, u.ID)
			}
		}
		d.Groups = append(d.Groups, g)
		d.PermissionSets = append(d.PermissionSets, center.PermissionSet{Name: fmt.Sprint("s", rand.Int32())})
		d.Accounts = append(d.Accounts, center.Account{ID: fmt.Sprintf("%012d", rand.Int32()), Name: "a"})
	}
	for i := range 200 {
		a := center.Assignment{Principal: center.GroupPrincipal(d.Groups[i%23].ID), AccountID: d.Accounts[i%3].ID,
			PermissionSet: d.PermissionSets[i%2].Name}
		if i%4 > 0 {
			a.Principal = center.UserPrincipal(d.Users[i%57].ID)
		}
		if !slices.Contains(d.Assignments, a) {
			d.Assignments = append(d.Assignments, a)
		}
	}
	s := view(t, d, "us-east-1").Snapshot()
	for _, size := range []int{1, 7, 100} {
		check := func(want, got []string) {
			t.Helper()
			slices.Sort(want)
			assert.NotEmpty(t, want)
			assert.Equal(t, want, got)
		}
		check(each(d.Users, func(u center.User) string { return u.ID }),
			pages(size, s.Users, func(u center.User) string { return u.ID }))
		check(each(d.Groups, func(g center.Group) string { return g.ID }),
			pages(size, s.Groups, func(g center.Group) string { return g.ID }))
		check(each(d.PermissionSets, func(p center.PermissionSet) string { return p.Name }),
			pages(size, s.PermissionSets, func(p center.PermissionSet) string { return p.Name }))
		check(each(d.Accounts, func(a center.Account) string { return a.ID }),
			pages(size, s.AllAccounts, func(a center.Account) string { return a.ID }))
		g := d.Groups[2]
		check(slices.Clone(g.Members), pages(size, func(from string) iter.Seq[center.Membership] {
			return s.Members(g.ID, from)
		}, func(m center.Membership) string { return m.UserID }))
		user := d.Users[0].ID
		check(each(d.Groups, func(g center.Group) string { return g.ID }),
			pages(size, func(from string) iter.Seq[center.Membership] { return s.MembershipsOf(user, from) },
				func(m center.Membership) string { return m.GroupID }))
	}
	checkAssignments(t, d, s)
}

func each[T any](list []T, id func(T) string) (out []string) {
	for _, v := range list {
		out = append(out, id(v))
	}
	return out
}

// checkAssignments compares the lists of assignments with the data.
func checkAssignments(t *testing.T, d center.Data, s *center.Snapshot) {
	t.Helper()
	account, set := d.Accounts[1].ID, d.PermissionSets[1].Name
	var want []center.Assignment
	for _, a := range d.Assignments {
		if a.AccountID == account && a.PermissionSet == set {
			want = append(want, a)
		}
	}
	got := slices.Collect(s.AssignmentsIn(account, set, center.Principal{}))
	require.ElementsMatch(t, want, got)
	require.Greater(t, len(got), 3)
	assert.True(t, slices.IsSortedFunc(got, func(a, b center.Assignment) int {
		return strings.Compare(string(a.Principal.Type)+"/"+a.Principal.ID, string(b.Principal.Type)+"/"+b.Principal.ID)
	}))
	for i, a := range got {
		assert.Equal(t, got[i:], slices.Collect(s.AssignmentsIn(account, set, a.Principal)))
	}
	p := d.Assignments[0].Principal
	of := slices.Collect(s.AssignmentsOf(p, center.Assignment{}))
	require.NotEmpty(t, of)
	for i, a := range of {
		assert.Equal(t, p, a.Principal)
		assert.Equal(t, of[i:], slices.Collect(s.AssignmentsOf(p, a)))
	}
	assert.Empty(t, slices.Collect(s.AssignmentsIn(account, "none", center.Principal{})))
	assert.Empty(t, slices.Collect(s.AssignmentsOf(center.UserPrincipal("none"), center.Assignment{})))
}

func TestLookups(t *testing.T) {
	d := seed()
	d.IdentityProviders = []center.IdentityProvider{{EntityID: firstIdP}, {EntityID: secondIdP}}
	d.Assignments, d.Applications = nil, nil
	d.Users = []center.User{
		{ID: "u-1", UserName: "alice@example.com", Email: "Alice@Example.com", ExternalID: "x", IdentityProvider: firstIdP},
		{ID: "u-2", UserName: "bob@example.com", Email: "alice@example.COM", ExternalID: "y", IdentityProvider: firstIdP},
		{ID: "u-0", UserName: "alice@example.com", Email: "aliſe@example.com", ExternalID: "x", IdentityProvider: secondIdP},
	}
	d.Groups = []center.Group{
		{ID: "g-1", Name: "Developers", ExternalID: "x", Members: []string{"u-2", "u-1"}, IdentityProvider: firstIdP},
		{ID: "g-2", Name: "Developers", ExternalID: "x", IdentityProvider: secondIdP},
	}
	v := view(t, d, "us-east-1")
	check := func(want string) {
		t.Helper()
		s := v.Snapshot()
		var got []string
		add := func(what, id string, ok bool) {
			if ok {
				got = append(got, what+" "+id)
			} else {
				assert.Empty(t, id)
			}
		}
		for _, u := range s.UsersByEmail("ALICE@example.com") {
			add("email", u.ID, true)
		}
		for _, idp := range []string{firstIdP, secondIdP, "https://other.example", ""} {
			u, ok := s.UserByExternalID(idp, "x")
			add("x", u.ID, ok)
			g, ok := s.GroupByExternalID(idp, "x")
			add("x", g.ID, ok)
			g, ok = s.GroupOf(idp, "Developers")
			add("name", g.ID, ok)
		}
		for _, id := range []string{"u-0", "u-1", "u-2"} {
			u, ok := s.UserByUUID(s.UserUUID(id))
			add("uuid", u.ID, ok)
			_, ok = s.UserByUUID(id)
			assert.False(t, ok, "no UUID")
		}
		g, ok := s.GroupByUUID(s.GroupUUID("g-1"))
		add("uuid", g.ID, ok)
		m, ok := s.MembershipByUUID(s.MembershipUUID("g-1", "u-2"))
		add("member", m.UserID, ok)
		assert.Equal(t, ok, s.IsMember("g-1", "u-2"))
		assert.Equal(t, want, strings.Join(got, ", "))
	}
	check("email u-1, email u-2, x u-1, x g-1, name g-1, x u-0, x g-2, name g-2, uuid u-0, uuid u-1, uuid u-2, " +
		"uuid g-1, member u-2")
	for _, not := range []string{"", "x", strings.ToUpper(v.Snapshot().MembershipUUID("g-1", "u-2")),
		strings.ReplaceAll(v.Snapshot().MembershipUUID("g-1", "u-2"), "-", ""),
		v.Snapshot().MembershipUUID("g-2", "u-2")} {
		_, ok := v.Snapshot().MembershipByUUID(not)
		assert.False(t, ok, not)
	}
	_, ok := v.Snapshot().UserByExternalID(firstIdP, "")
	assert.False(t, ok, "none is not an ID")
	assert.Empty(t, v.Snapshot().UsersByEmail(""))

	update(t, v, func(tx *center.Tx) error {
		u := d.Users[0]
		u.Email, u.ExternalID = "", "z"
		g := d.Groups[0]
		g.Members, g.Name = []string{"u-1"}, "Makers"
		return errors.Join(tx.PutUser(u), tx.PutGroup(g), tx.RemoveUser("u-0"))
	})
	check("email u-2, x g-1, x g-2, name g-2, uuid u-1, uuid u-2, uuid g-1")
	update(t, v, putMetadata(func(*center.InstanceMetadata) {})) // another instance's ID: all others change
	update(t, v, func(tx *center.Tx) error {
		g := d.Groups[0]
		g.ExternalID = ""
		return tx.PutGroup(g)
	})
	check("email u-2, name g-1, x g-2, name g-2, uuid u-1, uuid u-2, uuid g-1, member u-2")
}

// A user whose own ID is a UUID is found by it.
func TestUserByItsOwnUUID(t *testing.T) {
	const id = "0f5a3c1e-6b7d-4e2f-9a10-1234567890ab"
	d := seed()
	d.Users = append(d.Users, center.User{ID: id, UserName: "erin@example.com"})
	d.Groups = append(d.Groups, center.Group{ID: id, Name: "Erins", Members: []string{id}})
	s := view(t, d, "us-east-1").Snapshot()
	u, ok := s.UserByUUID(id)
	assert.True(t, ok)
	assert.Equal(t, "erin@example.com", u.UserName)
	g, ok := s.GroupByUUID(id)
	assert.True(t, ok)
	assert.Equal(t, "Erins", g.Name)
	m, ok := s.MembershipByUUID(s.MembershipUUID(id, id))
	assert.True(t, ok)
	assert.Equal(t, center.Membership{UUID: s.MembershipUUID(id, id), GroupID: id, UserID: id}, m)
}

// An update reads what it has changed so far, by the indexes that a Snapshot has.
func TestReadsOfAnUpdate(t *testing.T) {
	v := view(t, center.Data{
		Regions:           []center.Region{{Name: "us-east-1"}},
		IdentityProviders: []center.IdentityProvider{{EntityID: firstIdP}, {EntityID: secondIdP}},
		Users: []center.User{
			{ID: "u-1", UserName: "Alice@example.com", ExternalID: "x", IdentityProvider: firstIdP},
			{ID: "u-2", UserName: "alice@EXAMPLE.com", ExternalID: "x", IdentityProvider: secondIdP},
		},
		Groups: []center.Group{
			{ID: "g-1", Name: "Developers", ExternalID: "x", IdentityProvider: firstIdP, Members: []string{"u-1"}},
			{ID: "g-2", Name: "developers", IdentityProvider: secondIdP, Members: []string{"u-2"}},
		},
	}, "us-east-1")
	users := func(list []center.User) (out string) {
		for _, u := range list {
			out += u.ID + " "
		}
		return out
	}
	groups := func(list []center.Group) (out string) {
		for _, g := range list {
			out += g.ID + " "
		}
		return out
	}
	type reads interface {
		UsersNamed(string) []center.User
		UsersByEmail(string) []center.User
		UsersByExternalID(string) []center.User
		GroupsNamed(string) []center.Group
		GroupsByExternalID(string) []center.Group
		GroupsWith(string) []center.Group
	}
	check := func(r reads, want ...string) {
		t.Helper()
		got := []string{
			users(r.UsersNamed("ALICE@example.com")), users(r.UsersByExternalID("x")), users(r.UsersByEmail("A@example.com")),
			groups(r.GroupsNamed("DEVELOPERS")), groups(r.GroupsByExternalID("x")), groups(r.GroupsWith("u-2")),
		}
		assert.Equal(t, want, got)
	}
	before := []string{"u-1 u-2 ", "u-1 u-2 ", "", "g-1 g-2 ", "g-1 ", "g-2 "}
	check(v.Snapshot(), before...)
	update(t, v, func(tx *center.Tx) error {
		check(tx, before...)
		err := errors.Join(tx.RemoveUser("u-1"), tx.RemoveGroup("g-1"),
			tx.PutUser(center.User{ID: "u-0", UserName: "alice@example.com", Email: "a@example.com",
				IdentityProvider: firstIdP}),
			tx.PutGroup(center.Group{ID: "g-3", Name: "Makers", ExternalID: "x", IdentityProvider: secondIdP,
				Members: []string{"u-2"}}))
		check(tx, "u-0 u-2 ", "u-2 ", "u-0 ", "g-2 ", "g-3 ", "g-2 g-3 ")
		return err
	})
	check(v.Snapshot(), "u-0 u-2 ", "u-2 ", "u-0 ", "g-2 ", "g-3 ", "g-2 g-3 ")
	_, ok := v.Snapshot().UserOf(secondIdP, "alice@example.com")
	assert.False(t, ok, "a sign-in compares byte for byte")
	u, _ := v.Snapshot().UserOf(secondIdP, "alice@EXAMPLE.com")
	assert.Equal(t, "u-2", u.ID)
}

// An address names any number of users, so that a client that provisions them can give one to all: each costs as much
// as a user with an address of its own.
func TestUsersWithOneAddressCostNoMore(t *testing.T) {
	const n = 20_000
	bytes := func(address func(i int) string) uint64 {
		d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
		for i := range n {
			d.Users = append(d.Users, center.User{ID: fmt.Sprintf("u%06d", i), UserName: fmt.Sprint("u", i), Email: address(i)})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v := view(t, d, "us-east-1")
		runtime.ReadMemStats(&after)
		require.Len(t, v.Snapshot().UsersByEmail(strings.ToUpper(address(0))), n/len(distinct(n, address)))
		return after.TotalAlloc - before.TotalAlloc
	}
	own := bytes(func(i int) string { return fmt.Sprintf("u%06d@example.com", i) })
	one := bytes(func(int) string { return "u000000@example.com" })
	assert.Less(t, one, 2*own)
}

func distinct(n int, of func(int) string) map[string]bool {
	all := map[string]bool{}
	for i := range n {
		all[of(i)] = true
	}
	return all
}
