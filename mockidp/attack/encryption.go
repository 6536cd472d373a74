package attack

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Family E: what is encrypted is not thereby vouched for, and decrypting must
// tell an attacker nothing.

func encryptionCases() []Case {
	return slices.Concat(cbc(), keyTransport(), cipherTexts(), plaintexts(), parts(), order(), manyKeys())
}

// unread is the one Reason of whatever can't be decrypted, and of whatever
// comes out of a decryption that nothing vouches for.
var unread = refuse("Encrypted")

// sealed is a case in which something is encrypted.
func sealed(id string, o Outcome, n Needs, attack change) Case {
	n.Encrypted = true
	return Case{ID: id, Outcome: o, Needs: n, attack: attack}
}

// enc is one in which the encryption is another than the good one.
func enc(id string, o Outcome, n Needs, f func(e *encryption)) Case {
	return sealed(id, o, n, change{setup: func(d *draft) { f(d.encryption) }})
}

// under gives a case's twin an encryption of its own.
func under(c Case, f func(e *encryption)) Case {
	c.base.setup = func(d *draft) { f(d.encryption) }
	return c
}

func block(uri string) func(*encryption) { return func(e *encryption) { e.block = uri } }

func cbc() []Case {
	algo := refuse("Algorithm")
	allowed := Needs{Sign: []Sign{SignAssertion}, SP: Settings{AllowCBC: true}}
	padded := func(id string, pad func(text []byte, block int) []byte) Case {
		return under(enc(id, unread, allowed, func(e *encryption) { e.pad = pad }), block(aes256CBC))
	}
	text := func(id string, f func([]byte) []byte) Case {
		return under(enc(id, unread, allowed, func(e *encryption) { e.cipherText = f }), block(aes256CBC))
	}
	var out []Case
	for _, b := range []struct{ name, uri string }{{"128", aes128CBC}, {"192", aes192CBC}, {"256", aes256CBC}} {
		out = append(out,
			enc("E01/policy-"+b.name, algo, assertionOnly, block(b.uri)),
			enc("E01/allowed-"+b.name, accept(), allowed, block(b.uri)),
			enc("E01/inside-signature-"+b.name, accept(), overResponse, block(b.uri)),
		)
	}
	return append(out,
		padded("E01/padding-too-long", func(t []byte, n int) []byte { return endIn(t, n, byte(n+1)) }),
		padded("E01/padding-zero", func(t []byte, n int) []byte { return endIn(t, n, 0) }),
		padded("E01/padding-255", func(t []byte, n int) []byte { return endIn(t, n, 255) }),
		padded("E01/padding-eats-the-end", func(t []byte, n int) []byte {
			if len(t)%n == 0 {
				t = append([]byte(" "), t...)
			}
			return endIn(t, n, byte(n-len(t)%n+1))
		}),
		text("E01/ragged", func(c []byte) []byte { return c[:len(c)-1] }),
		text("E01/iv-alone", func(c []byte) []byte { return c[:16] }),
		text("E01/shorter-than-iv", func(c []byte) []byte { return c[:7] }),
		text("E01/empty", func([]byte) []byte { return nil }),
		text("E01/first-block-changed", func(c []byte) []byte { return flip(c, 3) }),
		text("E01/last-block-changed", func(c []byte) []byte { return flip(c, len(c)-1) }),
		under(sealed("E01/not-xml", unread, allowed, change{inside: becomes("certainly not XML")}), block(aes256CBC)),
	)
}

// endIn pads to a whole block, of which the last octet is this one.
func endIn(text []byte, block int, last byte) []byte {
	out := append(bytes.Clone(text), bytes.Repeat([]byte{1}, block-len(text)%block)...)
	out[len(out)-1] = last
	return out
}

func flip(b []byte, at int) []byte {
	out := bytes.Clone(b)
	out[at] ^= 1
	return out
}

