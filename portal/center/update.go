package center

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
)

// Update makes changes. It calls change with a transaction on a copy of the state, checks the result as a whole, and
// puts it in place. If change returns an error, if the transaction refused a change, or if the result is invalid, then
// nothing changes and that error is returned.
//
// The table of tasks says which methods of Tx may be called where: those that change applications in the application's
// own Region, all others only in the primary. See Tasks.
//
// The cost of an update depends on what it changes, not on the size of the instance. Still, put many changes into one
// update: each is written to disk and sent to the other Regions on its own. change must neither keep the transaction
// nor call Update. If the instance changes meanwhile, change is called again on the new state.
func (v *View) Update(change func(*Tx) error) error {
	for attempt := range maxAttempts {
		if err := v.try(change); !errors.Is(err, ErrConflict) {
			return err
		}
		// Let Apply take the lock: it has the conflicting change.
		time.Sleep(min(time.Duration(attempt)*time.Millisecond, 20*time.Millisecond))
	}
	return fmt.Errorf("%w, in each of %d attempts", ErrConflict, maxAttempts)
}

// maxAttempts limits an update with conflicts to about seven seconds. That is longer than a Journal waits for a commit.
const maxAttempts = 350

func (v *View) try(change func(*Tx) error) error {
	i := v.instance
	i.writing.Lock()
	defer i.writing.Unlock()
	tx := &Tx{d: newDraft(i.Snapshot()), region: v.region, now: i.now(), rand: i.rand}
	tx.d.stamp(tx.now)
	defer func() { tx.over = true }()
	if err := change(tx); err != nil {
		return err
	}
	if tx.err != nil || !tx.changed {
		return tx.err
	}
	if err := tx.checkRestored(); err != nil {
		return err
	}
	s, err := tx.d.finish(true)
	if err != nil {
		return err
	}
	if i.journal != nil {
		changes := tx.d.changes()
		if len(changes) == 0 {
			return nil
		}
		if err := i.journal.Commit(v.region, tx.by, changes); err != nil {
			return err
		}
	}
	i.current.Store(s)
	return nil
}

// Tx is an update in progress. Its methods return an error for changes that the Region may not make. Update fails with
// the first such error even if change ignores it.
type Tx struct {
	d       *draft
	region  string
	by      Actor
	now     time.Time // of all changes
	rand    io.Reader
	changed bool
	over    bool     // the update has ended: a change would be one of a Snapshot
	ended   []string // IDs of users whose access ended
	err     error    // the first refusal
}

// Data returns a copy of the whole state so far. Its cost depends on the size of the instance.
func (t *Tx) Data() Data { return t.d.s.Data() }

// Regions returns the Regions so far, in their order.
func (t *Tx) Regions() []Region { return t.d.s.Regions() }

// UserByID returns the user with this ID, as it is so far.
func (t *Tx) UserByID(id string) (User, bool) { return t.d.s.UserByID(id) }

// GroupByID returns the group with this ID, as it is so far.
func (t *Tx) GroupByID(id string) (Group, bool) { return t.d.s.GroupByID(id) }

// Users is Snapshot.Users of the state so far. The transaction must not be changed until it ends.
func (t *Tx) Users(from string) iter.Seq[User] { return t.d.s.Users(from) }

// Groups is Snapshot.Groups of the state so far. The transaction must not be changed until it ends.
func (t *Tx) Groups(from string) iter.Seq[Group] { return t.d.s.Groups(from) }

// IdentityProviders returns the identity providers so far, in their order.
func (t *Tx) IdentityProviders() []IdentityProvider { return t.d.s.IdentityProviders() }

// begin refuses changes after the update has ended.
func (t *Tx) begin() error {
	t.changed = true
	if t.over {
		return &Error{Reason: ReasonInvalid, Rule: "transaction", Want: "one whose update has not ended"}
	}
	return nil
}

// primaryOnly requires that the table of tasks allows a write to elements of a kind.
func (t *Tx) primaryOnly(what string, kind Kind) error {
	if err := t.begin(); err != nil {
		return err
	}
	if err := (Attempt{Task: taskOf(kind), Write: true}).check(t.d.s.regionList, t.region); err != nil {
		err.Rule = what + " of " + string(kind)
		return t.refuse(err)
	}
	return t.err
}

// ownRegion requires that the table of tasks allows a write to an application, with its current Region and its new
// regions.
func (t *Tx) ownRegion(what, id string, task Task, regions ...string) error {
	if err := t.begin(); err != nil {
		return err
	}
	if a := t.d.s.applications.get(id); a != nil {
		regions = append(regions, a.Region)
	}
	for _, region := range regions {
		if err := (Attempt{task, true, region}).check(t.d.s.regionList, t.region); err != nil {
			err.Rule = what + " of application " + quote(id)
			return t.refuse(err)
		}
	}
	return t.err
}

