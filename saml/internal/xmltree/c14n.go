package xmltree

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strings"
)

// Canonicaliser writes canonical forms of parts of one document, one after the
// other. It isn't safe for concurrent use.
type Canonicaliser struct {
	d        *Doc
	out      *bufio.Writer
	rendered []NS   // by Prefix: its meaning in the output here; undeclared if none
	listed   []bool // by Prefix: it is in the PrefixList; nil without one
	open     []openTag
	undo     []Decl  // what the prefixes declared in open tags meant before
	decls    []Decl  // of one element, to be written
	order    []int32 // of the attributes of one element
}

// openTag is an element whose end tag is not written yet.
type openTag struct {
	n    *node
	undo int // length of Canonicaliser.undo before it
}

// NewCanonicaliser makes a Canonicaliser for a document.
func NewCanonicaliser(d *Doc) *Canonicaliser {
	return &Canonicaliser{
		d: d, out: bufio.NewWriterSize(nil, 2048), rendered: make([]NS, len(d.prefixes.all)),
		open: make([]openTag, 0, 16), undo: make([]Decl, 0, 16), decls: make([]Decl, 0, 8), order: make([]int32, 0, 8),
	}
}

// Write writes the exclusive canonical form of the subtree at apex, without
// except and what is in it, to a hash (Exclusive XML Canonicalization 1.0,
// without comments; Canonical XML 1.0, 2.3). The prefixes in prefixList are
// treated as in inclusive canonicalisation (3, InclusiveNamespaces).
//
// It reads the nodes once, in document order. The cost of an element depends on
// its own content and on the lengths of the namespace names that it uses, which
// the reader bounds, and not on the declarations in scope.
func (c *Canonicaliser) Write(w io.Writer, apex, except Node, prefixList string) {
	c.out.Reset(w)
	for i := range c.rendered {
		c.rendered[i] = undeclared
	}
	c.rendered[DefaultPrefix], c.rendered[XMLPrefix] = None, XML
	c.readList(prefixList)
	for at := apex.i - 1; at < apex.node().end; {
		n := &c.d.nodes[at]
		for len(c.open) > 0 && c.open[len(c.open)-1].n.end <= at {
			c.end()
		}
		switch {
		case c.d.at(at) == except:
			at = n.end
			continue
		case n.isText && n.plain:
			_, _ = c.out.WriteString(c.d.str(n.str))
		case n.isText:
			_, _ = EscapeText.WriteString(c.out, c.d.str(n.str))
		default:
			c.open = append(c.open, openTag{n, len(c.undo)})
			c.start(n, at == apex.i-1)
		}
		at++
	}
	for len(c.open) > 0 {
		c.end()
	}
	_ = c.out.Flush() // a hash never fails
}