func keyTransport() []Case {
	algo := refuse("Algorithm")
	old := Needs{SP: Settings{AllowRSA15: true}}
	transport := func(uri string) func(*encryption) { return func(e *encryption) { e.transport = uri } }
	padded := func(id string, pad func(d *draft, size int, key []byte) []byte) Case {
		return under(enc(id, unread, Needs{Sign: []Sign{SignAssertion}, SP: old.SP}, func(e *encryption) { e.padded = pad }), transport(rsa15))
	}
	oaep := func(id string, o Outcome, uri, digest, mgf string) Case {
		return enc(id, o, Needs{}, func(e *encryption) { e.transport, e.digest, e.mgf = uri, digest, mgf })
	}
	return []Case{
		enc("E02/policy", algo, Needs{}, transport(rsa15)),
		enc("E02/allowed", accept(), old, transport(rsa15)),
		padded("E02/first-octet", func(d *draft, n int, k []byte) []byte { em := pkcs1Padding(d, n, k); em[0] = 1; return em }),
		padded("E02/second-octet", func(d *draft, n int, k []byte) []byte { em := pkcs1Padding(d, n, k); em[1] = 1; return em }),
		padded("E02/no-zero", func(d *draft, n int, k []byte) []byte { return append([]byte{0, 2}, d.nonZero(n-2)...) }),
		padded("E02/early-zero", func(d *draft, n int, k []byte) []byte { em := pkcs1Padding(d, n, k); em[5] = 0; return em }),
		padded("E02/key-too-short", func(d *draft, n int, k []byte) []byte { return pkcs1Padding(d, n, k[:15]) }),
		padded("E02/key-too-long", func(d *draft, n int, k []byte) []byte { return pkcs1Padding(d, n, append(k, 0)) }),
		enc("E03/policy", algo, Needs{Sign: assertionOnly.Sign}, func(e *encryption) { e.claimTransport = rsa15 }),
		enc("E03/allowed", unread, Needs{Sign: assertionOnly.Sign, SP: old.SP}, func(e *encryption) { e.claimTransport = rsa15 }),
		enc("E04/policy", algo, assertionOnly, func(e *encryption) { e.claim = aes256CBC }),
		enc("E04/allowed", unread, Needs{Sign: assertionOnly.Sign, SP: Settings{AllowCBC: true}}, func(e *encryption) {
			e.claim = aes256CBC
			// A multiple of the block, so that only the padding can be wrong.
			e.cipherText = func(c []byte) []byte { return c[:len(c)-len(c)%16] }
		}),
		enc("E09/tripledes", algo, Needs{}, block(tripleDESCBC)),
		enc("E09/tripledes-with-cbc-allowed", algo, Needs{SP: Settings{AllowCBC: true}}, block(tripleDESCBC)),
		enc("E09/unknown", algo, Needs{}, func(e *encryption) { e.claim = "urn:example:cipher" }),
		enc("E09/none", algo, Needs{}, func(e *encryption) { e.claim = "none" }),
		enc("E09/key-wrap", algo, Needs{}, func(e *encryption) { e.claimTransport = nsXEnc + "kw-aes256" }),
		enc("E09/128-gcm", accept(), Needs{}, block(aes128GCM)),
		enc("E09/192-gcm", accept(), Needs{}, block(aes192GCM)),
		oaep("E10/sha1-named", accept(), oaepMGF1P, sha1Digest, ""),
		oaep("E10/mgf1p-sha256", accept(), oaepMGF1P, sha256Digest, ""),
		oaep("E10/mgf1p-sha512", accept(), oaepMGF1P, sha512Digest, ""),
		oaep("E10/1.1-defaults", accept(), oaep11, "", ""),
		oaep("E10/1.1-sha256", accept(), oaep11, sha256Digest, mgf1URI+"sha256"),
		oaep("E10/1.1-sha256-sha1", accept(), oaep11, sha256Digest, mgf1URI+"sha1"),
		oaep("E10/1.1-sha384", accept(), oaep11, sha384Digest, mgf1URI+"sha384"),
		oaep("E10/1.1-sha512", accept(), oaep11, sha512Digest, mgf1URI+"sha512"),
		oaep("E10/digest-unknown", algo, oaep11, "urn:example:digest", ""),
		oaep("E10/digest-md5", algo, oaep11, md5Digest, ""),
		oaep("E10/mgf-unknown", algo, oaep11, sha256Digest, mgf1URI+"md5"),
		enc("E10/says-sha256", unread, assertionOnly, func(e *encryption) {
			e.transport, e.digest, e.mgf, e.useHash = oaep11, sha256Digest, mgf1URI+"sha256", crypto.SHA1
		}),
		enc("E10/empty-params", accept(), Needs{}, func(e *encryption) { e.label = new(string) }),
		// A reader that knows OAEPParams reads a label that was not used; one that
		// doesn't must not pass over it.
		enc("E10/params-not-used", refuse("Encrypted", "Algorithm"), assertionOnly, func(e *encryption) {
			e.finish = func(_ *etree.Element, keys []*etree.Element) {
				child(keys[0].SelectElement("EncryptionMethod"), "xenc:OAEPParams").SetText("bGFiZWw=")
			}
		}),
	}
}

