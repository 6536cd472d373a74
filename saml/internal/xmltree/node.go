package xmltree

import (
	"bytes"
	"strings"

	"github.com/beevik/etree"
)

// Parse checks a document and builds its tree.
func Parse(doc []byte, limits Limits) (*etree.Element, error) {
	if err := Check(doc, limits); err != nil {
		return nil, err
	}
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(bytes.TrimPrefix(doc, utf8BOM)); err != nil {
		return nil, &Error{Kind: Syntax, Detail: "not well-formed", Err: err}
	}
	if tree.Root() == nil {
		return nil, &Error{Kind: Syntax, Detail: "no root element"}
	}
	return tree.Root(), nil
}

// Node is an element with its names resolved. Comments are gone, and CDATA has
// become text.
type Node struct {
	Space, Local string
	Attrs        []Attr // without namespace declarations
	Children     []*Node
	Text         string // all text directly inside, joined

	parent *Node
}

// Attr is an attribute; Space is the namespace, empty for a plain name.
type Attr struct{ Space, Local, Value string }

// FromElement resolves the names of el and of everything below it, by the
// declarations on it, below it and above it.
func FromElement(el *etree.Element) (*Node, error) {
	s := newScope()
	var above []*etree.Element
	for p := el.Parent(); p != nil; p = p.Parent() {
		above = append(above, p)
	}
	for i := len(above) - 1; i >= 0; i-- {
		s.push()
		if err := declareAll(s, above[i]); err != nil {
			return nil, err
		}
	}
	return fromElement(s, el)
}

func fromElement(s *scope, el *etree.Element) (*Node, error) {
	s.push()
	defer s.pop()
	if err := declareAll(s, el); err != nil {
		return nil, err
	}
	space, err := s.resolve(el.Space)
	if err != nil {
		return nil, err
	}
	n := &Node{Space: space, Local: el.Tag}
	for _, a := range el.Attr {
		if isDeclaration(a) {
			continue
		}
		attr := Attr{Local: a.Key, Value: a.Value}
		if a.Space != "" {
			if attr.Space, err = s.resolve(a.Space); err != nil {
				return nil, err
			}
		}
		n.Attrs = append(n.Attrs, attr)
	}
	var text strings.Builder
	for _, child := range el.Child {
		switch child := child.(type) {
		case *etree.CharData:
			text.WriteString(child.Data)
		case *etree.Element:
			c, err := fromElement(s, child)
			if err != nil {
				return nil, err
			}
			c.parent = n
			n.Children = append(n.Children, c)
		}
	}
	n.Text = text.String()
	return n, nil
}

func isDeclaration(a etree.Attr) bool {
	return a.Space == "xmlns" || (a.Space == "" && a.Key == "xmlns")
}

func declareAll(s *scope, el *etree.Element) error {
	for _, a := range el.Attr {
		if !isDeclaration(a) {
			continue
		}
		prefix := a.Key
		if a.Space == "" {
			prefix = ""
		}
		if err := s.declare(prefix, a.Value); err != nil {
			return err
		}
	}
	return nil
}

// Is reports whether n has that expanded name.
func (n *Node) Is(space, local string) bool { return n.Space == space && n.Local == local }

// Parent is the element around n, nil for the one that the tree was made from.
func (n *Node) Parent() *Node { return n.parent }

// Attr gives an attribute without a namespace.
func (n *Node) Attr(local string) (string, bool) { return n.AttrNS("", local) }

// AttrNS gives an attribute by its expanded name.
func (n *Node) AttrNS(space, local string) (string, bool) {
	for _, a := range n.Attrs {
		if a.Space == space && a.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// All gives the children of that name, in document order.
func (n *Node) All(space, local string) []*Node {
	var out []*Node
	for _, c := range n.Children {
		if c.Is(space, local) {
			out = append(out, c)
		}
	}
	return out
}

// Walk calls f for n and everything below it, in document order.
func (n *Node) Walk(f func(*Node)) {
	f(n)
	for _, c := range n.Children {
		c.Walk(f)
	}
}
