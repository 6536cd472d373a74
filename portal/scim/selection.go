package scim

import "strings"

// A selection is what a client wants to see of each resource (RFC 7644 3.9).
type selection struct{ only, except map[string]bool }

// names reads one of the two parameters. Names that nothing has do nothing.
func names(list string) map[string]bool {
	if list == "" {
		return nil
	}
	out := map[string]bool{}
	for n := range strings.SplitSeq(list, ",") {
		n = strings.ToLower(strings.TrimSpace(n))
		for _, schema := range []string{schemaUser, schemaGroup} {
			n = strings.TrimPrefix(n, strings.ToLower(schema)+":")
		}
		out[n] = true
		if top, _, found := strings.Cut(n, "."); found {
			out[top+"."] = true // some part of it
		}
	}
	return out
}

// wants says whether any of an attribute will be shown. id and schemas always
// are (RFC 7643 7, returned "always").
func (p selection) wants(name string) bool {
	name = strings.ToLower(name)
	if name == "id" || name == "schemas" {
		return true
	}
	return !p.except[name] && (p.only == nil || p.only[name] || p.only[name+"."])
}

// of takes out of r what isn't wanted.
func (p selection) of(r resource) resource {
	if p.only == nil && p.except == nil {
		return r
	}
	for name, v := range r {
		if !p.wants(name) {
			delete(r, name)
			continue
		}
		switch v := v.(type) {
		case resource:
			p.parts(name, v)
		case []resource:
			for _, one := range v {
				p.parts(name, one)
			}
		}
	}
	return r
}

// parts takes sub-attributes that aren't wanted out of a complex value.
func (p selection) parts(name string, v resource) {
	for sub := range v {
		if !p.wantsPart(name, sub) {
			delete(v, sub)
		}
	}
}

// wantsPart says whether a sub-attribute of a wanted attribute will be shown.
func (p selection) wantsPart(name, sub string) bool {
	name = strings.ToLower(name)
	full := name + "." + strings.ToLower(sub)
	return !p.except[full] && (p.only == nil || p.only[name] || p.only[full])
}
