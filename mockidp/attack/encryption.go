package attack

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"math/big"
	"slices"

	"github.com/beevik/etree"
)

// Family E: what is encrypted is not thereby vouched for, and decrypting must
// tell a stranger nothing.

func encryptionCases() []Case {
	return slices.Concat(cbc(), keyTransport(), cipherTexts(), plaintexts(), parts(), order(), manyKeys())
}

// unread is the one Reason of whatever can't be decrypted, and of whatever
// comes out of a decryption that nothing vouches for.
var unread = refuse("Encrypted")

// enc is a case in which the encryption is another than the good one.
func enc(id string, o Outcome, n Needs, f func(e *encryption)) Case {
	n.Encrypted = true
	return Case{ID: id, Outcome: o, Needs: n, attack: change{setup: func(d *draft) { f(d.encryption) }}}
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
		under(Case{ID: "E01/not-xml", Outcome: unread, Needs: Needs{Encrypted: true, Sign: allowed.Sign, SP: allowed.SP}, attack: change{
			inside: func(*draft, []byte) []byte { return []byte("certainly not XML") },
		}}, block(aes256CBC)),
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
		// Whoever knows OAEPParams reads a label that was not used; whoever
		// doesn't must not pass over it.
		enc("E10/params-not-used", refuse("Encrypted", "Algorithm"), assertionOnly, func(e *encryption) {
			e.finish = func(_ *etree.Element, keys []*etree.Element) {
				label := etree.NewElement("xenc:OAEPParams")
				label.SetText("bGFiZWw=")
				keys[0].SelectElement("EncryptionMethod").InsertChildAt(0, label)
			}
		}),
	}
}

// cipherText is the CipherValue of an element.
func cipherText(el *etree.Element) *etree.Element {
	return el.SelectElement("CipherData").SelectElement("CipherValue")
}

func cipherTexts() []Case {
	text := func(id string, f func([]byte) []byte) Case {
		return enc(id, unread, assertionOnly, func(e *encryption) { e.cipherText = f })
	}
	finish := func(id string, o Outcome, f func(data *etree.Element, keys []*etree.Element)) Case {
		return enc(id, o, assertionOnly, func(e *encryption) { e.finish = f })
	}
	keys := func(id string, o Outcome, n Needs, f func(d *draft)) Case {
		n.Encrypted = true
		return Case{ID: id, Outcome: o, Needs: n, attack: change{setup: f}}
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
		finish("E05/key", unread, func(_ *etree.Element, keys []*etree.Element) { cipherText(keys[0]).SetText(encode(make([]byte, 256))) }),
		finish("E05/key-short", unread, func(_ *etree.Element, keys []*etree.Element) { cipherText(keys[0]).SetText("AAAA") }),
		finish("E05/key-long", unread, func(_ *etree.Element, keys []*etree.Element) {
			cipherText(keys[0]).SetText(encode(bytes.Repeat([]byte{0xff}, 300)))
		}),
		finish("E05/not-base64", unread, func(data *etree.Element, _ []*etree.Element) { cipherText(data).SetText("!!!!") }),
		finish("E05/key-not-base64", unread, func(_ *etree.Element, keys []*etree.Element) { cipherText(keys[0]).SetText("!!!!") }),
		{ID: "E05/after-signing", Outcome: refuse("Signature"), Needs: Needs{Encrypted: true, Sign: overResponse.Sign}, attack: change{after: func(d *draft) {
			cipherText(d.find("./EncryptedAssertion/EncryptedData")).SetText("AAAA")
		}}},
		finish("E06/cipher-reference", unread, func(data *etree.Element, _ []*etree.Element) {
			cd := data.SelectElement("CipherData")
			cd.Child = nil
			cd.CreateElement("xenc:CipherReference").CreateAttr("URI", "http://attacker.example/cipher")
		}),
		finish("E06/cipher-reference-transforms", unread, func(data *etree.Element, _ []*etree.Element) {
			cd := data.SelectElement("CipherData")
			cd.Child = nil
			ref := cd.CreateElement("xenc:CipherReference")
			ref.CreateAttr("URI", "")
			algorithm(ref.CreateElement("xenc:Transforms"), "ds:Transform", xsltURI).CreateAttr("xmlns:ds", nsDSig)
		}),
		finish("E06/retrieval-method", unread, func(data *etree.Element, keys []*etree.Element) {
			info := data.SelectElement("KeyInfo")
			info.RemoveChild(keys[0])
			info.CreateElement("ds:RetrievalMethod").CreateAttr("URI", "http://attacker.example/key")
		}),
		finish("E06/key-name", unread, func(data *etree.Element, keys []*etree.Element) {
			info := data.SelectElement("KeyInfo")
			info.RemoveChild(keys[0])
			info.CreateElement("ds:KeyName").SetText("secret")
		}),
		finish("E06/no-key-info", unread, func(data *etree.Element, _ []*etree.Element) { data.RemoveChild(data.SelectElement("KeyInfo")) }),
		finish("E06/no-cipher-data", unread, func(data *etree.Element, _ []*etree.Element) { data.RemoveChild(data.SelectElement("CipherData")) }),
		keys("E11/wrong-key", unread, assertionOnly, func(d *draft) { d.encryption.to = []*rsa.PublicKey{d.strangersKey()} }),
		keys("E11/right-key-last", accept(), Needs{}, func(d *draft) { d.encryption.to = []*rsa.PublicKey{d.strangersKey(), d.p.EncryptTo} }),
		keys("E11/recipient-lies", accept(), Needs{}, func(d *draft) {
			d.encryption.finish = func(_ *etree.Element, keys []*etree.Element) {
				keys[0].CreateAttr("Recipient", "https://other.example")
			}
		}),
		keys("E11/two-thousand", refuse("Encrypted", "Limit"), assertionOnly, func(d *draft) {
			d.encryption.to = []*rsa.PublicKey{d.strangersKey()}
			d.encryption.finish = func(data *etree.Element, keys []*etree.Element) {
				for range 2000 {
					data.SelectElement("KeyInfo").AddChild(keys[0].Copy())
				}
			}
		}),
		keys("E11/detached", accept(), Needs{}, func(d *draft) { d.encryption.detached = true }),
	}
}