// The characters that canonical XML escapes (Canonical XML 1.0, 2.3).
var (
	EscapeText  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	EscapeValue = strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

// readList reads a PrefixList. Prefixes that the document doesn't have change
// nothing.
func (c *Canonicaliser) readList(prefixList string) {
	c.listed = nil
	for name := range strings.FieldsFuncSeq(prefixList, isSpaceRune) {
		if c.listed == nil {
			c.listed = make([]bool, len(c.rendered))
		}
		if name == "#default" {
			c.listed[DefaultPrefix] = true
		} else if p, ok := c.d.prefixes.find(name); ok {
			c.listed[p] = true
		}
	}
}

func (c *Canonicaliser) start(n *node, apex bool) {
	c.decls = c.decls[:0]
	c.use(n.prefix, n.ns)
	for _, a := range c.d.attrsOf(n) {
		if a.prefix != DefaultPrefix {
			c.use(a.prefix, a.ns)
		}
	}
	switch {
	case c.listed != nil && apex:
		c.useAllListed(n)
	case c.listed != nil:
		c.useListed(c.d.declsOf(n))
	}
	_ = c.out.WriteByte('<')
	_, _ = c.out.WriteString(c.d.qName(n.prefix, n.str))
	if len(c.decls) > 1 {
		slices.SortFunc(c.decls, c.compareDecls)
	}
	for _, decl := range c.decls {
		c.writeDecl(n, decl)
	}
	c.writeAttrs(n)
	_ = c.out.WriteByte('>')
}

// use records that an element needs a prefix to mean a namespace. The prefix
// is declared unless it means that in the output already.
func (c *Canonicaliser) use(p Prefix, ns NS) {
	was := c.rendered[p]
	if was == ns {
		return
	}
	c.undo = append(c.undo, Decl{Prefix: p, NS: was})
	c.rendered[p] = ns
	c.decls = append(c.decls, Decl{Prefix: p, NS: ns})
}

// useListed uses those of the listed prefixes that decls declare.
func (c *Canonicaliser) useListed(decls []Decl) {
	for _, decl := range decls {
		if c.listed[decl.Prefix] {
			c.use(decl.Prefix, decl.NS)
		}
	}
}

// useAllListed uses, at the apex, all listed prefixes that are in scope. The
// innermost declaration of a prefix counts.
func (c *Canonicaliser) useAllListed(n *node) {
	seen := make([]bool, len(c.rendered))
	seen[XMLPrefix] = true // never declared
	inner := func(decls []Decl) {
		for _, decl := range slices.Backward(decls) {
			if !seen[decl.Prefix] {
				seen[decl.Prefix] = true
				c.useListed([]Decl{decl})
			}
		}
	}
	for {
		inner(c.d.declsOf(n))
		if n.parent < 0 {
			break
		}
		n = &c.d.nodes[n.parent]
	}
	inner(c.d.context)
}

// end writes the end tag of the last open element, and takes back what was
// rendered for it.
func (c *Canonicaliser) end() {
	e := c.open[len(c.open)-1]
	_, _ = c.out.WriteString("</")
	_, _ = c.out.WriteString(c.d.qName(e.n.prefix, e.n.str))
	_ = c.out.WriteByte('>')
	for _, was := range slices.Backward(c.undo[e.undo:]) {
		c.rendered[was.Prefix] = was.NS
	}
	c.undo = c.undo[:e.undo]
	c.open = c.open[:len(c.open)-1]
}

// compareDecls orders declarations by prefix, the default first (Canonical XML
// 1.0, 2.2).
func (c *Canonicaliser) compareDecls(a, b Decl) int {
	return cmp.Compare(c.d.prefixes.all[a.Prefix], c.d.prefixes.all[b.Prefix])
}

// writeDecl writes a declaration of n, copied from the document where that is
// possible.
func (c *Canonicaliser) writeDecl(n *node, decl Decl) {
	_ = c.out.WriteByte(' ')
	prefix, uri := c.d.prefixes.all[decl.Prefix], c.d.URI(decl.NS)
	for _, own := range c.d.declsOf(n) {
		if own.Prefix == decl.Prefix && own.end > 0 {
			size := len(`xmlns=""`) + len(prefix) + len(uri)
			if prefix != "" {
				size += len(":")
			}
			_, _ = c.out.WriteString(c.d.src[int(own.end)-size : own.end])
			return
		}
	}
	_, _ = c.out.WriteString("xmlns")
	if prefix != "" {
		_ = c.out.WriteByte(':')
		_, _ = c.out.WriteString(prefix)
	}
	c.writeValue(uri, strings.IndexByte(uri, '&') < 0) // a URI holds nothing else to escape
}

// writeAttrs writes attributes sorted by namespace and then by local name,
// those without a namespace first (Canonical XML 1.0, 2.2).
func (c *Canonicaliser) writeAttrs(n *node) {
	c.order = c.order[:0]
	for i := n.attrs.from; i < n.attrs.to; i++ {
		c.order = append(c.order, i)
	}
	if len(c.order) > 1 {
		slices.SortFunc(c.order, c.compareAttrs)
	}
	for _, i := range c.order {
		a := &c.d.attrs[i]
		_ = c.out.WriteByte(' ')
		if a.asIs {
			_, _ = c.out.WriteString(c.d.src[c.d.nameOffset(a.prefix, a.local) : a.value.off+a.value.len+1])
			continue
		}
		_, _ = c.out.WriteString(c.d.qName(a.prefix, a.local))
		c.writeValue(c.d.str(a.value), a.plain)
	}
}

func (c *Canonicaliser) compareAttrs(i, j int32) int {
	a, b := &c.d.attrs[i], &c.d.attrs[j]
	if a.ns != b.ns {
		return cmp.Compare(c.d.URI(a.ns), c.d.URI(b.ns))
	}
	return cmp.Compare(c.d.str(a.local), c.d.str(b.local))
}

// writeValue writes ="value".
func (c *Canonicaliser) writeValue(value string, plain bool) {
	_, _ = c.out.WriteString(`="`)
	if plain {
		_, _ = c.out.WriteString(value)
	} else {
		_, _ = EscapeValue.WriteString(c.out, value)
	}
	_ = c.out.WriteByte('"')
}
