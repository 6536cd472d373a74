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
	return slices.Clone(s.data.IdentityProviders)
}

// UserOf returns the user of the identity provider with this entity ID whose userName equals this one byte for byte. An
// identity provider that isn't listed has no users. If the instance lists none, the result is the user with this
// userName, unless User.IdentityProvider names another identity provider. The user may be inactive: the caller must
// check that.
func (s *Snapshot) UserOf(identityProvider, userName string) (User, bool) {
	u, ok := userAt(s, s.byName, s.named(identityProvider, userName))
	if !ok || !s.belongs(identityProvider) || u.IdentityProvider != "" && u.IdentityProvider != identityProvider {
		return User{}, false
	}
	return u, true
}

// providerName is a name that is unique within an identity provider.
type providerName struct{ provider, name string }

// named returns the key of a user's or group's name. Without a list of identity providers, all names share one space.
func (s *Snapshot) named(identityProvider, name string) providerName {
	if !s.lists() {
		identityProvider = ""
	}
	return providerName{identityProvider, name}
}

// lists reports whether the instance lists its identity providers.
func (s *Snapshot) lists() bool { return len(s.data.IdentityProviders) > 0 }

// belongs reports whether a user or group with this IdentityProvider belongs to one of the instance.
func (s *Snapshot) belongs(identityProvider string) bool {
	_, ok := s.providers[identityProvider]
	return ok || !s.lists()
}

// PutIdentityProvider adds an identity provider at the end of the list, or replaces the one with its EntityID. If the
// instance lists none yet and has users or groups, use AdoptIdentityProvider first: an update with users or groups
// that belong to no identity provider of the list is refused. Primary only.
func (t *Tx) PutIdentityProvider(p IdentityProvider) error {
	return put(t, &t.data.IdentityProviders, p)
}

// RemoveIdentityProvider removes an identity provider that has no users and groups. The last one of the list can also
// be removed with users: then the instance lists none, and the users belong to the only one of the service provider.
// Primary only.
func (t *Tx) RemoveIdentityProvider(entityID string) error {
	return remove(t, &t.data.IdentityProviders, entityID)
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
	list := &t.data.IdentityProviders
	listed := func(id string) bool { return indexOf(*list, id) >= 0 }
	if len(*list) > 0 && !listed(p.EntityID) {
		return t.refuse(&Error{
			Reason: ReasonInvalid, Rule: "identity providers of the instance", Want: "none, or " + quote(p.EntityID),
			Got: (*list)[0].EntityID,
		})
	}
	adopt := func(what, name string, of *string) error {
		switch {
		case *of == "" && len(*list) < 2:
			*of = p.EntityID
		case *of == "" || *of != p.EntityID && !listed(*of):
			rule := fmt.Sprintf("identityProvider of %s %s", what, quote(name))
			return t.refuse(&Error{Reason: ReasonInvalid, Rule: rule, Want: quote(p.EntityID), Got: *of})
		}
		return nil
	}
	for i := range t.data.Users {
		if err := adopt("user", t.data.Users[i].UserName, &t.data.Users[i].IdentityProvider); err != nil {
			return err
		}
	}
	for i := range t.data.Groups {
		if err := adopt("group", t.data.Groups[i].Name, &t.data.Groups[i].IdentityProvider); err != nil {
			return err
		}
	}
	if !listed(p.EntityID) {
		*list = append(*list, p)
	}
	return t.err
}

// checkOwner refuses to replace an element of one identity provider by one of another that has the same name and no ID
// of its own: that is another user or group. If the instance lists its identity providers and the element belongs to
// none, it isn't known whose it is.
func (t *Tx) checkOwner(kind Kind, name, old, next string) error {
	if old == next || old == "" && len(t.data.IdentityProviders) == 0 {
		return nil
	}
	has := "one of no identity provider"
	if old != "" {
		has = quote(old)
	}
	rule := fmt.Sprintf("ID of %s %s", kind, quote(name))
	return t.refuse(&Error{Reason: ReasonDuplicate, Rule: rule, Want: "one, because " + has + " has that name"})
}

// checkProviders refuses users and groups that belong to no identity provider of the list, and members of another one
// than the group's. Users and groups that were like that before are not refused: the instance was recovered from
// several copies (see package replica), and no assertion is accepted for such a user.
func checkProviders(before, s *Snapshot) error {
	if !s.lists() {
		return nil
	}
	c := &checker{}
	check := func(what, name, of, old string, existed bool) {
		if s.belongs(of) || existed && of == old && !before.belongs(old) {
			return
		}
		c.of = name
		c.fail(ReasonDangling, "identityProvider of "+what, "the entity ID of a listed identity provider", of)
	}
	for _, u := range s.data.Users {
		old, existed := before.UserByID(u.ID)
		check("user", u.UserName, u.IdentityProvider, old.IdentityProvider, existed)
	}
	for _, g := range s.data.Groups {
		var old Group
		i, existed := before.groups[g.ID]
		if existed {
			old = before.data.Groups[i]
		}
		check("group", g.Name, g.IdentityProvider, old.IdentityProvider, existed)
		for _, m := range g.Members {
			if !s.sameProvider(g, m) {
				c.of = g.Name
				c.fail(ReasonInvalid, "member of group", "a user of the group's identity provider", m)
			}
		}
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

// sameProvider reports whether a user belongs to the identity provider of a group.
func (s *Snapshot) sameProvider(g Group, userID string) bool {
	i, ok := s.users[userID]
	return ok && (!s.lists() || s.data.Users[i].IdentityProvider == g.IdentityProvider)
}
