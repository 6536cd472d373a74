package scim

import (
	"encoding/json"

	"github.com/meridian-saml/meridian/portal/center"
)

// members is the list of a group's members that keeps its order, and in which
// one is found, added or removed without a look at the others.
type members struct {
	order []string // "" where one was removed
	at    map[string]int
}

func newMembers(ids []string) *members {
	m := &members{}
	m.clear()
	for _, id := range ids {
		m.add(id)
	}
	return m
}

func (m *members) clear() { m.order, m.at = nil, map[string]int{} }

func (m *members) add(id string) {
	if _, ok := m.at[id]; !ok {
		m.at[id] = len(m.order)
		m.order = append(m.order, id)
	}
}

func (m *members) remove(id string) {
	if i, ok := m.at[id]; ok {
		m.order[i] = ""
		delete(m.at, id)
	}
}

// list returns the members in their order, in memory of its own.
func (m *members) list() []string {
	out := make([]string, 0, len(m.at))
	for _, id := range m.order {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}

// edited is a group that assignments are being made to.
type edited struct {
	center.Group
	members *members
	// known says whether a user has the ID: groups hold users and nothing else.
	known func(id string) bool
}

// member is one value of members.
type member struct {
	Value *string `json:"value"`
	// Operation is SCIM 1.1's: "delete" removes the member. Nothing here reads it.
	Operation present `json:"operation"`
}

// present is whether there was a value, whatever it was.
type present bool

// UnmarshalJSON implements json.Unmarshaler.
func (p *present) UnmarshalJSON(raw []byte) error {
	*p = present(!isNull(raw))
	return nil
}

// setGroup does one assignment to a group.
func setGroup(g *edited, a assignment) *Error {
	if a.path.extension {
		return nil
	}
	if a.path.attr == "members" {
		return setMembers(g, a)
	}
	if a.path.filter != nil || a.path.sub != "" {
		return unknown(a)
	}
	switch a.path.attr {
	case "displayname":
		return setText(&g.Name, a, true)
	case "externalid":
		return setText(&g.ExternalID, a, false)
	case "id":
		return checkID(g.ID, a)
	case "meta", "schemas":
		return readOnly(a)
	}
	return unknown(a)
}

func setMembers(g *edited, a assignment) *Error {
	if a.path.sub != "" && (a.path.filter != nil || a.path.sub != "value") {
		return readOnly(assignment{path: a.path})
	}
	if a.path.filter != nil {
		return dropMembers(g, a)
	}
	if isNull(a.raw) {
		switch a.verb {
		case remove, replace: // all of them
			g.members.clear()
		}
		return nil
	}
	var list []member
	if json.Unmarshal(a.raw, &list) != nil {
		var one member
		if json.Unmarshal(a.raw, &one) != nil {
			return refuse(ReasonInvalidValue, "members", "a list of objects with value", "")
		}
		list = []member{one}
	}
	for _, m := range list {
		switch {
		case m.Value == nil:
			return refuse(ReasonInvalidValue, "members", "a value in each", "")
		case bool(m.Operation):
			return refuse(ReasonInvalidValue, "members", "members without operation, which SCIM 2.0 does not have there", "")
		case a.verb != remove && !g.known(*m.Value):
			return refuse(ReasonInvalidValue, "members", "the ID of a user", *m.Value)
		}
	}
	if a.verb == replace {
		g.members.clear()
	}
	for _, m := range list {
		if a.verb == remove { // as Entra ID removes; RFC 7644 would use a filter
			g.members.remove(*m.Value)
		} else {
			g.members.add(*m.Value)
		}
	}
	return nil
}

// dropMembers removes the members that a filter finds. That none is there is no
// failure: the client may be repeating itself.
func dropMembers(g *edited, a assignment) *Error {
	if a.verb != remove {
		return refuse(ReasonMutability, "members", "remove, as what a filter finds can't be changed", "")
	}
	f, err := a.path.filter.bind(groupAttributes, "members")
	if err != nil {
		return err
	}
	if f.op == opEqual && f.attr == "members.value" { // nearly always: no need to look at the others
		id, _ := f.value.(string)
		g.members.remove(id)
		return nil
	}
	for _, id := range g.members.list() {
		if matchMember(id, f) {
			g.members.remove(id)
		}
	}
	return nil
}
