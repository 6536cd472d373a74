package scim

import "strings"

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
