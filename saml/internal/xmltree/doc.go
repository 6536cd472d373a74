// Package xmltree reads the XML that SAML needs, and nothing more: one
// root, no DTD, no processing instructions, every namespace declared, every
// limit kept. What it refuses is refused before the content is used.
//
// [Parse] goes through the bytes once and puts elements and texts into one
// flat slice, in document order. There is no second reader: what is hashed and
// what is read are the same entries of that slice, so they can't disagree. A
// [Node] is a position in it. Parse reads UTF-8; [ParseEncoded], for metadata,
// first decodes UTF-16 and ISO-8859-1 too.
//
// Names, texts and values are parts of one string that holds the document,
// unless they had references in them. Comments are dropped, CDATA has become
// text, line ends and attribute values are normalised (XML 1.0, 2.11, 3.3.3).
//
// Nothing here is quadratic: every step forward costs at most the number of
// attributes and declarations of one element, which is limited, whatever is
// around it.
package xmltree
