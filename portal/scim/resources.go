package scim

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// resources is the endpoint of one resource type, User or Group. Its fields are the differences between the two.
type resources[T any] struct {
	server *Server
	kind   string // "User" or "Group": the resource type, and with an s the endpoint
	schema string
	// nameAttr is the attribute that is unique, ignoring case.
	nameAttr   string
	attributes map[string]filterable[T]
	// briefPatch makes the response to PATCH empty, unless the client requests attributes: a group may be large, with
	// many small changes.
	briefPatch bool

	keys  func(T) (id, name, external string)
	idp   func(T) string
	table func(*state) *table[T]
	match func(*T, *filter) bool
	show  func(T, selection) resource
	same  func(a, b T) bool
	// active reports whether an element is an active user. Nil: elements are not users.
	active func(T) bool

	// blank returns the element to which PUT makes its assignments.
	blank func(T) T
	edit  func(*state, T, []assignment) (T, *Error)
	// alone returns an instance that contains only the element. newName is whether its name is new.
	alone func(element T, newName bool) center.Data
	// own sets the ID and the identity provider of a new element.
	own    func(element *T, id, idp string)
	store  func(*center.Tx, T) error
	stored func(tx *center.Tx, id string) T // with the dates that Tx has set
	remove func(st *state, id string) error
}

func (rs *resources[T]) methods(hasID bool) methods {
	if !hasID {
		return methods{"GET": rs.list, "POST": rs.create}
	}
	return methods{"GET": rs.get, "PUT": rs.replace, "PATCH": rs.patch, "DELETE": rs.delete}
}

func (rs *resources[T]) list(c *call) (*answer, *Error) {
	var f *filter
	if text := c.filter(); text != "" {
		parsed, err := parseFilter(text, rs.schema)
		if err != nil {
			return nil, err
		}
		if f, err = bind(parsed, rs.attributes, ""); err != nil {
			return nil, err
		}
	}
	p, err := rs.server.page(c)
	if err != nil {
		return nil, err
	}
	st, err := rs.server.state(c.token)
	if err != nil {
		return nil, err
	}
	found, total := rs.table(st).search(f, rs.match, p)
	out := make([]resource, len(found))
	for i := range found {
		out[i] = rs.show(found[i], c.pick)
	}
	return list(out, total, p), nil
}

func (rs *resources[T]) get(c *call) (*answer, *Error) {
	st, err := rs.server.state(c.token)
	if err != nil {
		return nil, err
	}
	element, ok := rs.table(st).get(c.id)
	if !ok {
		return nil, rs.notFound(c.id)
	}
	return &answer{status: http.StatusOK, body: rs.show(element, c.pick)}, nil
}

func (rs *resources[T]) notFound(id string) *Error {
	kind := strings.ToLower(rs.kind)
	return refuse(ReasonNotFound, kind, "the ID of a "+kind, id)
}

// newID returns a random UUID (RFC 9562 section 5.4), which is also the UserId or GroupId for AWS's clients. Earlier
// versions made IDs of 26 letters and digits. Those stay, because the identity provider remembers them.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// create implements POST (RFC 7644 3.3). The ID is random and never used again. If active is missing, the user is
// active.
func (rs *resources[T]) create(c *call) (*answer, *Error) {
	list, err := rs.server.resourceBody(c, rs.schema)
	if err != nil {
		return nil, err
	}
	id := newID()
	var made T
	err = rs.server.writer.do(c.token, func(st *state) (err *Error) {
		var blank T
		if made, err = rs.edit(st, blank, list); err != nil {
			return err
		}
		rs.own(&made, id, st.idp)
		made, _, err = rs.put(st, made)
		return err
	})
	if err != nil {
		return nil, err
	}
	rs.server.cfg.OnChange(rs.change(ActionCreated, made))
	return &answer{http.StatusCreated, rs.show(made, c.pick), rs.server.location(rs.kind+"s", id)}, nil
}

// replace implements PUT (RFC 7644 3.5.1). It clears attributes that the request omits, including members, but not
// active and not fields without an attribute.
func (rs *resources[T]) replace(c *call) (*answer, *Error) {
	return rs.update(c, rs.server.resourceBody, rs.blank)
}

// patch implements PATCH (RFC 7644 3.5.2): it carries out all operations or none.
func (rs *resources[T]) patch(c *call) (*answer, *Error) {
	out, err := rs.update(c, rs.server.patchBody, func(before T) T { return before })
	if err == nil && rs.briefPatch && c.pick.only == nil {
		return &answer{status: http.StatusNoContent}, nil
	}
	return out, err
}

// update makes the assignments that read returns, on the element that start returns.
func (rs *resources[T]) update(c *call, read func(*call, string) ([]assignment, *Error), start func(T) T) (
	*answer, *Error) {
	list, err := read(c, rs.schema)
	if err != nil {
		return nil, err
	}
	var before, after T
	var changed bool
	err = rs.server.writer.do(c.token, func(st *state) (err *Error) {
		var ok bool
		if before, ok = rs.table(st).get(c.id); !ok {
			return rs.notFound(c.id)
		}
		if after, err = rs.edit(st, start(before), list); err != nil {
			return err
		}
		after, changed, err = rs.put(st, after)
		return err
	})
	done := rs.change(ActionChanged, after)
	done.EndsAccess = changed && rs.active != nil && rs.active(before) && !rs.active(after)
	if changed || err != nil {
		rs.server.report(done, err)
	}
	return &answer{status: http.StatusOK, body: rs.show(after, c.pick)}, err
}

