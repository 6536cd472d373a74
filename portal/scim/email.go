package scim

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// setEmail assigns to emails. The instance keeps one address, shown as the primary one of type "work".
func setEmail(u *center.User, a assignment) *Error {
	switch a.path.sub {
	case "", "value":
	case "type", "primary", "display", "$ref":
		return nil
	default:
		return unknown(a)
	}
	if a.path.filter != nil {
		f, err := bind(a.path.filter, userAttributes, "emails")
		switch {
		case err != nil:
			return err
		case !f.mayMatchKept(true):
			return nil // of another type, which is not kept
		case f.match(func(t *filter) bool { return t.holds(keptEmail(u.Email, t.attr)) }):
		case a.verb == remove:
			return nil
		default:
			return refuse(ReasonNoTarget, "path", "a filter that an email matches", "")
		}
	}
	switch {
	case a.verb == remove || isNull(a.raw):
		u.Email = ""
		return nil
	case a.path.sub == "value":
		return setLabel(&u.Email, a)
	}
	return setEmails(u, a)
}

// keptEmail returns a sub-attribute of the address that is kept. A missing address has its type already,
// because Entra ID adds one with the path emails[type eq "work"].value.
func keptEmail(address, attr string) string {
	if address == "" && attr != "emails.value" {
		address = "none"
	}
	return userAttributes[attr].value(&center.User{Email: address})
}

// mayMatchKept reports whether the filter's result for the kept address can be want. The address itself may be any.
func (f *filter) mayMatchKept(want bool) bool {
	may := func(arg *filter) bool { return arg.mayMatchKept(want) }
	switch {
	case f.op == opNot:
		return f.args[0].mayMatchKept(!want)
	case f.op == opAnd && want, f.op == opOr && !want:
		return !slices.ContainsFunc(f.args, func(arg *filter) bool { return !may(arg) })
	case f.op == opAnd, f.op == opOr:
		return slices.ContainsFunc(f.args, may)
	}
	return f.attr == "emails.value" || f.holds(keptEmail("", f.attr)) == want
}

const maxEmails = 100 // in a list

// setEmails assigns one email or a list of emails. It keeps the primary address, or else the first of type "work", or
// else the first. If there is an address already, an added one that is neither primary nor of type "work" is kept only
// if a filter selects the existing address.
func setEmails(u *center.User, a assignment) *Error {
	list := []json.RawMessage{a.raw}
	if len(a.raw) > 0 && a.raw[0] == '[' {
		var err *Error
		if list, err = elements(a.raw, maxEmails, "emails"); err != nil {
			return err
		}
	}
	best, most := "", 0
	for i, raw := range list {
		address, rank, err := parseEmail(raw, i == 0, a.from)
		if err != nil {
			return err
		}
		if rank > most {
			best, most = address, rank
		}
	}
	if a.verb == add && a.path.filter == nil && u.Email != "" && most < 2 {
		return nil
	}
	u.Email = strings.TrimSpace(best)
	return nil
}

// parseEmail returns the address of one email and its rank: 3 is the primary one, 2 is of type "work", 1 is the
// first, and 0 is not kept.
func parseEmail(raw json.RawMessage, first bool, from source) (address string, rank int, err *Error) {
	if isNull(raw) {
		return "", 0, nil
	}
	bad := refuse(ReasonInvalidValue, "emails", "a list of objects with value", "")
	fields, err := object(raw, maxFields, "email")
	if err != nil {
		return "", 0, bad
	}
	var value *string
	var kind string
	var primary bool
	for _, f := range fields {
		sub, ok := attribute(f.name, "")
		switch {
		case !ok || !simple(sub):
			return "", 0, unknownAttribute(from, "emails."+f.name)
		case sub == "value" && json.Unmarshal(f.raw, &value) != nil, sub == "type" && json.Unmarshal(f.raw, &kind) != nil:
			return "", 0, bad
		case sub == "primary":
			b, err := truth(f.raw, "primary")
			primary = b && err == nil
		}
	}
	switch {
	case value == nil:
		return "", 0, nil
	case primary:
		return *value, 3, nil
	case strings.EqualFold(kind, "work"):
		return *value, 2, nil
	case first:
		return *value, 1, nil
	}
	return "", 0, nil
}
