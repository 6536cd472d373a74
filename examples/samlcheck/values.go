package main

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

type valueJSON struct {
	Kind string `json:"kind"` // "text", "nil" or "xml"
	Text string `json:"text"`
	XML  string `json:"xml"`
}

func newValueJSON(v saml.AttributeValue) valueJSON {
	var b strings.Builder
	writeElements(&b, v.Elements, "")
	j := valueJSON{"text", v.Text, b.String()}
	switch {
	case v.Nil:
		j.Kind = "nil"
	case len(v.Elements) > 0:
		j.Kind = "xml"
	}
	return j
}

// listed shows the values of an attribute so that they can be told apart: text is quoted, also an empty one; xsi:nil
// is nil; elements are XML.
func listed(values []valueJSON) string {
	if len(values) == 0 {
		return "(no value)"
	}
	var out []string
	for _, v := range values {
		switch v.Kind {
		case "nil":
			out = append(out, "nil")
		case "xml":
			out = append(out, v.XML)
		default:
			out = append(out, strconv.Quote(v.Text))
		}
	}
	return strings.Join(out, ", ")
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
