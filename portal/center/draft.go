package center

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A draft is the next Snapshot while it is made. It shares with the one before what doesn't change, and knows what was
// touched: only that is checked and compared. So its cost depends on the size of the change, not of the instance. Two
// rare changes cost more: see checkIdentityProviders, and the removal of a Region in checkApplications.
type draft struct {
	base *Snapshot // the one before, which never changes
	s    *Snapshot // the next one

	users        edit[User]
	groups       edit[Group]
	sets         edit[PermissionSet]
	accounts     edit[Account]
	assignments  edit[Assignment]
	applications edit[Application]
	federations  edit[Federation]
	residency    edit[residency]
	rotations    edit[Rotation]
	parked       edit[parkedApplication]
}

// An edit is the changes of one table.
type edit[T element] struct {
	table     *table[T]
	was       map[string]*T      // by key, what was touched as it was before; nil: it didn't exist
	relate    func(old, next *T) // keeps the relations; either may be nil
	defaulted func(T) T
	stamp     func(old, next *T) // sets the dates of what is put; old may be nil. Nil: they are given
}

func newEdit[T element](t *table[T], relate func(old, next *T), defaulted func(T) T) edit[T] {
	return edit[T]{table: t, was: map[string]*T{}, relate: relate, defaulted: defaulted}
}

func newDraft(base *Snapshot) *draft {
	d := &draft{base: base, s: base.fork()}
	s, r := d.s, &d.s.relations
	d.users = newEdit(&s.users, r.user, defaultedUser)
	d.groups = newEdit(&s.groups, r.group, defaultedGroup)
	d.sets = newEdit(&s.sets, func(_, _ *PermissionSet) {}, defaultedSet)
	d.accounts = newEdit(&s.accounts, func(_, _ *Account) {}, unchanged[Account])
	d.assignments = newEdit(&s.assignments, r.assignment, unchanged[Assignment])
	d.applications = newEdit(&s.applications, r.application, defaultedApplication)
	d.federations = newEdit(&s.federations, func(_, _ *Federation) {}, unchanged[Federation])
	d.residency = newEdit(&s.residency, func(_, _ *residency) {}, unchanged[residency])
	d.rotations = newEdit(&s.rotations, func(_, _ *Rotation) {}, unchanged[Rotation])
	d.parked = newEdit(&s.parked, func(_, _ *parkedApplication) {}, unchanged[parkedApplication])
	return d
}

// put adds an element, or replaces the one with its key. The draft owns it from here on.
func (e *edit[T]) put(v T) {
	v = e.defaulted(v)
	if e.stamp != nil {
		e.stamp(e.table.get(v.key()), &v)
	}
	old := e.table.put(&v)
	e.touch(v.key(), old)
	e.relate(old, &v)
}

// drop removes the element with a key, and reports whether there was one.
func (e *edit[T]) drop(key string) bool {
	old := e.table.drop(key)
	if old == nil {
		return false
	}
	e.touch(key, old)
	e.relate(old, nil)
	return true
}

func (e *edit[T]) touch(key string, old *T) {
	if _, already := e.was[key]; !already {
		e.was[key] = old
	}
}

// touched returns the keys that were touched, sorted.
func (e *edit[T]) touched() []string { return slices.Sorted(maps.Keys(e.was)) }

// setRegions replaces the list of Regions, which the draft owns from here on.
func (d *draft) setRegions(list []Region) {
	d.s.regionList, d.s.regions = list, indexByKey(list)
}

// setProviders replaces the list of identity providers, which the draft owns from here on.
func (d *draft) setProviders(list []IdentityProvider) {
	d.s.providerList, d.s.providers = list, indexByKey(list)
}

func indexByKey[T element](list []T) map[string]int {
	out := make(map[string]int, len(list))
	for i, v := range list {
		out[v.key()] = i
	}
	return out
}

// changes returns the touched elements that differ from those before, sorted by Kind and then Key.
func (d *draft) changes() []Record {
	return inOrder(
		diffLists(d.base.metadataList(), d.s.metadataList(), equal),
		diffLists(placed(d.base.regionList), placed(d.s.regionList), deepEqual),
		diffLists(d.base.providerList, d.s.providerList, equal),
		changed(&d.users, equal), changed(&d.groups, deepEqual), changed(&d.sets, deepEqual), changed(&d.accounts, equal),
		changed(&d.assignments, equal), changed(&d.applications, deepEqual), changed(&d.federations, deepEqual),
		changed(&d.parked, deepEqual), changed(&d.residency, deepEqual), changed(&d.rotations, equal),
	)
}

func changed[T element](e *edit[T], same func(x, y T) bool) (out []Record) {
	for key, old := range e.was {
		out = difference(out, old, e.table.get(key), same)
	}
	return out
}

// defaultedUser and the functions below return an element with its defaults: see the fields of Data's lists.
func defaultedUser(u User) User {
	u.ID = cmp.Or(u.ID, u.UserName)
	u.normalize()
	return u
}

func defaultedGroup(g Group) Group {
	g.ID = cmp.Or(g.ID, g.Name)
	g.normalize()
	return g
}

func defaultedSet(p PermissionSet) PermissionSet {
	p.SessionDuration = cmp.Or(p.SessionDuration, time.Hour)
	p.normalize()
	return p
}

func defaultedApplication(a Application) Application {
	a.ID = cmp.Or(a.ID, a.Name)
	return a
}

func defaultedRegion(r Region) Region {
	r.Status = cmp.Or(r.Status, RegionActive)
	r.AddedDate = instant(r.AddedDate)
	return r
}
