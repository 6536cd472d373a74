package scim

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// state is the instance in the middle of an update, with what the batch has
// changed so far. Its methods check first: after a refusal nothing has changed.
type state struct {
	*index
	tx *center.Tx
}

// putUser adds or replaces a user; changed is false if it was so already. A
// name that isn't new is not asked to be unique, nor to follow rules that are
// younger: nothing may stand in the way of deactivating a user.
func (st *state) putUser(u center.User) (changed bool, refused *Error) {
	old, exists := st.users.get(u.ID)
	if exists && old == u {
		return false, nil
	}
	checked := u
	if exists && u.UserName == old.UserName {
		checked.UserName = "unchanged" // may be one that is taken no more
	}
	if err := checkUser(checked); err != nil {
		return false, err
	}
	if n := fold(u.UserName); n != fold(old.UserName) && len(st.users.names[n]) > 0 {
		return false, refuse(ReasonUniqueness, "userName", "one that no other user has, in any case", u.UserName)
	}
	if u.ExternalID != old.ExternalID && len(st.users.external[u.ExternalID]) > 0 {
		return false, refuse(ReasonUniqueness, "externalId", "one that no other user has", u.ExternalID)
	}
	if err := st.tx.PutUser(u); err != nil {
		return false, fromCenter(err)
	}
	st.users.put(u)
	return true, nil
}

// putGroup adds or replaces a group. Its members were checked by who made it.
func (st *state) putGroup(g center.Group) (changed bool, refused *Error) {
	old, exists := st.groups.get(g.ID)
	if exists && old.Name == g.Name && old.ExternalID == g.ExternalID && slices.Equal(old.Members, g.Members) {
		return false, nil
	}
	if err := checkGroup(g); err != nil {
		return false, err
	}
	if n := fold(g.Name); n != fold(old.Name) && len(st.groups.names[n]) > 0 {
		return false, refuse(ReasonUniqueness, "displayName", "one that no other group has, in any case", g.Name)
	}
	if g.ExternalID != old.ExternalID && len(st.groups.external[g.ExternalID]) > 0 {
		return false, refuse(ReasonUniqueness, "externalId", "one that no other group has", g.ExternalID)
	}
	if err := st.tx.PutGroup(g); err != nil {
		return false, fromCenter(err)
	}
	st.groups.put(g)
	return true, nil
}

// checkUser asks the instance's own rules about one user, so that a bad one is
// refused before it joins an update, and no rule stands here a second time.
func checkUser(u center.User) *Error {
	return check(center.Data{Users: []center.User{u}})
}

func checkGroup(g center.Group) *Error {
	g.Members = nil
	return check(center.Data{Groups: []center.Group{g}})
}

func check(d center.Data) *Error {
	d.Regions = []center.Region{{Name: "us-east-1"}}
	if _, err := center.New(d); err != nil {
		return fromCenter(err)
	}
	return nil
}
