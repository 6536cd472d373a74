package dsig

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// c14n writes canonical forms of parts of one document, one after the other.
type c14n struct {
	d        *xmltree.Doc
	out      writer
	prefixes []prefix       // by number
	listed   bool           // there is a PrefixList
	open     []element      // around what is written
	undo     []xmltree.Decl // what prefixes rendered here meant before
	decls    []xmltree.Decl // of one element, to be written
	order    []int          // of the attributes of one element
}

// prefix is what is known of a prefix while a canonical form is written.
type prefix struct {
	rendered xmltree.NS // what it means in the output here; never if nothing
	listed   bool       // in the PrefixList
}

// never is what a prefix was rendered as that was not rendered.
const never xmltree.NS = -1

// element is one whose end tag has not been written.
type element struct {
	node xmltree.Node
	undo int // length of c14n.undo before it
}

func newC14N(d *xmltree.Doc) *c14n {
	return &c14n{
		d: d, prefixes: make([]prefix, d.Prefixes()), open: make([]element, 0, 16),
		undo: make([]xmltree.Decl, 0, 16), decls: make([]xmltree.Decl, 0, 8), order: make([]int, 0, 8),
	}
}

// canonicalise writes the exclusive canonical form of the subtree at apex,
// without what is in except, as it is made (Exclusive XML Canonicalization
// 1.0, without comments; Canonical XML 1.0, 2.3 for the rest). The prefixes in
// prefixList are treated as inclusive canonicalisation would (3, InclusiveNamespaces).
//
// It goes through the nodes in document order once. What each prefix was last
// rendered as is kept by the prefix's number and put back when an element
// ends, so an element costs what stands in it and the names of the namespaces
// that it uses, which the reader keeps short, whatever is in scope around it.
func (c *c14n) canonicalise(w io.Writer, apex, except xmltree.Node, prefixList string) {
	c.out.w = w
	for i := range c.prefixes {
		c.prefixes[i].rendered, c.prefixes[i].listed = never, false
	}
	c.prefixes[xmltree.DefaultPrefix].rendered = xmltree.None
	c.prefixes[xmltree.XMLPrefix].rendered = xmltree.XML
	c.list(prefixList)
	for pos := apex.Pos(); pos < apex.End(); {
		for len(c.open) > 0 && c.open[len(c.open)-1].node.End() <= pos {
			c.end()
		}
		n := c.d.At(pos)
		switch {
		case n == except:
			pos = n.End()
			continue
		case n.IsText():
			c.out.text(n.String(), n.Plain())
		default:
			c.open = append(c.open, element{n, len(c.undo)})
			c.start(n, n == apex)
		}
		pos++
	}
	for len(c.open) > 0 {
		c.end()
	}
	c.out.flush()
}

// list reads a PrefixList. Prefixes that the document doesn't have change nothing.
func (c *c14n) list(prefixList string) {
	c.listed = false
	for name := range strings.FieldsFuncSeq(prefixList, isBlank) {
		c.listed = true
		if name == "#default" {
			c.prefixes[xmltree.DefaultPrefix].listed = true
		} else if p, ok := c.d.FindPrefix(name); ok {
			c.prefixes[p].listed = true
		}
	}
}

// isBlank is what XML calls white space.
func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

func (c *c14n) start(n xmltree.Node, apex bool) {
	c.decls = c.decls[:0]
	c.use(n.Prefix(), n.NS())
	for i := range n.Len() {
		if prefix, ns := n.AttrName(i); prefix != xmltree.DefaultPrefix {
			c.use(prefix, ns)
		}
	}
	if c.listed {
		c.useListed(n, apex)
	}
	c.out.byte('<')
	c.out.string(n.QName())
	c.writeDecls(n)
	c.writeAttrs(n)
	c.out.byte('>')
}

