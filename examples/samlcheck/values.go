package main

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// listed shows the values of an attribute so that none is mistaken for another:
// a text is quoted, also an empty one; xsi:nil is nil; elements are XML.
func listed(values []saml.AttributeValue) string {
	if len(values) == 0 {
		return "(no value)"
	}
	var out []string
	for _, v := range values {
		switch kindOf(v) {
		case "nil":
			out = append(out, "nil")
		case "xml":
			out = append(out, inXML(v.Elements))
		default:
			out = append(out, strconv.Quote(v.Text))
		}
	}
	return strings.Join(out, ", ")
}

// kindOf is "text", "nil" or "xml".
func kindOf(v saml.AttributeValue) string {
	switch {
	case v.Nil:
		return "nil"
	case len(v.Elements) > 0:
		return "xml"
	}
	return "text"
}

// inXML writes elements for a person to read.
func inXML(elements []saml.Element) string {
	var b strings.Builder
	writeElements(&b, elements, "")
	return b.String()
}

func writeElements(b *strings.Builder, elements []saml.Element, namespace string) {
	for _, e := range elements {
		b.WriteString("<" + e.Name)
		if e.Namespace != namespace {
			writeAttribute(b, "xmlns", e.Namespace)
		}
		for i, a := range e.Attributes {
			name := a.Name
			if a.Namespace != "" {
				prefix := "a" + strconv.Itoa(i)
				writeAttribute(b, "xmlns:"+prefix, a.Namespace)
				name = prefix + ":" + name
			}
			writeAttribute(b, name, a.Value)
		}
		b.WriteString(">")
		_ = xml.EscapeText(b, []byte(e.Text))
		writeElements(b, e.Elements, e.Namespace)
		b.WriteString("</" + e.Name + ">")
	}
}

func writeAttribute(b *strings.Builder, name, value string) {
	b.WriteString(" " + name + `="`)
	_ = xml.EscapeText(b, []byte(value))
	b.WriteString(`"`)
}
