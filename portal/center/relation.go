package center

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"
)

// relations are what a Snapshot looks up by other values than keys. A draft keeps them with each element that it puts
// or drops.
type relations struct {
	byName    btree.Map[string, []*User]  // by folded userName; several identity providers may have it
	byEmail   *btree.BTreeG[addressee]    // any number of users may have one address
	userExt   btree.Map[string, []*User]  // by exact externalId; several identity providers may have it
	groupName btree.Map[string, []*Group] // by folded name
	groupExt  btree.Map[string, []*Group] // by exact externalId
	members   *btree.BTreeG[membership]   // by user
	byGroup   *btree.BTreeG[membership]
	assigned  *btree.BTreeG[*Assignment] // by principal
	apps      *btree.BTreeG[appUse]
	setUses   btree.Map[string, int] // how many assignments a permission set has
}

// A membership is a user's in a group. Either may not exist yet, until the draft is checked.
type membership struct{ user, group string }

// An addressee is a user with a folded address.
type addressee struct{ email, user string }

// An appUse is an application that is assigned to a principal.
type appUse struct {
	to  Principal
	app string
}

func newRelations() relations {
	o := btree.Options{NoLocks: true} // a Snapshot never changes, and a draft has one writer
	return relations{
		byEmail:  btree.NewBTreeGOptions(addressee.less, o),
		members:  btree.NewBTreeGOptions(membership.less, o),
		byGroup:  btree.NewBTreeGOptions(membership.lessByGroup, o),
		assigned: btree.NewBTreeGOptions(lessAssigned, o),
		apps:     btree.NewBTreeGOptions(appUse.less, o),
	}
}

// fork is as that of a table.
func (r *relations) fork() relations {
	return relations{
		*r.byName.Copy(), r.byEmail.Copy(), *r.userExt.Copy(), *r.groupName.Copy(), *r.groupExt.Copy(),
		r.members.Copy(), r.byGroup.Copy(), r.assigned.Copy(), r.apps.Copy(), *r.setUses.Copy(),
	}
}

func (a addressee) less(o addressee) bool {
	if a.email != o.email {
		return a.email < o.email
	}
	return a.user < o.user
}

func (m membership) less(o membership) bool {
	if m.user != o.user {
		return m.user < o.user
	}
	return m.group < o.group
}

func (m membership) lessByGroup(o membership) bool {
	if m.group != o.group {
		return m.group < o.group
	}
	return m.user < o.user
}

func (p Principal) compare(o Principal) int {
	if c := strings.Compare(string(p.Type), string(o.Type)); c != 0 {
		return c
	}
	return strings.Compare(p.ID, o.ID)
}

func (u appUse) less(o appUse) bool {
	if c := u.to.compare(o.to); c != 0 {
		return c < 0
	}
	return u.app < o.app
}

// lessAssigned has all fields: no two assignments are equal.
func lessAssigned(a, b *Assignment) bool {
	if c := a.Principal.compare(b.Principal); c != 0 {
		return c < 0
	}
	if a.AccountID != b.AccountID {
		return a.AccountID < b.AccountID
	}
	return a.PermissionSet < b.PermissionSet
}

// groupsWith returns the IDs of the groups that have a user as a member, of whatever identity provider.
func (r *relations) groupsWith(userID string) (out []string) {
	r.members.Ascend(membership{user: userID}, func(m membership) bool {
		if m.user != userID {
			return false
		}
		out = append(out, m.group)
		return true
	})
	return out
}

// eachAssigned calls yield with the assignments of a principal. yield must not change the relation.
func (r *relations) eachAssigned(p Principal, yield func(*Assignment)) {
	r.assigned.Ascend(&Assignment{Principal: p}, func(a *Assignment) bool {
		if a.Principal != p {
			return false
		}
		yield(a)
		return true
	})
}

// eachApp calls yield with the IDs of the applications that are assigned to a principal.
func (r *relations) eachApp(p Principal, yield func(id string)) {
	r.apps.Ascend(appUse{to: p}, func(u appUse) bool {
		if u.to != p {
			return false
		}
		yield(u.app)
		return true
	})
}

