package attack

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"math/big"
	"slices"
)

// encryptionSteps change encryption. Encryption does not authenticate the
// sender, and a decryption must reveal nothing to an attacker.
var encryptionSteps = map[string]step{
	"plain": {setup, 0, func(d *draft, _ []string) { d.encryption = nil }},
	// Pairs of a field of encryption and an algorithm.
	"encryption": {setup, -1, func(d *draft, a []string) {
		e := d.encryption
		fields := map[string]*string{
			"block": &e.block, "says-block": &e.claim, "transport": &e.transport, "says-transport": &e.claimTransport,
			"digest": &e.digest, "mgf": &e.mgf,
		}
		for i := 0; i < len(a); i += 2 {
			*fields[a[i]] = a[i+1]
		}
	}},
	"oaep-sha1":  {setup, 0, func(d *draft, _ []string) { d.encryption.useHash = crypto.SHA1 }},
	"oaep-label": {setup, 1, func(d *draft, a []string) { d.encryption.label = &a[0] }},
	"detached":   {setup, 0, func(d *draft, _ []string) { d.encryption.detached = true }},
	// A number of keys for others, before the service provider's or alone.
	"other-keys": {setup, -1, func(d *draft, a []string) {
		d.encryption.to = slices.Repeat([]*rsa.PublicKey{d.otherKey()}, number(a[0]))
		if len(a) == 1 {
			d.encryption.to = append(d.encryption.to, d.p.EncryptTo)
		}
	}},
	// The Recipient of the last key, and of the others. Empty: none.
	"recipients": {sealed, 2, func(d *draft, a []string) {
		keys := d.tree.FindElements("//EncryptedKey")
		for i, key := range keys {
			name := a[1]
			if i == len(keys)-1 {
				name = a[0]
			}
			if name != "" {
				key.CreateAttr("Recipient", name)
			}
		}
	}},
	"key-padding": {setup, 1, func(d *draft, a []string) { d.encryption.padded = paddings[a[0]] }},

	// The padding of CBC ends with this octet, or claims one octet of the plaintext.
	"cbc-padding": {setup, 1, func(d *draft, a []string) {
		last := byte(number(a[0]))
		d.encryption.pad = func(t []byte, n int) []byte { return endIn(t, n, last) }
	}},
	"cbc-padding-eats": {setup, 0, func(d *draft, _ []string) {
		d.encryption.pad = func(t []byte, n int) []byte {
			if len(t)%n == 0 {
				t = append([]byte(" "), t...)
			}
			return endIn(t, n, byte(n-len(t)%n+1))
		}
	}},

	// The ciphertext is cut at an index, or one bit is changed there.
	"cut": {setup, 1, func(d *draft, a []string) {
		d.encryption.cipherText = func(c []byte) []byte { return c[:index(c, a[0])] }
	}},
	"whole-blocks": {setup, 0, func(d *draft, _ []string) {
		d.encryption.cipherText = func(c []byte) []byte { return c[:len(c)-len(c)%16] }
	}},
	"flip": {setup, 1, func(d *draft, a []string) {
		d.encryption.cipherText = func(c []byte) []byte {
			c[index(c, a[0])] ^= 1
			return c
		}
	}},

	"encrypt-twice": {inside, 0, func(d *draft, _ []string) {
		d.text = d.plaintext(d.encrypted("saml2:EncryptedAssertion", d.text, *d.goodEncryption()))
	}},
	// Only a name, or an attribute, is encrypted.
	"encrypt-id": {before, 1, func(d *draft, a []string) {
		d.encryption = nil
		d.encryptInPlace(d.find(a[0]), "EncryptedID")
	}},
	"encrypt-attribute": {before, 0, func(d *draft, _ []string) {
		d.encryption = nil
		d.addAttribute("role", "on-call")
		all := d.find("AttributeStatement").ChildElements()
		d.encryptInPlace(all[len(all)-1], "EncryptedAttribute")
	}},
	// Encrypted XML at the end of an element, before it, or instead of it.
	"add-sealed": {before, 3, func(d *draft, a []string) {
		d.find(a[0]).AddChild(d.sealedIn(a[1], d.parse(a[2])))
	}},
	"before-sealed": {before, 3, func(d *draft, a []string) {
		insertBefore(d.find(a[0]), d.sealedIn(a[1], d.parse(a[2])))
	}},
	"swap-sealed": {before, 3, func(d *draft, a []string) {
		swap(d.find(a[0]), d.sealedIn(a[1], d.parse(a[2])))
	}},
}

// index returns an index of c: a number, which counts from the end if it is negative,
// or "middle".
func index(c []byte, s string) int {
	if s == "middle" {
		return len(c) / 2
	}
	n := number(s)
	if n < 0 {
		n += len(c)
	}
	return n
}

// paddings are wrong paddings of RSA PKCS #1 v1.5 (RFC 8017, 7.2.1).
var paddings = map[string]func(d *draft, size int, key []byte) []byte{
	"first-octet":   octetOf(0, 1),
	"second-octet":  octetOf(1, 1),
	"early-zero":    octetOf(5, 0),
	"no-zero":       func(d *draft, n int, _ []byte) []byte { return append([]byte{0, 2}, d.nonZero(n-2)...) },
	"key-too-short": func(d *draft, n int, key []byte) []byte { return pkcs1Padding(d, n, key[:15]) },
	"key-too-long":  func(d *draft, n int, key []byte) []byte { return pkcs1Padding(d, n, append(key, 0)) },
}

// octetOf returns the right padding with one octet changed.
func octetOf(at int, value byte) func(d *draft, size int, key []byte) []byte {
	return func(d *draft, size int, key []byte) []byte {
		em := pkcs1Padding(d, size, key)
		em[at] = value
		return em
	}
}

// endIn pads text to whole blocks. last is the last octet.
func endIn(text []byte, block int, last byte) []byte {
	out := append(bytes.Clone(text), bytes.Repeat([]byte{1}, block-len(text)%block)...)
	out[len(out)-1] = last
	return out
}

// otherKey returns a key of the same size as the service provider's. It has no private
// half.
func (d *draft) otherKey() *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Add(d.p.EncryptTo.N, big.NewInt(2)), E: d.p.EncryptTo.E}
}