// strangersKey is of the same size as the service provider's, and nobody's.
func (d *draft) strangersKey() *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Add(d.p.EncryptTo.N, big.NewInt(2)), E: d.p.EncryptTo.E}
}

func plaintexts() []Case {
	// With an authenticated cipher the content may be judged as what it is; to
	// say no more than that it can't be read is as right.
	syntax := refuse("XML", "Encrypted")
	inside := func(id string, o Outcome, f func(d *draft, p []byte) []byte) Case {
		return Case{ID: id, Outcome: o, Needs: Needs{Encrypted: true, Sign: assertionOnly.Sign}, attack: change{inside: f}}
	}
	return []Case{
		{ID: "E07", Outcome: refuse("Unsigned"), Needs: Needs{Encrypted: true, Sign: assertionOnly.Sign}, attack: change{setup: unsigned}},
		inside("E08/doctype", syntax, func(_ *draft, p []byte) []byte { return append([]byte("<!DOCTYPE x>"), p...) }),
		inside("E08/entity", syntax, func(_ *draft, p []byte) []byte {
			return append([]byte(`<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>`), p...)
		}),
		inside("E08/pi", syntax, func(_ *draft, p []byte) []byte { return append([]byte("<?x?>"), p...) }),
		inside("E08/two-nodes", refuse("XML", "Encrypted", "AssertionCount"), func(d *draft, p []byte) []byte {
			return append(bytes.Clone(p), d.plaintext(d.forgedAssertion())...)
		}),
		inside("E08/trailing-text", syntax, func(_ *draft, p []byte) []byte { return append(p, 'x') }),
		inside("E08/empty", syntax, func(*draft, []byte) []byte { return nil }),
		inside("E08/comment-in-name", refuse("Text", "Encrypted"), func(d *draft, p []byte) []byte {
			return bytes.Replace(p, []byte("</saml2:NameID>"), []byte("<!-- x --></saml2:NameID>"), 1)
		}),
		inside("E08/closes-its-wrapper", syntax, func(_ *draft, p []byte) []byte {
			return append(p, "</saml2:EncryptedAssertion><saml2:EncryptedAssertion>"...)
		}),
		inside("E08/response", refuse("AssertionCount", "Encrypted", "NotResponse"), func(d *draft, _ []byte) []byte { return d.plaintext(d.forgedResponse()) }),
		inside("E08/name-id", refuse("AssertionCount", "Encrypted", "NotResponse"), func(d *draft, _ []byte) []byte {
			return d.plaintext(d.parse(`<saml2:NameID xmlns:saml2="%ns%">%forged%</saml2:NameID>`))
		}),
		inside("E08/text", syntax, func(*draft, []byte) []byte { return []byte("admin@example.com") }),
		inside("E08/depth", refuse("Limit", "Encrypted"), func(_ *draft, p []byte) []byte {
			return bytes.Replace(p, []byte("<saml2:Subject>"), []byte(string(bytes.Repeat([]byte("<a>"), 70))+string(bytes.Repeat([]byte("</a>"), 70))+"<saml2:Subject>"), 1)
		}),
		// Declarations around the ciphertext count where a signature inside covers
		// the ones that it uses; else anybody could change what they mean.
		{ID: "E08/namespace-context", Outcome: accept(), Needs: Needs{Encrypted: true, Sign: []Sign{SignAssertion, SignBoth}}, attack: change{setup: inherit}},
		{ID: "E08/unsigned-context", Outcome: refuse("XML"), Needs: Needs{Encrypted: true, Sign: []Sign{SignResponse}}, attack: change{setup: inherit}},
		{ID: "E08/same-id", Outcome: refuse("ID"), Needs: Needs{Encrypted: true}, attack: change{before: func(d *draft) {
			d.resp.CreateAttr("ID", d.asrt.SelectAttrValue("ID", ""))
		}}},
		inside("A18/advice", refuse("AssertionCount"), func(d *draft, p []byte) []byte {
			return bytes.Replace(p, []byte("<saml2:AuthnStatement"), append(append([]byte("<saml2:Advice>"), d.plaintext(d.forgedAssertion())...), "</saml2:Advice><saml2:AuthnStatement"...), 1)
		}),
		{ID: "A18/encrypted-in-encrypted", Outcome: refuse("AssertionCount", "Encrypted"), Needs: Needs{Encrypted: true}, attack: change{inside: func(d *draft, p []byte) []byte {
			return d.plaintext(d.encrypted("saml2:EncryptedAssertion", p, *d.goodEncryption()))
		}}},
		{ID: "A18/signed-advice", Outcome: refuse("AssertionCount"), Needs: Needs{Encrypted: true}, attack: change{before: func(d *draft) {
			advice := etree.NewElement("saml2:Advice")
			advice.AddChild(d.encrypted("saml2:EncryptedAssertion", d.plaintext(d.forgedAssertion()), *d.goodEncryption()))
			d.asrt.InsertChildAt(d.asrt.SelectElement("Conditions").Index()+1, advice)
		}}},
	}
}

