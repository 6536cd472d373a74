package attack

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
)

// Family B, second half: canonicalisation, algorithms, keys.

func algorithms() []Case {
	algo, wrong := refuse("Algorithm"), refuse("Signature")
	c14n := func(id, uri string) Case {
		return resigned(id, algo, func(s *signature) { s.c14n.CreateAttr("Algorithm", uri) })
	}
	method := func(id, uri string) Case {
		return resigned(id, algo, func(s *signature) { s.method.CreateAttr("Algorithm", uri) })
	}
	return append([]Case{
		c14n("B24/inclusive", incC14N),
		c14n("B24/inclusive-1.1", incC14N11),
		c14n("B24/unknown", "urn:example:c14n"),
		c14n("B24/empty", ""),
		instead("B24/inclusive-transform", algo, incC14N),
		instead("B24/inclusive-1.1-transform", algo, incC14N11),
		instead("B24/unknown-transform", algo, "urn:example:c14n"),
		{ID: "B26/rebound", Outcome: wrong, Needs: assertionOnly, base: prefixed, attack: change{after: rebind}},
		// Without the list xs is not part of what was signed. No reader may read
		// more into the values for it.
		{ID: "B26/unlisted", Outcome: accept(), Needs: assertionOnly, base: change{setup: inherit}, attack: change{after: rebind}},
		sig("B26/added", wrong, func(_ *draft, s *signature) { s.inclusiveNamespaces(s.exclusive(), "xs") }),
		{ID: "B26/dropped", Outcome: wrong, base: change{setup: func(d *draft) { d.prefixes = "xs" }}, attack: change{signed: func(_ *draft, s *signature) {
			s.exclusive().Child = nil
		}}},
		resigned("B26/nested", shape, func(s *signature) {
			s.inclusiveNamespaces(s.exclusive(), "xs")
			child(s.exclusive().ChildElements()[0], "x")
		}),
		resigned("B26/other-namespace", shape, func(s *signature) {
			child(s.exclusive(), "ds:InclusiveNamespaces", "PrefixList", "xs")
		}),
		{ID: "B27/relative-namespace", Outcome: refuse("XML"), attack: change{
			before: in(forge, set(subject, "xmlns:r", "1")),
			signed: noDigest,
		}},
		{ID: "B27/empty-digest", Outcome: wrong, attack: change{before: forge, signed: noDigest}},
		sig("B28/relative-namespace", refuse("XML"), func(d *draft, s *signature) {
			forge(d)
			s.info.CreateAttr("xmlns:r", "1")
			s.redigest()
			s.signBytes(d.key, nil)
		}),
		sig("B28/empty", wrong, func(d *draft, s *signature) {
			forge(d)
			s.redigest()
			s.signBytes(d.key, nil)
		}),
		sig("B29", refuse("Algorithm", "SignatureShape"), func(d *draft, s *signature) {
			forge(d)
			s.redigest()
			s.hmac(nil)
			s.method.CreateElement("ds:HMACOutputLength").SetText("1")
			s.value.SetText("AA==")
		}),
		sig("B29/rsa", shape, func(d *draft, s *signature) {
			s.method.CreateElement("ds:HMACOutputLength").SetText("8")
			s.ok()
		}),
		sig("B30/public-key", algo, func(d *draft, s *signature) { s.hmac(d.spki()) }),
		sig("B30/public-key-pem", algo, func(d *draft, s *signature) {
			s.hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: d.spki()}))
		}),
		sig("B30/certificate", algo, func(d *draft, s *signature) { s.hmac(d.certificateOf(d.key)) }),
		{ID: "B31/sha1", Outcome: algo, Needs: Needs{Key: RSA}, attack: change{setup: sha1Everywhere}},
		{ID: "B31/sha1-allowed", Outcome: accept(), Needs: Needs{Key: RSA, SP: Settings{AllowSHA1: true}}, attack: change{setup: sha1Everywhere}},
		{ID: "B31/sha1-digest", Outcome: algo, attack: change{setup: func(d *draft) { d.digest = sha1Digest }}},
		{ID: "B31/sha1-signature", Outcome: algo, Needs: Needs{Key: RSA}, attack: change{setup: func(d *draft) { d.method = nsDSig + "rsa-sha1" }}},
		{ID: "B31/sha1-ecdsa", Outcome: algo, Needs: Needs{Key: ECDSA}, attack: change{setup: func(d *draft) { d.method = more + "ecdsa-sha1" }}},
		{ID: "B31/md5", Outcome: algo, Needs: Needs{Key: RSA}, attack: change{setup: func(d *draft) { d.method, d.digest = more+"rsa-md5", md5Digest }}},
		{ID: "B31/md5-with-sha1-allowed", Outcome: algo, Needs: Needs{Key: RSA, SP: Settings{AllowSHA1: true}}, attack: change{setup: func(d *draft) { d.digest = md5Digest }}},
		method("B32/none", "none"),
		method("B32/more-none", more+"none"),
		method("B32/urn", "urn:invalid"),
		method("B32/empty", ""),
		method("B32/white-space", more+"rsa-sha256 "),
		method("B32/case", more+"RSA-SHA256"),
		method("B32/dsa", "http://www.w3.org/2009/xmldsig11#dsa-sha256"),
		method("B32/eddsa", "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"),
		resigned("B32/no-attribute", algo, func(s *signature) { s.method.RemoveAttr("Algorithm") }),
		resigned("B32/digest-unknown", algo, func(s *signature) { s.digest.CreateAttr("Algorithm", "urn:invalid") }),
		resigned("B32/digest-no-attribute", algo, func(s *signature) { s.digest.RemoveAttr("Algorithm") }),
		resigned("B32/digest-md5", algo, func(s *signature) { s.digest.CreateAttr("Algorithm", md5Digest); s.redigest() }),
		sig("B32/other-family", wrong, func(d *draft, s *signature) {
			s.method.CreateAttr("Algorithm", otherFamily(d.key))
			s.ok()
		}),
	}, withComments()...)
}

