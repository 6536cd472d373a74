package saml

import (
	"strings"
	"unicode/utf8"
)

// canonicalWriter writes XML that is its own exclusive canonical form, as long
// as its caller gives every element the declarations that it visibly uses and
// no ancestor has, and attributes in order (Exclusive XML Canonicalization 1.0,
// 3; Canonical XML 1.0, 2.2). What is written can then be hashed as it stands.
type canonicalWriter struct{ b strings.Builder }

// attribute has an empty value if it is to be left out.
type attribute struct{ name, value string }

var (
	escapeText  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	escapeValue = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

func (w *canonicalWriter) start(name string, attributes ...attribute) {
	w.b.WriteString("<" + name)
	for _, a := range attributes {
		if a.value != "" {
			w.b.WriteString(" " + a.name + `="` + escapeValue.Replace(a.value) + `"`)
		}
	}
	w.b.WriteString(">")
}

func (w *canonicalWriter) end(name string) { w.b.WriteString("</" + name + ">") }

// element writes an element that holds text, or nothing.
func (w *canonicalWriter) element(name, text string, attributes ...attribute) {
	w.start(name, attributes...)
	w.b.WriteString(escapeText.Replace(text))
	w.end(name)
}

func (w *canonicalWriter) String() string { return w.b.String() }

// writable reports whether XML can hold a text (XML 1.0, 2.2). What can't be
// written is refused where it is configured.
func writable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7F || r == 0xFFFE || r == 0xFFFF
	})
}
