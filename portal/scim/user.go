package scim

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// notKept lists the attributes of the core User schema (RFC 7643 4.1) that the instance doesn't keep. They are
// accepted and dropped.
var notKept = []string{"nickname", "profileurl", "title", "usertype", "preferredlanguage", "locale", "timezone",
	"password", "phonenumbers", "ims", "photos", "addresses", "entitlements", "roles", "x509certificates"}

// setUser makes one assignment to a user.
func setUser(u *center.User, a assignment) *Error {
	switch attr := a.path.attr; {
	case a.path.extension || slices.Contains(notKept, attr):
		return nil
	case attr == "emails":
		return setEmail(u, a)
	case a.path.filter != nil:
		return unknownAttribute(a.from, attr+"[…]")
	case attr == "name":
		return setName(u, a)
	case a.path.sub != "":
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

// setActive accepts only true and false. Any other value is refused, so it neither grants nor ends access.
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

// setName assigns to name or to a part of it. Two parts are kept.
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
			return unknownAttribute(a.from, "name."+f.name)
		}
		if a.from == inPath {
			a.from = inValue // the part has an assignment of its own
		}
		if err := setName(u, assignment{a.verb, path{attr: "name", sub: sub}, f.raw, a.from}); err != nil {
			return err
		}
	}
	return nil
}
