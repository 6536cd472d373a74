package xmltree

import "strings"

// startTag reads a start tag or an empty-element tag (XML 1.0, 3.1).
func (r *reader) startTag() error {
	if err := r.count(); err != nil {
		return err
	}
	if len(r.open) >= r.limits.Depth {
		return limitError(r.pos, "elements are nested deeper than %d", r.limits.Depth)
	}
	d := r.d
	at := int32(len(d.nodes))
	parent := int32(-1)
	if len(r.open) > 0 {
		parent = r.top().at
	}
	from := r.pos
	r.pos++ // <
	prefix, local, name, err := r.qName()
	if err != nil {
		return err
	}
	d.nodes = append(d.nodes, node{
		str: local, parent: parent, attrs: span{from: int32(len(d.attrs))}, decls: span{from: int32(len(d.decls))},
	})
	r.open = append(r.open, open{at: at, undo: len(r.undo), name: name})
	empty, err := r.attributes()
	if err != nil {
		return err
	}
	n := &d.nodes[at]
	n.attrs.to, n.decls.to = int32(len(d.attrs)), int32(len(d.decls))
	n.prefix = r.prefix(prefix)
	if n.ns = r.scope[n.prefix]; n.ns == undeclared {
		return notDeclared(from+1, prefix)
	}
	if err := r.resolveAttributes(n); err != nil {
		return err
	}
	if err := r.checkElement(n); err != nil {
		return err
	}
	if empty {
		r.close()
	}
	return nil
}

// checkElement refuses a document with another root, or with too many elements that
// SAML does not define.
func (r *reader) checkElement(n *node) error {
	local := r.str(n.str)
	if want := r.limits.Root; n.parent < 0 && want.Local != "" && (n.ns != want.NS || local != want.Local) {
		return named(Root, r.d.nameOffset(n.prefix, n.str), "unexpected root element %s", "{"+r.d.URI(n.ns)+"}"+local)
	}
	if r.limits.Known == nil || r.limits.Known(n.ns, local) {
		return nil
	}
	if r.unknown++; r.unknown > r.limits.Unknown {
		at := r.d.nameOffset(n.prefix, n.str)
		return limitError(at, "more than %d elements that SAML does not define", r.limits.Unknown)
	}
	return nil
}

// endTag reads the end tag of the open element.
func (r *reader) endTag() error {
	from, name := r.pos, r.top().name
	r.pos += len("</")
	matches := strings.HasPrefix(r.s[r.pos:], name)
	if matches {
		r.pos += len(name)
		r.space()
		if r.pos >= len(r.s) {
			return r.endInTag()
		}
	}
	if !matches || r.s[r.pos] != '>' {
		return named(Syntax, from, "end tag does not match start tag %s", name)
	}
	r.pos++
	r.close()
	return nil
}

func (r *reader) close() {
	e := r.top()
	r.d.nodes[e.at].end = int32(len(r.d.nodes))
	for i := len(r.undo) - 1; i >= e.undo; i-- {
		r.scope[r.undo[i].Prefix] = r.undo[i].NS
	}
	r.undo = r.undo[:e.undo]
	r.open = r.open[:len(r.open)-1]
}

// qName reads a name with or without a prefix (Namespaces in XML, 4).
func (r *reader) qName() (prefix string, local piece, whole string, err error) {
	from := r.pos
	s := r.s[from:]
	n := ncName(s)
	if n > 0 && n < len(s) && s[n] == ':' {
		m := ncName(s[n+1:])
		if end := n + 1 + m; m > 0 && (end == len(s) || s[end] != ':') {
			r.pos += end
			return s[:n], piece{int32(from + n + 1), int32(m)}, s[:end], nil
		}
		n = 0
	}
	if n == 0 {
		return "", piece{}, "", syntax(from, "invalid name")
	}
	r.pos += n
	return "", piece{int32(from), int32(n)}, s[:n], nil
}

// attributes reads the rest of a start tag. Declarations come into scope;
// resolveAttributes resolves the prefixes of attributes afterwards.
func (r *reader) attributes() (empty bool, err error) {
	attrs, decls := len(r.d.attrs), len(r.d.decls)
	for {
		space := r.space()
		switch {
		case r.pos >= len(r.s):
			return false, r.endInTag()
		case r.s[r.pos] == '>':
			r.pos++
			return false, nil
		case r.s[r.pos] == '/' && r.pos+1 < len(r.s) && r.s[r.pos+1] == '>':
			r.pos += 2
			return true, nil
		case space == 0:
			return false, syntax(r.pos, "no white space before an attribute")
		}
		at := r.pos
		prefix, local, name, err := r.qName()
		if err != nil {
			return false, err
		}
		value, plain, err := r.attributeValue(at, name)
		if err != nil {
			return false, err
		}
		asIs, end := false, int32(0) // canonical XML writes name="value" unchanged
		if plain && int(value.off) == at+len(name)+len(`="`) && r.s[value.off-1] == '"' {
			asIs, end = true, int32(r.pos)
		}
		switch {
		case prefix == "xmlns":
			err = r.declare(at, decls, r.str(local), r.str(value), end)
		case prefix == "" && r.str(local) == "xmlns":
			err = r.declare(at, decls, "", r.str(value), end)
		default:
			r.d.attrs = append(r.d.attrs, attr{
				prefix: r.prefix(prefix), local: local, value: value, plain: plain, asIs: asIs,
			})
			if len(r.d.attrs)-attrs > r.limits.Attributes {
				err = limitError(at, "more than %d attributes in one element", r.limits.Attributes)
			} else if len(r.d.attrs) > r.limits.Total {
				err = limitError(at, "more than %d attributes in all", r.limits.Total)
			}
		}
		if err != nil {
			return false, err
		}
	}
}

// attributeValue reads XML 1.0, 3.1 and 3.3.3. name is the attribute's, at byte at.
func (r *reader) attributeValue(at int, name string) (value piece, plain bool, err error) {
	r.space()
	if r.pos >= len(r.s) || r.s[r.pos] != '=' {
		return piece{}, false, named(Syntax, at, "attribute %s has no value", name)
	}
	r.pos++
	r.space()
	if r.pos >= len(r.s) || r.s[r.pos] != '"' && r.s[r.pos] != '\'' {
		return piece{}, false, named(Syntax, at, "value of attribute %s is not quoted", name)
	}
	s, from := r.s, r.pos+1
	quote := s[r.pos]
	plain, literal := true, true
	for i := from; i < len(s); i++ {
		c := s[i]
		if class[c]&isOddValue == 0 {
			continue
		}
		switch {
		case c == quote:
			r.pos = i + 1
			value = piece{int32(from), int32(i - from)}
			if literal {
				return value, plain, nil
			}
			value, err = r.expand(value, true)
			return value, false, err
		case c == '<':
			return piece{}, false, named(Syntax, i, `"<" in the value of attribute %s`, name)
		case c == '"':
			plain = false
		case c == '\'':
		case c == '&', c == '\t', c == '\n':
			plain, literal = false, false
		case !charAt(s, i):
			return piece{}, false, invalidChar(i, s, i)
		}
	}
	return piece{}, false, named(Syntax, at, "value of attribute %s is not terminated", name)
}