// cipherText is the CipherValue of an element.
func cipherText(el *etree.Element) *etree.Element {
	return el.SelectElement("CipherData").SelectElement("CipherValue")
}

// cipherIs writes over the finished document's ciphertext.
func cipherIs(value string) change {
	return change{after: func(d *draft) { cipherText(d.find("./EncryptedAssertion/EncryptedData")).SetText(value) }}
}

func cipherTexts() []Case {
	text := func(id string, f func([]byte) []byte) Case {
		return enc(id, unread, assertionOnly, func(e *encryption) { e.cipherText = f })
	}
	// data and key change an EncryptedData, and the first of its EncryptedKeys.
	data := func(id string, f func(data *etree.Element)) Case {
		return enc(id, unread, assertionOnly, func(e *encryption) { e.finish = func(data *etree.Element, _ []*etree.Element) { f(data) } })
	}
	key := func(id string, o Outcome, n Needs, f func(key *etree.Element)) Case {
		return enc(id, o, n, func(e *encryption) { e.finish = func(_ *etree.Element, keys []*etree.Element) { f(keys[0]) } })
	}
	keyIs := func(id, value string) Case {
		return key(id, unread, assertionOnly, func(key *etree.Element) { cipherText(key).SetText(value) })
	}
	to := func(id string, o Outcome, n Needs, f func(d *draft) []*rsa.PublicKey) Case {
		return sealed(id, o, n, change{setup: func(d *draft) { d.encryption.to = f(d) }})
	}
	return []Case{
		text("E05/tag", func(c []byte) []byte { return flip(c, len(c)-1) }),
		text("E05/nonce", func(c []byte) []byte { return flip(c, 0) }),
		text("E05/middle", func(c []byte) []byte { return flip(c, len(c)/2) }),
		text("E05/truncated", func(c []byte) []byte { return c[:len(c)-1] }),
		text("E05/tag-alone", func(c []byte) []byte { return c[:28] }),
		text("E05/shorter-than-tag", func(c []byte) []byte { return c[:27] }),
		text("E05/shorter-than-nonce", func(c []byte) []byte { return c[:5] }),
		text("E05/empty", func([]byte) []byte { return nil }),
		keyIs("E05/key", encode(make([]byte, 256))),
		keyIs("E05/key-short", "AAAA"),
		keyIs("E05/key-long", encode(bytes.Repeat([]byte{0xff}, 300))),
		data("E05/not-base64", func(data *etree.Element) { cipherText(data).SetText("!!!!") }),
		keyIs("E05/key-not-base64", "!!!!"),
		sealed("E05/after-signing", refuse("Signature"), overResponse, cipherIs("AAAA")),
		data("E06/cipher-reference", func(data *etree.Element) {
			swap(cipherText(data), node("xenc:CipherReference", "URI", "http://attacker.example/cipher"))
		}),
		data("E06/cipher-reference-transforms", func(data *etree.Element) {
			ref := node("xenc:CipherReference", "URI", "")
			algorithm(child(ref, "xenc:Transforms"), "ds:Transform", xsltURI).CreateAttr("xmlns:ds", nsDSig)
			swap(cipherText(data), ref)
		}),
		key("E06/retrieval-method", unread, assertionOnly, func(key *etree.Element) {
			swap(key, node("ds:RetrievalMethod", "URI", "http://attacker.example/key"))
		}),
		key("E06/key-name", unread, assertionOnly, func(key *etree.Element) {
			child(key.Parent(), "ds:KeyName").SetText("secret")
			detach(key)
		}),
		data("E06/no-key-info", func(data *etree.Element) { detach(data.SelectElement("KeyInfo")) }),
		data("E06/no-cipher-data", func(data *etree.Element) { detach(data.SelectElement("CipherData")) }),
		to("E11/wrong-key", unread, assertionOnly, func(d *draft) []*rsa.PublicKey { return []*rsa.PublicKey{d.otherKey()} }),
		to("E11/right-key-last", accept(), Needs{}, func(d *draft) []*rsa.PublicKey { return []*rsa.PublicKey{d.otherKey(), d.p.EncryptTo} }),
		key("E11/recipient-lies", accept(), Needs{}, func(key *etree.Element) { key.CreateAttr("Recipient", "https://other.example") }),
		sealed("E11/two-thousand", refuse("Encrypted", "Limit"), assertionOnly, change{setup: func(d *draft) {
			d.encryption.to = []*rsa.PublicKey{d.otherKey()}
			d.encryption.finish = func(_ *etree.Element, keys []*etree.Element) {
				for range 2000 {
					keys[0].Parent().AddChild(keys[0].Copy())
				}
			}
		}}),
		enc("E11/detached", accept(), Needs{}, func(e *encryption) { e.detached = true }),
	}
}

