package xmltree

// Limits bounds a document; every number must be set. A document is refused
// where it goes past one, and not read any further.
type Limits struct {
	Bytes, Depth, Nodes    int
	Attributes, Namespaces int // of one element
	Total                  int // attributes in all, and declarations in all
	// Unknown bounds the elements that Known doesn't know. Without Known all
	// elements are known.
	Unknown int
	Known   func(NS, string) bool
	// Comments reports whether comments in the text of an element of that name
	// are dropped. In the text of every other element, and everywhere if it is
	// nil, they are refused.
	Comments func(NS, string) bool
	// Root is what the document's element must be; the zero Name is any.
	Root Name
}

// Name is the name of an element.
type Name struct {
	NS    NS
	Local string
}