// named replaces old by next in an index by name. Either may be nil. An element without a name isn't in the index. Its
// slices never change.
func named[T any](index *btree.Map[string, []*T], name func(*T) string, old, next *T) {
	if old != nil && name(old) != "" {
		with, _ := index.Get(name(old))
		with = slices.DeleteFunc(slices.Clone(with), func(v *T) bool { return v == old })
		if len(with) == 0 {
			index.Delete(name(old))
		} else {
			index.Set(name(old), with)
		}
	}
	if next != nil && name(next) != "" {
		with, _ := index.Get(name(next))
		index.Set(name(next), append(slices.Clip(with), next))
	}
}

// usersNamed returns the users whose userName equals this one, ignoring case if anyCase is true.
func (r *relations) usersNamed(userName string, anyCase bool) []*User {
	with, _ := r.byName.Get(fold(userName))
	return exactly(with, func(u *User) bool { return anyCase || u.UserName == userName })
}

// groupsNamed is usersNamed for groups.
func (r *relations) groupsNamed(name string, anyCase bool) []*Group {
	with, _ := r.groupName.Get(fold(name))
	return exactly(with, func(g *Group) bool { return anyCase || g.Name == name })
}

// exactly returns the elements that match. It copies the list only if some don't, which is rare.
func exactly[T any](with []*T, match func(*T) bool) []*T {
	differs := func(v *T) bool { return !match(v) }
	if !slices.ContainsFunc(with, differs) {
		return with
	}
	return slices.DeleteFunc(slices.Clone(with), differs)
}

func (r *relations) user(old, next *User) {
	named(&r.byName, func(u *User) string { return fold(u.UserName) }, old, next)
	if old != nil && old.Email != "" {
		r.byEmail.Delete(addressee{fold(old.Email), old.ID})
	}
	if next != nil && next.Email != "" {
		r.byEmail.Set(addressee{fold(next.Email), next.ID})
	}
	named(&r.userExt, func(u *User) string { return u.ExternalID }, old, next)
}

func (r *relations) group(old, next *Group) {
	named(&r.groupName, func(g *Group) string { return fold(g.Name) }, old, next)
	named(&r.groupExt, func(g *Group) string { return g.ExternalID }, old, next)
	replace(members(old), members(next), func(id string) {
		r.members.Delete(membership{id, old.ID})
		r.byGroup.Delete(membership{id, old.ID})
	}, func(id string) {
		r.members.Set(membership{id, next.ID})
		r.byGroup.Set(membership{id, next.ID})
	})
}

func members(g *Group) []string {
	if g == nil {
		return nil
	}
	return g.Members
}

func (r *relations) assignment(old, next *Assignment) {
	count := func(set string, more int) {
		if n, _ := r.setUses.Get(set); n+more > 0 {
			r.setUses.Set(set, n+more)
		} else {
			r.setUses.Delete(set)
		}
	}
	if old != nil {
		r.assigned.Delete(old)
		count(old.PermissionSet, -1)
	}
	if next != nil {
		r.assigned.Set(next)
		count(next.PermissionSet, 1)
	}
}

func (r *relations) application(old, next *Application) {
	replace(principals(old), principals(next), func(p Principal) { r.apps.Delete(appUse{p, old.ID}) },
		func(p Principal) { r.apps.Set(appUse{p, next.ID}) })
}

func principals(a *Application) []Principal {
	if a == nil {
		return nil
	}
	return a.AssignedTo
}

// replace calls remove and add for the difference of two lists.
func replace[T comparable](old, next []T, remove, add func(T)) {
	if slices.Equal(old, next) {
		return
	}
	left := make(map[T]bool, len(old))
	for _, v := range old {
		left[v] = true
	}
	for _, v := range next {
		if left[v] {
			delete(left, v)
		} else {
			add(v)
		}
	}
	for v := range left {
		remove(v)
	}
}
