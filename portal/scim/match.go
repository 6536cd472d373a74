package scim

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// A comparing is the way in which the values of an attribute are compared (RFC 7643 2.2).
type comparing int

const (
	exactly   comparing = iota // strings, caseExact true
	anyCase                    // strings, caseExact false
	asBoolean                  // true and false
)

// A filterable is an attribute that filters may name.
type filterable[T any] struct {
	comparing comparing
	// value returns the value, or "" for none; booleans are "true" and "false". Nil: the attribute has several
	// values.
	value func(*T) string
}

// The attributes that filters may name, with their parents' names.
var (
	userAttributes = map[string]filterable[center.User]{
		"id":              {exactly, func(u *center.User) string { return u.ID }},
		"externalid":      {exactly, func(u *center.User) string { return u.ExternalID }},
		"username":        {anyCase, func(u *center.User) string { return u.UserName }},
		"displayname":     {anyCase, func(u *center.User) string { return u.DisplayName }},
		"active":          {asBoolean, func(u *center.User) string { return strconv.FormatBool(!u.Inactive) }},
		"name.givenname":  {anyCase, func(u *center.User) string { return u.GivenName }},
		"name.familyname": {anyCase, func(u *center.User) string { return u.FamilyName }},
		"emails.value":    {anyCase, func(u *center.User) string { return u.Email }},
		"emails.type":     {anyCase, func(u *center.User) string { return ofEmail(u, "work") }},
		"emails.primary":  {asBoolean, func(u *center.User) string { return ofEmail(u, "true") }},
	}
	groupAttributes = map[string]filterable[center.Group]{
		"id":            {exactly, func(g *center.Group) string { return g.ID }},
		"externalid":    {exactly, func(g *center.Group) string { return g.ExternalID }},
		"displayname":   {anyCase, func(g *center.Group) string { return g.Name }},
		"members.value": {exactly, nil},
		"members.type":  {anyCase, nil},
	}
)

// ofEmail returns value if the user has an address.
func ofEmail(u *center.User, value string) string {
	if u.Email == "" {
		return ""
	}
	return value
}

// bind returns the filter with the full names of its attributes, below parent if it isn't "", and with values prepared
// for comparison. It refuses an attribute that can't be compared: after an empty result the client would create a
// second user.
func bind[T any](f *filter, known map[string]filterable[T], parent string) (*filter, *Error) {
	out := *f
	switch f.op {
	case opAnd, opOr, opNot:
	case opValuePath:
		if _, multi := known[f.attr+".value"]; !multi {
			return nil, refuse(ReasonInvalidFilter, "attribute before [ in filter", "a multi-valued attribute", f.attr)
		}
		parent = f.attr
	default:
		return bindTerm(f, known, parent)
	}
	out.args = make([]*filter, len(f.args))
	for i, arg := range f.args {
		var err *Error
		if out.args[i], err = bind(arg, known, parent); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func bindTerm[T any](f *filter, known map[string]filterable[T], parent string) (*filter, *Error) {
	out := *f
	if parent != "" {
		out.attr = parent + "." + f.attr
	} else if _, multi := known[f.attr+".value"]; multi { // it is compared by its value (RFC 7644 3.4.2.2)
		out.attr += ".value"
	}
	a, ok := known[out.attr]
	if !ok {
		names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
		return nil, refuse(ReasonInvalidFilter, "attribute in filter", "one of "+names, out.attr)
	}
	if f.op == opPresent {
		return &out, nil
	}
	s, isText := f.value.(string)
	b, isBool := f.value.(bool)
	if isText && a.comparing == asBoolean {
		b, isBool = boolean(s)
	}
	switch {
	case a.comparing == asBoolean && isBool && (f.op == opEqual || f.op == opNotEqual):
		out.value = strconv.FormatBool(b)
	case a.comparing == exactly && isText:
	case a.comparing == anyCase && isText:
		out.value, out.anyCase = fold(s), true
	default:
		const want = "a string, and for a boolean true or false with eq or ne"
		return nil, refuse(ReasonInvalidFilter, "value in filter", want, out.attr)
	}
	return &out, nil
}

// match combines what term returns for each comparison and each value path.
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

// holds reports whether a bound comparison is true for a value. "" means no value. It is not equal to any value, and ne
// is the opposite of eq.
func (f *filter) holds(value string) bool {
	if value == "" || f.op == opPresent {
		return (value == "") == (f.op == opNotEqual)
	}
	want, _ := f.value.(string)
	if f.anyCase {
		value = fold(value)
	}
	return comparisons[f.op](value, want)
}

func matchUser(u *center.User, f *filter) bool {
	return f.match(func(t *filter) bool {
		if t.op == opValuePath { // of one value, because one address is kept
			return u.Email != "" && matchUser(u, t.args[0])
		}
		return t.holds(userAttributes[t.attr].value(u))
	})
}

func matchGroup(g *center.Group, f *filter) bool {
	return f.match(func(t *filter) bool {
		if a := groupAttributes[t.attr]; a.value != nil {
			return t.holds(a.value(g))
		}
		if t.op == opNotEqual {
			eq := *t
			eq.op = opEqual
			return !matchGroup(g, &eq)
		}
		return slices.ContainsFunc(g.Members, func(id string) bool { return matchMember(id, t) })
	})
}

// matchMember matches one member of a group.
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
