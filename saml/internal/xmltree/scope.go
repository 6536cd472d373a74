package xmltree

import (
	"fmt"
	"strings"
)

// scope knows which namespace each prefix stands for. Every prefix has a stack
// of its own, so entering and leaving an element costs only what it declares.
type scope struct {
	bindings map[string][]string
	undo     []string // prefixes in the order in which they were declared
	marks    []int    // length of undo at the start of each open element
}

// maxInScope bounds the declarations in scope at once: the canonicaliser copies
// them for every element.
const maxInScope = 64

func newScope() *scope {
	return &scope{bindings: map[string][]string{"xml": {nsXML}, "": {""}}}
}

func (s *scope) push() { s.marks = append(s.marks, len(s.undo)) }

func (s *scope) pop() {
	mark := s.marks[len(s.marks)-1]
	s.marks = s.marks[:len(s.marks)-1]
	for _, prefix := range s.undo[mark:] {
		stack := s.bindings[prefix]
		s.bindings[prefix] = stack[:len(stack)-1]
	}
	s.undo = s.undo[:mark]
}

// declare binds a prefix, by the constraints of Namespaces in XML 3 and 5. A
// relative URI is refused because canonicalisation can't represent it
// (Canonical XML 1.0, 1.3), and peers have signed nothing where they met one.
func (s *scope) declare(prefix, uri string) error {
	switch {
	case prefix == "xmlns", uri == nsXMLNS, (prefix == "xml") != (uri == nsXML):
		return &Error{Kind: Syntax, Detail: "a reserved prefix or namespace is declared"}
	case uri == "" && prefix != "":
		return &Error{Kind: Syntax, Detail: fmt.Sprintf("the prefix %q is undeclared", clip(prefix))}
	case uri != "" && !isAbsolute(uri):
		return &Error{Kind: Syntax, Detail: fmt.Sprintf("the namespace of prefix %q is a relative URI", clip(prefix))}
	}
	if len(s.undo) >= maxInScope {
		return limitError("namespace declarations in scope", maxInScope)
	}
	s.bindings[prefix] = append(s.bindings[prefix], uri)
	s.undo = append(s.undo, prefix)
	return nil
}

func (s *scope) resolve(prefix string) (string, error) {
	stack := s.bindings[prefix]
	if len(stack) == 0 {
		return "", &Error{Kind: Syntax, Detail: fmt.Sprintf("the prefix %q is not declared", clip(prefix))}
	}
	return stack[len(stack)-1], nil
}

// isAbsolute reports whether a URI begins with a scheme (RFC 3986 3.1).
func isAbsolute(uri string) bool {
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || scheme == "" {
		return false
	}
	for i, r := range scheme {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		other := r >= '0' && r <= '9' || r == '+' || r == '-' || r == '.'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return true
}