// noDigest signs the digest of nothing.
func noDigest(d *draft, s *signature) {
	s.digestValue.SetText(d.digestOf(sha256Digest, nil))
	s.ok()
}

// otherFamily is a good SignatureMethod that is not the key's.
func otherFamily(key crypto.Signer) string {
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return more + "ecdsa-sha256"
	}
	return more + "rsa-sha256"
}

func inherit(d *draft) { d.inheritSpaces = true }

// prefixed: the assertion's xsi:type leans on a prefix that is declared around
// it, and the signature's PrefixList says so.
var prefixed = change{setup: func(d *draft) { inherit(d); d.prefixes = "xs" }}

// rebind gives the prefix another namespace, around what was signed.
func rebind(d *draft) { d.resp.CreateAttr("xmlns:xs", "urn:example:other-schema") }

func sha1Everywhere(d *draft) { d.method, d.digest = nsDSig+"rsa-sha1", sha1Digest }

// hmac signs with a secret that is public.
func (s *signature) hmac(secret []byte) {
	s.method.CreateAttr("Algorithm", more+"hmac-sha256")
	text := s.d.canonical(s.info, nil, excC14N, "")
	s.value.SetText(encode(hmacOf(crypto.SHA256, secret, text)))
}

func (d *draft) spki() []byte {
	der, err := x509.MarshalPKIXPublicKey(d.key.Public())
	if err != nil {
		d.fail("public key: %w", err)
	}
	return der
}

