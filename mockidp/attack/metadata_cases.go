package attack

import (
	"strings"

	"github.com/beevik/etree"
)

// Metadata: odd spellings that real identity providers have, and documents that
// two readers would read differently.

var badMetadata = MetadataOutcome{Reasons: []string{"Metadata"}}

// oddMetadata: J07 and J08. What is no string collapses its white space (XML
// Schema 2, 4.3.6), and a duration is nothing that a key or an address hangs on.
func oddMetadata() []MetadataCase {
	odd := func(id string, f func(*metadataDraft)) MetadataCase {
		return MetadataCase{ID: id, attack: metadataChange{tree: f}}
	}
	around := func(id, before, after string, attr string, elements func(*metadataDraft) []*etree.Element) MetadataCase {
		return odd(id, func(d *metadataDraft) {
			for _, el := range elements(d) {
				el.CreateAttr(attr, before+el.SelectAttrValue(attr, "")+after)
			}
		})
	}
	services := func(d *metadataDraft) []*etree.Element { return d.role.SelectElements("SingleSignOnService") }
	role := func(d *metadataDraft) []*etree.Element { return []*etree.Element{d.role} }
	beside := func(id, attr, value string, of string) MetadataCase {
		c := odd(id, func(d *metadataDraft) { d.tree.FindElement(of).CreateAttr(attr, value) })
		c.ByName, c.base.tree = true, (*metadataDraft).aggregate
		return c
	}
	const neighbour = "//EntityDescriptor[@ID='_neighbour']"
	return []MetadataCase{
		around("J07/location", " ", " ", "Location", services),
		around("J07/location-lines", "\n\t", "\n", "Location", services),
		around("J07/binding", " ", "\n", "Binding", services),
		around("J07/protocols", "\n  ", " ", "protocolSupportEnumeration", role),
		around("J07/several-protocols", "urn:oasis:names:tc:SAML:1.1:protocol\n\t", "  urn:example:protocol", "protocolSupportEnumeration", role),
		odd("J07/algorithm", func(d *metadataDraft) {
			key := keyDescriptor("encryption", d.selfSigned(NextKey))
			algorithm(key, "md:EncryptionMethod", "\n  "+aes256GCM+" ")
			d.role.InsertChildAt(d.key.Index()+1, key)
		}),
		odd("J08/blanks", func(d *metadataDraft) { d.entity.CreateAttr("cacheDuration", " PT1H\n") }),
		odd("J08/role", func(d *metadataDraft) { d.role.CreateAttr("cacheDuration", "P1D") }),
		odd("J08/role-blanks", func(d *metadataDraft) { d.role.CreateAttr("cacheDuration", "\tP1Y2M3DT4H5M6.7S ") }),
		beside("J08/neighbour-out-of-range", "cacheDuration", "P99999999999999999999Y", neighbour),
		beside("J08/neighbour-malformed", "cacheDuration", "one day", neighbour),
		beside("J08/neighbour-role", "cacheDuration", "P99999999999999999999Y", neighbour+"/IDPSSODescriptor"),
	}
}

// encodedMetadata: K11. The byte order mark and the declaration say in what
// encoding a document is, and must say the same.
func encodedMetadata() []MetadataCase {
	declares := func(name string) func(string) string {
		return func(s string) string { return strings.Replace(s, `encoding="UTF-8"`, `encoding="`+name+`"`, 1) }
	}
	wide := func(big bool) func([]byte) []byte {
		return func(b []byte) []byte { return utf16Bytes(string(b), big) }
	}
	// named holds a letter that no two encodings spell alike.
	named := metadataChange{tree: func(d *metadataDraft) {
		org := d.entity.CreateElement("md:Organization")
		for _, tag := range []string{"Name", "DisplayName", "URL"} {
			child(org, "md:Organization"+tag, "xml:lang", "fr").SetText("https://idp.example/société")
		}
	}}
	encoded := func(id string, o MetadataOutcome, declaration string, octets func([]byte) []byte) MetadataCase {
		return MetadataCase{ID: id, Outcome: o, base: named, attack: metadataChange{text: declares(declaration), octets: octets}}
	}
	fine := MetadataOutcome{}
	mark := func(b []byte) []byte { return append([]byte("\ufeff"), b...) }
	// broken puts half a pair into the organization's name.
	broken := func(unit string) func([]byte) []byte {
		return func(b []byte) []byte {
			le := string(wide(false)(b))
			return []byte(strings.Replace(le, "\xe9\x00", unit, 1))
		}
	}
	return []MetadataCase{
		encoded("K11/utf-16-le", fine, "UTF-16", wide(false)),
		encoded("K11/utf-16-be", fine, "UTF-16", wide(true)),
		encoded("K11/iso-8859-1", fine, "ISO-8859-1", latin1Bytes),
		encoded("K11/utf-8-mark", fine, "UTF-8", mark),
		encoded("K11/le-says-utf-8", badMetadata, "UTF-8", wide(false)),
		encoded("K11/be-says-utf-8", badMetadata, "UTF-8", wide(true)),
		encoded("K11/be-says-le", badMetadata, "UTF-16LE", wide(true)),
		encoded("K11/le-says-iso-8859-1", badMetadata, "ISO-8859-1", wide(false)),
		encoded("K11/utf-8-mark-says-iso-8859-1", badMetadata, "ISO-8859-1", mark),
		encoded("K11/utf-8-says-utf-16", badMetadata, "UTF-16", nil),
		encoded("K11/no-mark", badMetadata, "UTF-16", func(b []byte) []byte { return wide(false)(b)[2:] }),
		encoded("K11/windows-1252", badMetadata, "windows-1252", latin1Bytes),
		encoded("K11/says-utf-8", badMetadata, "UTF-8", latin1Bytes),
		encoded("K11/high-surrogate", badMetadata, "UTF-16", broken("\x3d\xd8")),
		encoded("K11/low-surrogate", badMetadata, "UTF-16", broken("\x00\xde")),
		encoded("K11/surrogates-reversed", badMetadata, "UTF-16", broken("\x00\xde\x3d\xd8")),
		encoded("K11/half-a-unit", badMetadata, "UTF-16", func(b []byte) []byte { return append(wide(false)(b), '\n') }),
	}
}

