package scim

import (
	"encoding/json"

	"github.com/meridian-saml/meridian/portal/center"
)

// members is an ordered set. Finding, adding and removing a member take constant time.
type members struct {
	order []string // "" where one was removed
	at    map[string]int
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

// list returns the members in their order, as a new slice.
func (m *members) list() []string {
	out := make([]string, 0, len(m.at))
	for _, id := range m.order {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}

// editedGroup is a group that assignments change.
type editedGroup struct {
	center.Group
	members members
	// isUser reports whether a user has the ID: groups hold users only.
	isUser func(id string) bool
}

// editGroup makes assignments to a copy of a group.
func editGroup(st *state, g center.Group, list []assignment) (center.Group, *Error) {
	e := &editedGroup{Group: g, isUser: func(id string) bool { _, ok := st.users.get(id); return ok }}
	e.members.clear()
	for _, id := range g.Members {
		e.members.add(id)
	}
	err := setAll(e, list, setGroup)
	e.Members = e.members.list()
	return e.Group, err
}

// member is one value of members.
type member struct {
	Value *string `json:"value"`
	// Operation is SCIM 1.1's: "delete" removes the member. It is refused.
	Operation *struct{} `json:"operation"`
}

// setGroup makes one assignment to a group.
func setGroup(g *editedGroup, a assignment) *Error {
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

func setMembers(g *editedGroup, a assignment) *Error {
	if a.path.sub != "" && (a.path.filter != nil || a.path.sub != "value") {
		return readOnly(assignment{path: a.path})
	}
	if a.path.filter != nil {
		return removeMembers(g, a)
	}
	if isNull(a.raw) {
		if a.verb != add { // remove or replace all members
			g.members.clear()
		}
		return nil
	}
	bad := refuse(ReasonInvalidValue, "members", "a list of objects with value and without operation", "")
	var list []member
	if json.Unmarshal(a.raw, &list) != nil {
		list = make([]member, 1)
		if json.Unmarshal(a.raw, &list[0]) != nil {
			return bad
		}
	}
	if a.verb == replace {
		g.members.clear()
	}
	for _, m := range list {
		switch {
		case m.Value == nil || m.Operation != nil:
			return bad
		case a.verb == remove: // Entra ID's form; RFC 7644 has a filter
			g.members.remove(*m.Value)
		case !g.isUser(*m.Value):
			return refuse(ReasonInvalidValue, "members", "the ID of a user", *m.Value)
		default:
			g.members.add(*m.Value)
		}
	}
	return nil
}

// removeMembers removes the members that match a filter. If no member matches, that is not an error: the client may be
// repeating a request.
func removeMembers(g *editedGroup, a assignment) *Error {
	if a.verb != remove {
		return refuse(ReasonMutability, "members", "remove: members that a filter selects can't be changed", "")
	}
	f, err := bind(a.path.filter, groupAttributes, "members")
	if err != nil {
		return err
	}
	if f.op == opEqual && f.attr == "members.value" { // the usual case: other members need no comparison
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
