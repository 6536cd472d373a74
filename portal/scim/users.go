package scim

import (
	"crypto/rand"
	"net/http"

	"github.com/meridian-saml/meridian/portal/center"
)

func (s *Server) getUser(c *call) (*answer, *Error) {
	u, ok := s.cfg.View.Snapshot().UserByID(c.id)
	if !ok {
		return nil, noUser(c.id)
	}
	return &answer{status: http.StatusOK, body: s.user(u, c.pick)}, nil
}

func noUser(id string) *Error {
	return refuse(ReasonNotFound, "user", "the ID of a user", id)
}

// createUser is POST (RFC 7644 3.3). The ID is ours, random and never used
// again. A user whose active is not said is active.
func (s *Server) createUser(c *call) (*answer, *Error) {
	list, err := s.resourceBody(c, schemaUser)
	if err != nil {
		return nil, err
	}
	var u center.User
	if err := setAll(&u, list, setUser); err != nil {
		return nil, err
	}
	u.ID = rand.Text()
	err = s.writer.do(func(st *state) *Error {
		_, err := st.putUser(u)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.cfg.OnChange(Change{Action: ActionCreated, Resource: "User", ID: u.ID, Name: u.UserName})
	return &answer{http.StatusCreated, s.user(u, c.pick), s.location("Users", u.ID)}, nil
}

// replaceUser is PUT (RFC 7644 3.5.1). What is not said is cleared, but for
// active, which stays: silence neither lets in nor locks out. What no attribute
// stands for stays too.
func (s *Server) replaceUser(c *call) (*answer, *Error) {
	list, err := s.resourceBody(c, schemaUser)
	if err != nil {
		return nil, err
	}
	return s.changeUser(c, func(u *center.User) *Error {
		*u = center.User{ID: u.ID, Inactive: u.Inactive, IdentityProvider: u.IdentityProvider, StableID: u.StableID}
		return setAll(u, list, setUser)
	})
}

// patchUser is PATCH (RFC 7644 3.5.2): all of its operations, or none.
func (s *Server) patchUser(c *call) (*answer, *Error) {
	list, err := s.patchBody(c, schemaUser)
	if err != nil {
		return nil, err
	}
	return s.changeUser(c, func(u *center.User) *Error { return setAll(u, list, setUser) })
}

func (s *Server) changeUser(c *call, edit func(*center.User) *Error) (*answer, *Error) {
	var before, after center.User
	var changed bool
	err := s.writer.do(func(st *state) (err *Error) {
		var ok bool
		if before, ok = st.users.get(c.id); !ok {
			return noUser(c.id)
		}
		after = before
		if err := edit(&after); err != nil {
			return err
		}
		changed, err = st.putUser(after)
		return err
	})
	done := Change{Action: ActionChanged, Resource: "User", ID: after.ID, Name: after.UserName, EndsAccess: changed && !before.Inactive && after.Inactive}
	if err != nil {
		s.unconfirmed(err, done)
		return nil, err
	}
	if changed {
		s.cfg.OnChange(done)
	}
	return &answer{status: http.StatusOK, body: s.user(after, c.pick)}, nil
}

func (s *Server) deleteUser(c *call) (*answer, *Error) {
	var u center.User
	err := s.writer.do(func(st *state) *Error {
		var ok bool
		if u, ok = st.users.get(c.id); !ok {
			return noUser(c.id)
		}
		if err := st.tx.RemoveUser(c.id); err != nil {
			return fromCenter(err)
		}
		st.dropUser(c.id)
		return nil
	})
	done := Change{Action: ActionDeleted, Resource: "User", ID: u.ID, Name: u.UserName, EndsAccess: u.ID != ""}
	if err != nil {
		s.unconfirmed(err, done)
		return nil, err
	}
	s.cfg.OnChange(done)
	return &answer{status: http.StatusNoContent}, nil
}

// unconfirmed tells of an end of access that failed and may have happened.
func (s *Server) unconfirmed(err *Error, c Change) {
	if err.Reason == ReasonUnavailable && c.EndsAccess {
		c.Unconfirmed = true
		s.cfg.OnChange(c)
	}
}
