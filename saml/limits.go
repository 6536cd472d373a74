package saml

import (
	"cmp"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Limits bounds a message before any cryptography is done on it. A zero field means
// the default in its comment. A message that exceeds a limit is refused with
// ReasonLimit. So is a message with a namespace name of more than 512 characters.
type Limits struct {
	Bytes      int // size of the XML; 2 MiB
	Depth      int // nesting of elements; 64
	Nodes      int // elements, texts and comments; 100,000
	Attributes int // attributes of one element; 64
	Namespaces int // namespace declarations of one element; 32
	// Unknown bounds the elements that the schemas of SAML, XML Signature and XML
	// Encryption don't define. Attribute values and extensions may contain such
	// elements; 1,000.
	Unknown int
	// Total bounds all attributes together, and all namespace declarations
	// together; 65,536.
	Total int
}

func (l *Limits) setDefaults() error {
	for _, f := range []struct {
		name  string
		value *int
		zero  int
	}{
		{"Bytes", &l.Bytes, 2 << 20},
		{"Depth", &l.Depth, 64},
		{"Nodes", &l.Nodes, 100_000},
		{"Attributes", &l.Attributes, 64},
		{"Namespaces", &l.Namespaces, 32},
		{"Unknown", &l.Unknown, 1000},
		{"Total", &l.Total, 64 << 10},
	} {
		if *f.value < 0 {
			return configError("Config.Limits."+f.name, "can't be negative, got %d", *f.value)
		}
		*f.value = cmp.Or(*f.value, f.zero)
	}
	return nil
}

func (l Limits) tree(root xmltree.Name) xmltree.Limits {
	return xmltree.Limits{
		Bytes: l.Bytes, Depth: l.Depth, Nodes: l.Nodes, Attributes: l.Attributes, Namespaces: l.Namespaces,
		Total: l.Total, Unknown: l.Unknown, Known: known, Root: root,
	}
}
