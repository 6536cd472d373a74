package xmltree

import "strings"

// prefix numbers a prefix, as undeclared if it is new.
func (r *reader) prefix(text string) Prefix {
	if text == "" {
		return DefaultPrefix
	}
	p := r.d.prefixes.number(text)
	for len(r.scope) <= int(p) {
		r.scope = append(r.scope, undeclared)
	}
	return Prefix(p)
}

// declare puts a declaration at byte at into scope, by the constraints of Namespaces
// in XML 3 and 5. from is where the element's declarations begin; end is the end of
// the declaration if canonical XML writes it unchanged, else 0. A relative URI is
// refused: it has no canonical form (Canonical XML 1.0, 1.3), and other
// implementations then signed nothing at all.
func (r *reader) declare(at, from int, prefix, uri string, end int32) error {
	d := r.d
	known, ok := d.uris.find(uri)
	switch {
	case prefix == "xmlns", !ok && uri == nsXMLNS, (prefix == "xml") != (ok && NS(known) == XML):
		return badDeclaration(at, prefix, "is reserved")
	case uri == "" && prefix != "":
		return badDeclaration(at, prefix, "is empty")
	case len(uri) > maxURI:
		return limitError(at, "namespace name is longer than %d bytes", maxURI)
	case !ok && !isURI(uri):
		return badDeclaration(at, prefix, "is not a URI")
	case !ok && !isAbsolute(uri):
		return badDeclaration(at, prefix, "is a relative URI")
	case !ok:
		known = d.uris.number(uri)
	}
	ns := NS(known)
	p := r.prefix(prefix)
	for _, have := range d.decls[from:] {
		if have.Prefix == p {
			return badDeclaration(at, prefix, "is declared twice in one element")
		}
	}
	d.decls = append(d.decls, Decl{p, ns, end})
	switch {
	case len(d.decls)-from > r.limits.Namespaces:
		return limitError(at, "more than %d namespace declarations in one element", r.limits.Namespaces)
	case len(d.decls) > r.limits.Total:
		return limitError(at, "more than %d namespace declarations in all", r.limits.Total)
	}
	r.undo = append(r.undo, Decl{Prefix: p, NS: r.scope[p]})
	r.scope[p] = ns
	return nil
}

func badDeclaration(at int, prefix, problem string) error {
	if prefix == "" {
		return syntax(at, "default namespace "+problem)
	}
	return named(Syntax, at, "namespace of prefix %s "+problem, prefix)
}

// maxURI bounds a namespace's name, because canonical XML can write it again for
// every element.
const maxURI = 512

// isURI reports whether a text has only characters of a URI (RFC 3986, 2), which
// every canonicaliser writes in the same way.
func isURI(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

func notDeclared(at int, prefix string) error {
	return named(Syntax, at, "prefix %s is not declared", prefix)
}

// resolveAttributes sets the namespaces of an element's attributes, and refuses
// two with the same expanded name (Namespaces in XML, 6.3). An element has few
// attributes, so they are compared in pairs.
func (r *reader) resolveAttributes(n *node) error {
	attrs := r.d.attrs[n.attrs.from:n.attrs.to]
	for i := range attrs {
		a := &attrs[i]
		if a.prefix != DefaultPrefix { // no prefix means no namespace (6.2)
			if a.ns = r.scope[a.prefix]; a.ns == undeclared {
				return notDeclared(r.d.nameOffset(a.prefix, a.local), r.d.prefixes.all[a.prefix])
			}
		}
		local := r.str(a.local)
		for j := range i {
			if attrs[j].ns == a.ns && r.str(attrs[j].local) == local {
				name := r.d.qName(a.prefix, a.local)
				return named(Syntax, r.d.nameOffset(a.prefix, a.local), "duplicate attribute %s", name)
			}
		}
		if err := r.checkID(n, a); err != nil {
			return err
		}
	}
	return nil
}

// isAbsolute reports whether a URI begins with a scheme (RFC 3986 3.1).
func isAbsolute(uri string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	scheme, _, ok := strings.Cut(uri, ":")
	return ok && strings.IndexAny(scheme, letters) == 0 && strings.Trim(scheme, letters+"0123456789+-.") == ""
}
