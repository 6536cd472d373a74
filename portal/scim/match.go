package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// A comparing says how the values of an attribute are compared (RFC 7643 2.2).
type comparing int

const (
	exactly   comparing = iota // strings, caseExact true
	anyCase                    // strings, caseExact false
	asBoolean                  // true and false
)

// The attributes that a filter may name, each with its parent's name in front.
var (
	userAttributes = map[string]comparing{
		"id": exactly, "externalid": exactly, "username": anyCase, "displayname": anyCase, "active": asBoolean,
		"name.givenname": anyCase, "name.familyname": anyCase,
		"emails.value": anyCase, "emails.type": anyCase, "emails.primary": asBoolean,
	}
	groupAttributes = map[string]comparing{
		"id": exactly, "externalid": exactly, "displayname": anyCase, "members.value": exactly, "members.type": anyCase,
	}
)

// bind returns the filter with the full names of its attributes, below parent
// if there is one, and with values as they are compared. An attribute that
// can't be compared is refused: an empty answer would look like the truth, and
// the client would make a second user.
func (f *filter) bind(known map[string]comparing, parent string) (*filter, *Error) {
	out := *f
	switch f.op {
	case opAnd, opOr, opNot:
	case opValuePath:
		if _, multi := known[f.attr+".value"]; !multi {
			return nil, refuse(ReasonInvalidFilter, "attribute before [ in filter", "one with several values", f.attr)
		}
		parent = f.attr
	default:
		return f.bindTerm(known, parent)
	}
	out.args = make([]*filter, len(f.args))
	for i, arg := range f.args {
		var err *Error
		if out.args[i], err = arg.bind(known, parent); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func (f *filter) bindTerm(known map[string]comparing, parent string) (*filter, *Error) {
	out := *f
	if parent != "" {
		out.attr = parent + "." + f.attr
	} else if _, multi := known[f.attr+".value"]; multi { // RFC 7644 3.4.2.2: its value is meant
		out.attr += ".value"
	}
	how, ok := known[out.attr]
	if !ok {
		return nil, refuse(ReasonInvalidFilter, "attribute in filter", "one of "+strings.Join(slices.Sorted(maps.Keys(known)), ", "), out.attr)
	}
	if f.op == opPresent {
		return &out, nil
	}
	s, isText := f.value.(string)
	b, isBool := f.value.(bool)
	if isText && how == asBoolean {
		b, isBool = boolean(s)
	}
	switch {
	case how == asBoolean && isBool && (f.op == opEqual || f.op == opNotEqual):
		out.value = b
	case how == exactly && isText:
	case how == anyCase && isText:
		out.value, out.anyCase = fold(s), true
	default:
		return nil, refuse(ReasonInvalidFilter, "value in filter", "a string, and for a boolean true or false with eq or ne", out.attr)
	}
	return &out, nil
}

// match puts together what term says of each comparison and each value path.
func (f *filter) match(term func(*filter) bool) bool {
	switch f.op {
	case opAnd:
		return !slices.ContainsFunc(f.args, func(arg *filter) bool { return !arg.match(term) })
	case opOr:
		return slices.ContainsFunc(f.args, func(arg *filter) bool { return arg.match(term) })
	case opNot:
		return !f.args[0].match(term)
	}
	return term(f)
}

// holds says whether a bound comparison is true of a value: a bool, a string,
// or nil or "" where there is none. Nothing is equal to no value, and ne is true
// wherever eq is not.
func (f *filter) holds(value any) bool {
	if b, ok := value.(bool); ok {
		return f.op == opPresent || (b == f.value) == (f.op == opEqual)
	}
	s, _ := value.(string)
	if s == "" || f.op == opPresent {
		return (s == "") == (f.op == opNotEqual)
	}
	want, _ := f.value.(string)
	if f.anyCase {
		s = fold(s)
	}
	return comparisons[f.op](s, want)
}

func matchUser(u center.User, f *filter) bool {
	return f.match(func(t *filter) bool {
		if t.op == opValuePath { // of one value, as one address is kept
			return u.Email != "" && matchUser(u, t.args[0])
		}
		return t.holds(userValue(&u, t.attr))
	})
}

func userValue(u *center.User, attr string) any {
	switch attr {
	case "id":
		return u.ID
	case "externalid":
		return u.ExternalID
	case "username":
		return u.UserName
	case "displayname":
		return u.DisplayName
	case "active":
		return !u.Inactive
	case "name.givenname":
		return u.GivenName
	case "name.familyname":
		return u.FamilyName
	}
	return emailValue(u.Email, attr)
}

// emailValue is a part of the one address that is kept.
func emailValue(address, attr string) any {
	switch {
	case address == "":
		return nil
	case attr == "emails.type":
		return "work"
	case attr == "emails.primary":
		return true
	}
	return address
}

func matchGroup(g center.Group, f *filter) bool {
	return f.match(func(t *filter) bool {
		switch t.attr {
		case "id":
			return t.holds(g.ID)
		case "externalid":
			return t.holds(g.ExternalID)
		case "displayname":
			return t.holds(g.Name)
		}
		if t.op == opNotEqual {
			eq := *t
			eq.op = opEqual
			return !matchGroup(g, &eq)
		}
		return slices.ContainsFunc(g.Members, func(id string) bool { return matchMember(id, t) })
	})
}

// matchMember is about one member of a group.
func matchMember(id string, f *filter) bool {
	return f.match(func(t *filter) bool {
		switch {
		case t.op == opValuePath:
			return matchMember(id, t.args[0])
		case t.attr == "members.type":
			return t.holds("User")
		}
		return t.holds(id)
	})
}
