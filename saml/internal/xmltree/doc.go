// Package xmltree reads the XML that SAML needs, and nothing more: one root, no DTD,
// no processing instructions, every namespace declared, every limit kept.
//
// [Parse] reads the bytes once and puts elements and texts into one slice, in
// document order. A [Node] is a position in it. Values are read from the same
// entries that [Canonicaliser] writes for a hash, so the two can't disagree. Parse
// reads UTF-8; [ParseEncoded], for metadata, first decodes UTF-16 and ISO-8859-1.
//
// Names, texts and values are parts of one string that holds the document, except
// those with references. Comments are dropped, CDATA becomes text, line ends and
// attribute values are normalised (XML 1.0, 2.11, 3.3.3).
//
// Nothing is quadratic: a step costs at most the number of attributes and
// declarations of one element, which is limited, whatever is around it.
package xmltree
