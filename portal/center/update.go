package center

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Update makes changes. It calls change with a transaction on a copy of the state, checks the result as a whole, and
// puts it in place. If change returns an error, if the transaction refused a change, or if the result is invalid, then
// nothing changes and that error is returned.
//
// Methods of Tx that change applications may be called in the application's own Region. All others may be called only
// in the primary.
//
// Every update copies and checks the whole instance, so put many changes into one update. change must neither keep the
// transaction nor call Update. If the instance changes meanwhile, change is called again on the new state.
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
	before := i.Snapshot()
	tx := &Tx{data: before.Data(), region: v.region}
	if err := change(tx); err != nil {
		return err
	}
	if tx.err != nil || !tx.changed {
		return tx.err
	}
	if err := tx.checkRestored(); err != nil {
		return err
	}
	s, err := newSnapshot(tx.data)
	if err != nil {
		return err
	}
	if err := checkNew(before, s); err != nil {
		return err
	}
	if i.journal != nil {
		changes := Diff(before, s)
		if len(changes) == 0 {
			return nil
		}
		if err := i.journal.Commit(v.region, changes); err != nil {
			return err
		}
	}
	i.current.Store(s)
	return nil
}

// Tx is an update in progress. Its methods return an error for changes that the Region may not make. Update fails with
// the first such error even if change ignores it.
type Tx struct {
	data    Data
	region  string
	changed bool
	ended   []string // IDs of users whose access ended
	err     error    // the first refusal
}

// Data returns a copy of the state so far.
func (t *Tx) Data() Data {
	d := t.data.Clone()
	d.defaults()
	return d
}

func (t *Tx) primaryOnly(what string, kind Kind) error {
	t.changed = true
	if primary := t.data.Regions[0].Name; t.region != primary {
		return t.refuse(&Error{
			Reason: ReasonNotPrimary, Rule: what + " of " + string(kind),
			Want: "the primary Region " + quote(primary), Got: t.region, Primary: primary,
		})
	}
	return t.err
}

// ownRegion requires that an application's current Region and its new regions are the transaction's Region.
func (t *Tx) ownRegion(what, id string, regions ...string) error {
	t.changed = true
	if i := indexOf(t.data.Applications, id); i >= 0 {
		regions = append(regions, t.data.Applications[i].Region)
	}
	for _, region := range regions {
		if region != t.region {
			return t.refuse(&Error{
				Reason: ReasonNotAppRegion, Rule: what + " of application " + quote(id),
				Want: "the application's own Region " + quote(region), Got: t.region,
			})
		}
	}
	return t.err
}

func (t *Tx) refuse(err error) error {
	t.err = cmp.Or(t.err, err)
	return t.err
}

func indexOf[T element](list []T, key string) int {
	return slices.IndexFunc(list, func(o T) bool { return o.key() == key })
}

func put[T element](t *Tx, list *[]T, v T) error {
	if err := t.primaryOnly("write", v.kind()); err != nil {
		return err
	}
	upsert(list, v)
	return nil
}

func upsert[T element](list *[]T, v T) {
	if i := indexOf(*list, v.key()); i >= 0 {
		(*list)[i] = v
		return
	}
	*list = append(*list, v)
}

func remove[T element](t *Tx, list *[]T, key string) error {
	var zero T
	if err := t.primaryOnly("removal", zero.kind()); err != nil {
		return err
	}
	return drop(t, list, key)
}

// drop removes the element with the key. It refuses a key that doesn't exist.
func drop[T element](t *Tx, list *[]T, key string) error {
	i := indexOf(*list, key)
	if i < 0 {
		var zero T
		return t.refuse(&Error{Reason: ReasonNotFound, Rule: string(zero.kind()), Want: "an existing one", Got: key})
	}
	*list = slices.Delete(*list, i, i+1)
	return nil
}

// PutRegion adds a Region at the end, or replaces the one with its name. Primary only.
func (t *Tx) PutRegion(r Region) error { return put(t, &t.data.Regions, cloneRegion(r)) }

// RemoveRegion removes a Region. The primary can't be removed, nor a Region that has applications. Primary only.
func (t *Tx) RemoveRegion(name string) error {
	if err := t.primaryOnly("removal", KindRegion); err != nil {
		return err
	}
	if name == t.data.Regions[0].Name {
		const rule, want = "removal of Region", "an additional Region"
		return t.refuse(&Error{Reason: ReasonPrimaryFixed, Rule: rule, Want: want, Got: name})
	}
	return drop(t, &t.data.Regions, name)
}

// PutUser adds a user, or replaces the one with the same ID. An update that has ended a user's access can't restore it.
// A user without an ID doesn't replace one of another identity provider, or of none if others are listed. Primary only.
func (t *Tx) PutUser(u User) error {
	if i := indexOf(t.data.Users, u.UserName); u.ID == "" && i >= 0 {
		if err := t.checkOwner(KindUser, u.UserName, t.data.Users[i].IdentityProvider, u.IdentityProvider); err != nil {
			return err
		}
	}
	u.ID = cmp.Or(u.ID, u.UserName)
	if u.Inactive {
		t.noteEnded(u.ID)
	}
	return put(t, &t.data.Users, u)
}

