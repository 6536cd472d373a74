package scim

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// resources is the endpoint of one resource type, User or Group. Its methods are
// what both have in common, and its fields what differs.
type resources[T any] struct {
	server *Server
	kind   string // "User" or "Group": the resource type, and with an s the endpoint
	schema string
	// nameAttr is the attribute that is unique in any case, as it is written.
	nameAttr   string
	attributes map[string]comparing // that filters may name
	// briefPatch says that PATCH has an answer without a body, unless the client
	// asks for attributes: a group may be large, and changes a little at a time.
	briefPatch bool

	keys  func(*T) (id, name, external string)
	table func(*index) *table[T]
	find  func(id string) (T, bool)
	match func(T, *filter) bool
	show  func(T, selection) resource
	same  func(a, b T) bool
	// active says whether an element is a user who has access. Nil: none has.
	active func(T) bool

	// blank is what an element begins with when it is replaced.
	blank func(T) T
	edit  func(*state, T, []assignment) (T, *Error)
	// alone is an instance with nothing but an element, whose name is new or not.
	alone  func(element T, newName bool) center.Data
	setID  func(*T, string)
	store  func(*center.Tx, T) error
	remove func(st *state, id string) error
}

func (rs *resources[T]) methods(hasID bool) methods {
	if !hasID {
		return methods{"GET": rs.list, "POST": rs.create}
	}
	return methods{"GET": rs.get, "PUT": rs.replace, "PATCH": rs.patch, "DELETE": rs.delete}
}

func (rs *resources[T]) list(c *call) (*answer, *Error) {
	f, err := c.filter(rs.schema, rs.attributes)
	if err != nil {
		return nil, err
	}
	p, err := rs.server.page(c)
	if err != nil {
		return nil, err
	}
	t := rs.table(rs.server.index())
	found := t.search(f, rs.match)
	return list(len(found), p, func(i int) resource { return rs.show(t.all[found[i]], c.pick) }), nil
}

func (rs *resources[T]) get(c *call) (*answer, *Error) {
	element, ok := rs.find(c.id)
	if !ok {
		return nil, rs.none(c.id)
	}
	return &answer{status: http.StatusOK, body: rs.show(element, c.pick)}, nil
}

func (rs *resources[T]) none(id string) *Error {
	kind := strings.ToLower(rs.kind)
	return refuse(ReasonNotFound, kind, "the ID of a "+kind, id)
}

// create is POST (RFC 7644 3.3). The ID is ours, random and never used again. A
// user whose active is not said is active.
func (rs *resources[T]) create(c *call) (*answer, *Error) {
	list, err := rs.server.resourceBody(c, rs.schema)
	if err != nil {
		return nil, err
	}
	id := rand.Text()
	var made T
	err = rs.server.writer.do(func(st *state) (err *Error) {
		var blank T
		if made, err = rs.edit(st, blank, list); err != nil {
			return err
		}
		rs.setID(&made, id)
		_, err = rs.put(st, made)
		return err
	})
	if err != nil {
		return nil, err
	}
	rs.server.cfg.OnChange(rs.change(ActionCreated, made))
	return &answer{http.StatusCreated, rs.show(made, c.pick), rs.server.location(rs.kind+"s", id)}, nil
}

// replace is PUT (RFC 7644 3.5.1). What is not said is cleared, members included,
// but for active, which stays: silence neither lets in nor locks out. What no
// attribute stands for stays too.
func (rs *resources[T]) replace(c *call) (*answer, *Error) {
	list, err := rs.server.resourceBody(c, rs.schema)
	if err != nil {
		return nil, err
	}
	return rs.update(c, func(st *state, before T) (T, *Error) { return rs.edit(st, rs.blank(before), list) })
}

// patch is PATCH (RFC 7644 3.5.2): all of its operations, or none.
func (rs *resources[T]) patch(c *call) (*answer, *Error) {
	list, err := rs.server.patchBody(c, rs.schema)
	if err != nil {
		return nil, err
	}
	out, err := rs.update(c, func(st *state, before T) (T, *Error) { return rs.edit(st, before, list) })
	if err == nil && rs.briefPatch && c.pick.only == nil {
		return &answer{status: http.StatusNoContent}, nil
	}
	return out, err
}

func (rs *resources[T]) update(c *call, edit func(*state, T) (T, *Error)) (*answer, *Error) {
	var before, after T
	var changed bool
	err := rs.server.writer.do(func(st *state) (err *Error) {
		var ok bool
		if before, ok = rs.table(st.index).get(c.id); !ok {
			return rs.none(c.id)
		}
		if after, err = edit(st, before); err != nil {
			return err
		}
		changed, err = rs.put(st, after)
		return err
	})
	done := rs.change(ActionChanged, after)
	done.EndsAccess = changed && rs.active != nil && rs.active(before) && !rs.active(after)
	if err != nil {
		rs.server.unconfirmed(err, done)
		return nil, err
	}
	if changed {
		rs.server.cfg.OnChange(done)
	}
	return &answer{status: http.StatusOK, body: rs.show(after, c.pick)}, nil
}

func (rs *resources[T]) delete(c *call) (*answer, *Error) {
	var gone T
	err := rs.server.writer.do(func(st *state) *Error {
		var ok bool
		if gone, ok = rs.table(st.index).get(c.id); !ok {
			return rs.none(c.id)
		}
		if err := rs.remove(st, c.id); err != nil {
			return fromCenter(err)
		}
		return nil
	})
	done := rs.change(ActionDeleted, gone)
	done.EndsAccess = rs.active != nil && done.ID != "" // else it was not looked for
	if err != nil {
		rs.server.unconfirmed(err, done)
		return nil, err
	}
	rs.server.cfg.OnChange(done)
	return &answer{status: http.StatusNoContent}, nil
}

func (rs *resources[T]) change(what Action, element T) Change {
	id, name, _ := rs.keys(&element)
	return Change{Action: what, Resource: rs.kind, ID: id, Name: name}
}

// unconfirmed tells of an end of access that failed and may have happened.
func (s *Server) unconfirmed(err *Error, c Change) {
	if err.Reason == ReasonUnavailable && c.EndsAccess {
		c.Unconfirmed = true
		s.cfg.OnChange(c)
	}
}

// put adds or replaces an element; changed is false if it was so already. It
// checks first: after a refusal nothing has changed. A name that isn't new is not
// asked to be unique, nor to follow rules that are younger: nothing may stand in
// the way of deactivating a user.
func (rs *resources[T]) put(st *state, element T) (changed bool, refused *Error) {
	t := rs.table(st.index)
	id, name, external := rs.keys(&element)
	old, exists := t.get(id)
	if exists && rs.same(old, element) {
		return false, nil
	}
	_, oldName, oldExternal := rs.keys(&old)
	if err := check(rs.alone(element, !exists || name != oldName)); err != nil {
		return false, err
	}
	other := "one that no other " + strings.ToLower(rs.kind) + " has"
	if n := fold(name); n != fold(oldName) && len(t.names[n]) > 0 {
		return false, refuse(ReasonUniqueness, rs.nameAttr, other+", in any case", name)
	}
	if external != oldExternal && len(t.external[external]) > 0 {
		return false, refuse(ReasonUniqueness, "externalId", other, external)
	}
	if err := rs.store(st.tx, element); err != nil {
		return false, fromCenter(err)
	}
	t.put(element)
	return true, nil
}
