package center

import (
	"cmp"
	"fmt"
	"slices"
)

// IdentityProvider is an identity provider that vouches for users of the instance.
//
// An instance lists no identity providers, or all of them. If it lists none, all users belong to the only one that the
// service provider has. If it lists any, each user and each group belongs to one of the list, and only that one can
// assert the user.
type IdentityProvider struct {
	// EntityID is the entity ID, which assertions have as their Issuer (SAML Core 8.3.6). It is compared byte for byte.
	// It has at most 1,024 bytes. Required and unique.
	EntityID string `json:"entityId"`
	Name     string `json:"name,omitempty"` // shown on pages; empty: EntityID
}

// Label returns the name that pages show.
func (p IdentityProvider) Label() string { return cmp.Or(p.Name, p.EntityID) }

func (IdentityProvider) kind() Kind    { return KindIdentityProvider }
func (p IdentityProvider) key() string { return p.EntityID }

const maxEntityID = 1024 // bytes (Core 8.3.6)

func (c *checker) identityProvider(p IdentityProvider) {
	c.bounded("entityId of identity provider", p.EntityID, maxEntityID)
	c.of = p.EntityID
	c.optional("name of identity provider", p.Name)
}

// provider checks the IdentityProvider of a user or group.
func (c *checker) provider(what, entityID string) {
	if entityID != "" {
		c.bounded(what, entityID, maxEntityID)
	}
}

// IdentityProviders returns the identity providers in their order. If there are none, all users belong to the only one
// of the service provider.
func (s *Snapshot) IdentityProviders() []IdentityProvider {
	return slices.Clone(s.providerList)
}

// UserOf returns the user of the identity provider with this entity ID whose userName equals this one byte for byte. An
// identity provider that isn't listed has no users. If the instance lists none, the result is the user with this
// userName, unless User.IdentityProvider names another identity provider. The user may be inactive: the caller must
// check that.
func (s *Snapshot) UserOf(identityProvider, userName string) (User, bool) {
	if !s.belongs(identityProvider) {
		return User{}, false
	}
	for _, u := range s.relations.usersNamed(userName, false) {
		if u.IdentityProvider == identityProvider || u.IdentityProvider == "" && !s.lists() {
			return *u, true
		}
	}
	return User{}, false
}

// share reports whether two users, or two groups, can't have the same name: they belong to one identity provider.
// Without a list of identity providers, all belong to one.
func (s *Snapshot) share(identityProvider, other string) bool {
	return !s.lists() || identityProvider == other
}

// lists reports whether the instance lists its identity providers.
func (s *Snapshot) lists() bool { return len(s.providerList) > 0 }

// belongs reports whether a user or group with this IdentityProvider belongs to one of the instance.
func (s *Snapshot) belongs(identityProvider string) bool {
	_, ok := s.providers[identityProvider]
	return ok || !s.lists()
}

// PutIdentityProvider adds an identity provider at the end of the list, or replaces the one with its EntityID. If the
// instance lists none yet and has users or groups, use AdoptIdentityProvider first: an update with users or groups
// that belong to no identity provider of the list is refused. Primary only.
func (t *Tx) PutIdentityProvider(p IdentityProvider) error {
	if err := t.primaryOnly("write", KindIdentityProvider); err != nil {
		return err
	}
	t.d.setProviders(putInList(t.d.s.providerList, p))
	return nil
}

// RemoveIdentityProvider removes an identity provider that has no users and groups, with its Federation. The last one
// of the list can also be removed with users: then the instance lists none, and the users belong to the only one of the
// service provider. Primary only.
func (t *Tx) RemoveIdentityProvider(entityID string) error {
	if err := t.primaryOnly("removal", KindIdentityProvider); err != nil {
		return err
	}
	list, ok := dropFromList(t.d.s.providerList, entityID)
	if !ok {
		return t.notFound(KindIdentityProvider, entityID)
	}
	t.d.setProviders(list)
	t.d.federations.drop(entityID)
	return nil
}

