// Package xmltree reads the XML that SAML needs, and nothing more: UTF-8, one
// root, no DTD, no processing instructions, namespaces declared, every limit
// kept. What it refuses is refused before anybody looks at the content.
//
// [Check] reads a document token by token and holds little more than the path
// to where it is. [Parse] does that first, and only then builds a tree. A
// [Node] is the tree that values are decoded from, with names resolved.
package xmltree