// parts: EncryptedID and EncryptedAttribute, and the assertions that they are
// cut from.
func parts() []Case {
	n := Needs{Encrypted: true}
	encryptID := func(d *draft) {
		d.encryption = nil // of the assertion
		d.encryptInPlace(d.find(nameID), "saml2:EncryptedID", *d.goodEncryption())
	}
	encryptAttribute := func(d *draft) {
		d.encryption = nil
		d.addAttribute("role", "on-call")
		all := d.find(statement).ChildElements()
		d.encryptInPlace(all[len(all)-1], "saml2:EncryptedAttribute", *d.goodEncryption())
	}
	foreign := func(d *draft, xml, tag string) *etree.Element {
		return d.encrypted(tag, d.plaintext(d.parse(xml)), *d.goodEncryption())
	}
	return []Case{
		{ID: "E12/id-used", Outcome: accept(), Needs: n, attack: change{before: encryptID}},
		{ID: "E12/id", Outcome: refuse("Signature"), Needs: n, base: change{before: encryptID}, attack: change{after: func(d *draft) {
			old := d.find("./Assertion/Subject/EncryptedID")
			parent, at := old.Parent(), old.Index()
			parent.RemoveChildAt(at)
			parent.InsertChildAt(at, foreign(d, `<saml2:NameID xmlns:saml2="%ns%" Format="`+email+`">%forged%</saml2:NameID>`, "saml2:EncryptedID"))
		}}},
		{ID: "E12/attribute-used", Outcome: onlyRole, Needs: n, attack: change{before: encryptAttribute}},
		{ID: "E12/attribute", Outcome: refuse("Signature"), Needs: n, base: change{before: encryptAttribute}, attack: change{after: func(d *draft) {
			d.find(statement).AddChild(foreign(d, `<saml2:Attribute xmlns:saml2="%ns%" Name="role" NameFormat="`+basic+`"><saml2:AttributeValue>administrator</saml2:AttributeValue></saml2:Attribute>`, "saml2:EncryptedAttribute"))
		}}},
		{ID: "E12/both-ids", Outcome: refuse("NameID"), Needs: n, base: change{before: encryptID}, attack: change{before: func(d *draft) {
			d.find(subject).InsertChildAt(0, d.parse(`<saml2:NameID Format="`+email+`">%forged%</saml2:NameID>`))
		}}},
		{ID: "E12/attribute-as-id", Outcome: refuse("Encrypted", "NameID", "NotResponse"), Needs: n, base: change{before: encryptID}, attack: change{before: func(d *draft) {
			old := d.find("./Assertion/Subject/EncryptedID")
			parent, at := old.Parent(), old.Index()
			parent.RemoveChildAt(at)
			parent.InsertChildAt(at, foreign(d, `<saml2:Attribute xmlns:saml2="%ns%" Name="role"><saml2:AttributeValue>%forged%</saml2:AttributeValue></saml2:Attribute>`, "saml2:EncryptedID"))
		}}},
	}
}