// AdoptIdentityProvider prepares an instance without a list of identity providers for a second one. It lists p, the
// only one so far, and makes all users and groups belong to it, in one update. Then PutIdentityProvider adds others.
//
// It can be repeated, also when other identity providers are listed, and then changes nothing. It refuses an instance
// in which it isn't clear that all users are p's: one that lists identity providers without p, or that has a user or
// group of one that isn't listed, or several listed ones and a user or group of none. Primary only.
func (t *Tx) AdoptIdentityProvider(p IdentityProvider) error {
	if err := t.primaryOnly("adoption", KindIdentityProvider); err != nil {
		return err
	}
	list := t.d.s.providerList
	listed := func(id string) bool { _, ok := t.d.s.providers[id]; return ok }
	if len(list) > 0 && !listed(p.EntityID) {
		return t.refuse(&Error{
			Reason: ReasonInvalid, Rule: "identity providers of the instance", Want: "none, or " + quote(p.EntityID),
			Got: list[0].EntityID,
		})
	}
	adopt := func(what, name, of string) (adopted bool) {
		switch {
		case of == "" && len(list) < 2:
			return true
		case of == "" || of != p.EntityID && !listed(of):
			rule := fmt.Sprintf("identityProvider of %s %s", what, quote(name))
			_ = t.refuse(&Error{Reason: ReasonInvalid, Rule: rule, Want: quote(p.EntityID), Got: of})
		}
		return false
	}
	for _, old := range t.d.s.users.list() {
		if u := *old; adopt("user", u.UserName, u.IdentityProvider) {
			u.IdentityProvider = p.EntityID
			t.d.users.put(u)
		}
	}
	for _, old := range t.d.s.groups.list() {
		if g := *old; adopt("group", g.Name, g.IdentityProvider) {
			g.IdentityProvider = p.EntityID
			t.d.groups.put(g)
		}
	}
	if !listed(p.EntityID) {
		t.d.setProviders(putInList(list, p))
	}
	return t.err
}

// sameOwner refuses to replace an element of one identity provider by one of another that has the same name and no ID
// of its own: that is another user or group. If the instance lists its identity providers and the element belongs to
// none, it isn't known whose it is.
func (t *Tx) sameOwner(kind Kind, name, old, next string) error {
	if old == next || old == "" && !t.d.s.lists() {
		return nil
	}
	has := "one of no identity provider"
	if old != "" {
		has = quote(old)
	}
	rule := fmt.Sprintf("ID of %s %s", kind, quote(name))
	return t.refuse(&Error{Reason: ReasonDuplicate, Rule: rule, Want: "one, because " + has + " has that name"})
}

// checkOwner refuses a user that belongs to no identity provider of the list. Users and groups that were like that
// before are not refused: the instance was recovered from several copies (see package replica), and no assertion is
// accepted for such a user.
func (d *draft) checkOwner(c *checker, old, u *User) {
	was := ""
	if old != nil {
		was = old.IdentityProvider
	}
	d.checkListed(c, "user", u.IdentityProvider, was, old != nil)
}

// checkMoved looks for groups of another identity provider that have a user as a member.
func (d *draft) checkMoved(c *checker, u *User, isNew bool) {
	if !d.s.lists() {
		return
	}
	for _, id := range d.s.relations.groupsWith(u.ID) {
		if g := d.s.groups.get(id); g.IdentityProvider != u.IdentityProvider {
			d.stray(c, g, u.ID, isNew)
		}
	}
}

// stray refuses, or notes, a member of another identity provider than the group's.
func (d *draft) stray(c *checker, g *Group, member string, isNew bool) {
	if d.s.strays = true; isNew {
		c.of = g.Name
		c.fail(ReasonInvalid, "member of group", "a user of the group's identity provider", member)
	}
}

// checkGroupOwner is checkOwner for a group. checkMembers checks its members.
func (d *draft) checkGroupOwner(c *checker, old, g *Group) {
	was := ""
	if old != nil {
		was = old.IdentityProvider
	}
	d.checkListed(c, "group", g.IdentityProvider, was, old != nil)
}

func (d *draft) checkListed(c *checker, what, of, was string, existed bool) {
	if !d.s.belongs(of) && (!existed || of != was || d.base.belongs(was)) {
		c.fail(ReasonDangling, "identityProvider of "+what, "the entity ID of a listed identity provider", of)
	}
}
