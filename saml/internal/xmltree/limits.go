package xmltree

// Limits bounds a document; every number must be set. Reading stops at the first
// limit that a document exceeds.
type Limits struct {
	Bytes, Depth, Nodes    int
	Attributes, Namespaces int // of one element
	Total                  int // attributes in all, and declarations in all
	// Unknown bounds the elements for which Known, if set, returns false.
	Unknown int
	Known   func(NS, string) bool
	// Comments reports whether comments in the text of an element of that name are
	// dropped. In the text of other elements, and of all if it is nil, they are
	// refused.
	Comments func(NS, string) bool
	// Root is the required name of the root; the zero Name is any.
	Root Name
}

// Name is the name of an element.
type Name struct {
	NS    NS
	Local string
}