func trust() []Case {
	wrong := refuse("Signature")
	ec := func(id string, f func(n *big.Int, size int, value []byte) []byte) Case {
		c := sig(id, wrong, func(d *draft, s *signature) {
			value, err := signText(d.key, methodOf(d.key), d.canonical(s.info, nil, excC14N, ""))
			public, ok := d.key.Public().(*ecdsa.PublicKey)
			if err != nil || !ok {
				d.fail("an ECDSA key is required: %v", err)
				return
			}
			s.value.SetText(encode(f(public.Curve.Params().N, len(value)/2, value)))
		})
		c.Needs.Key = ECDSA
		return c
	}
	pss := func(id string, o Outcome, f func(d *draft, s *signature, key *rsa.PrivateKey, digest []byte)) Case {
		return Case{ID: id, Outcome: o, Needs: Needs{Key: RSA},
			base: change{setup: func(d *draft) { d.method = pssSHA256 }},
			attack: change{signed: func(d *draft, s *signature) {
				key, ok := d.key.(*rsa.PrivateKey)
				if !ok {
					d.fail("a *rsa.PrivateKey is required")
					return
				}
				f(d, s, key, sum(crypto.SHA256, d.canonical(s.info, nil, excC14N, "")))
			}},
		}
	}
	value := func(s *signature, v []byte) { s.value.SetText(encode(v)) }
	return append([]Case{
		{ID: "B33/1024", Outcome: refuse("Key"), Needs: Needs{Key: RSA1024}, twin: &Needs{Key: RSA}},
		{ID: "B33/1024-allowed", Outcome: accept(), Needs: Needs{Key: RSA1024, SP: Settings{AllowRSA1024: true}}},
		{ID: "B33/768", Outcome: refuse("Key"), Needs: Needs{Key: RSA768}, twin: &Needs{Key: RSA}},
		{ID: "B33/768-never", Outcome: refuse("Key"), Needs: Needs{Key: RSA768, SP: Settings{AllowRSA1024: true}}, twin: &Needs{Key: RSA}},
		{ID: "B33/exponent-3-forged", Outcome: wrong, Needs: Needs{Key: RSAExponent3}, attack: change{before: forge, signed: func(d *draft, s *signature) {
			public, ok := d.key.Public().(*rsa.PublicKey)
			if !ok {
				d.fail("an RSA key is required")
				return
			}
			value(s, cubeRootForgery(public, sum(crypto.SHA256, d.canonical(s.info, nil, excC14N, ""))))
		}}},
		{ID: "B33/exponent-1", Outcome: refuse("Key", "Signature"), Needs: Needs{Key: RSAExponent1}, twin: &Needs{Key: RSA}},
		ec("B34/zero", func(_ *big.Int, size int, _ []byte) []byte { return make([]byte, 2*size) }),
		ec("B34/order", func(n *big.Int, size int, _ []byte) []byte {
			return slices.Concat(n.FillBytes(make([]byte, size)), n.FillBytes(make([]byte, size)))
		}),
		ec("B34/zero-s", func(_ *big.Int, size int, v []byte) []byte { return slices.Concat(v[:size], make([]byte, size)) }),
		ec("B34/asn1", func(_ *big.Int, size int, v []byte) []byte { return derOf(v[:size], v[size:]) }),
		ec("B34/truncated", func(_ *big.Int, size int, v []byte) []byte { return v[:2*size-1] }),
		ec("B34/longer", func(_ *big.Int, size int, v []byte) []byte { return slices.Concat(v, []byte{0, 0}) }),
		ec("B34/wide", func(_ *big.Int, size int, v []byte) []byte {
			return slices.Concat([]byte{0}, v[:size], []byte{0}, v[size:])
		}),
		ec("B34/half", func(_ *big.Int, size int, v []byte) []byte { return v[:size] }),
		ec("B34/other-curve", func(_ *big.Int, _ int, v []byte) []byte {
			size := (elliptic.P384().Params().BitSize + 7) / 8
			return make([]byte, 2*size)
		}),
		pss("B35/no-salt", wrong, func(d *draft, s *signature, key *rsa.PrivateKey, digest []byte) {
			value(s, rsaPSS(key, crypto.SHA256, crypto.SHA256, 0, digest))
		}),
		pss("B35/other-mgf", wrong, func(d *draft, s *signature, key *rsa.PrivateKey, digest []byte) {
			value(s, rsaPSS(key, crypto.SHA256, crypto.SHA1, 32, digest))
		}),
		pss("B35/pkcs1-as-pss", wrong, func(d *draft, s *signature, key *rsa.PrivateKey, digest []byte) {
			value(s, rsaPKCS1(key, crypto.SHA256, digest))
		}),
		pss("B35/pss-as-pkcs1", wrong, func(d *draft, s *signature, key *rsa.PrivateKey, _ []byte) {
			s.method.CreateAttr("Algorithm", more+"rsa-sha256")
			value(s, rsaPSS(key, crypto.SHA256, crypto.SHA256, 32, sum(crypto.SHA256, d.canonical(s.info, nil, excC14N, ""))))
		}),
		pss("B35/parameters", refuse("SignatureShape", "Algorithm"), func(d *draft, s *signature, key *rsa.PrivateKey, _ []byte) {
			s.method.CreateAttr("Algorithm", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss")
			s.method.AddChild(d.parse(`<pss:RSAPSSParams xmlns:pss="http://www.w3.org/2007/05/xmldsig-more#"><ds:DigestMethod xmlns:ds="` + nsDSig + `" Algorithm="` + sha1Digest + `"/><pss:SaltLength>0</pss:SaltLength></pss:RSAPSSParams>`))
			value(s, rsaPSS(key, crypto.SHA1, crypto.SHA1, 0, sum(crypto.SHA1, d.canonical(s.info, nil, excC14N, ""))))
		}),
	}, keyInfo()...)
}

const pssSHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"

func derOf(r, s []byte) []byte {
	der, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)})
	return der
}

// cubeRootForgery makes, without the private key, a value whose cube begins
// like a PKCS #1 v1.5 padding with the right hash and goes on with garbage.
func cubeRootForgery(key *rsa.PublicKey, digest []byte) []byte {
	begin := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8), []byte{0}, digestInfo[crypto.SHA256], digest)
	target := append(begin, bytes.Repeat([]byte{0xff}, key.Size()-len(begin))...)
	return cubeRoot(new(big.Int).SetBytes(target)).FillBytes(make([]byte, key.Size()))
}

// cubeRoot rounds down.
func cubeRoot(n *big.Int) *big.Int {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+1))
	for one := big.NewInt(1); new(big.Int).Sub(high, low).Cmp(one) > 0; {
		mid := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(mid, big.NewInt(3), nil).Cmp(n) <= 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
