package scim

import "github.com/meridian-saml/meridian/portal/center"

func (s *Server) users() *resources[center.User] {
	return &resources[center.User]{
		server: s, kind: "User", schema: schemaUser, nameAttr: "userName", attributes: userAttributes,
		keys:   userKeys,
		table:  func(x *index) *table[center.User] { return x.users },
		find:   func(id string) (center.User, bool) { return s.cfg.View.Snapshot().UserByID(id) },
		match:  matchUser,
		show:   s.user,
		same:   func(a, b center.User) bool { return a == b },
		active: func(u center.User) bool { return !u.Inactive },
		blank: func(u center.User) center.User {
			return center.User{ID: u.ID, Inactive: u.Inactive, IdentityProvider: u.IdentityProvider, StableID: u.StableID}
		},
		edit: func(_ *state, u center.User, list []assignment) (center.User, *Error) {
			err := setAll(&u, list, setUser)
			return u, err
		},
		alone: func(u center.User, newName bool) center.Data {
			if !newName {
				u.UserName = "unchanged" // may be one that is taken no more
			}
			return center.Data{Users: []center.User{u}}
		},
		setID: func(u *center.User, id string) { u.ID = id },
		store: (*center.Tx).PutUser,
		remove: func(st *state, id string) error {
			if err := st.tx.RemoveUser(id); err != nil {
				return err
			}
			st.dropUser(id)
			return nil
		},
	}
}

func userKeys(u *center.User) (id, name, external string) { return u.ID, u.UserName, u.ExternalID }
