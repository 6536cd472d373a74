package saml

import (
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// metadataDecoder reads values of metadata by their schema types. It keeps the first
// error, and a warning for each value that it ignores.
type metadataDecoder struct {
	err          error
	warnings     []string
	issuerChecks int // see maxIssuerChecks

	report           *EntityReport // of Inspect; nil: none
	encryptionChecks int           // issuerChecks for the keys that only a report has
}

func (d *metadataDecoder) fail(rule, want, got string) {
	if d.err == nil {
		d.err = &Error{Reason: ReasonMetadata, Rule: rule, Want: want, Got: got}
	}
}

// warn adds a warning. Their number is bounded, because an IdP keeps them.
func (d *metadataDecoder) warn(what string) {
	if len(d.warnings) < maxWarnings {
		d.warnings = append(d.warnings, what)
	}
}

const maxWarnings = 1000

// anyURI reads an attribute of type xs:anyURI.
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

// boolean reads an xs:boolean. It returns false if the attribute is absent.
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

// instant reads an xs:dateTime. It returns zero if the attribute is absent. An
// instant before 2000 is refused, because some programs write the zero value of
// their time type.
func (d *metadataDecoder) instant(n xmltree.Node, name string) time.Time {
	raw, given := n.Attr(name)
	if !given {
		return time.Time{}
	}
	at, err := parseDateTime(collapse(raw))
	if err != nil || at.Year() < 2000 {
		d.fail(name+" (Metadata 2.3.2)", "an xs:dateTime from 2000 on", raw)
	}
	return at
}

// duration reads an xs:duration. It returns zero if the attribute is absent or
// invalid, because the value only says when to fetch the metadata again.
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
