package xmltree_test

import (
	"math/rand/v2"
	"strings"
)

// seeds have some of everything that documents are made of.
var seeds = []string{
	`<?xml version="1.0" encoding="UTF-8"?><!-- x --><a:r xmlns:a="urn:a" xmlns="urn:d" a:x="1" y='2&#10;"'><b>t&amp;<c/>]]&gt;<![CDATA[<&>]]></b><!-- y --><a:b xmlns:a="urn:b" xmlns:c="urn:a" c:x="" a:x=""/></a:r>`,
	`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r"><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"><saml:Issuer>i</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="s"/><saml:Subject><saml:NameID Format="f">alice</saml:NameID></saml:Subject></saml:Assertion></samlp:Response>`,
	"<é:名 xmlns:é=\"urn:&#x65;\">\r\n 1\r2 &#13; \t<x xmlns=\"\" b=\"\t \n&#9;\"/>€𝄞</é:名>\n<!---->\n",
	`<r xml:lang="de"><a xmlns="urn:1"><b xmlns=""><c xmlns="urn:2"/></b></a><p:q xmlns:p="http://a.example/?x&amp;y" p:p=""></p:q></r>`,
	`<a><b><c>x</c>y</b> <!-- - --> <![CDATA[ ]]></a>`,
	`<a b='"' c=">"/>`,
	`<a/>`,
}

var pieces = []string{
	"<", ">", "/", "=", "\"", "'", "&", ";", "#", ":", "!", "?", "[", "]", "-", " ", "\t", "\n", "\r", "\r\n", "\x00",
	"\x01", "\x1f", "\x7f", "\u0085", "\u2028", "\ufeff", "\ufffe", "\xff", "\xed\xa0\x80", "é", "\u0300", "·", "1",
	"<a>", "</a>", "<a/>", "<b", "/>", "</", "<!--", "-->", "--", "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE a>", "<?x?>",
	`<?xml version="1.0"?>`, "&lt;", "&#x41;", "&#0;", "&#xD;", "&#xFFFF;", "&#x110000;", "&x;", "&#00000065;",
	` xmlns="urn:d"`, ` xmlns=""`, ` xmlns:a="urn:a"`, ` xmlns:a=""`, ` xmlns:z="urn:a"`, ` xmlns:z="rel"`,
	` xmlns:xml="http://www.w3.org/XML/1998/namespace"`, ` xmlns:xmlns="urn:x"`, ` a:x=""`, ` z:x=""`, ` x=""`, ` y='<'`,
	` ID="_a"`, ` xml:id="q"`, "a:", "z:", "xml:", "xmlns:", "xmlns",
}

// mutant is a seed with up to three changes.
func mutant(r *rand.Rand) string {
	doc := seeds[r.IntN(len(seeds))]
	for range 1 + r.IntN(3) {
		from := r.IntN(len(doc) + 1)
		to := min(len(doc), from+r.IntN(6))
		switch r.IntN(6) {
		case 0:
			doc = doc[:from] + doc[to:]
		case 1, 2:
			doc = doc[:from] + pieces[r.IntN(len(pieces))] + doc[from:]
		case 3:
			doc = doc[:from] + pieces[r.IntN(len(pieces))] + doc[to:]
		case 4: // a part of another one, between two tags of this one
			other := seeds[r.IntN(len(seeds))]
			a := r.IntN(len(other))
			b := a + strings.IndexByte(other[a:]+">", '>')
			if at := strings.IndexByte(doc[from:], '<'); at >= 0 {
				from += at
			}
			doc = doc[:from] + other[a:min(b+1, len(other))] + doc[from:]
		case 5: // in a tag
			if at := strings.IndexAny(doc[from:], " />"); at >= 0 {
				from += at
			}
			doc = doc[:from] + pieces[len(pieces)-18+r.IntN(18)] + doc[from:]
		}
	}
	return doc
}