func (rs *resources[T]) delete(c *call) (*answer, *Error) {
	var gone T
	err := rs.server.writer.do(c.token, func(st *state) *Error {
		var ok bool
		if gone, ok = rs.table(st).get(c.id); !ok {
			return rs.notFound(c.id)
		}
		if err := rs.remove(st, c.id); err != nil {
			return fromCenter(err)
		}
		return nil
	})
	done := rs.change(ActionDeleted, gone)
	done.EndsAccess = rs.active != nil && done.ID != "" // otherwise the update did not reach the look-up
	rs.server.report(done, err)
	return &answer{status: http.StatusNoContent}, err
}

func (rs *resources[T]) change(what Action, element T) Change {
	id, name, _ := rs.keys(element)
	return Change{Action: what, Resource: rs.kind, ID: id, Name: name, IdentityProvider: rs.idp(element)}
}

// report calls OnChange for a change that was made, and for an end of access that failed but may have been
// made.
func (s *Server) report(c Change, err *Error) {
	c.Unconfirmed = err != nil
	if err == nil || err.Reason == ReasonUnavailable && c.EndsAccess {
		s.cfg.OnChange(c)
	}
}

// put adds or replaces an element. changed is false if the element is the same already. It checks first, so that a
// refusal changes nothing. A name that isn't new needn't be unique or follow newer rules, so that a user can always be
// deactivated.
func (rs *resources[T]) put(st *state, element T) (stored T, changed bool, refused *Error) {
	t := rs.table(st)
	id, name, external := rs.keys(element)
	old, exists := t.get(id)
	if exists && rs.same(old, element) {
		return element, false, nil
	}
	_, oldName, oldExternal := rs.keys(old)
	// Check the instance's own rules before the element becomes part of an update with other changes.
	data := rs.alone(element, !exists || name != oldName)
	data.Regions = []center.Region{{Name: "us-east-1"}}
	if _, err := center.New(data); err != nil {
		return element, false, fromCenter(err)
	}
	unique := "one that no other " + strings.ToLower(rs.kind) + " has"
	if !strings.EqualFold(name, oldName) && len(t.withValue(strings.ToLower(rs.nameAttr), name)) > 0 {
		return element, false, refuse(ReasonUniqueness, rs.nameAttr, unique+", in any case", name)
	}
	if external != "" && external != oldExternal && len(t.withValue("externalid", external)) > 0 {
		return element, false, refuse(ReasonUniqueness, "externalId", unique, external)
	}
	if err := rs.store(st.tx, element); err != nil {
		return element, false, fromCenter(err)
	}
	return rs.stored(st.tx, id), true, nil
}

func (s *Server) users() *resources[center.User] {
	return &resources[center.User]{
		server: s, kind: "User", schema: schemaUser, nameAttr: "userName", attributes: userAttributes,
		keys:   func(u center.User) (id, name, external string) { return u.ID, u.UserName, u.ExternalID },
		table:  func(st *state) *table[center.User] { return &st.users },
		match:  matchUser,
		show:   s.user,
		same:   func(a, b center.User) bool { return a == b },
		active: func(u center.User) bool { return !u.Inactive },
		blank: func(u center.User) center.User {
			return center.User{ID: u.ID, Inactive: u.Inactive, IdentityProvider: u.IdentityProvider, StableID: u.StableID,
				Dates: u.Dates}
		},
		edit: func(_ *state, u center.User, list []assignment) (center.User, *Error) {
			err := setAll(&u, list, setUser)
			return u, err
		},
		alone: func(u center.User, newName bool) center.Data {
			if !newName {
				u.UserName = "unchanged" // a newer rule might refuse the name
			}
			return center.Data{Users: []center.User{u}}
		},
		own:    func(u *center.User, id, idp string) { u.ID, u.IdentityProvider = id, idp },
		idp:    func(u center.User) string { return u.IdentityProvider },
		store:  (*center.Tx).PutUser,
		stored: func(tx *center.Tx, id string) center.User { u, _ := tx.UserByID(id); return u },
		remove: func(st *state, id string) error { return st.tx.RemoveUser(id) },
	}
}

func (s *Server) groups() *resources[center.Group] {
	return &resources[center.Group]{
		server: s, kind: "Group", schema: schemaGroup, nameAttr: "displayName", attributes: groupAttributes,
		briefPatch: true,
		keys:       func(g center.Group) (id, name, external string) { return g.ID, g.Name, g.ExternalID },
		table:      func(st *state) *table[center.Group] { return &st.groups },
		match:      matchGroup,
		show:       s.group,
		same: func(a, b center.Group) bool {
			return a.Name == b.Name && a.ExternalID == b.ExternalID && slices.Equal(a.Members, b.Members)
		},
		blank: func(g center.Group) center.Group {
			return center.Group{ID: g.ID, IdentityProvider: g.IdentityProvider, Description: g.Description, Dates: g.Dates}
		},
		edit: editGroup,
		alone: func(g center.Group, _ bool) center.Data {
			g.Members = nil // editGroup has checked the members
			return center.Data{Groups: []center.Group{g}}
		},
		own:    func(g *center.Group, id, idp string) { g.ID, g.IdentityProvider = id, idp },
		idp:    func(g center.Group) string { return g.IdentityProvider },
		store:  (*center.Tx).PutGroup,
		stored: func(tx *center.Tx, id string) center.Group { g, _ := tx.GroupByID(id); return g },
		remove: func(st *state, id string) error { return st.tx.RemoveGroup(id) },
	}
}
