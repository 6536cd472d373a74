package scim

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// email is one value of emails.
type email struct {
	Value *string
	Type  string
	// Primary stays raw: decoded, a list of empty values takes many times its size.
	Primary json.RawMessage
}

// setEmail assigns to emails. The instance keeps one address, shown as the primary
// one of type "work".
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
		case !f.mayBeKept(true):
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

// keptEmail returns a sub-attribute of the address that is kept. A missing address
// has its type already, because Entra ID adds one with the path
// emails[type eq "work"].value.
func keptEmail(address, attr string) any {
	if address == "" && attr != "emails.value" {
		address = "none"
	}
	return userAttributes[attr].value(center.User{Email: address})
}

// mayBeKept reports whether some value of the kept address makes the filter's
// result out.
func (f *filter) mayBeKept(out bool) bool {
	may := func(arg *filter) bool { return arg.mayBeKept(out) }
	switch {
	case f.op == opNot:
		return f.args[0].mayBeKept(!out)
	case f.op == opAnd && out, f.op == opOr && !out:
		return !slices.ContainsFunc(f.args, func(arg *filter) bool { return !may(arg) })
	case f.op == opAnd, f.op == opOr:
		return slices.ContainsFunc(f.args, may)
	}
	return f.attr == "emails.value" || f.holds(keptEmail("", f.attr)) == out
}

// setEmails assigns a list. The primary address is kept, else the first of type
// "work", else the first. Added to an address, the last kind is not kept unless a
// filter selects the address.
func setEmails(u *center.User, a assignment) *Error {
	list, err := emails(a.raw, a.from)
	if err != nil {
		return err
	}
	best, rank := "", 0
	for i, e := range list {
		r := 0
		switch primary, err := truth(e.Primary, "primary"); {
		case e.Value == nil:
		case err == nil && primary:
			r = 3
		case strings.EqualFold(e.Type, "work"):
			r = 2
		case i == 0:
			r = 1
		}
		if r > rank {
			best, rank = *e.Value, r
		}
	}
	if a.verb == add && a.path.filter == nil && u.Email != "" && rank < 2 {
		return nil
	}
	u.Email = strings.TrimSpace(best)
	return nil
}

const maxEmails = 100 // in a list

// emails parses a list of emails, or a single one.
func emails(raw json.RawMessage, from source) ([]email, *Error) {
	each := []json.RawMessage{raw}
	if len(raw) > 0 && raw[0] == '[' {
		var err *Error
		if each, err = elements(raw, maxEmails, "emails"); err != nil {
			return nil, err
		}
	}
	out := make([]email, len(each))
	for i, one := range each {
		if err := out[i].parse(one, from); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (e *email) parse(raw json.RawMessage, from source) *Error {
	if isNull(raw) {
		return nil
	}
	bad := refuse(ReasonInvalidValue, "emails", "a list of objects with value", "")
	fields, err := object(raw, maxFields, "email")
	if err != nil {
		return bad
	}
	for _, f := range fields {
		sub, ok := attribute(f.name, "")
		switch {
		case !ok || !simple(sub):
			return unread(from, "emails."+f.name)
		case sub == "value" && json.Unmarshal(f.raw, &e.Value) != nil, sub == "type" && json.Unmarshal(f.raw, &e.Type) != nil:
			return bad
		case sub == "primary":
			e.Primary = f.raw
		}
	}
	return nil
}
