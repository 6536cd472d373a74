package saml

import (
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const maxExtensions = 8 << 10 // bytes

// canonicalExtensions reads the elements of RequestOptions.Extensions, each as a
// document of its own, and returns their canonical form. So a text can't end
// samlp:Extensions, or refer to a prefix of the request.
//
// The exclusive canonical form of an element is the same inside the request: around it,
// only the prefix samlp is declared, for a namespace that it doesn't use.
func canonicalExtensions(elements []string) (string, error) {
	var out strings.Builder
	size := 0
	for i, text := range elements {
		field := fmt.Sprintf("RequestOptions.Extensions[%d]", i)
		if size += len(text); size > maxExtensions {
			return "", configError("RequestOptions.Extensions", "at most %d bytes in all", maxExtensions)
		}
		tree, err := xmltree.Parse(text, xmltree.Limits{
			Bytes: maxExtensions, Depth: 32, Nodes: 1000, Attributes: 64, Namespaces: 32, Total: 1000, Unknown: 1000,
		})
		if err != nil {
			return "", &Error{Reason: ReasonConfig, Rule: field, Detail: "is not one element", Err: err}
		}
		if err := checkExtension(field, tree.Root()); err != nil {
			return "", err
		}
		xmltree.NewCanonicaliser(tree).Write(&out, tree.Root(), xmltree.Node{}, "")
	}
	if out.Len() > maxExtensions {
		return "", configError("RequestOptions.Extensions", "at most %d bytes in canonical form", maxExtensions)
	}
	return out.String(), nil
}

// checkExtension refuses elements that a program could take for parts of the request
// wherever it finds them, and others that Core 3.2.1 doesn't allow.
func checkExtension(field string, root xmltree.Node) error {
	var bad error
	root.Walk(func(n xmltree.Node) {
		inside := n != root
		ok := true
		switch n.NS() {
		case xmltree.None, xmltree.Protocol, xmltree.Signature, xmltree.Encryption, xmltree.Encryption11:
			ok = false
		case xmltree.Metadata: // RequestedAttribute, in SAML V2.0 Protocol Extension for Requesting Attributes per Request
			ok = inside
		case xmltree.Assertion:
			ok = inside && (n.Local() == "Attribute" || n.Local() == "AttributeValue")
		}
		for _, a := range n.Attrs() {
			ok = ok && a.NS != xmltree.Protocol
		}
		if !ok && bad == nil {
			bad = configError(field, "%s can't be an extension or in one (Core 3.2.1)", quote(n.Name()))
		}
	})
	return bad
}