// otherKey is of the same size as the service provider's, and has no private key.
func (d *draft) otherKey() *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Add(d.p.EncryptTo.N, big.NewInt(2)), E: d.p.EncryptTo.E}
}

func plaintexts() []Case {
	// With an authenticated cipher the content may be judged as what it is; to
	// say no more than that it can't be read is as right.
	syntax, other := refuse("XML", "Encrypted"), refuse("AssertionCount", "Encrypted", "NotResponse")
	inside := func(id string, o Outcome, f func(*draft, string) string) Case {
		return sealed(id, o, assertionOnly, change{inside: f})
	}
	return []Case{
		sealed("E07", refuse("Unsigned"), assertionOnly, change{setup: unsigned}),
		inside("E08/doctype", syntax, between("<!DOCTYPE x>", "")),
		inside("E08/entity", syntax, between(`<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>`, "")),
		inside("E08/pi", syntax, between("<?x?>", "")),
		inside("E08/two-nodes", refuse("XML", "Encrypted", "AssertionCount"), func(d *draft, p string) string { return p + d.plaintext(d.forgedAssertion()) }),
		inside("E08/trailing-text", syntax, between("", "x")),
		inside("E08/empty", syntax, becomes("")),
		inside("E08/comment-in-name", refuse("Text", "Encrypted"), replace("</saml2:NameID>", "<!-- x --></saml2:NameID>")),
		inside("E08/closes-its-wrapper", syntax, between("", "</saml2:EncryptedAssertion><saml2:EncryptedAssertion>")),
		inside("E08/response", other, func(d *draft, _ string) string { return d.plaintext(d.forgedResponse()) }),
		inside("E08/name-id", other, func(d *draft, _ string) string {
			return d.plaintext(d.parse(`<saml2:NameID xmlns:saml2="%ns%">%forged%</saml2:NameID>`))
		}),
		inside("E08/text", syntax, becomes("admin@example.com")),
		inside("E08/depth", refuse("Limit", "Encrypted"), replace("<saml2:Subject>", nested(70)+"<saml2:Subject>")),
		// Declarations around the ciphertext count where a signature inside covers
		// the ones that it uses; else an attacker could change what they mean.
		sealed("E08/namespace-context", accept(), overAssertion, change{setup: inherit}),
		sealed("E08/unsigned-context", refuse("XML"), responseOnly, change{setup: inherit}),
		sealed("E08/same-id", refuse("ID"), Needs{}, change{before: sameID}),
		inside("A18/advice", refuse("AssertionCount"), func(d *draft, p string) string {
			return strings.Replace(p, "<saml2:AuthnStatement", "<saml2:Advice>"+d.plaintext(d.forgedAssertion())+"</saml2:Advice><saml2:AuthnStatement", 1)
		}),
		sealed("A18/encrypted-in-encrypted", refuse("AssertionCount", "Encrypted"), Needs{}, change{inside: func(d *draft, p string) string {
			return d.plaintext(d.encrypted("saml2:EncryptedAssertion", p, *d.goodEncryption()))
		}}),
		sealed("A18/signed-advice", refuse("AssertionCount"), Needs{}, change{before: func(d *draft) {
			before(d.find(authn), around("saml2:Advice", d.sealed("saml2:EncryptedAssertion", d.forgedAssertion())))
		}}),
	}
}

// encryptID encrypts a name, or what is in its place, and nothing else.
func (d *draft) encryptID(el *etree.Element) {
	d.encryption = nil // of the assertion
	d.encryptInPlace(el, "saml2:EncryptedID")
}

