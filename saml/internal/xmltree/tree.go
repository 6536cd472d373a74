package xmltree

import "strings"

// NS is a namespace, as a number within one document. The ones that SAML uses
// have the same number in every document.
type NS int32

// The namespaces that have a fixed number.
const (
	None NS = iota
	XML
	Assertion
	Protocol
	Signature
	Encryption
	Encryption11
	ExclusiveC14N
	XSI
	Metadata
	firstFree
)

var fixed = [firstFree]string{
	None:          "",
	XML:           "http://www.w3.org/XML/1998/namespace",
	Assertion:     "urn:oasis:names:tc:SAML:2.0:assertion",
	Protocol:      "urn:oasis:names:tc:SAML:2.0:protocol",
	Signature:     "http://www.w3.org/2000/09/xmldsig#",
	Encryption:    "http://www.w3.org/2001/04/xmlenc#",
	Encryption11:  "http://www.w3.org/2009/xmlenc11#",
	ExclusiveC14N: "http://www.w3.org/2001/10/xml-exc-c14n#",
	XSI:           "http://www.w3.org/2001/XMLSchema-instance",
	Metadata:      "urn:oasis:names:tc:SAML:2.0:metadata",
}

const nsXMLNS = "http://www.w3.org/2000/xmlns/"

// Prefix is a namespace prefix, as a number within one document.
type Prefix int32

// The prefixes that every document has: none, and xml.
const (
	DefaultPrefix Prefix = iota
	XMLPrefix
)

// Doc is a document that was read. It never changes.
//
// What there can be many of holds no pointers, but places in two strings: the
// garbage collector then has nothing to look through.
type Doc struct {
	src      string // the document, with its line ends normalised
	extra    string // what references stood in, with what they stand for
	nodes    []node // document order; an element stands before what is in it
	attrs    []attr
	decls    []Decl
	uris     names // NS -> URI
	prefixes names // Prefix -> text
	ids      idSet
	context  []Decl // in scope around the root, for a fragment
	outer    *Doc   // around a fragment

	room struct { // for a document of the usual kind, so that it takes few allocations
		decls    [16]Decl
		uris     [firstFree + 6]string
		prefixes [8]string
	}
}

// node is an element or a text.
type node struct {
	str    piece // an element's local name; a text
	prefix Prefix
	ns     NS
	parent int32
	end    int32 // the position after everything in it
	attrs  span
	decls  span
	isText bool
	plain  bool // a text that canonical XML writes as it is
}

type span struct{ from, to int32 }

// piece is a part of Doc.src, or of Doc.extra where off is below 0.
type piece struct{ off, len int32 }

// in tells where in extra a piece is, if it is there.
func (p piece) in() (at int32, extra bool) { return ^p.off, p.off < 0 }

func (d *Doc) str(p piece) string {
	if at, extra := p.in(); extra {
		return d.extra[at : at+p.len]
	}
	return d.src[p.off : p.off+p.len]
}

type attr struct {
	prefix Prefix
	ns     NS
	local  piece
	value  piece
	plain  bool
}

// Attr is an attribute that isn't a namespace declaration.
type Attr struct {
	Prefix Prefix
	NS     NS // None where there is no prefix
	Local  string
	QName  string // as it is written, with its prefix
	Value  string // normalised
	Plain  bool   // canonical XML writes the value as it is
}

// Decl is a namespace declaration.
type Decl struct {
	Prefix Prefix
	NS     NS
}

// Node is an element or a text in a document; the zero Node is none. Two Nodes
// are equal if they are the same place of the same document.
type Node struct {
	d *Doc
	i int32 // one more than the position
}

func (d *Doc) at(i int32) Node { return Node{d, i + 1} }

// Root is the document's element.
func (d *Doc) Root() Node { return d.at(0) }

// URI is the text of a namespace.
func (d *Doc) URI(ns NS) string { return d.uris.all[ns] }

// PrefixText is the text of a prefix.
func (d *Doc) PrefixText(p Prefix) string { return d.prefixes.all[p] }

// Prefixes is how many prefixes the document has; they count from 0.
func (d *Doc) Prefixes() int { return len(d.prefixes.all) }

// FindPrefix finds a prefix by its text.
func (d *Doc) FindPrefix(text string) (Prefix, bool) {
	p, ok := d.prefixes.find(text)
	return Prefix(p), ok
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

// At is the node at a position.
func (d *Doc) At(pos int) Node { return d.at(int32(pos)) }

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

// qName takes a name with its prefix from the document, where both stand
// together.
func (d *Doc) qName(p Prefix, local piece) string {
	from := local.off
	if p != DefaultPrefix {
		from -= int32(len(d.prefixes.all[p])) + 1
	}
	return d.src[from : local.off+local.len]
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

// element finds the first element from a position on, passing over texts.
func (d *Doc) element(from, to int32) Node {
	for i := from; i < to; i++ {
		if !d.nodes[i].isText {
			return d.at(i)
		}
	}
	return Node{}
}

// Len is how many attributes an element has.
func (n Node) Len() int { s := n.node().attrs; return int(s.to - s.from) }

// AttrAt is one of them, in the order in which they stand.
func (n Node) AttrAt(i int) Attr {
	a := &n.d.attrs[int(n.node().attrs.from)+i]
	return Attr{a.prefix, a.ns, n.d.str(a.local), n.d.qName(a.prefix, a.local), n.d.str(a.value), a.plain}
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

// Context is what is in scope around the root of a fragment, outermost first.
func (d *Doc) Context() []Decl { return d.context }

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

// Walk calls f for n, if it is an element, and for every element in it, in
// document order.
func (n Node) Walk(f func(Node)) {
	for i := n.i - 1; i < n.node().end; i++ {
		if !n.d.nodes[i].isText {
			f(n.d.at(i))
		}
	}
}

// names numbers texts in the order in which they come.
type names struct {
	all   []string
	index map[string]int32 // only once there are many
}

// few is how many names are looked through one by one.
const few = 16

func (n *names) find(s string) (int32, bool) {
	if n.index != nil {
		i, ok := n.index[s]
		return i, ok
	}
	for i := len(n.all) - 1; i >= 0; i-- { // what came last comes again soonest
		if n.all[i] == s {
			return int32(i), true
		}
	}
	return 0, false
}

func (n *names) number(s string) int32 {
	if i, ok := n.find(s); ok {
		return i
	}
	i := int32(len(n.all))
	n.all = append(n.all, s)
	switch {
	case n.index != nil:
		n.index[s] = i
	case len(n.all) > few:
		n.index = make(map[string]int32, 2*len(n.all))
		for j, have := range n.all {
			n.index[have] = int32(j)
		}
	}
	return i
}
