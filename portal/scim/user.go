package scim

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// notKept are the attributes of the core User schema (RFC 7643 4.1) that the
// instance has no place for. A client that sends them is not refused, for the
// sake of those that are kept.
var notKept = []string{"nickname", "profileurl", "title", "usertype", "preferredlanguage", "locale", "timezone",
	"password", "phonenumbers", "ims", "photos", "addresses", "entitlements", "roles", "x509certificates"}

// setUser does one assignment to a user.
func setUser(u *center.User, a assignment) *Error {
	if a.path.extension || slices.Contains(notKept, a.path.attr) {
		return nil
	}
	if a.path.attr == "emails" {
		return setEmail(u, a)
	}
	if a.path.filter != nil {
		return refuse(ReasonInvalidPath, "path", "no filter on this attribute", a.path.attr)
	}
	if a.path.attr == "name" {
		return setName(u, a)
	}
	if a.path.sub != "" {
		return unknown(a)
	}
	switch a.path.attr {
	case "username":
		return setText(&u.UserName, a, true)
	case "displayname":
		return setLabel(&u.DisplayName, a)
	case "externalid":
		return setText(&u.ExternalID, a, false)
	case "active":
		return setActive(u, a)
	case "id":
		return checkID(u.ID, a)
	case "groups", "meta", "schemas":
		return readOnly(a)
	}
	return unknown(a)
}

// unknown is about an attribute that no schema here has.
func unknown(a assignment) *Error {
	if !a.named {
		return nil
	}
	return refuse(ReasonInvalidPath, "path", "an attribute of the schema", strings.TrimSuffix(a.path.attr+"."+a.path.sub, "."))
}

// readOnly is about an attribute that the client may send back but not change.
func readOnly(a assignment) *Error {
	if !a.named {
		return nil
	}
	return refuse(ReasonMutability, "path", "an attribute that is not read-only", a.path.attr)
}

// checkID lets a client repeat the ID, which Okta does, and refuses another.
func checkID(id string, a assignment) *Error {
	got, err := text(a.raw, "id")
	if err != nil {
		return err
	}
	if a.verb == remove || (got != id && id != "" && got != "") {
		return refuse(ReasonMutability, "id", "no change", got)
	}
	return nil
}

// setText assigns a string that is kept exactly as it came.
func setText(to *string, a assignment, required bool) *Error {
	if a.verb == remove {
		if required { // RFC 7644 3.5.2.2
			return refuse(ReasonMutability, a.path.attr, "to stay: it is required", "")
		}
		*to = ""
		return nil
	}
	s, err := text(a.raw, a.path.attr)
	if err != nil {
		return err
	}
	if s == "" && required {
		return refuse(ReasonInvalidValue, a.path.attr, "a value: it is required", "")
	}
	*to = s
	return nil
}

// setLabel assigns a string that people read. Directories are full of names
// with a space at the end, which is no reason to turn a person away.
func setLabel(to *string, a assignment) *Error {
	if err := setText(to, a, false); err != nil {
		return err
	}
	*to = strings.TrimSpace(*to)
	return nil
}

// setActive never guesses: what has no value, or another than true and false,
// neither lets in nor locks out.
func setActive(u *center.User, a assignment) *Error {
	if a.verb == remove || isNull(a.raw) {
		if !a.named {
			return nil
		}
		return refuse(ReasonMutability, "active", "true or false", "")
	}
	b, err := truth(a.raw, "active")
	if err == nil {
		u.Active = b
	}
	return err
}

// setName assigns to name or to a part of it. Only two parts are kept.
func setName(u *center.User, a assignment) *Error {
	switch a.path.sub {
	case "givenname":
		return setLabel(&u.GivenName, a)
	case "familyname":
		return setLabel(&u.FamilyName, a)
	case "formatted", "middlename", "honorificprefix", "honorificsuffix":
		return nil
	case "":
	default:
		return unknown(a)
	}
	if a.verb == remove || isNull(a.raw) {
		u.GivenName, u.FamilyName = "", ""
		return nil
	}
	fields, err := object(a.raw, "name")
	if err != nil {
		return refuse(ReasonInvalidValue, "name", "an object", "")
	}
	for _, f := range fields {
		sub := assignment{verb: a.verb, path: path{attr: "name", sub: strings.ToLower(f.name)}, raw: f.raw}
		if sub.path.sub == "" {
			continue
		}
		if err := setName(u, sub); err != nil {
			return err
		}
	}
	return nil
}

// email is one value of emails.
type email struct {
	Value   *string `json:"value"`
	Type    string  `json:"type"`
	Primary any     `json:"primary"`
}

// isPrimary says whether the client calls it the preferred one.
func (e email) isPrimary() bool {
	switch p := e.Primary.(type) {
	case bool:
		return p
	case string:
		b, _ := boolean(p)
		return b
	}
	return false
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
// other type is not kept.
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
	if a.verb == add && u.Email != "" && rank < 2 {
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
