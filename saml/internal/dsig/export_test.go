package dsig

import (
	"bytes"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Canonicaliser is c14n, for the comparisons with other libraries.
type Canonicaliser = c14n

// Bytes gives the canonical form of a subtree.
func (c *c14n) Bytes(apex, except xmltree.Node, prefixList string) []byte {
	var b bytes.Buffer
	c.canonicalise(&b, apex, except, prefixList)
	return b.Bytes()
}
