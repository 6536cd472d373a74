package scim

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

func (s *Server) groups() *resources[center.Group] {
	return &resources[center.Group]{
		server: s, kind: "Group", schema: schemaGroup, nameAttr: "displayName", attributes: groupAttributes, briefPatch: true,
		keys:  groupKeys,
		table: func(x *index) *table[center.Group] { return x.groups },
		find:  func(id string) (center.Group, bool) { return s.index().groups.get(id) },
		match: matchGroup,
		show:  s.group,
		same: func(a, b center.Group) bool {
			return a.Name == b.Name && a.ExternalID == b.ExternalID && slices.Equal(a.Members, b.Members)
		},
		blank: func(g center.Group) center.Group { return center.Group{ID: g.ID} },
		edit:  (*state).edit,
		alone: func(g center.Group, _ bool) center.Data {
			g.Members = nil // which edit has checked
			return center.Data{Groups: []center.Group{g}}
		},
		setID: func(g *center.Group, id string) { g.ID = id },
		store: (*center.Tx).PutGroup,
		remove: func(st *state, id string) error {
			if err := st.tx.RemoveGroup(id); err != nil {
				return err
			}
			st.groups.drop(id)
			return nil
		},
	}
}

func groupKeys(g *center.Group) (id, name, external string) { return g.ID, g.Name, g.ExternalID }

// edit makes assignments to a copy of a group.
func (st *state) edit(g center.Group, list []assignment) (center.Group, *Error) {
	e := &edited{Group: g, members: newMembers(g.Members), known: func(id string) bool {
		_, ok := st.users.at[id]
		return ok
	}}
	if err := setAll(e, list, setGroup); err != nil {
		return g, err
	}
	e.Members = e.members.list()
	return e.Group, nil
}
