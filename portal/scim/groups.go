package scim

import (
	"crypto/rand"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

func (s *Server) getGroup(c *call) (*answer, *Error) {
	g, ok := s.index().groups.get(c.id)
	if !ok {
		return nil, noGroup(c.id)
	}
	return &answer{status: http.StatusOK, body: s.group(g, c.pick)}, nil
}

func noGroup(id string) *Error {
	return refuse(ReasonNotFound, "group", "the ID of a group", id)
}

// createGroup is POST (RFC 7644 3.3).
func (s *Server) createGroup(c *call) (*answer, *Error) {
	list, err := s.resourceBody(c, schemaGroup)
	if err != nil {
		return nil, err
	}
	id := rand.Text()
	var made center.Group
	err = s.writer.do(func(st *state) (err *Error) {
		if made, err = st.edit(center.Group{}, list); err != nil {
			return err
		}
		made.ID = id
		_, err = st.putGroup(made)
		made.Members = slices.Clone(made.Members)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.cfg.OnChange(Change{Action: ActionCreated, Resource: "Group", ID: id, Name: made.Name})
	return &answer{http.StatusCreated, s.group(made, c.pick), s.location("Groups", id)}, nil
}

// replaceGroup is PUT (RFC 7644 3.5.1): what is not said is cleared, members
// included.
func (s *Server) replaceGroup(c *call) (*answer, *Error) {
	list, err := s.resourceBody(c, schemaGroup)
	if err != nil {
		return nil, err
	}
	g, err := s.changeGroup(c, func(st *state, g center.Group) (center.Group, *Error) {
		return st.edit(center.Group{ID: g.ID}, list)
	})
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: s.group(g, c.pick)}, nil
}

// patchGroup is PATCH (RFC 7644 3.5.2). Its answer has no body unless the
// client asks for attributes: a group may be large, and changes a little at a
// time.
func (s *Server) patchGroup(c *call) (*answer, *Error) {
	list, err := s.patchBody(c, schemaGroup)
	if err != nil {
		return nil, err
	}
	g, err := s.changeGroup(c, func(st *state, g center.Group) (center.Group, *Error) { return st.edit(g, list) })
	if err != nil {
		return nil, err
	}
	if c.pick.only == nil {
		return &answer{status: http.StatusNoContent}, nil
	}
	return &answer{status: http.StatusOK, body: s.group(g, c.pick)}, nil
}

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

func (s *Server) changeGroup(c *call, edit func(*state, center.Group) (center.Group, *Error)) (center.Group, *Error) {
	var after center.Group
	var changed bool
	err := s.writer.do(func(st *state) *Error {
		before, ok := st.groups.get(c.id)
		if !ok {
			return noGroup(c.id)
		}
		var err *Error
		if after, err = edit(st, before); err != nil {
			return err
		}
		changed, err = st.putGroup(after)
		after.Members = slices.Clone(after.Members) // a later change in the batch may touch the index's
		return err
	})
	if err == nil && changed {
		s.cfg.OnChange(Change{Action: ActionChanged, Resource: "Group", ID: after.ID, Name: after.Name})
	}
	return after, err
}

func (s *Server) deleteGroup(c *call) (*answer, *Error) {
	var g center.Group
	err := s.writer.do(func(st *state) *Error {
		var ok bool
		if g, ok = st.groups.get(c.id); !ok {
			return noGroup(c.id)
		}
		if err := st.tx.RemoveGroup(c.id); err != nil {
			return fromCenter(err)
		}
		st.groups.drop(c.id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.cfg.OnChange(Change{Action: ActionDeleted, Resource: "Group", ID: g.ID, Name: g.Name})
	return &answer{status: http.StatusNoContent}, nil
}
