package xmltree

import "strings"

// Node is an element or a text in a document; the zero Node is none. Two Nodes
// are equal if they are the same place of the same document.
type Node struct {
	d *Doc
	i int32 // one more than the position
}

func (n Node) node() *node { return &n.d.nodes[n.i-1] }

// OK reports whether there is a node.
func (n Node) OK() bool { return n.d != nil }

// Doc is the document that it stands in.
func (n Node) Doc() *Doc { return n.d }

// Pos is its position in document order.
func (n Node) Pos() int { return int(n.i) - 1 }

// End is the position after everything in it.
func (n Node) End() int { return int(n.node().end) }

// IsText tells a text from an element.
func (n Node) IsText() bool { return n.node().isText }

// Plain reports whether canonical XML writes a text as it is. False says
// nothing.
func (n Node) Plain() bool { return n.node().plain }

// String is a text's text, or an element's local name.
func (n Node) String() string { return n.d.str(n.node().str) }

// Local is the local name of an element.
func (n Node) Local() string { return n.d.str(n.node().str) }

// Prefix is the prefix of an element's name.
func (n Node) Prefix() Prefix { return n.node().prefix }

// NS is the namespace of an element's name.
func (n Node) NS() NS { return n.node().ns }

// QName is the name of an element as it is written, with its prefix.
func (n Node) QName() string {
	m := n.node()
	return n.d.qName(m.prefix, m.str)
}

// Name is an element's expanded name, for a person to read.
func (n Node) Name() string { return "{" + n.d.URI(n.NS()) + "}" + n.Local() }

// Is reports whether n is an element of that name.
func (n Node) Is(ns NS, local string) bool {
	if n.d == nil {
		return false
	}
	m := n.node()
	return m.ns == ns && !m.isText && n.d.str(m.str) == local
}

// Parent is the element around n; none around the root.
func (n Node) Parent() Node {
	if p := n.node().parent; p >= 0 {
		return n.d.at(p)
	}
	return Node{}
}

// First is the first element in n; none in none.
func (n Node) First() Node {
	if n.d == nil {
		return Node{}
	}
	return n.d.element(n.i, n.node().end)
}

// Next is the next element after n with the same parent; none after none.
func (n Node) Next() Node {
	if n.d == nil {
		return Node{}
	}
	m := n.node()
	if m.parent < 0 {
		return Node{}
	}
	return n.d.element(m.end, n.d.nodes[m.parent].end)
}

// Child is the first element of that name in n; none if there is none.
func (n Node) Child(ns NS, local string) Node {
	c := n.First()
	for c.OK() && !c.Is(ns, local) {
		c = c.Next()
	}
	return c
}

// Again is the next element after n of the same name with the same parent.
func (n Node) Again() Node {
	c := n.Next()
	for c.OK() && !c.Is(n.NS(), n.Local()) {
		c = c.Next()
	}
	return c
}

// Len is how many attributes an element has.
func (n Node) Len() int { s := n.node().attrs; return int(s.to - s.from) }

// AttrAt is one of them, in the order in which they stand.
func (n Node) AttrAt(i int) Attr {
	a := &n.d.attrs[int(n.node().attrs.from)+i]
	return Attr{a.prefix, a.ns, n.d.str(a.local), n.d.qName(a.prefix, a.local), n.d.str(a.value), a.plain}
}

// AttrName is the prefix and the namespace of one of them.
func (n Node) AttrName(i int) (Prefix, NS) {
	a := &n.d.attrs[int(n.node().attrs.from)+i]
	return a.prefix, a.ns
}

// AttrSource is name="value" of one of them as it is written, if canonical XML
// writes the very same.
func (n Node) AttrSource(i int) (string, bool) {
	a := &n.d.attrs[int(n.node().attrs.from)+i]
	if !a.asIs {
		return "", false
	}
	return n.d.src[n.d.nameOffset(a.prefix, a.local) : a.value.off+a.value.len+1], true
}

// Attrs are all of them.
func (n Node) Attrs() []Attr {
	out := make([]Attr, n.Len())
	for i := range out {
		out[i] = n.AttrAt(i)
	}
	return out
}

// Decls are the namespaces that the element declares.
func (n Node) Decls() []Decl { s := n.node().decls; return n.d.decls[s.from:s.to] }

// DeclSource is xmlns:prefix="URI" as n declares it, if it does and canonical XML
// writes the very same.
func (n Node) DeclSource(prefix Prefix) (string, bool) {
	for _, decl := range n.Decls() {
		if decl.Prefix != prefix {
			continue
		}
		if decl.end == 0 {
			return "", false
		}
		size := len(`xmlns=""`) + len(n.d.URI(decl.NS))
		if prefix != DefaultPrefix {
			size += len(":") + len(n.d.PrefixText(prefix))
		}
		return n.d.src[int(decl.end)-size : decl.end], true
	}
	return "", false
}

// Attr gives an attribute without a namespace.
func (n Node) Attr(local string) (string, bool) { return n.AttrNS(None, local) }

// AttrNS gives an attribute by its expanded name; none has none.
func (n Node) AttrNS(ns NS, local string) (string, bool) {
	if n.d == nil {
		return "", false
	}
	s := n.node().attrs
	for i := s.from; i < s.to; i++ {
		if a := &n.d.attrs[i]; a.ns == ns && n.d.str(a.local) == local {
			return n.d.str(a.value), true
		}
	}
	return "", false
}

// Text is all text directly in n, joined.
func (n Node) Text() string {
	m := n.node()
	var one string
	var more *strings.Builder
	for i := n.i; i < m.end; i = n.d.nodes[i].end {
		c := &n.d.nodes[i]
		switch {
		case !c.isText:
		case one == "":
			one = n.d.str(c.str)
		default:
			if more == nil {
				more = new(strings.Builder)
				more.WriteString(one)
			}
			more.WriteString(n.d.str(c.str))
		}
	}
	if more != nil {
		return more.String()
	}
	return one
}

// HasComment reports whether a comment was dropped from n or from an element in
// it, but for those in except. One directly before or after n is not in n.
func (n Node) HasComment(except Node) bool {
	if !n.d.comments {
		return false
	}
	for i := n.i - 1; i < n.node().end; {
		switch {
		case n.d.at(i) == except:
			i = n.d.nodes[i].end
			continue
		case n.d.nodes[i].comment:
			return true
		}
		i++
	}
	return false
}

// Walk calls f for n, if it is an element, and for every element in it, in
// document order.
func (n Node) Walk(f func(Node)) {
	for i, end := n.i-1, n.node().end; i < end; i++ {
		if !n.d.nodes[i].isText {
			f(n.d.at(i))
		}
	}
}

// element finds the first element from a position on, passing over texts.
func (d *Doc) element(from, to int32) Node {
	for i := from; i < to; i++ {
		if !d.nodes[i].isText {
			return d.at(i)
		}
	}
	return Node{}
}
