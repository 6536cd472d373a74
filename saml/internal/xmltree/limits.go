package xmltree

import "fmt"

// Limits bounds a document; every field must be set.
type Limits struct {
	Bytes, Depth, Nodes    int
	Attributes, Namespaces int // of one element
	Total                  int // attributes in all, and declarations in all
}

func limitError(what string, limit int) *Error {
	return &Error{Kind: Limit, Detail: fmt.Sprintf("%s: at most %d", what, limit)}
}