func (t *Tx) refuse(err error) error {
	t.err = cmp.Or(t.err, err)
	return t.err
}

func (t *Tx) notFound(kind Kind, key string) error {
	return t.refuse(&Error{Reason: ReasonNotFound, Rule: string(kind), Want: "an existing one", Got: key})
}

func put[T element](t *Tx, e *edit[T], v T) error {
	if err := t.primaryOnly("write", v.kind()); err != nil {
		return err
	}
	e.put(v)
	return nil
}

func remove[T element](t *Tx, e *edit[T], key string) error {
	var zero T
	if err := t.primaryOnly("removal", zero.kind()); err != nil {
		return err
	}
	return drop(t, e, key)
}

// drop removes the element with the key. It refuses a key that doesn't exist.
func drop[T element](t *Tx, e *edit[T], key string) error {
	if !e.drop(key) {
		var zero T
		return t.notFound(zero.kind(), key)
	}
	return nil
}

// putInList returns a list with one more element, at the end, or with one replaced.
func putInList[T element](list []T, v T) []T {
	out := slices.Clone(list)
	if i := slices.IndexFunc(out, func(o T) bool { return o.key() == v.key() }); i >= 0 {
		out[i] = v
		return out
	}
	return append(out, v)
}

// dropFromList returns a list without the element with a key, and whether there was one.
func dropFromList[T element](list []T, key string) (out []T, ok bool) {
	out = slices.DeleteFunc(slices.Clone(list), func(o T) bool { return o.key() == key })
	return out, len(out) < len(list)
}

// PutRegion adds a Region at the end, or replaces the one with its name. Primary only.
func (t *Tx) PutRegion(r Region) error {
	if err := t.primaryOnly("write", KindRegion); err != nil {
		return err
	}
	r.AddedDate = t.now
	if i, ok := t.d.s.regions[r.Name]; ok {
		r.AddedDate = t.d.s.regionList[i].AddedDate
	}
	t.d.setRegions(putInList(t.d.s.regionList, defaultedRegion(cloneRegion(r))))
	return nil
}

// RemoveRegion removes a Region. The primary can't be removed, nor a Region that has applications. Primary only.
func (t *Tx) RemoveRegion(name string) error {
	if err := t.primaryOnly("removal", KindRegion); err != nil {
		return err
	}
	if name == t.d.s.regionList[0].Name {
		return t.refuse(primaryFixed(name))
	}
	list, ok := dropFromList(t.d.s.regionList, name)
	if !ok {
		return t.notFound(KindRegion, name)
	}
	t.d.setRegions(list)
	return nil
}

// PutUser adds a user, or replaces the one with the same ID. An update that has ended a user's access can't restore it.
// A user without an ID doesn't replace one of another identity provider, or of none if others are listed. Primary only.
func (t *Tx) PutUser(u User) error {
	if old := t.d.s.users.get(u.UserName); u.ID == "" && old != nil {
		if err := t.sameOwner(KindUser, u.UserName, old.IdentityProvider, u.IdentityProvider); err != nil {
			return err
		}
	}
	u = defaultedUser(u)
	if u.Inactive {
		t.noteEnded(u.ID)
	}
	return put(t, &t.d.users, u)
}

// RemoveUser removes a user, also from all groups, assignments and applications. Primary only.
func (t *Tx) RemoveUser(id string) error {
	t.noteEnded(id)
	if err := remove(t, &t.d.users, id); err != nil {
		return err
	}
	for _, of := range t.d.s.relations.groupsWith(id) {
		g := cloneGroup(*t.d.s.groups.get(of))
		g.Members = slices.DeleteFunc(g.Members, func(m string) bool { return m == id })
		t.d.groups.put(g)
	}
	t.unassignAll(UserPrincipal(id))
	return nil
}

// noteEnded notes that a user's access ends in this update.
func (t *Tx) noteEnded(id string) {
	if u := t.d.s.users.get(id); u != nil && !u.Inactive {
		t.ended = append(t.ended, id)
	}
}

// checkRestored refuses an update that ends a user's access and restores it. The states before and after would be
// equal, and the user's sessions would not end.
func (t *Tx) checkRestored() error {
	for _, id := range t.ended {
		if u := t.d.s.users.get(id); u != nil && !u.Inactive {
			const rule, want = "end of a user's access", "no restored access in the same update"
			return &Error{Reason: ReasonTwoUpdates, Rule: rule, Want: want, Got: id}
		}
	}
	return nil
}

