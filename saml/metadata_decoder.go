package saml

import (
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// metadataDecoder reads metadata by its schema types. It keeps the first error,
// and a warning for everything that it ignores.
type metadataDecoder struct {
	err          error
	warnings     []string
	issuerChecks int // see maxIssuerChecks
}

func (d *metadataDecoder) fail(rule, want, got string) {
	if d.err == nil {
		d.err = &Error{Reason: ReasonMetadata, Rule: rule, Want: want, Got: got}
	}
}

func (d *metadataDecoder) warn(what string) { d.warnings = append(d.warnings, what) }

// anyURI reads an attribute of that type.
func (d *metadataDecoder) anyURI(n xmltree.Node, name string) string {
	value, _ := n.Attr(name)
	return collapse(value)
}

// listsURI reports whether a list of xs:anyURI contains uri.
func (d *metadataDecoder) listsURI(n xmltree.Node, name, uri string) bool {
	value, _ := n.Attr(name)
	for item := range listItems(value) {
		if item == uri {
			return true
		}
	}
	return false
}

// boolean is false where the attribute is absent.
func (d *metadataDecoder) boolean(n xmltree.Node, name string) bool {
	raw, given := n.Attr(name)
	if !given {
		return false
	}
	value, ok := parseBoolean(raw)
	if !ok {
		d.fail(n.Local()+"/@"+name, "an xs:boolean", raw)
	}
	return value
}

// instant is zero where the attribute is absent. An instant before SAML 2.0 is
// refused: some programs write the zero value of their time type.
func (d *metadataDecoder) instant(n xmltree.Node, name string) time.Time {
	raw, given := n.Attr(name)
	if !given {
		return time.Time{}
	}
	at, err := parseDateTime(collapse(raw))
	if err != nil || at.Year() < 2000 {
		d.fail(name+" (Metadata 2.3.2)", "an xs:dateTime after 2000", raw)
	}
	return at
}

// duration is zero where the attribute is absent or can't be read: it says when to
// read metadata again, and nothing about what is trusted.
func (d *metadataDecoder) duration(n xmltree.Node, name string) time.Duration {
	raw, given := n.Attr(name)
	if !given {
		return 0
	}
	value, ok := parseDuration(raw)
	if !ok || value < 0 {
		d.warn(n.Local() + "/@" + name + ": " + quote(raw) + " is not a positive xs:duration")
		return 0
	}
	return value
}
