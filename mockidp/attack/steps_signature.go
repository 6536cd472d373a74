package attack

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"

	"github.com/beevik/etree"
)

// signatureSteps change a signature. After a change inside SignedInfo most cases sign
// again with the trusted key, so that only the shape is wrong.
var signatureSteps = map[string]step{
	"unsigned":         {setup, 0, func(d *draft, _ []string) { d.unsigned = true }},
	"inherit":          {setup, 0, func(d *draft, _ []string) { d.inheritSpaces = true }},
	"method":           {setup, 1, func(d *draft, a []string) { d.method = a[0] }},
	"digest":           {setup, 1, func(d *draft, a []string) { d.digest = a[0] }},
	"prefixes":         {setup, 1, func(d *draft, a []string) { d.prefixes = a[0] }},
	"with-certificate": {setup, 0, func(d *draft, _ []string) { d.keyInfo = true }},
	// The attacker signs instead of the identity provider.
	"attacker-key": {setup, 0, func(d *draft, _ []string) { d.key = d.attackerKey() }},

	// The other identity provider signs, in its own name or in the right one's.
	"other-key": {setup, 0, func(d *draft, _ []string) { d.key = d.p.OtherKey }},
	"by-other":  {setup, 0, func(d *draft, _ []string) { d.key, d.p.Issuer = d.p.OtherKey, d.p.OtherIdP }},

	"resign":           {signed, 0, func(d *draft, _ []string) { d.sig.resign(d.key) }},
	"attacker-resigns": {signed, 0, func(d *draft, _ []string) { d.sig.resign(d.attackerKey()) }},
	"other-resigns": {signed, 0, func(d *draft, _ []string) {
		d.sig.method.CreateAttr("Algorithm", methodOf(d.p.OtherKey))
		d.sig.resign(d.p.OtherKey)
	}},
	"sign-nothing":   {signed, 0, func(d *draft, _ []string) { d.sig.signBytes(d.key, nil) }},
	"redigest":       {signed, 0, func(d *draft, _ []string) { d.sig.digestOver(d.sig.parent) }},
	"digest-of":      {signed, 1, func(d *draft, a []string) { d.sig.digestOver(d.find(a[0])) }},
	"idp-signs":      {before, 1, func(d *draft, a []string) { d.sign(d.find(a[0]), d.key) }},
	"attacker-signs": {after, 1, func(d *draft, a []string) { d.sign(d.find(a[0]), d.attackerKey()) }},
	// A Signature by the attacker beside the genuine one.
	"second-signature": {after, 1, func(d *draft, a []string) {
		own := d.sign(d.sig.parent, d.attackerKey())
		if a[0] == "last" {
			detach(own.el)
			d.sig.parent.InsertChildAt(d.sig.el.Index()+1, own.el)
		}
	}},

	"refer-to-other": {signed, 0, func(d *draft, _ []string) {
		other := d.otherThan(d.sig.parent)
		d.sig.ref.CreateAttr("URI", "#"+other.SelectAttrValue("ID", ""))
		if other == d.asrt {
			d.sig.digestOver(other)
		}
		d.sig.resign(d.key)
	}},
	// A third transform at an index, with content unless that is "".
	"transform": {signed, 3, func(d *draft, a []string) {
		t := node("ds:Transform", "Algorithm", a[1])
		if a[2] != "" {
			t.AddChild(d.parse(a[2]))
		}
		d.sig.transforms.InsertChildAt(number(a[0]), t)
	}},
	// A transform that leaves an element out, and the right digest.
	"exclude": {signed, 3, func(d *draft, a []string) {
		rest := without(d.sig.parent)
		if el := rest.FindElement(".//" + a[0]); el != nil {
			detach(el)
		}
		t := node("ds:Transform", "Algorithm", a[1])
		t.AddChild(d.parse(a[2]))
		d.sig.transforms.InsertChildAt(1, t)
		d.sig.digestOver(rest)
		d.sig.resign(d.key)
	}},
	"prefix-list": {signed, 2, func(d *draft, a []string) { inclusiveNamespaces(d.find(a[0]), a[1]) }},

	// KeyInfo with certificates, or without any.
	"certificate": {signed, -1, func(d *draft, a []string) {
		var all [][]byte
		for _, whose := range a {
			all = append(all, d.certificateCalled(whose))
		}
		d.sig.setCertificates(all...)
	}},
	"key-info": {signed, 1, func(d *draft, a []string) {
		d.sig.setKeyInfo(d.parse(`<ds:KeyInfo xmlns:ds="` + nsDSig + `">` + a[0] + `</ds:KeyInfo>`))
	}},

	"hmac": {signed, 1, func(d *draft, a []string) { d.sig.hmac(d.publicSecret(a[0])) }},
	"pss": {signed, 3, func(d *draft, a []string) {
		hash, mgf := hashCalled(a[0]), hashCalled(a[1])
		d.signRSA(func(key *rsa.PrivateKey) []byte {
			return rsaPSS(key, hash, mgf, number(a[2]), sum(hash, d.sig.signedInfo()))
		})
	}},
	"pkcs1": {signed, 0, func(d *draft, _ []string) {
		d.signRSA(func(key *rsa.PrivateKey) []byte {
			return rsaPKCS1(key, sum(crypto.SHA256, d.sig.signedInfo()))
		})
	}},
	"cube-root": {signed, 0, func(d *draft, _ []string) {
		d.signRSA(func(key *rsa.PrivateKey) []byte {
			return cubeRootForgery(&key.PublicKey, sum(crypto.SHA256, d.sig.signedInfo()))
		})
	}},
	"ecdsa-value": {signed, -1, ecdsaValue},
}

