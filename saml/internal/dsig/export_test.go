package dsig

import (
	"bytes"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Canonical is the canonical form of a subtree, for comparisons with other
// libraries.
func Canonical(apex, except xmltree.Node, prefixList string) []byte {
	var b bytes.Buffer
	xmltree.NewCanonicaliser(apex.Doc()).Write(&b, apex, except, prefixList)
	return b.Bytes()
}
