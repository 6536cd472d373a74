package saml_test

import (
	"bytes"
	"fmt"
	"strings"
)

// What is put into documents.
var (
	evilText = []string{
		"admin@example.com",
		"alice@example.com",
		"evil",
		"_evil",
		"_asrt1",
		"_resp1",
		"#_resp1",
		"#_asrt1",
		"",
		" ",
		"\n",
		"x",
		"true",
		"2030-01-01T00:00:00Z",
		usACS,
		euACS,
		spEntity,
		idpEntity,
		"\u00a0",
		"\ufeff",
		"\u0430",
		"\r",
		"&#13;",
		"&#0;",
		"&#x61;",
		"&amp;",
		"&lt;",
		"&evil;",
		"]]>",
	}
	evilNames = []string{
		"Response",
		"Assertion",
		"Subject",
		"NameID",
		"Issuer",
		"Attribute",
		"AttributeValue",
		"AttributeStatement",
		"Signature",
		"SignedInfo",
		"SignatureValue",
		"Reference",
		"Transforms",
		"Transform",
		"DigestValue",
		"Object",
		"Manifest",
		"KeyInfo",
		"Extensions",
		"Advice",
		"Status",
		"StatusCode",
		"Conditions",
		"EncryptedAssertion",
		"x",
		"ID",
		"Id",
		"id",
	}
	evilPrefixes = []string{"saml", "samlp", "ds", "xs", "xsi", "x", "xml", "xmlns", ""}
	evilURIs     = []string{
		"urn:oasis:names:tc:SAML:2.0:assertion",
		"urn:oasis:names:tc:SAML:2.0:protocol",
		"http://www.w3.org/2000/09/xmldsig#",
		"http://www.w3.org/2001/XMLSchema",
		"http://www.w3.org/2001/XMLSchema-instance",
		"http://www.w3.org/XML/1998/namespace",
		"urn:evil",
		"evil",
		"",
		"http://www.w3.org/2001/10/xml-exc-c14n#",
	}
	evilParts = []string{
		`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_evil" Version="2.0" IssueInstant="2026-11-22T12:00:00Z"><saml:Issuer>` + idpEntity + `</saml:Issuer></saml:Assertion>`,
		`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">admin@example.com</saml:NameID>`,
		`<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="groups"><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute>`,
		`<saml:AttributeStatement xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><saml:Attribute Name="groups"><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`,
		`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`,
		`<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><x/></ds:Object>`,
		`<samlp:Extensions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`, `<x xmlns="urn:evil"/>`, `<x/>`,
		`<!---->`, `<!-- x -->`, `<!-- - -- -->`, `<?x y?>`, `<![CDATA[]]>`, `<![CDATA[x]]>`,
		`<![CDATA[]]>]]&gt;<![CDATA[]]>`, " ", "\n\t", "\r\n", "&#32;", "x", "<", ">", "&", "\x00", "\xff", "\ufffe",
		`<!DOCTYPE x [<!ENTITY e "evil">]>`, `<?xml version="1.0" encoding="UTF-8"?>`, "\ufeff",
	}
)

