package xmltree

// Doc is a document. It never changes. Nodes and attributes hold no pointers, only
// places in two strings, so that the garbage collector has nothing to scan.
type Doc struct {
	src      string // the document, with its line ends normalised
	extra    string // texts and values with references, which are replaced
	nodes    []node // document order; an element comes before its content
	attrs    []attr
	decls    []Decl
	uris     numbers[string] // NS -> URI
	prefixes numbers[string] // Prefix -> text
	ids      numbers[id]
	context  []Decl // in scope around the root, for a fragment
	outer    *Doc   // around a fragment
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
	plain  bool // a text that canonical XML writes unchanged

	comment bool // an element with a comment directly in it
}

type span struct{ from, to int32 }

// piece is a part of Doc.src, or of Doc.extra from ^off on where off is below 0.
type piece struct{ off, len int32 }

func (d *Doc) str(p piece) string {
	if p.off < 0 {
		return d.extra[^p.off : ^p.off+p.len]
	}
	return d.src[p.off : p.off+p.len]
}

type attr struct {
	prefix Prefix
	ns     NS
	local  piece
	value  piece
	plain  bool
	asIs   bool // canonical XML writes name="value" unchanged
}

// Attr is an attribute other than a namespace declaration.
type Attr struct {
	NS           NS // None without a prefix
	Local, Value string
}

// Decl is a namespace declaration.
type Decl struct {
	Prefix Prefix
	NS     NS
	end    int32 // in Doc.src, if canonical XML writes the declaration unchanged; else 0
}

func (d *Doc) at(i int32) Node { return Node{d, i + 1} }

// Root returns the document's element.
func (d *Doc) Root() Node { return d.at(0) }

// URI returns the text of a namespace.
func (d *Doc) URI(ns NS) string { return d.uris.all[ns] }

func (d *Doc) attrsOf(n *node) []attr { return d.attrs[n.attrs.from:n.attrs.to] }

func (d *Doc) declsOf(n *node) []Decl { return d.decls[n.decls.from:n.decls.to] }

// qName returns a name with its prefix, as the document has it.
func (d *Doc) qName(p Prefix, local piece) string {
	return d.src[d.nameOffset(p, local) : local.off+local.len]
}

// nameOffset returns where a name with its prefix begins.
func (d *Doc) nameOffset(p Prefix, local piece) int {
	if p == DefaultPrefix {
		return int(local.off)
	}
	return int(local.off) - len(d.prefixes.all[p]) - len(":")
}
