package scim

import "strings"

// maxPath caps the path of a PATCH operation.
const maxPath = 2048

// A path says what a PATCH operation is about (RFC 7644 3.5.2), as in
// name.givenName, members[value eq "x"] or emails[type eq "work"].value.
type path struct {
	attr, sub string // lower case
	filter    []term // nil: none
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
	head, rest, filtered := strings.Cut(s, "[")
	attr, ok := attribute(head, schema)
	if !ok || attr == strings.ToLower(schema) {
		return bad()
	}
	p := path{attr: attr}
	if strings.HasPrefix(attr, "urn:") {
		p.extension = true
		return p, nil
	}
	if !filtered {
		p.attr, p.sub, filtered = strings.Cut(attr, ".")
		if p.attr == "" || (filtered && !simple(p.sub)) {
			return bad()
		}
		return p, nil
	}
	end := strings.LastIndexByte(rest, ']')
	if end < 0 || !simple(attr) {
		return bad()
	}
	if tail := rest[end+1:]; tail != "" {
		if p.sub, ok = attribute(strings.TrimPrefix(tail, "."), ""); !ok || tail[0] != '.' || !simple(p.sub) {
			return bad()
		}
	}
	var err *Error
	if p.filter, err = parseFilter(rest[:end], ""); err != nil {
		return path{}, err
	}
	return p, nil
}

func simple(attr string) bool { return attr != "" && !strings.ContainsAny(attr, ".:") }