// use notes that an element needs a prefix to mean a namespace. It is to be
// declared if it doesn't already, in the output.
func (c *c14n) use(p xmltree.Prefix, ns xmltree.NS) {
	was := c.prefixes[p].rendered
	if was == ns {
		return
	}
	c.undo = append(c.undo, xmltree.Decl{Prefix: p, NS: was})
	c.prefixes[p].rendered = ns
	c.decls = append(c.decls, xmltree.Decl{Prefix: p, NS: ns})
}

// useListed treats the listed prefixes: at the apex all that are in scope,
// below it those that an element declares anew.
func (c *c14n) useListed(n xmltree.Node, apex bool) {
	if !apex {
		for _, decl := range n.Decls() {
			if c.prefixes[decl.Prefix].listed {
				c.use(decl.Prefix, decl.NS)
			}
		}
		return
	}
	seen := make([]bool, len(c.prefixes))
	inner := func(decls []xmltree.Decl) {
		for i := len(decls) - 1; i >= 0; i-- {
			if p := decls[i].Prefix; !seen[p] {
				seen[p] = true
				if c.prefixes[p].listed && p != xmltree.XMLPrefix {
					c.use(p, decls[i].NS)
				}
			}
		}
	}
	for around := n; around.OK(); around = around.Parent() {
		inner(around.Decls())
	}
	inner(c.d.Context())
}

// end writes the end tag of the last open element, and forgets what was
// rendered for it.
func (c *c14n) end() {
	e := c.open[len(c.open)-1]
	c.out.string("</")
	c.out.string(e.node.QName())
	c.out.byte('>')
	for i := len(c.undo) - 1; i >= e.undo; i-- {
		c.prefixes[c.undo[i].Prefix].rendered = c.undo[i].NS
	}
	c.undo = c.undo[:e.undo]
	c.open = c.open[:len(c.open)-1]
}

// writeDecls writes declarations sorted by prefix, the default first
// (Canonical XML 1.0, 2.2).
func (c *c14n) writeDecls(n xmltree.Node) {
	sorted(c.decls, func(a, b xmltree.Decl) int { return cmp.Compare(c.d.PrefixText(a.Prefix), c.d.PrefixText(b.Prefix)) })
	for _, decl := range c.decls {
		c.out.byte(' ')
		if source, ok := n.DeclSource(decl.Prefix); ok {
			c.out.string(source)
			continue
		}
		c.out.string("xmlns")
		if decl.Prefix != xmltree.DefaultPrefix {
			c.out.byte(':')
			c.out.string(c.d.PrefixText(decl.Prefix))
		}
		// The reader takes only URIs, so nothing else can want escaping.
		uri := c.d.URI(decl.NS)
		c.out.value(uri, strings.IndexByte(uri, '&') < 0)
	}
}

// writeAttrs writes attributes sorted by namespace and then by local name,
// those without a namespace first.
func (c *c14n) writeAttrs(n xmltree.Node) {
	if n.Len() == 1 { // most that have any
		c.writeAttr(n, 0)
		return
	}
	c.order = c.order[:0]
	for i := range n.Len() {
		c.order = append(c.order, i)
	}
	sorted(c.order, func(i, j int) int {
		a, b := n.AttrAt(i), n.AttrAt(j)
		if a.NS != b.NS {
			return cmp.Compare(c.d.URI(a.NS), c.d.URI(b.NS))
		}
		return cmp.Compare(a.Local, b.Local)
	})
	for _, i := range c.order {
		c.writeAttr(n, i)
	}
}

func (c *c14n) writeAttr(n xmltree.Node, i int) {
	c.out.byte(' ')
	if source, ok := n.AttrSource(i); ok {
		c.out.string(source)
		return
	}
	a := n.AttrAt(i)
	c.out.string(a.QName)
	c.out.value(a.Value, a.Plain)
}

// sorted sorts the few things that one element has, where they stand.
func sorted[T any](s []T, compare func(a, b T) int) {
	if len(s) > 32 {
		slices.SortFunc(s, compare)
		return
	}
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && compare(s[j-1], s[j]) > 0; j-- {
			s[j-1], s[j] = s[j], s[j-1]
		}
	}
}
