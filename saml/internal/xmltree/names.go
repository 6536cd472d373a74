package xmltree

// NS is a namespace, as a number within one document.
type NS int32

// The namespaces that have the same number in every document.
const (
	None NS = iota
	XML
	Assertion
	Protocol
	Signature
	Encryption
	Encryption11
	ExclusiveC14N
	XSI
	Metadata
	firstFree
)

var fixed = [firstFree]string{
	None:          "",
	XML:           "http://www.w3.org/XML/1998/namespace",
	Assertion:     "urn:oasis:names:tc:SAML:2.0:assertion",
	Protocol:      "urn:oasis:names:tc:SAML:2.0:protocol",
	Signature:     "http://www.w3.org/2000/09/xmldsig#",
	Encryption:    "http://www.w3.org/2001/04/xmlenc#",
	Encryption11:  "http://www.w3.org/2009/xmlenc11#",
	ExclusiveC14N: "http://www.w3.org/2001/10/xml-exc-c14n#",
	XSI:           "http://www.w3.org/2001/XMLSchema-instance",
	Metadata:      "urn:oasis:names:tc:SAML:2.0:metadata",
}

const nsXMLNS = "http://www.w3.org/2000/xmlns/"

// Prefix is a namespace prefix, as a number within one document.
type Prefix int32

// The prefixes that every document has: none, and xml.
const (
	DefaultPrefix Prefix = iota
	XMLPrefix
)

// numbers numbers values in the order in which they are first seen.
type numbers[T comparable] struct {
	all   []T
	index map[T]int32 // only once there are many
}

// few is how many values are compared one by one.
const few = 16

func (n *numbers[T]) find(value T) (int32, bool) {
	if n.index != nil {
		i, ok := n.index[value]
		return i, ok
	}
	for i := len(n.all) - 1; i >= 0; i-- { // the last one is the likeliest
		if n.all[i] == value {
			return int32(i), true
		}
	}
	return 0, false
}

// number returns the number of a value, a new one if it is new.
func (n *numbers[T]) number(value T) int32 {
	if i, ok := n.find(value); ok {
		return i
	}
	i := int32(len(n.all))
	n.all = append(n.all, value)
	switch {
	case n.index != nil:
		n.index[value] = i
	case len(n.all) > few:
		n.index = make(map[T]int32, 2*len(n.all))
		for j, have := range n.all {
			n.index[have] = int32(j)
		}
	}
	return i
}
