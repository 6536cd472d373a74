package saml

import (
	"strings"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// canonicalWriter writes XML that is its own exclusive canonical form, so that it
// can be hashed as it is written (Exclusive XML Canonicalization 1.0, 3; Canonical
// XML 1.0, 2.2). The caller passes attributes in canonical order, and for each
// element the namespace declarations that it visibly uses and that no ancestor has.
type canonicalWriter struct{ strings.Builder }

// attribute is left out if its value is empty.
type attribute struct{ name, value string }

func (w *canonicalWriter) start(name string, attributes ...attribute) {
	w.WriteString("<" + name)
	for _, a := range attributes {
		if a.value != "" {
			w.WriteString(" " + a.name + `="` + xmltree.EscapeValue.Replace(a.value) + `"`)
		}
	}
	w.WriteString(">")
}

func (w *canonicalWriter) end(name string) { w.WriteString("</" + name + ">") }

// element writes an element with text, or an empty one.
func (w *canonicalWriter) element(name, text string, attributes ...attribute) {
	w.start(name, attributes...)
	w.WriteString(xmltree.EscapeText.Replace(text))
	w.end(name)
}

// nameID writes a NameID (Core 2.2.3). The declaration may be empty.
func (w *canonicalWriter) nameID(n NameID, declaration attribute) {
	w.element("saml:NameID", n.Value, declaration,
		attribute{"Format", n.Format}, attribute{"NameQualifier", n.NameQualifier},
		attribute{"SPNameQualifier", n.SPNameQualifier}, attribute{"SPProvidedID", n.SPProvidedID})
}

// writable reports whether a text has only characters that XML allows (XML 1.0,
// 2.2).
func writable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7F || r == 0xFFFE || r == 0xFFFF
	})
}
