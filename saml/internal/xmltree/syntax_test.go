package xmltree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// TestReads has accepted documents and their trees.
func TestReads(t *testing.T) {
	for doc, want := range map[string]string{
		`<a/>`:                  `({}a)`,
		`<a></a>`:               `({}a)`,
		"<a \n\t></a \n\t>":     `({}a)`,
		"<a\r\n/>":              `({}a)`,
		"\ufeff<a/>":            `({}a)`,
		" \n<a/>\n ":            `({}a)`,
		`<!-- x --><a/><!---->`: `({}a)`,
		// XML declarations (XML 1.0, 2.8)
		`<?xml version="1.0"?><a/>`:                                   `({}a)`,
		`<?xml version='1.0' encoding='utf-8' standalone='no' ?><a/>`: `({}a)`,
		"<?xml\n version\t=\r\n\"1.0\" encoding = \"UTF-8\"?>\n<a/>":  `({}a)`,
		"\ufeff<?xml version=\"1.0\" standalone=\"yes\"?><a/>":        `({}a)`,
		// Text, entities and references (2.4, 4.1, 4.6)
		`<a>&lt;&gt;&amp;&quot;&apos;</a>`:          `({}a "<>&\"'")`,
		`<a>&#60;&#x3c;&#x3C;&#0060;&#x00003C;</a>`: `({}a "<<<<<")`,
		`<a>&#x10FFFF;&#xD7FF;&#xE000;&#xFFFD;</a>`: fmt.Sprintf(`({}a %q)`, "\U0010FFFF\uD7FF\uE000\uFFFD"),
		`<a>&#0000000000000000000000000065;</a>`:    `({}a "A")`,
		`<a>&#9;&#10;&#13;</a>`:                     `({}a "\t\n\r")`,
		`<a>&amp;lt;</a>`:                           `({}a "&lt;")`,
		`<a>a]]b]>c] ]></a>`:                        `({}a "a]]b]>c] ]>")`,
		`<a>></a>`:                                  `({}a ">")`,
		"<a>\u0085\u2028\u007f\u00a0</a>":           fmt.Sprintf(`({}a %q)`, "\u0085\u2028\u007f\u00a0"),
		"<a>\ufeff\ufffd\ufdd0\U0001FFFE</a>":       fmt.Sprintf(`({}a %q)`, "\ufeff\ufffd\ufdd0\U0001FFFE"),
		// Line ends (2.11): before anything else, so in CDATA and comments too,
		// and a reference is none.
		"<a>1\r\n2\r3\n4\r\r\n5&#13;\n6</a>": `({}a "1\n2\n3\n4\n\n5\r\n6")`,
		"<a><![CDATA[1\r\n2\r3]]></a>":       `({}a "1\n2\n3")`,
		// Attribute values (3.3.3)
		"<a b=\"1\t2\n3\r4\r\n5 6\"/>":                `({}a {}b="1 2 3 4 5 6")`,
		`<a b="&#9;&#10;&#13;&#x20;"/>`:               `({}a {}b="\t\n\r ")`,
		`<a b=" x  y "/>`:                             `({}a {}b=" x  y ")`,
		`<a b='"' c="'" d="&quot;&apos;" e="&gt;>"/>`: `({}a {}b="\"" {}c="'" {}d="\"'" {}e=">>")`,
		"<a b\n=\t'x'/>":                              `({}a {}b="x")`,
		`<a b="&amp;lt;&lt;]]>"/>`:                    `({}a {}b="&lt;<]]>")`,
		// CDATA (2.7)
		`<a><![CDATA[<&>]]></a>`:                           `({}a "<&>")`,
		`<a><![CDATA[]]></a>`:                              `({}a)`,
		`<a>1<![CDATA[2]]>3<![CDATA[4]]><![CDATA[]]>5</a>`: `({}a "12345")`,
		`<a><![CDATA[]]]]><![CDATA[>]]></a>`:               `({}a "]]>")`,
		`<a><![CDATA[<!-- x -->]]></a>`:                    `({}a "<!-- x -->")`,
		`<a><![CDATA[&lt;<![CDATA[]]></a>`:                 `({}a "&lt;<![CDATA[")`,
		// Comments (2.5) beside elements and white space
		`<a> <!-- x - y -><& --> <b/><!----> </a>`: `({}a "  " ({}b) " ")`,
		`<a><b>x</b><!-- x --><c>y</c></a>`:        `({}a ({}b "x") ({}c "y"))`,
		`<a><!-->x--></a>`:                         `({}a)`,
		// Names (2.3) and namespaces
		`<_ _-.1="" é="" 名="" a·b="" x‿y=""/>`:                               `({}_ {}_-.1="" {}é="" {}名="" {}a·b="" {}x‿y="")`,
		`<xmlfoo XML=""/>`:                                                   `({}xmlfoo {}XML="")`,
		`<p:a xmlns:p="urn:x" p:b="" b=""/>`:                                 `({urn:x}a {urn:x}b="" {}b="")`,
		`<a xmlns="urn:x" b=""><c/></a>`:                                     `({urn:x}a {}b="" ({urn:x}c))`,
		`<a xmlns="urn:x"><b xmlns=""><c/></b><d/></a>`:                      `({urn:x}a ({}b ({}c)) ({urn:x}d))`,
		`<a b:c="" xmlns:b="urn:&amp;x"/>`:                                   `({}a {urn:&x}c="")`,
		`<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"/><p:c/></p:a>`:            `({urn:1}a ({urn:2}b) ({urn:1}c))`,
		`<a xml:lang="de" xml:id="x"/>`:                                      `({}a {http://www.w3.org/XML/1998/namespace}lang="de" {http://www.w3.org/XML/1998/namespace}id="x")`,
		`<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`:              `({}a)`,
		`<a xmlns:p="urn:a" xmlns:q="urn:b" p:x="" q:x="" x=""/>`:            `({}a {urn:a}x="" {urn:b}x="" {}x="")`,
		`<a xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:é="x+y.-1:"/>`: `({}a)`,
		`<p:p xmlns:p="urn:p" p="p"/>`:                                       `({urn:p}p {}p="p")`,
	} {
		d, err := xmltree.Parse(doc, roomy)
		requireKind(t, accepted, doc, err)
		require.Equal(t, want, dump(d.Root()), "%q", doc)
	}
}