// parts: EncryptedID and EncryptedAttribute, and the assertions that they are
// cut from.
func parts() []Case {
	wrong := refuse("Signature")
	encryptID := change{before: func(d *draft) { d.encryptID(d.find(nameID)) }}
	encryptAttribute := change{before: func(d *draft) {
		d.encryption = nil
		d.addAttribute("role", "on-call")
		all := d.find(statement).ChildElements()
		d.encryptInPlace(all[len(all)-1], "saml2:EncryptedAttribute")
	}}
	part := func(id string, o Outcome, base, attack change) Case {
		c := sealed(id, o, Needs{}, attack)
		c.base = base
		return c
	}
	otherID := func(xml string) func(*draft) {
		return func(d *draft) {
			swap(d.find("./Assertion/Subject/EncryptedID"), d.sealed("saml2:EncryptedID", d.parse(xml)))
		}
	}
	return []Case{
		part("E12/id-used", accept(), change{}, encryptID),
		part("E12/id", wrong, encryptID, change{after: otherID(`<saml2:NameID xmlns:saml2="%ns%" Format="` + email + `">%forged%</saml2:NameID>`)}),
		part("E12/attribute-used", onlyRole, change{}, encryptAttribute),
		part("E12/attribute", wrong, encryptAttribute, change{after: func(d *draft) {
			d.find(statement).AddChild(d.sealed("saml2:EncryptedAttribute", d.parse(strings.Replace(forgedAttribute, " ", ` xmlns:saml2="%ns%" `, 1))))
		}}),
		part("E12/both-ids", refuse("NameID"), encryptID, change{before: first("./Assertion/Subject/EncryptedID", `<saml2:NameID Format="`+email+`">%forged%</saml2:NameID>`)}),
		part("E12/attribute-as-id", refuse("Encrypted", "NameID", "NotResponse"), encryptID, change{before: otherID(
			`<saml2:Attribute xmlns:saml2="%ns%" Name="role"><saml2:AttributeValue>%forged%</saml2:AttributeValue></saml2:Attribute>`)}),
	}
}

// order: what comes first, and what an attacker may wrap in encryption.
func order() []Case {
	wrong, twice := refuse("Signature"), refuse("AssertionCount")
	// forgedEncrypted is an assertion of the attacker's own making, which
	// anyone can encrypt for the service provider.
	forgedEncrypted := func(d *draft) *etree.Element {
		return d.sealed("saml2:EncryptedAssertion", d.parse(`<saml2:Assertion xmlns:saml2="%ns%" ID="`+d.newID()+`" Version="2.0" IssueInstant="%now%"><saml2:Issuer>%issuer%</saml2:Issuer>`+
			`<saml2:Subject><saml2:NameID>%forged%</saml2:NameID>`+bearerFor("%recipient%", `NotOnOrAfter="%until%"`)+`</saml2:Subject>`+
			`<saml2:Conditions><saml2:AudienceRestriction><saml2:Audience>%audience%</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>`+
			`<saml2:AuthnStatement AuthnInstant="%now%"><saml2:AuthnContext/></saml2:AuthnStatement></saml2:Assertion>`))
	}
	inPlace := change{after: func(d *draft) { swap(d.find("./EncryptedAssertion"), forgedEncrypted(d)) }}
	beside := change{after: func(d *draft) { d.resp.AddChild(forgedEncrypted(d)) }}
	// plain is a case whose twin isn't encrypted.
	plain := func(c Case) Case {
		c.base.setup = func(d *draft) { d.encryption = nil }
		return c
	}
	return []Case{
		// The signature of the Response does not hold and the ciphertext is
		// junk: a reader that says so of the ciphertext has decrypted first.
		sealed("E13/junk-in-broken", wrong, overResponse, cipherIs(encode(make([]byte, 64)))),
		sealed("E13/good-in-broken", wrong, overResponse, change{after: func(d *draft) {
			child(d.find("./Status"), "saml2p:StatusMessage").SetText("changed")
		}}),
		under(sealed("E13/cbc-in-broken", wrong, overResponse, cipherIs(encode(make([]byte, 64)))), block(aes256CBC)),
		sealed("A17/in-signed-response", wrong, overResponse, inPlace),
		plain(sealed("A17/beside-signed", twice, Needs{}, beside)),
		plain(sealed("A17/before-signed", twice, Needs{}, change{after: func(d *draft) { before(d.asrt, forgedEncrypted(d)) }})),
		sealed("A17/two-encrypted", twice, assertionOnly, beside),
		sealed("A17/alone", refuse("Unsigned"), assertionOnly, inPlace),
		plain(sealed("A17/around-the-signed-response", twice, responseOnly, change{after: func(d *draft) {
			forged := without(d.resp)
			forged.CreateAttr("ID", d.newID())
			forged.RemoveChild(forged.SelectElement("Assertion"))
			forged.AddChild(forgedEncrypted(d))
			d.tree.SetRoot(forged)
			d.extensions().AddChild(d.resp)
		}})),
	}
}
