package xmltree

// HasID reports whether an element of the document has that ID.
func (d *Doc) HasID(value string) bool { return d.collides(id{value: value}) }

// At returns the node at a position in document order.
func (d *Doc) At(pos int) Node { return d.at(int32(pos)) }

// Context returns the declarations in scope around the root of a fragment.
func (d *Doc) Context() []Decl { return d.context }

// PrefixText returns the text of a prefix.
func (d *Doc) PrefixText(p Prefix) string { return d.prefixes.all[p] }

// FindPrefix finds a prefix by its text.
func (d *Doc) FindPrefix(text string) (Prefix, bool) {
	p, ok := d.prefixes.find(text)
	return Prefix(p), ok
}

// Pos returns the position of n in document order.
func (n Node) Pos() int { return int(n.i) - 1 }

// End returns the position after n and everything in it.
func (n Node) End() int { return int(n.node().end) }

// IsText tells a text from an element.
func (n Node) IsText() bool { return n.node().isText }

// Plain reports whether canonical XML writes a text as it is.
func (n Node) Plain() bool { return n.node().plain }

// String returns a text, or the local name of an element.
func (n Node) String() string { return n.Local() }

// Prefix returns the prefix of an element's name.
func (n Node) Prefix() Prefix { return n.node().prefix }

// WrittenAttr is an attribute as it is written.
type WrittenAttr struct {
	Attr
	Prefix Prefix
	Plain  bool // canonical XML writes the value as it is
}

// WrittenAttrs returns the attributes in document order.
func (n Node) WrittenAttrs() []WrittenAttr {
	var out []WrittenAttr
	for i, a := range n.Attrs() {
		written := n.d.attrsOf(n.node())[i]
		out = append(out, WrittenAttr{a, written.prefix, written.plain})
	}
	return out
}