func TestRefuses(t *testing.T) {
	for _, doc := range []string{
		// One root, and nothing else around it (2.1)
		``, ` `, "\ufeff", `<!-- x -->`, `x`, `x<a/>`, `<a/>x`, `<a/><a/>`, `<a/><b></b>`, `<a/>&#32;`, `<a/><![CDATA[]]>`,
		`</a>`, `<a/></a>`,
		"\ufeff\ufeff<a/>", "<a/>\ufeff", "<a/>\x00",
		// Tags that match (3)
		`<a>`, `<a`, `<`, `<a/`, `<a></b>`, `<a></A>`, `<a></aa>`, `<aa></a>`, `<a></a`, `<a></`, `<a><`, `<a><b></a></b>`,
		`<a></a b="">`, `<a></ a>`,
		`< a/>`, `<a/ >`, `<p:a xmlns:p="urn:x" xmlns:q="urn:x"></q:a>`, `<a></a/>`, `<a>x`, `<a/b>`, `<a//>`, `<>`, `</>`,
		`<a<b/>`,
		// Names (2.3; Namespaces 4)
		`<1/>`, `<-a/>`, `<.a/>`, `<a$/>`, `<:a/>`, `<a:/>`, `<a::b xmlns:a="urn:x"/>`, `<a:b:c xmlns:a="urn:x"/>`,
		`<a 1=""/>`, `<a :b=""/>`, `<a b:=""/>`,
		`<p:1 xmlns:p="urn:x"/>`, "<a\u00d7/>", "<\u00b7a/>", "<a\u2000/>", "<a \u0300=''/>", "<a\u037e/>", "<\U000F0000/>",
		"<a b\u00a0=''/>",
		"<a\u00a0b=''/>", "<a\u0085/>",
		// Attributes (3.1)
		`<a b/>`, `<a b=/>`, `<a b=c/>`, `<a b="/>`, `<a b='"/>`, `<a b=">"`, `<a b=""c=""/>`, `<a b="<"/>`, `<a b="&"/>`,
		`<a b="&x;"/>`, `<a ="x"/>`,
		`<a "x"/>`, `<a b=""b=""/>`, `<a b"x"/>`, `<a b='x''/>`,
		`<a b="" b=""/>`, `<p:a xmlns:p="urn:x" p:b="" p:b=""/>`, `<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="" q:b=""/>`,
		`<a b="1" c="" b="2"/>`,
		`<r xmlns:p="urn:x"><a xmlns:q="urn:x" p:b="" q:b=""/></r>`,
		// Characters (2.2)
		"<a>\x00</a>", "<a>\x08</a>", "<a>\x0b</a>", "<a>\x1f</a>", "<a>\ufffe</a>", "<a>\uffff</a>", "<a b='\x01'/>",
		"<a b='\uffff'/>", "<!--\x02--><a/>",
		"<a><!--\uffff--></a>", "<a><![CDATA[\x03]]></a>", "<a><![CDATA[\ufffe]]></a>", "<a\x0c/>", "<a>x\x1b",
		// UTF-8
		"<a>\xff</a>", "<a>\xc0\x80</a>", "<a>\xed\xa0\x80</a>", "<a>\xf4\x90\x80\x80</a>", "<a>\xe2\x82</a>",
		"\xff\xfe<\x00a\x00/\x00>\x00",
		"\xfe\xff\x00<\x00a\x00/\x00>", "<a>\xf8\x88\x80\x80\x80</a>", "<\xe9/>",
		// References (4.1)
		`<a>&</a>`, `<a>& </a>`, `<a>&;</a>`, `<a>&lt</a>`, `<a>&LT;</a>`, `<a>&nbsp;</a>`, `<a>&x;</a>`, `<a>&#;</a>`,
		`<a>&#x;</a>`, `<a>&#X41;</a>`,
		`<a>&#xg;</a>`, `<a>&#4a;</a>`, `<a>&# 65;</a>`, `<a>&#65 ;</a>`, `<a>&#+65;</a>`, `<a>&#-65;</a>`, `<a>&#x+41;</a>`,
		`<a>&#x_41;</a>`,
		`<a>&#6_5;</a>`, `<a>&#0x41;</a>`, `<a>&#x0x41;</a>`, `<a>&#xx41;</a>`, `<a>&#o101;</a>`, "<a>&#\u0666\u0665;</a>",
		`<a>&#0;</a>`, `<a>&#x0;</a>`, `<a>&#8;</a>`, `<a>&#11;</a>`, `<a>&#x1F;</a>`, `<a>&#xD800;</a>`, `<a>&#xDFFF;</a>`,
		`<a>&#xFFFE;</a>`,
		`<a>&#xFFFF;</a>`, `<a>&#x110000;</a>`, `<a>&#4294967361;</a>`, `<a>&#x100000041;</a>`,
		`<a>&#99999999999999999999;</a>`,
		`<a>&#18446744073709551681;</a>`, `<a b="&#0;"/>`, `<a b="&lt"/>`, `<a b="&#xD800;"/>`,
		`<a>&#` + strings.Repeat("0", 100) + `65;</a>`,
		// CDATA, comments (2.5, 2.7)
		`<a>]]></a>`, `<a>]]]></a>`, `<a><![CDATA[x</a>`, `<a><![CDATA[x]]</a>`, `<a><![cdata[x]]></a>`,
		`<a><! [CDATA[x]]></a>`, `<![CDATA[x]]><a/>`,
		`<a><!-- -- --></a>`, `<a><!-- x ---></a>`, `<a><!-- x </a>`, `<a><!- x --></a>`, `<!--><a/>`, `<!---><a/>`,
		`<a <!-- x --> />`, `<!-- x`,
		`<a/><!-- -`,
		// DOCTYPE, processing instructions, and other directives
		`<!DOCTYPE a><a/>`, `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, `<!doctype a><a/>`, `<a><!DOCTYPE a></a>`,
		`<a/><!DOCTYPE a>`,
		`<a><!ELEMENT a ANY></a>`, `<a><!x></a>`, `<?x?><a/>`, `<a><?x y?></a>`, `<a/><?x?>`, `<a><?xml version="1.0"?></a>`,
		` <?xml version="1.0"?><a/>`,
		`<!-- x --><?xml version="1.0"?><a/>`, `<?xml-stylesheet href="x"?><a/>`,
		// XML declarations (2.8)
		`<?xml?><a/>`, `<?xml ?><a/>`, `<?xml version="1.1"?><a/>`, `<?xml version="1.0"><a/>`, `<?xml version=1.0?><a/>`,
		`<?xml encoding="UTF-8"?><a/>`,
		`<?xml encoding="UTF-8" version="1.0"?><a/>`, `<?xml version="1.0" encoding="UTF-16"?><a/>`,
		`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`,
		`<?xml version="1.0" encoding=""?><a/>`, `<?xml version="1.0" encoding="UTF8"?><a/>`,
		`<?xml version="1.0" standalone="maybe"?><a/>`,
		`<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>`, `<?xml version="1.0" version="1.0"?><a/>`,
		`<?xml version="1.0"encoding="UTF-8"?><a/>`, `<?xml version="1.0" x="y"?><a/>`, `<?xml version="1.0" ??><a/>`,
		`<?XML version="1.0"?><a/>`,
		`<?xml version="1.0'?><a/>`, `<?xmlversion="1.0"?><a/>`, `<?xml version="1.0" / ?><a/>`,
		"<?xml\u00a0version=\"1.0\"?><a/>",
		// Namespaces 3, 5
		`<p:a/>`, `<a p:b=""/>`, `<a><p:b xmlns:p="urn:x"/><p:c/></a>`, `<a xmlns:p=""/>`,
		`<a xmlns:p="urn:x"><b xmlns:p=""/></a>`,
		`<a xmlns:p="urn:x" xmlns:p="urn:y"/>`, `<a xmlns:p="urn:x" xmlns:p="urn:x"/>`, `<a xmlns="urn:x" xmlns="urn:x"/>`,
		`<a xmlns:xmlns="urn:x"/>`,
		`<a xmlns:xmlns="http://www.w3.org/2000/xmlns/"/>`, `<xmlns:a/>`, `<a xmlns:p="http://www.w3.org/2000/xmlns/"/>`,
		`<a xmlns="http://www.w3.org/2000/xmlns/"/>`, `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`,
		`<a xmlns="http://www.w3.org/XML/1998/namespace"/>`, `<a xmlns:xml="urn:x"/>`, `<a xmlns:xml=""/>`,
		`<a xmlns:="urn:x"/>`, `<a xmlns:1="urn:x"/>`,
		`<a xmlns:a:b="urn:x"/>`,
		// Relative namespace names, which canonicalisation has no form for
		`<a xmlns="x"/>`, `<a xmlns:p="x"/>`, `<a xmlns:p="1"/>`, `<a xmlns:p="/x"/>`, `<a xmlns:p="//x/y"/>`,
		`<a xmlns:p="#x"/>`, `<a xmlns:p="?x"/>`,
		`<a xmlns:p="./x:y"/>`, `<a xmlns:p=":x"/>`, `<a xmlns:p="1x:y"/>`, `<a xmlns:p=" urn:x"/>`, `<a xmlns:p=" "/>`,
		`<a xmlns:p="é:x"/>`,
		`<a xmlns:p="a b:x"/>`,
	} {
		d, err := xmltree.Parse(doc, roomy)
		requireKind(t, xmltree.Syntax, doc, err)
		require.Nil(t, d, "a refusal comes with nothing")
	}
}

