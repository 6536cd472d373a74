package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

const maxPath = 2048 // bytes of the path of a PATCH operation

// A path is the target of a PATCH operation (RFC 7644 3.5.2), such as name.givenName, members[value eq "x"] or
// emails[type eq "work"].value.
type path struct {
	attr, sub string  // lower case
	filter    *filter // nil: none
	// extension: the attribute belongs to another schema, of which none is kept.
	extension bool
}

func parsePath(s, schema string) (path, *Error) {
	bad := refuse(ReasonInvalidPath, "path", "an attribute, with a filter or a sub-attribute or without", s)
	if len(s) > maxPath {
		return path{}, bad
	}
	in := &filterParser{rest: s, schema: schema}
	attr, ok := attribute(in.word(), schema)
	if !ok {
		return path{}, bad
	}
	p := path{attr: attr}
	if strings.HasPrefix(attr, "urn:") {
		if strings.Contains(attr, ":core:") { // another version or resource type, or misspelt
			return path{}, bad
		}
		p.extension = true
		return p, nil
	}
	tail := in.rest
	if strings.HasPrefix(tail, "[") {
		var err *Error
		if p.filter, err = in.enclosed(0, true, ']'); err != nil {
			return path{}, err
		}
		tail = in.rest
	} else if head, sub, dotted := strings.Cut(attr, "."); dotted && tail == "" {
		p.attr, tail = head, "."+sub
	}
	if tail != "" {
		if p.sub, ok = attribute(tail[1:], ""); !ok || tail[0] != '.' || !simple(p.sub) {
			return path{}, bad
		}
	}
	if !simple(p.attr) {
		return path{}, bad
	}
	return p, nil
}

func simple(attr string) bool { return attr != "" && !strings.ContainsAny(attr, ".:") }

// The attributes that identify users or control access, and the other kept attributes without sub-attributes.
var (
	accessNames = []string{"username", "active", "members"}
	plainNames  = []string{"id", "externalid", "displayname"}
)

// significant reports whether a path is one of these. Only members has sub-attributes and accepts a filter.
func significant(p path) bool {
	return slices.Contains(accessNames, p.attr) || slices.Contains(plainNames, p.attr)
}

// resembles reports whether an unknown path may be a misspelling of a kept one, as user_name, act.ive, isActive, member
// and user.active are. Otherwise it would be dropped, and the response would report success.
func resembles(p path) bool {
	attr, sub, both := letters(p.attr), letters(p.sub), letters(p.attr+p.sub)
	return slices.ContainsFunc(accessNames, func(name string) bool {
		name = letters(name)
		return name == attr || name == sub || name == both
	}) || slices.ContainsFunc(plainNames[1:], func(name string) bool { return name == attr || name == both }) ||
		strings.HasSuffix(attr, "active") || strings.HasSuffix(attr, "member")
}

// wraps reports whether the value of an unknown attribute is an object with one of accessNames, as
// {"user":{"active":false}} is.
func wraps(raw json.RawMessage) bool {
	fields, err := object(raw, maxFields, "attribute")
	return err == nil && slices.ContainsFunc(fields, func(f field) bool {
		name := letters(strings.ToLower(f.name))
		return slices.ContainsFunc(accessNames, func(known string) bool { return letters(known) == name })
	})
}

// letters returns the letters of a lower-case name, without a final s.
func letters(s string) string {
	return strings.TrimSuffix(strings.Map(func(c rune) rune {
		if c < 'a' || c > 'z' {
			return -1
		}
		return c
	}, s), "s")
}
