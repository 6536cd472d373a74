package scim

import "strings"

// maxPath caps the path of a PATCH operation.
const maxPath = 2048

// A path says what a PATCH operation is about (RFC 7644 3.5.2), as in
// name.givenName, members[value eq "x"] or emails[type eq "work"].value.
type path struct {
	attr, sub string  // lower case
	filter    *filter // nil: none
	// extension: it lies in another schema than the resource's own. None of
	// those is kept here.
	extension bool
}

func parsePath(s, schema string) (path, *Error) {
	bad := func() (path, *Error) {
		return path{}, refuse(ReasonInvalidPath, "path", "an attribute, with a filter or a sub-attribute or without", s)
	}
	if len(s) > maxPath {
		return bad()
	}
	in := &filterParser{rest: s, schema: schema}
	attr, ok := attribute(in.word(), schema)
	if !ok {
		return bad()
	}
	p := path{attr: attr}
	if strings.HasPrefix(attr, "urn:") {
		if strings.Contains(attr, ":core:") { // another version's or resource's schema, or its own misspelt
			return bad()
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
			return bad()
		}
	}
	if !simple(p.attr) {
		return bad()
	}
	return p, nil
}

func simple(attr string) bool { return attr != "" && !strings.ContainsAny(attr, ".:") }
