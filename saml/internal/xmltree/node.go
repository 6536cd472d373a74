package xmltree

import (
	"encoding/base64"
	"strings"
)

// Node is an element or a text in a document; the zero Node is none. Two Nodes are
// equal if they are the same node of the same document.
type Node struct {
	d *Doc
	i int32 // one more than the position
}

func (n Node) node() *node { return &n.d.nodes[n.i-1] }

// OK reports whether there is a node.
func (n Node) OK() bool { return n.d != nil }

// Doc returns the document of n.
func (n Node) Doc() *Doc { return n.d }

// Local returns the local name of an element.
func (n Node) Local() string { return n.d.str(n.node().str) }

// NS returns the namespace of an element's name.
func (n Node) NS() NS { return n.node().ns }

// Name returns an element's expanded name, for display.
func (n Node) Name() string { return "{" + n.d.URI(n.NS()) + "}" + n.Local() }

// Is reports whether n is an element of that name.
func (n Node) Is(ns NS, local string) bool {
	if n.d == nil {
		return false
	}
	m := n.node()
	return m.ns == ns && !m.isText && n.d.str(m.str) == local
}

// Parent returns the element around n, none for the root.
func (n Node) Parent() Node {
	if p := n.node().parent; p >= 0 {
		return n.d.at(p)
	}
	return Node{}
}

// First returns the first element in n, none for none.
func (n Node) First() Node {
	if n.d == nil {
		return Node{}
	}
	return n.d.element(n.i, n.node().end)
}

// Next returns the next element after n with the same parent, none for none.
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

// Child returns the first element of that name in n, or none.
func (n Node) Child(ns NS, local string) Node {
	c := n.First()
	for c.OK() && !c.Is(ns, local) {
		c = c.Next()
	}
	return c
}

// NextSame returns the next element after n with the same name and parent.
func (n Node) NextSame() Node {
	c := n.Next()
	for c.OK() && !c.Is(n.NS(), n.Local()) {
		c = c.Next()
	}
	return c
}

// Attrs returns the attributes in document order.
func (n Node) Attrs() []Attr {
	attrs := n.d.attrsOf(n.node())
	out := make([]Attr, len(attrs))
	for i, a := range attrs {
		out[i] = Attr{a.ns, n.d.str(a.local), n.d.str(a.value)}
	}
	return out
}

// Decls returns the namespaces that the element declares.
func (n Node) Decls() []Decl { return n.d.declsOf(n.node()) }

// Attr returns the value of an attribute without a namespace.
func (n Node) Attr(local string) (string, bool) { return n.AttrNS(None, local) }

// AttrNS returns the value of an attribute by its expanded name. The zero Node
// has no attributes.
func (n Node) AttrNS(ns NS, local string) (value string, ok bool) {
	if n.d == nil {
		return "", false
	}
	attrs := n.d.attrsOf(n.node())
	for i := range attrs {
		if a := &attrs[i]; a.ns == ns && n.d.str(a.local) == local {
			return n.d.str(a.value), true
		}
	}
	return "", false
}

// Text returns all text directly in n, joined.
func (n Node) Text() string {
	parts := make([]string, 0, 4)
	for i := n.i; i < n.node().end; i = n.d.nodes[i].end {
		if c := &n.d.nodes[i]; c.isText {
			parts = append(parts, n.d.str(c.str))
		}
	}
	return strings.Join(parts, "")
}

// Base64 decodes the text of n, which must be text alone: base64 with white
// space anywhere. Stray bits at the end are refused, so that one value has one
// spelling.
func (n Node) Base64() (value []byte, ok bool) {
	if n.First().OK() {
		return nil, false
	}
	text := n.Text()
	packed := make([]byte, 0, 1024) // on the stack
	if len(text) > cap(packed) {
		packed = make([]byte, 0, len(text))
	}
	for i := range len(text) {
		if class[text[i]]&isSpace == 0 {
			packed = append(packed, text[i])
		}
	}
	value, err := base64.StdEncoding.Strict().AppendDecode(nil, packed)
	return value, err == nil
}

// HasComment reports whether a comment was dropped from n or from an element in
// it, not counting those in except.
func (n Node) HasComment(except Node) bool {
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

// element returns the first element in a range of positions.
func (d *Doc) element(from, to int32) Node {
	for i := from; i < to; i++ {
		if !d.nodes[i].isText {
			return d.at(i)
		}
	}
	return Node{}
}