// A comment beside text in one element is refused, on either side and whatever
// is between: readers differ in what they take for the element's text.
func TestCommentsInText(t *testing.T) {
	for doc, want := range map[string]xmltree.Reason{
		`<a>x<!-- --></a>`:                 xmltree.Text,
		`<a><!-- -->x</a>`:                 xmltree.Text,
		`<a>x<!-- -->y</a>`:                xmltree.Text,
		`<a>x<b/><!-- --></a>`:             xmltree.Text,
		`<a><!-- --><b/>x</a>`:             xmltree.Text,
		`<a><!-- --><![CDATA[x]]></a>`:     xmltree.Text,
		`<a><![CDATA[x]]><!-- --></a>`:     xmltree.Text,
		`<a>&#120;<!-- --></a>`:            xmltree.Text,
		"<a>\u00a0<!-- --></a>":            xmltree.Text,
		`<a><!-- --> <!-- --></a>`:         accepted,
		"<a><![CDATA[ \r\n]]><!-- --></a>": accepted,
		`<a><!-- --><b>x</b></a>`:          accepted,
		`<a>x<b><!-- --></b></a>`:          accepted,
		`<!-- --><a>x</a><!-- -->`:         accepted,
		`<a>x<![CDATA[<!-- -->]]></a>`:     accepted,
	} {
		_, err := xmltree.Parse(doc, roomy)
		requireKind(t, want, doc, err)
	}
}