// PutGroup adds a group, or replaces the one with the same ID. A group without an ID doesn't replace one of another
// identity provider, as with PutUser. Primary only.
func (t *Tx) PutGroup(g Group) error {
	if old := t.d.s.groups.get(g.Name); g.ID == "" && old != nil {
		if err := t.sameOwner(KindGroup, g.Name, old.IdentityProvider, g.IdentityProvider); err != nil {
			return err
		}
	}
	return put(t, &t.d.groups, cloneGroup(defaultedGroup(g)))
}

// RemoveGroup removes a group, also from all assignments and applications. Primary only.
func (t *Tx) RemoveGroup(id string) error {
	if err := remove(t, &t.d.groups, id); err != nil {
		return err
	}
	t.unassignAll(GroupPrincipal(id))
	return nil
}

// unassignAll removes all assignments of a removed principal. If the ID is used again later, it must not have the old
// access. Other Regions' applications change too, which is allowed because it only ends access.
func (t *Tx) unassignAll(p Principal) {
	var keys, apps []string
	t.d.s.relations.eachAssigned(p, func(a *Assignment) { keys = append(keys, a.key()) })
	for _, key := range keys {
		t.d.assignments.drop(key)
	}
	t.d.s.relations.eachApp(p, func(id string) { apps = append(apps, id) })
	t.unpark(p)
	for _, id := range apps {
		a := *t.d.s.applications.get(id)
		t.d.applications.put(without(a, func(o Principal) bool { return o == p }))
	}
}

// PutPermissionSet adds a permission set, or replaces the one with its name. Its ID can be empty: a new set gets one,
// and another keeps its own. Any other ID is refused. Primary only.
func (t *Tx) PutPermissionSet(p PermissionSet) error {
	if err := t.primaryOnly("write", KindPermissionSet); err != nil {
		return err
	}
	old, exists := t.d.s.PermissionSet(p.Name)
	switch {
	case p.ID != "" && p.ID != old.ID:
		want := "no ID: it isn't the ID of the set with this name"
		return t.refuse(&Error{Reason: ReasonFixed, Rule: "ID of permission set " + quote(p.Name), Want: want, Got: p.ID})
	case exists:
		p.ID = t.d.s.sets.get(p.Name).ID
	default:
		var err error
		if p.ID, err = newSetID(t.rand); err != nil {
			return t.refuse(err)
		}
	}
	t.d.sets.put(cloneSet(p))
	return nil
}

// RemovePermissionSet removes a permission set that has no assignments. Primary only.
func (t *Tx) RemovePermissionSet(name string) error { return remove(t, &t.d.sets, name) }

// PutAccount adds an account, or replaces the one with its ID. Primary only.
func (t *Tx) PutAccount(a Account) error { return put(t, &t.d.accounts, a) }

// RemoveAccount removes an account that has no assignments. Primary only.
func (t *Tx) RemoveAccount(id string) error { return remove(t, &t.d.accounts, id) }

// Assign gives a principal a permission set in an account. If the assignment exists already, nothing changes. Primary
// only.
func (t *Tx) Assign(a Assignment) error { return put(t, &t.d.assignments, a) }

// Unassign removes an assignment. Primary only.
func (t *Tx) Unassign(a Assignment) error {
	key := a.key()
	if old := t.d.s.assignments.get(key); old == nil || *old != a {
		key = "none: " + key // an invalid assignment can have the key of a valid one
	}
	return remove(t, &t.d.assignments, key)
}

// PutApplication adds an application, or replaces the one with its ID. The application's own Region only: the primary
// can't manage an application of an additional Region, and an application can't move to another Region. It must work
// there (see Snapshot.Deployable), unless the change is one of its AssignedTo alone.
//
// An ID that another Region's application has is refused with ReasonNotAppRegion, which names that Region. If two
// Regions add one ID before they know of each other's, every Region has the application of the one whose name sorts
// first. The other one is kept, and comes back when that is removed.
func (t *Tx) PutApplication(a Application) error {
	a = cloneApplication(defaultedApplication(a))
	tasks, old := []Task{TaskAppManagement}, t.d.s.applications.get(a.ID)
	if !slices.Equal(principals(old), a.AssignedTo) {
		tasks = append(tasks, TaskAppAssignments)
	}
	for _, task := range tasks {
		if err := t.ownRegion("write", a.ID, task, a.Region); err != nil {
			return err
		}
	}
	unassigned := func(a Application) Application { a.AssignedTo = nil; return a }
	if old == nil || !deepEqual(unassigned(*old), unassigned(a)) {
		if err := t.d.s.deployable(a); err != nil {
			return t.refuse(err)
		}
	}
	t.d.applications.put(a)
	return nil
}

// RemoveApplication removes an application. Its own Region only.
func (t *Tx) RemoveApplication(id string) error {
	if err := t.ownRegion("removal", id, TaskAppManagement); err != nil {
		return err
	}
	return drop(t, &t.d.applications, id)
}
