package center

import (
	"bytes"

	"github.com/tidwall/btree"
)

// identifiers are what the IDs of a Snapshot are derived from, and its elements by such IDs.
type identifiers struct {
	instance InstanceMetadata // complete; empty until a draft is finished
	space    uuid             // the name space of the UUIDs of the instance's users, groups and memberships
	// Users and groups by the derived UUID. Those whose own ID is a UUID are found by that.
	users, groups btree.Map[string, string] // the value is the ID
	sets          btree.Map[string, string] // by ID, the name; has all permission sets
	memberships   *btree.BTreeG[membershipID]
}

// A membershipID is a membership by its UUID.
type membershipID struct {
	uuid uuid
	of   membership
}

func newIdentifiers() identifiers {
	less := func(a, b membershipID) bool { return bytes.Compare(a.uuid[:], b.uuid[:]) < 0 }
	return identifiers{memberships: btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
}

func (i *identifiers) fork() identifiers {
	return identifiers{
		i.instance, i.space, *i.users.Copy(), *i.groups.Copy(), *i.sets.Copy(), i.memberships.Copy(),
	}
}

// userUUID returns the derived UUID of a user, or "".
func (i *identifiers) userUUID(u *User) string { return i.space.derivedFor(KindUser, u.ID) }

// groupUUID returns the derived UUID of a group, or "".
func (i *identifiers) groupUUID(g *Group) string { return i.space.derivedFor(KindGroup, g.ID) }

// setID returns the ID of a permission set: that of the set itself, or the derived one.
func (i *identifiers) setID(p *PermissionSet) string {
	if p.ID != "" {
		return p.ID
	}
	return derivedSetID(i.instance.ID, p.Name)
}

// setMetadata replaces the description of the instance.
func (d *draft) setMetadata(m InstanceMetadata) {
	m.CreatedAt = instant(m.CreatedAt)
	d.s.metadata = m
}

// mergeMetadata takes in a record of KindInstance. A value that can't be decoded doesn't count: it must not affect
// access.
func (d *draft) mergeMetadata(r Record, details map[string][]byte) {
	if m, err := decode[InstanceMetadata](r); m != nil {
		d.setMetadata(withDetails(*m, &d.s.metadata, details))
	} else if err == nil {
		d.setMetadata(InstanceMetadata{})
	}
}

// identify brings the identifiers up to date with what was touched. If the instance's ID is another one, all change.
func (d *draft) identify(c *checker, isNew bool) {
	ids, was := &d.s.ids, d.base.ids.instance.ID
	ids.instance = d.s.metadata.complete(d.s.regionList[0].Name)
	all := ids.instance.ID != was
	if all {
		next := newIdentifiers()
		next.instance, next.space = ids.instance, uuidSpace.derive(ids.instance.ID)
		*ids = next
	}
	indexIDs(&d.users, &ids.users, all, ids.userUUID)
	indexIDs(&d.groups, &ids.groups, all, ids.groupUUID)
	indexIDs(&d.sets, &ids.sets, all, ids.setID)
	d.indexMemberships(all)
	if isNew {
		checkUUIDs(c, &d.users, &ids.users, all, "ID of user", ids.userUUID)
		checkUUIDs(c, &d.groups, &ids.groups, all, "ID of group", ids.groupUUID)
		each(c, &d.sets, all, func(_, p *PermissionSet) {
			if p == nil {
				return
			}
			if name, _ := ids.sets.Get(ids.setID(p)); name != p.Name {
				c.of = p.Name
				c.fail(ReasonDuplicate, "ID of permission set", "a unique value", p.ID)
			}
		})
	}
}

// indexMemberships keeps the index of memberships.
func (d *draft) indexMemberships(all bool) {
	ids := &d.s.ids
	change := func(old, next *Group) {
		replace(members(old), members(next), func(user string) {
			ids.memberships.Delete(ids.membership(membership{user, old.ID}))
		}, func(user string) {
			ids.memberships.Set(ids.membership(membership{user, next.ID}))
		})
	}
	if all {
		for g := range d.s.groups.all() {
			change(nil, g)
		}
		return
	}
	for key, old := range d.groups.was {
		change(old, d.s.groups.get(key))
	}
}

// membership returns a membership with its UUID.
func (i *identifiers) membership(m membership) membershipID {
	group, user := i.space.uuidOf(KindGroup, m.group), i.space.uuidOf(KindUser, m.user)
	return membershipID{i.space.derive("membership", group, user), m}
}

// indexIDs keeps an index by a derived ID, which is "" for an element that isn't in it.
func indexIDs[T element](e *edit[T], index *btree.Map[string, string], all bool, id func(*T) string) {
	put := func(v *T) {
		if derived := id(v); derived != "" {
			if _, taken := index.Get(derived); !taken {
				index.Set(derived, (*v).key())
			}
		}
	}
	if all {
		for v := range e.table.all() {
			put(v)
		}
		return
	}
	for key, old := range e.was {
		if old != nil {
			if of, _ := index.Get(id(old)); of == key {
				index.Delete(id(old))
			}
		}
	}
	for key := range e.was {
		if v := e.table.get(key); v != nil {
			put(v)
		}
	}
}

// checkUUIDs refuses a user or group whose ID is the derived UUID of another, and the other way round.
func checkUUIDs[T element](c *checker, e *edit[T], index *btree.Map[string, string], all bool, what string,
	derived func(*T) string) {
	each(c, e, all, func(_, v *T) {
		if v == nil {
			return
		}
		_, taken := index.Get((*v).key())
		if id := derived(v); taken || id != "" && e.table.get(id) != nil {
			c.fail(ReasonDuplicate, what, "no UUID of another one", (*v).key())
		}
	})
}