func latin1Bytes(utf8 []byte) []byte {
	var out []byte
	for _, r := range string(utf8) {
		out = append(out, byte(r))
	}
	return out
}

// aggregates: K12. A reference to the root's ID must not be able to mean a
// neighbour.
func aggregates() []MetadataCase {
	clash := func(id string, path, attr string) MetadataCase {
		return MetadataCase{ID: id, ByName: true, Outcome: MetadataOutcome{Reasons: []string{"ID"}},
			base: metadataChange{tree: (*metadataDraft).aggregate, sign: true},
			attack: metadataChange{tree: func(d *metadataDraft) {
				d.tree.FindElement(path).CreateAttr(attr, d.tree.Root().SelectAttrValue("ID", ""))
			}},
		}
	}
	const neighbour = "//EntityDescriptor[@ID='_neighbour']"
	return []MetadataCase{
		clash("K12/neighbour", neighbour, "ID"),
		clash("K12/capital-i", neighbour+"/IDPSSODescriptor", "Id"),
		clash("K12/xml-id", neighbour+"/IDPSSODescriptor", "xml:id"),
	}
}

// chains: K18. Of several certificates in one X509Data the leaf's key signs: that
// of the one certificate which issued none of the others. Where there is no
// single leaf, the KeyDescriptor says nothing.
func chains() []MetadataCase {
	// with replaces the certificates of the key. also is a KeyDescriptor beside
	// it, which a rollover has.
	with := func(id string, o MetadataOutcome, also bool, certificates func(d *metadataDraft) [][]byte) MetadataCase {
		c := MetadataCase{ID: id, Outcome: o, attack: metadataChange{tree: func(d *metadataDraft) {
			d.role.InsertChildAt(d.key.Index(), keyDescriptor("signing", certificates(d)...))
			if !also {
				d.role.RemoveChild(d.key)
			}
		}}}
		return c
	}
	both := MetadataOutcome{Keys: []KeyRole{NextKey, SigningKey}, PassedOver: true}
	leaf := MetadataOutcome{PassedOver: true} // its issuers are left out
	skipped := MetadataOutcome{PassedOver: true}
	list := func(certificates ...[]byte) [][]byte { return certificates }
	pair := func(d *metadataDraft) [][]byte { return list(d.selfSigned(NextKey), d.selfSigned(IssuerKey)) }
	loop := func(d *metadataDraft) [][]byte {
		return list(d.issued(NextKey, IssuerKey), d.issued(IssuerKey, NextKey))
	}
	return []MetadataCase{
		with("K18/issuer-first", leaf, false, func(d *metadataDraft) [][]byte {
			return list(d.selfSigned(IssuerKey), d.issued(SigningKey, IssuerKey))
		}),
		with("K18/leaf-first", leaf, false, func(d *metadataDraft) [][]byte {
			return list(d.issued(SigningKey, IssuerKey), d.selfSigned(IssuerKey))
		}),
		with("K18/root-first", leaf, false, func(d *metadataDraft) [][]byte {
			return list(d.selfSigned(RootKey), d.issued(IssuerKey, RootKey), d.issued(SigningKey, IssuerKey))
		}),
		with("K18/leaf-in-the-middle", leaf, false, func(d *metadataDraft) [][]byte {
			return list(d.issued(IssuerKey, RootKey), d.issued(SigningKey, IssuerKey), d.selfSigned(RootKey))
		}),
		// The same key twice is one key.
		with("K18/renewed", MetadataOutcome{}, false, func(d *metadataDraft) [][]byte {
			return list(d.selfSigned(SigningKey), d.issued(SigningKey, IssuerKey))
		}),
		with("K18/leaf-twice", leaf, false, func(d *metadataDraft) [][]byte {
			leaf := d.issued(SigningKey, IssuerKey)
			return list(leaf, d.selfSigned(IssuerKey), leaf)
		}),
		with("K18/issuer-in-a-rollover", both, true, func(d *metadataDraft) [][]byte {
			return list(d.selfSigned(IssuerKey), d.issued(NextKey, IssuerKey))
		}),
		with("K18/rollover-pair", skipped, true, pair),
		with("K18/rollover-pair-alone", badMetadata, false, pair),
		with("K18/loop", skipped, true, loop),
		with("K18/loop-alone", badMetadata, false, loop),
		// The issuer's name is no signature.
		with("K18/issuer-by-name", skipped, true, func(d *metadataDraft) [][]byte {
			return list(d.selfSigned(IssuerKey), d.issuedAs(NextKey, RootKey, IssuerKey))
		}),
		with("K18/two-leaves", skipped, true, func(d *metadataDraft) [][]byte {
			return list(d.issued(NextKey, RootKey), d.selfSigned(RootKey), d.issued(IssuerKey, RootKey))
		}),
	}
}