// certificateCalled returns a certificate for the identity provider's key, for the
// attacker's, or else for the signing key. The attacker's certificate is a clone of
// the genuine one with another key, because NewCertificate makes both.
func (d *draft) certificateCalled(whose string) []byte {
	switch whose {
	case "idp":
		return d.certificateOf(d.p.Key)
	case "attacker":
		return d.certificateOf(d.attackerKey())
	}
	return d.certificateOf(d.key)
}

func hashCalled(name string) crypto.Hash {
	all := []crypto.Hash{crypto.SHA1, crypto.SHA256}
	return all[slices.IndexFunc(all, func(h crypto.Hash) bool { return h.String() == name })]
}

// publicSecret returns a public value that an attacker may use as the HMAC
// secret.
func (d *draft) publicSecret(name string) []byte {
	switch name {
	case "public-key":
		return d.spki()
	case "public-key-pem":
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: d.spki()})
	}
	return d.certificateOf(d.key)
}

// signRSA sets SignatureValue to a value that is made with the RSA key.
func (d *draft) signRSA(value func(*rsa.PrivateKey) []byte) {
	if key, ok := d.key.(*rsa.PrivateKey); ok {
		d.sig.value.SetText(encode(value(key)))
		return
	}
	d.fail("a *rsa.PrivateKey is required")
}

// ecdsaValue sets SignatureValue to a sequence of parts: of a good value, and others.
func ecdsaValue(d *draft, a []string) {
	value, err := signText(d.key, methodOf(d.key), d.sig.signedInfo())
	public, ok := d.key.Public().(*ecdsa.PublicKey)
	if err != nil || !ok {
		d.fail("an ECDSA key is required: %v", err)
		return
	}
	size := len(value) / 2
	r, s := value[:size], value[size:]
	der, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)})
	parts := map[string][]byte{
		"r": r, "s": s, "s[:-1]": s[:size-1], "asn1": der, "n": public.Curve.Params().N.FillBytes(make([]byte, size)),
		"0": make([]byte, size), "octet": {0}, "p384": make([]byte, 2*384/8),
	}
	var out []byte
	for _, name := range a {
		out = append(out, parts[name]...)
	}
	d.sig.value.SetText(encode(out))
}

// otherThan returns the Response for the assertion, and the assertion for the
// Response.
func (d *draft) otherThan(el *etree.Element) *etree.Element {
	if el == d.resp {
		return d.asrt
	}
	return d.resp
}

// otherMethod returns a good SignatureMethod for another kind of key.
func otherMethod(key crypto.Signer) string {
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return more + "ecdsa-sha256"
	}
	return more + "rsa-sha256"
}