// TestEveryCharacter goes through Unicode: what a text may hold, what may begin a
// name and continue one, by the tables of XML 1.0 (fifth edition), 2.2 and 2.3.
func TestEveryCharacter(t *testing.T) {
	in := func(c rune, ranges ...rune) bool {
		for i := 0; i < len(ranges); i += 2 {
			if c >= ranges[i] && c <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	for c := rune(0); c <= 0x10FFFF; c++ {
		if c == 0xD800 {
			c = 0xE000
		}
		if c > 0x3100 && c&0xFFF > 2 && c&0xFFF < 0xFFD && !in(c, 0xD7F0, 0xE010, 0xF8F0, 0xFE00) {
			continue // inside a block; the edges are what matters
		}
		char := c == 9 || c == 10 || c == 13 || in(c, 0x20, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF)
		start := in(
			c,
			'A',
			'Z',
			'_',
			'_',
			'a',
			'z',
			0xC0,
			0xD6,
			0xD8,
			0xF6,
			0xF8,
			0x2FF,
			0x370,
			0x37D,
			0x37F,
			0x1FFF,
			0x200C,
			0x200D,
			0x2070,
			0x218F,
			0x2C00,
			0x2FEF,
			0x3001,
			0xD7FF,
			0xF900,
			0xFDCF,
			0xFDF0,
			0xFFFD,
			0x10000,
			0xEFFFF,
		)
		more := start || in(c, '-', '.', '0', '9', 0xB7, 0xB7, 0x300, 0x36F, 0x203F, 0x2040)
		parses := func(doc string) bool { _, err := xmltree.Parse(doc, roomy); return err == nil }
		if got := parses(fmt.Sprintf("<a>&#x%x;</a>", c)); got != char {
			t.Fatalf("U+%04X by reference: %v", c, got)
		}
		if got := parses("<" + string(c) + "/>"); got != start {
			t.Fatalf("U+%04X begins a name: %v", c, got)
		}
		if got := parses("<a"+string(c)+"b/>") && c != ' ' && c != '\t' && c != '\n' && c != '\r'; got != more {
			t.Fatalf("U+%04X in a name: %v", c, got)
		}
		if c == '<' || c == '&' {
			continue
		}
		if got := parses("<a>" + string(c) + "</a>"); got != char {
			t.Fatalf("U+%04X in a text: %v", c, got)
		}
		if c != '"' && parses(`<a b="`+string(c)+`"/>`) != char {
			t.Fatalf("U+%04X in a value", c)
		}
	}
}