// order: what comes first, and what an attacker may wrap in encryption.
func order() []Case {
	n := Needs{Encrypted: true, Sign: overResponse.Sign}
	// forgedEncrypted is an assertion of the attacker's own making, which
	// anybody can encrypt for the service provider.
	forgedEncrypted := func(d *draft) *etree.Element {
		forged := d.parse(`<saml2:Assertion xmlns:saml2="%ns%" ID="` + d.newID() + `" Version="2.0" IssueInstant="%now%"><saml2:Issuer>%issuer%</saml2:Issuer>` +
			`<saml2:Subject><saml2:NameID>%forged%</saml2:NameID>` + bearerFor("%recipient%", `NotOnOrAfter="%until%"`) + `</saml2:Subject>` +
			`<saml2:Conditions><saml2:AudienceRestriction><saml2:Audience>%audience%</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>` +
			`<saml2:AuthnStatement AuthnInstant="%now%"><saml2:AuthnContext/></saml2:AuthnStatement></saml2:Assertion>`)
		return d.encrypted("saml2:EncryptedAssertion", d.plaintext(forged), *d.goodEncryption())
	}
	plain := func(d *draft) { d.encryption = nil }
	return []Case{
		// The signature of the Response does not hold and the ciphertext is
		// junk: whoever says so of the ciphertext has decrypted first.
		{ID: "E13/junk-in-broken", Outcome: refuse("Signature"), Needs: n, attack: change{after: func(d *draft) {
			cipherText(d.find("./EncryptedAssertion/EncryptedData")).SetText(encode(make([]byte, 64)))
		}}},
		{ID: "E13/good-in-broken", Outcome: refuse("Signature"), Needs: n, attack: change{after: func(d *draft) {
			d.find("./Status").CreateElement("saml2p:StatusMessage").SetText("changed")
		}}},
		{ID: "E13/cbc-in-broken", Outcome: refuse("Signature"), Needs: n, base: change{setup: func(d *draft) { d.encryption.block = aes256CBC }}, attack: change{after: func(d *draft) {
			cipherText(d.find("./EncryptedAssertion/EncryptedData")).SetText(encode(make([]byte, 64)))
		}}},
		{ID: "A17/in-signed-response", Outcome: refuse("Signature"), Needs: n, attack: change{after: func(d *draft) {
			old := d.find("./EncryptedAssertion")
			at := old.Index()
			d.resp.RemoveChildAt(at)
			d.resp.InsertChildAt(at, forgedEncrypted(d))
		}}},
		{ID: "A17/beside-signed", Outcome: refuse("AssertionCount"), Needs: Needs{Encrypted: true}, base: change{setup: plain}, attack: change{after: func(d *draft) {
			d.resp.AddChild(forgedEncrypted(d))
		}}},
		{ID: "A17/before-signed", Outcome: refuse("AssertionCount"), Needs: Needs{Encrypted: true}, base: change{setup: plain}, attack: change{after: func(d *draft) {
			d.resp.InsertChildAt(d.asrt.Index(), forgedEncrypted(d))
		}}},
		{ID: "A17/two-encrypted", Outcome: refuse("AssertionCount"), Needs: Needs{Encrypted: true, Sign: assertionOnly.Sign}, attack: change{after: func(d *draft) {
			d.resp.AddChild(forgedEncrypted(d))
		}}},
		{ID: "A17/alone", Outcome: refuse("Unsigned"), Needs: Needs{Encrypted: true, Sign: assertionOnly.Sign}, attack: change{after: func(d *draft) {
			old := d.find("./EncryptedAssertion")
			at := old.Index()
			d.resp.RemoveChildAt(at)
			d.resp.InsertChildAt(at, forgedEncrypted(d))
		}}},
		{ID: "A17/around-the-signed-response", Outcome: refuse("AssertionCount"), Needs: Needs{Encrypted: true, Sign: responseOnly.Sign}, base: change{setup: plain}, attack: change{after: func(d *draft) {
			forged := without(d.resp)
			forged.CreateAttr("ID", d.newID())
			forged.RemoveChild(forged.SelectElement("Assertion"))
			forged.AddChild(forgedEncrypted(d))
			d.tree.SetRoot(forged)
			d.extensions().AddChild(d.resp)
		}}},
	}
}