// RemoveUser removes a user, also from all groups, assignments and applications. Primary only.
func (t *Tx) RemoveUser(id string) error {
	t.noteEnded(id)
	if err := remove(t, &t.data.Users, id); err != nil {
		return err
	}
	for i := range t.data.Groups {
		g := &t.data.Groups[i]
		g.Members = slices.DeleteFunc(g.Members, func(m string) bool { return m == id })
	}
	t.unassignAll(UserPrincipal(id))
	return nil
}

// noteEnded notes that a user's access ends in this update.
func (t *Tx) noteEnded(id string) {
	if i := indexOf(t.data.Users, id); i >= 0 && !t.data.Users[i].Inactive {
		t.ended = append(t.ended, id)
	}
}

// checkRestored refuses an update that ends a user's access and restores it. The states before and after would be
// equal, and the user's sessions would not end.
func (t *Tx) checkRestored() error {
	for _, u := range t.data.Users {
		if !u.Inactive && slices.Contains(t.ended, u.ID) {
			const rule, want = "end of a user's access", "no restored access in the same update"
			return &Error{Reason: ReasonTwoUpdates, Rule: rule, Want: want, Got: u.ID}
		}
	}
	return nil
}

// PutGroup adds a group, or replaces the one with the same ID. A group without an ID doesn't replace one of another
// identity provider, as with PutUser. Primary only.
func (t *Tx) PutGroup(g Group) error {
	if i := indexOf(t.data.Groups, g.Name); g.ID == "" && i >= 0 {
		if err := t.checkOwner(KindGroup, g.Name, t.data.Groups[i].IdentityProvider, g.IdentityProvider); err != nil {
			return err
		}
	}
	g.ID = cmp.Or(g.ID, g.Name)
	g.Members = slices.Clone(g.Members)
	return put(t, &t.data.Groups, g)
}

// RemoveGroup removes a group, also from all assignments and applications. Primary only.
func (t *Tx) RemoveGroup(id string) error {
	if err := remove(t, &t.data.Groups, id); err != nil {
		return err
	}
	t.unassignAll(GroupPrincipal(id))
	return nil
}

// unassignAll removes all assignments of a removed principal. If the ID is used again later, it must not have the old
// access. Other Regions' applications change too, which is allowed because it only ends access.
func (t *Tx) unassignAll(p Principal) {
	t.data.Assignments = slices.DeleteFunc(t.data.Assignments, func(a Assignment) bool { return a.Principal == p })
	for i := range t.data.Applications {
		a := &t.data.Applications[i]
		a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(o Principal) bool { return o == p })
	}
}

// PutPermissionSet adds a permission set, or replaces the one with its name. Primary only.
func (t *Tx) PutPermissionSet(p PermissionSet) error { return put(t, &t.data.PermissionSets, p) }

// RemovePermissionSet removes a permission set that has no assignments. Primary only.
func (t *Tx) RemovePermissionSet(name string) error { return remove(t, &t.data.PermissionSets, name) }

// PutAccount adds an account, or replaces the one with its ID. Primary only.
func (t *Tx) PutAccount(a Account) error { return put(t, &t.data.Accounts, a) }

// RemoveAccount removes an account that has no assignments. Primary only.
func (t *Tx) RemoveAccount(id string) error { return remove(t, &t.data.Accounts, id) }

// Assign gives a principal a permission set in an account. If the assignment exists already, nothing changes. Primary
// only.
func (t *Tx) Assign(a Assignment) error { return put(t, &t.data.Assignments, a) }

// Unassign removes an assignment. Primary only.
func (t *Tx) Unassign(a Assignment) error {
	key := a.key()
	if !slices.Contains(t.data.Assignments, a) {
		key = "none: " + key // an invalid assignment can have the key of a valid one
	}
	return remove(t, &t.data.Assignments, key)
}

// PutApplication adds an application, or replaces the one with its ID. The application's own Region only: the primary
// can't manage an application of an additional Region, and an application can't move to another Region.
func (t *Tx) PutApplication(a Application) error {
	a.ID = cmp.Or(a.ID, a.Name)
	if err := t.ownRegion("write", a.ID, a.Region); err != nil {
		return err
	}
	a.AssignedTo = slices.Clone(a.AssignedTo)
	upsert(&t.data.Applications, a)
	return nil
}

// RemoveApplication removes an application. Its own Region only.
func (t *Tx) RemoveApplication(id string) error {
	if err := t.ownRegion("removal", id); err != nil {
		return err
	}
	return drop(t, &t.data.Applications, id)
}
