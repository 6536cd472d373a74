package scim

import (
	"slices"

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
		return unread(a.from, a.path.attr+"[…]")
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

// setActive never guesses: what has no value, or another than true and false,
// neither lets in nor locks out.
func setActive(u *center.User, a assignment) *Error {
	switch {
	case a.verb == remove:
		return refuse(ReasonMutability, "active", "true or false", "")
	case isNull(a.raw) && a.from == inResource:
		return nil
	case isNull(a.raw):
		return refuse(ReasonInvalidValue, "active", "true or false", "null")
	}
	b, err := truth(a.raw, "active")
	if err == nil {
		u.Inactive = !b
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
	fields, err := object(a.raw, maxNameFields, "name")
	if err != nil {
		return refuse(ReasonInvalidValue, "name", "an object of at most 100 attributes", "")
	}
	for _, f := range fields {
		sub, ok := attribute(f.name, "")
		if !ok || !simple(sub) {
			return unread(a.from, "name."+f.name)
		}
		if a.from == inPath {
			a.from = inValue // the part is listed
		}
		if err := setName(u, assignment{a.verb, path{attr: "name", sub: sub}, f.raw, a.from}); err != nil {
			return err
		}
	}
	return nil
}
