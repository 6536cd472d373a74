package scim

import (
	"encoding/json"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// email is one value of emails.
type email struct {
	Value *string `json:"value"`
	Type  string  `json:"type"`
	// Primary is not decoded into just anything: a list of nothings would
	// become many times its size.
	Primary json.RawMessage `json:"primary"`
}

// isPrimary says whether the client calls it the preferred one.
func (e email) isPrimary() bool {
	b, err := truth(e.Primary, "primary")
	return err == nil && b
}

// setEmail assigns to emails. The instance keeps one address, shown as the
// primary one, of type "work".
func setEmail(u *center.User, a assignment) *Error {
	switch a.path.sub {
	case "", "value":
	case "type", "primary", "display", "$ref":
		return nil
	default:
		return unknown(a)
	}
	if a.path.filter != nil {
		kept, ok, err := keptEmail(u.Email, a.path.filter)
		if err != nil {
			return err
		}
		if !kept {
			return nil // of another type, which is not kept
		}
		if !ok { // no address is like this
			if a.verb == remove {
				return nil
			}
			return refuse(ReasonNoTarget, "path", "a filter that some email matches", "")
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

// keptEmail says whether a filter can be about the address that is kept, and
// whether it matches it. One that is still missing matches by type, as Entra
// ID adds an address with the path emails[type eq "work"].value.
func keptEmail(address string, filter []term) (kept, matches bool, err *Error) {
	kept, matches = true, true
	for _, t := range filter {
		s, isText := t.value.(string)
		switch t.attr {
		case "type":
			kept = kept && isText && strings.EqualFold(s, "work")
		case "primary":
			b, isBool := t.value.(bool)
			if isText {
				b, isBool = boolean(s)
			}
			kept = kept && isBool && b
		case "value":
			matches = matches && isText && address != "" && fold(s) == fold(address)
		default:
			return false, false, refuse(ReasonInvalidFilter, "filter on emails", "type, primary or value", t.attr)
		}
	}
	return kept, matches, nil
}

// setEmails assigns a list: the primary one is kept, else the first of type
// "work", else the first. Added to an address that is there, the first of any
// other type is not kept, unless a filter says that it is about the one that is.
func setEmails(u *center.User, a assignment) *Error {
	list, err := emails(a.raw)
	if err != nil {
		return err
	}
	best, rank := "", 0
	for i, e := range list {
		r := 0
		switch {
		case e.Value == nil:
		case e.isPrimary():
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

// maxEmails caps the list that one address is chosen from.
const maxEmails = 100

// emails reads a list of them, or one for a list of one.
func emails(raw json.RawMessage) ([]email, *Error) {
	each := []json.RawMessage{raw}
	if len(raw) > 0 && raw[0] == '[' {
		var err *Error
		if each, err = elements(raw, maxEmails, "emails"); err != nil {
			return nil, err
		}
	}
	out := make([]email, len(each))
	for i, one := range each {
		if json.Unmarshal(one, &out[i]) != nil {
			return nil, refuse(ReasonInvalidValue, "emails", "a list of objects with value", "")
		}
	}
	return out, nil
}