// mutations are all that is done to documents. Each makes m.next, or says that
// it did not apply.
var mutations = []struct {
	name string
	do   func(*mutator, chooser) bool
}{
	{"set a byte", func(m *mutator, c chooser) bool {
		if len(m.buf) == 0 {
			return false
		}
		p := c.pick(len(m.buf))
		return m.splice(cut{p, p + 1}, string([]byte{byte(c.pick(256))}))
	}},
	{"set a byte to punctuation", func(m *mutator, c chooser) bool {
		if len(m.buf) == 0 {
			return false
		}
		p := c.pick(len(m.buf))
		return m.splice(cut{p, p + 1}, oneOf(c, strings.Split("<>/=\"'&;:#! \t\n\r-[]?", "")))
	}},
	{"flip a bit", func(m *mutator, c chooser) bool {
		if len(m.buf) == 0 {
			return false
		}
		p := c.pick(len(m.buf))
		return m.splice(cut{p, p + 1}, string([]byte{m.buf[p] ^ 1<<c.pick(8)}))
	}},
	{"insert bytes", func(m *mutator, c chooser) bool {
		p := c.pick(len(m.buf) + 1)
		return m.at(p, oneOf(c, evilText))
	}},
	{"insert white space", func(m *mutator, c chooser) bool {
		return m.at(c.pick(len(m.buf)+1), oneOf(c, []string{" ", "\t", "\n", "\r"}))
	}},
	{"delete bytes", func(m *mutator, c chooser) bool {
		p := c.pick(len(m.buf) + 1)
		return m.splice(cut{p, min(len(m.buf), p+1+c.pick(8))})
	}},
	{"repeat bytes", func(m *mutator, c chooser) bool {
		p := c.pick(len(m.buf) + 1)
		return m.at(p, m.text(cut{p, min(len(m.buf), p+1+c.pick(64))}))
	}},
	{"insert a part", func(m *mutator, c chooser) bool { return m.at(m.gap(c), oneOf(c, evilParts)) }},
	{"put something at an end", func(m *mutator, c chooser) bool {
		return m.at([]int{0, len(m.buf)}[c.pick(2)], oneOf(c, evilParts))
	}},
	{"delete an element", withSpan(func(m *mutator, c chooser, s span) bool { return m.splice(s.all) })},
	{"repeat an element", withSpan(func(m *mutator, c chooser, s span) bool { return m.at(s.all.to, m.text(s.all)) })},
	{"copy an element", withSpan(func(m *mutator, c chooser, s span) bool { return m.at(m.gap(c), m.text(s.all)) })},
	{"move an element", withSpan(func(m *mutator, c chooser, s span) bool { return m.move(s.all, m.gap(c)) })},
	{"wrap an element", withSpan(func(m *mutator, c chooser, s span) bool {
		p, n, u := oneOf(c, evilPrefixes[:6]), oneOf(c, evilNames), oneOf(c, evilURIs[:8])
		return m.splice(s.all, fmt.Sprintf(`<%s:%s xmlns:%[1]s="%[3]s">`, p, n, u), m.text(s.all), "</", p, ":", n, ">")
	})},
	{"unwrap an element", withSpan(func(m *mutator, c chooser, s span) bool { return m.splice(s.all, m.text(s.inner)) })},
	{"empty an element", withSpan(func(m *mutator, c chooser, s span) bool { return m.splice(s.inner) })},
	{
		"change what is in an element",
		withSpan(func(m *mutator, c chooser, s span) bool { return m.splice(s.inner, oneOf(c, evilText)) }),
	},
	{"rename an element", rename(func(m *mutator, c chooser, name string) string {
		prefix, _, _ := bytes.Cut([]byte(name), []byte(":"))
		return string(prefix) + ":" + oneOf(c, evilNames)
	})},
	{"change an element's prefix", rename(func(m *mutator, c chooser, name string) string {
		_, local, _ := bytes.Cut([]byte(name), []byte(":"))
		if p := oneOf(c, evilPrefixes); p != "" {
			return p + ":" + string(local)
		}
		return string(local)
	})},
	{"write an empty element in two tags, or in one", withSpan(func(m *mutator, c chooser, s span) bool {
		t := m.tags[s.start]
		switch {
		case s.start == s.end:
			return m.splice(cut{t.all.to - 2, t.all.to}, "></", m.text(t.name), ">")
		case s.inner.from == s.inner.to:
			return m.splice(cut{t.all.to - 1, s.all.to}, "/>")
		}
		return false
	})},
	{"swap two texts", func(m *mutator, c chooser) bool {
		if len(m.texts) < 2 {
			return false
		}
		a, b := m.texts[c.pick(len(m.texts))], m.texts[c.pick(len(m.texts))]
		if a.from > b.from {
			a, b = b, a
		}
		return a.to <= b.from && m.splice(cut{a.from, b.to}, m.text(b), m.text(cut{a.to, b.from}), m.text(a))
	}},
	{"insert into a text", withText(func(m *mutator, c chooser, t cut) bool {
		return m.at(t.from+c.pick(t.to-t.from+1), oneOf(c, evilParts))
	})},
	{"make a text CDATA", withText(func(m *mutator, c chooser, t cut) bool {
		from := t.from + c.pick(t.to-t.from)
		part := cut{from, from + 1 + c.pick(t.to-from)}
		return m.splice(part, "<![CDATA[", m.text(part), "]]>")
	})},
	{"write a character as a reference", withText(func(m *mutator, c chooser, t cut) bool {
		p := t.from + c.pick(t.to-t.from)
		return m.splice(
			cut{p, p + 1},
			fmt.Sprintf([]string{"&#%d;", "&#x%x;", "&#x%X;", "&#00%d;", "&#x0%x;"}[c.pick(5)], m.buf[p]),
		)
	})},
	{"write a value's character as a reference", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		v := t.marks[i].value
		if v.from == v.to {
			return false
		}
		p := v.from + c.pick(v.to-v.from)
		return m.splice(
			cut{p, p + 1},
			fmt.Sprintf([]string{"&#%d;", "&#x%x;", "&#x%X;", "&#00%d;", "&#x0%x;"}[c.pick(5)], m.buf[p]),
		)
	})},
	{"delete an attribute", withMark(func(m *mutator, c chooser, t tag, i int) bool { return m.splice(t.marks[i].all) })},
	{"repeat an attribute", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		return m.at(t.marks[i].all.to, m.text(t.marks[i].all))
	})},
	{"change an attribute's value", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		return m.splice(t.marks[i].value, oneOf(c, evilText))
	})},
	{"change a namespace", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		return bytes.HasPrefix(m.buf[t.marks[i].name.from:], []byte("xmlns")) &&
			m.splice(t.marks[i].value, oneOf(c, evilURIs))
	})},
	{"rename an attribute", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		return m.splice(
			t.marks[i].name,
			oneOf(c, append([]string{"x:ID", "xml:id", "xmlns", "xmlns:x", "xsi:nil", "xsi:type"}, evilNames...)),
		)
	})},
	{"swap two attributes", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		if i == 0 {
			return false
		}
		a, b := t.marks[i-1].all, t.marks[i].all
		return m.splice(cut{a.from, b.to}, m.text(b), m.text(a))
	})},
	{"change an attribute's quotes", withMark(func(m *mutator, c chooser, t tag, i int) bool {
		v := t.marks[i].value
		quote := "'"
		if m.buf[v.to] == '\'' {
			quote = `"`
		}
		return m.splice(cut{v.from - 1, v.to + 1}, quote, m.text(v), quote)
	})},
	{"white space in a tag", func(m *mutator, c chooser) bool {
		if len(m.tags) == 0 {
			return false
		}
		t := m.tags[c.pick(len(m.tags))]
		at := []int{t.name.to, t.all.to - 1}
		for _, mk := range t.marks {
			at = append(at, mk.all.from, mk.name.to, mk.value.from-1)
		}
		return m.at(at[c.pick(len(at))], oneOf(c, []string{" ", "\n", "\t", "\r\n", "  "}))
	}},
	{"declare a namespace", func(m *mutator, c chooser) bool {
		if len(m.tags) == 0 {
			return false
		}
		t := m.tags[c.pick(len(m.tags))]
		p := oneOf(c, evilPrefixes)
		if p != "" {
			p = ":" + p
		}
		return m.at(t.name.to, " xmlns", p, `="`, oneOf(c, evilURIs), `"`)
	}},
	{"add an attribute", func(m *mutator, c chooser) bool {
		if len(m.tags) == 0 {
			return false
		}
		t := m.tags[c.pick(len(m.tags))]
		name := oneOf(
			c,
			[]string{
				"ID",
				"Id",
				"id",
				"xml:id",
				"xml:lang",
				"xsi:nil",
				"xsi:type",
				"Name",
				"Format",
				"x",
				"URI",
				"Algorithm",
				"saml:ID",
				"SPNameQualifier",
			},
		)
		return m.at(t.name.to, " ", name, `="`, oneOf(c, evilText), `"`)
	}},
	{"forge around the assertion", forge},
	{"move the Signature away", func(m *mutator, c chooser) bool {
		s, ok := m.spanOf(c, "Signature")
		a, okA := m.spanOf(c, "Assertion")
		if !ok || !okA {
			return false
		}
		return m.move(s.all, []int{a.all.from, a.all.to, a.inner.from, a.inner.to}[c.pick(4)])
	}},
}

func withSpan(f func(*mutator, chooser, span) bool) func(*mutator, chooser) bool {
	return func(m *mutator, c chooser) bool {
		s, ok := m.span(c)
		return ok && f(m, c, s)
	}
}

func withText(f func(*mutator, chooser, cut) bool) func(*mutator, chooser) bool {
	return func(m *mutator, c chooser) bool {
		return len(m.texts) > 0 && f(m, c, m.texts[c.pick(len(m.texts))])
	}
}

func withMark(f func(*mutator, chooser, tag, int) bool) func(*mutator, chooser) bool {
	return func(m *mutator, c chooser) bool {
		t, i, ok := m.mark(c)
		return ok && f(m, c, t, i)
	}
}

func rename(f func(m *mutator, c chooser, name string) string) func(*mutator, chooser) bool {
	return withSpan(func(m *mutator, c chooser, s span) bool {
		start, end := m.tags[s.start].name, m.tags[s.end].name
		to := f(m, c, m.text(start))
		if s.start == s.end {
			return m.splice(start, to)
		}
		return m.splice(cut{start.from, end.to}, to, m.text(cut{start.to, end.from}), to)
	})
}
