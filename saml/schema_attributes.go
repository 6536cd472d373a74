package saml

import "github.com/meridian-saml/meridian/saml/internal/xmltree"

// attributeStatements reads all attributes. Values with equal Name and NameFormat
// are joined in document order, because some identity providers write one Attribute
// element for each value.
func (d *decoder) attributeStatements(a *assertion, n xmltree.Node) {
	attributes, values := 0, 0
	for s := n.Child(xmltree.Assertion, "AttributeStatement"); s.OK(); s = s.NextSame() {
		for c := s.First(); c.OK(); c = c.Next() {
			attributes++
			for v := c.First(); v.OK(); v = v.Next() {
				values++
			}
		}
	}
	a.attributes = make([]Attribute, 0, attributes)
	all := make([]AttributeValue, 0, values)
	var known attributeIndex
	for s := n.Child(xmltree.Assertion, "AttributeStatement"); s.OK(); s = s.NextSame() {
		empty := true
		for child := s.First(); child.OK(); child = child.Next() {
			c := child
			if c.Is(xmltree.Assertion, "EncryptedAttribute") {
				c = d.decrypt(c, "Attribute")
			}
			if !c.Is(xmltree.Assertion, "Attribute") {
				continue
			}
			empty = false
			from := len(all)
			for value := c.First(); value.OK(); value = value.Next() {
				if value.Is(xmltree.Assertion, "AttributeValue") {
					all = append(all, attributeValue(value))
				}
			}
			name, format := d.attr(c, "Name"), d.attr(c, "NameFormat")
			if name == "" {
				d.fail(&Error{Reason: ReasonSchema, Detail: "an Attribute has no Name (Core 2.7.3.1)"})
			}
			if i, again := known.number(a.attributes, name, format); again {
				a.attributes[i].Values = append(a.attributes[i].Values, all[from:]...)
				continue
			}
			a.attributes = append(a.attributes, Attribute{
				Name: name, NameFormat: format, FriendlyName: d.attr(c, "FriendlyName"),
				Values: all[from:len(all):len(all)],
			})
		}
		if empty {
			d.fail(&Error{Reason: ReasonSchema, Detail: "an AttributeStatement has no Attribute (Core 2.7.3)"})
		}
	}
}

// attributeIndex finds attributes by Name and NameFormat. While there are few
// attributes, it is nil and they are compared one by one.
type attributeIndex map[[2]string]int

func (x *attributeIndex) number(have []Attribute, name, format string) (int, bool) {
	if *x == nil {
		for i, a := range have {
			if a.Name == name && a.NameFormat == format {
				return i, true
			}
		}
		if len(have) < 16 {
			return 0, false
		}
		*x = make(attributeIndex, 2*len(have))
		for i, a := range have {
			(*x)[[2]string{a.Name, a.NameFormat}] = i
		}
	}
	key := [2]string{name, format}
	i, again := (*x)[key]
	if !again {
		(*x)[key] = len(have)
	}
	return i, again
}

// attributeValue keeps the elements of a value. Flattening them to a string would
// change the value.
func attributeValue(n xmltree.Node) AttributeValue {
	if nilled, _ := n.AttrNS(xmltree.XSI, "nil"); nilled == "true" || nilled == "1" {
		return AttributeValue{Nil: true}
	}
	if !n.First().OK() {
		return AttributeValue{Text: n.Text()}
	}
	return AttributeValue{Elements: valueElements(n)}
}

func valueElements(n xmltree.Node) []Element {
	var out []Element
	for c := n.First(); c.OK(); c = c.Next() {
		e := Element{Namespace: c.Doc().URI(c.NS()), Name: c.Local(), Text: c.Text(), Elements: valueElements(c)}
		for _, a := range c.Attrs() {
			e.Attributes = append(e.Attributes, ElementAttribute{c.Doc().URI(a.NS), a.Local, a.Value})
		}
		out = append(out, e)
	}
	return out
}
