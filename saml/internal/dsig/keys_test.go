package dsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
)

func TestEveryMethod(t *testing.T) {
	for _, s := range signers() {
		t.Run(s.method+" "+s.digest, func(t *testing.T) {
			s.list, s.infoList = "xs #default", "saml"
			doc := s.sign(t, good, "_1")
			signed, err := verify(t, doc, strict, s.key.Public())
			require.NoError(t, err)
			require.Zero(t, signed.Key())
			_, err = verify(t, replace(`>x</v>`, `>y</v>`)(doc), strict, s.key.Public())
			requireKind(t, dsig.Invalid, err)
			_, err = verify(t, sub(`<ds:Reference `, `<ds:Reference Type="x" `)(doc), strict, s.key.Public())
			requireKind(t, dsig.Invalid, err)
		})
	}
}

// SHA-1, and RSA keys below the minimum, are for who says so.
func TestPolicy(t *testing.T) {
	sha1 := signer{key: testKeys().rsa, method: core + "rsa-sha1", digest: enc + "sha256"}
	digest := signer{key: testKeys().rsa, method: more + "rsa-sha256", digest: core + "sha1"}
	weak := signer{key: testKeys().weak, method: more + "rsa-sha256", digest: enc + "sha256"}
	for _, s := range []signer{sha1, digest} {
		_, err := verify(t, s.sign(t, good, "_1"), strict, s.key.Public())
		requireKind(t, dsig.Algorithm, err)
		_, err = verify(t, s.sign(t, good, "_1"), dsig.Policy{MinRSABits: 2048, AllowSHA1: true}, s.key.Public())
		require.NoError(t, err)
	}
	_, err := verify(t, weak.sign(t, good, "_1"), strict, weak.key.Public())
	requireKind(t, dsig.WeakKey, err)
	_, err = verify(t, weak.sign(t, good, "_1"), dsig.Policy{MinRSABits: 1024}, weak.key.Public())
	require.NoError(t, err)
	_, err = verify(t, weak.sign(t, good, "_1"), dsig.Policy{MinRSABits: 1025}, weak.key.Public())
	requireKind(t, dsig.WeakKey, err)
}

// Several keys are tried in their order, and those of other kinds passed over.
func TestKeys(t *testing.T) {
	s := rsaSigner()
	doc := s.sign(t, good, "_1")
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	k := testKeys()
	mine, other, weak := k.rsa.Public(), k.other.Public(), k.weak.Public()
	ec, p224 := k.ec["P-256"].Public(), k.ec["P-224"].Public()
	for _, c := range []struct {
		name string
		keys []crypto.PublicKey
		at   int
		want dsig.Reason
	}{
		{"first", []crypto.PublicKey{mine, other}, 0, accepted},
		{"last", []crypto.PublicKey{other, ec, ed, weak, nil, "key", mine}, 6, accepted},
		{"twice", []crypto.PublicKey{other, mine, mine}, 1, accepted},
		{"none that is it", []crypto.PublicKey{other, ec}, 0, dsig.Invalid},
		{"only weak ones", []crypto.PublicKey{weak}, 0, dsig.WeakKey},
		{"only ones of other kinds", []crypto.PublicKey{ec, ed, p224}, 0, dsig.Invalid},
		{"none", nil, 0, dsig.Invalid},
		{"a private key is no key", []crypto.PublicKey{k.rsa}, 0, dsig.Invalid},
		{"a key by value is no key", []crypto.PublicKey{k.rsa.PublicKey}, 0, dsig.Invalid},
	} {
		signed, err := verify(t, doc, strict, c.keys...)
		if c.want != accepted {
			requireKind(t, c.want, err)
			continue
		}
		require.NoError(t, err, c.name)
		require.Equal(t, c.at, signed.Key(), c.name)
	}
	elliptical := signer{key: k.ec["P-256"], method: more + "ecdsa-sha256", digest: enc + "sha256"}
	doc = elliptical.sign(t, good, "_1")
	_, err = verify(t, doc, strict, mine)
	requireKind(t, dsig.Invalid, err)
	_, err = verify(t, doc, strict, k.ec["P-384"].Public())
	requireKind(t, dsig.Invalid, err)
	p224Signer := signer{key: k.ec["P-224"], method: more + "ecdsa-sha256", digest: enc + "sha256"}
	_, err = verify(t, p224Signer.sign(t, good, "_1"), strict, p224)
	requireKind(t, dsig.Invalid, err)
}

// B34: r and s are as wide as the order of the curve; nothing else is a
// signature: RFC 9231, 2.3.6.
func TestECDSAValues(t *testing.T) {
	for name, key := range testKeys().ec {
		if name == "P-224" {
			continue
		}
		order := key.Curve.Params().N
		width := (order.BitLen() + 7) / 8
		for what, value := range map[string]func(r, s *big.Int) []byte{
			"ASN.1": func(r, s *big.Int) []byte {
				b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
				must(err)
				return b
			},
			"one byte short":  func(r, s *big.Int) []byte { return concat(fixed(r, width), fixed(s, width))[:2*width-1] },
			"one byte long":   func(r, s *big.Int) []byte { return concat(fixed(r, width), fixed(s, width), []byte{0}) },
			"a zero in front": func(r, s *big.Int) []byte { return concat([]byte{0}, fixed(r, width), fixed(s, width)) },
			"both padded":     func(r, s *big.Int) []byte { return concat(fixed(r, width+1), fixed(s, width+1)) },
			"both zero":       func(r, s *big.Int) []byte { return make([]byte, 2*width) },
			"r zero":          func(r, s *big.Int) []byte { return concat(make([]byte, width), fixed(s, width)) },
			"s zero":          func(r, s *big.Int) []byte { return concat(fixed(r, width), make([]byte, width)) },
			"r the order":     func(r, s *big.Int) []byte { return concat(fixed(order, width), fixed(s, width)) },
			"s the order":     func(r, s *big.Int) []byte { return concat(fixed(r, width), fixed(order, width)) },
			"both the order":  func(r, s *big.Int) []byte { return concat(fixed(order, width), fixed(order, width)) },
			"s then r":        func(r, s *big.Int) []byte { return concat(fixed(s, width), fixed(r, width)) },
			"one byte":        func(r, s *big.Int) []byte { return []byte{0} },
			"all ones": func(r, s *big.Int) []byte {
				return fixed(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(16*width)), big.NewInt(1)), 2*width)
			},
			"of another curve": func(r, s *big.Int) []byte { return make([]byte, 2*(width+16)) },
		} {
			way := signer{
				key:    key,
				method: more + "ecdsa-sha256",
				digest: enc + "sha256",
				value: func(_ signer, _ crypto.Hash, digest []byte) []byte {
					r, s, err := ecdsa.Sign(rand.Reader, key, digest)
					must(err)
					return value(r, s)
				},
			}
			_, err := verify(t, way.sign(t, good, "_1"), strict, key.Public())
			require.Error(t, err, "%s, %s", name, what)
			requireKind(t, dsig.Invalid, err)
		}
	}
}

func fixed(n *big.Int, width int) []byte { return n.FillBytes(make([]byte, width)) }

// B35: the salt is as long as the hash, and what was signed one way doesn't
// hold in the other.
func TestPSSValues(t *testing.T) {
	key := testKeys().rsa
	for what, value := range map[string]func(hash crypto.Hash, digest []byte) []byte{
		"no salt":      func(h crypto.Hash, d []byte) []byte { return pssValue(key, h, d, 0) },
		"a short salt": func(h crypto.Hash, d []byte) []byte { return pssValue(key, h, d, 20) },
		"a long salt":  func(h crypto.Hash, d []byte) []byte { return pssValue(key, h, d, 33) },
		"the longest":  func(h crypto.Hash, d []byte) []byte { return pssValue(key, h, d, rsa.PSSSaltLengthAuto) },
		"PKCS #1 1.5": func(
			h crypto.Hash, d []byte,
		) []byte {
			return signer{key: key, method: more + "rsa-sha256"}.usual(h, d)
		},
		"another's": func(h crypto.Hash, d []byte) []byte { return pssValue(testKeys().other, h, d, 32) },
		"short":     func(h crypto.Hash, d []byte) []byte { return pssValue(key, h, d, 32)[1:] },
		"long":      func(h crypto.Hash, d []byte) []byte { return append([]byte{0}, pssValue(key, h, d, 32)...) },
		"zeros":     func(h crypto.Hash, d []byte) []byte { return make([]byte, 256) },
		"one":       func(h crypto.Hash, d []byte) []byte { return fixed(big.NewInt(1), 256) },
		"past the modulus": func(h crypto.Hash, d []byte) []byte {
			return new(big.Int).Add(new(big.Int).SetBytes(pssValue(key, h, d, 32)), key.N).Bytes()
		},
	} {
		way := signer{
			key:    key,
			method: more2007 + "sha256-rsa-MGF1",
			digest: enc + "sha256",
			value:  func(_ signer, h crypto.Hash, d []byte) []byte { return value(h, d) },
		}
		_, err := verify(t, way.sign(t, good, "_1"), strict, key.Public())
		requireKind(t, dsig.Invalid, err)
		require.Error(t, err, what)
	}
}

// B33: a signature forged without the key, which a small exponent lets pass
// where the padding isn't read to its end (Bleichenbacher 2006).
func TestForgedPKCS1(t *testing.T) {
	// An exponent of 3 and a modulus of 2048 bits: the cube root of a padding
	// that ends early and has garbage behind it.
	n := testKeys().rsa.N
	key := &rsa.PublicKey{N: n, E: 3}
	way := signer{
		key:    testKeys().rsa,
		method: more + "rsa-sha256",
		digest: enc + "sha256",
		value: func(_ signer, _ crypto.Hash, digest []byte) []byte {
			prefix := []byte{
				0x30,
				0x31,
				0x30,
				0x0d,
				0x06,
				0x09,
				0x60,
				0x86,
				0x48,
				0x01,
				0x65,
				0x03,
				0x04,
				0x02,
				0x01,
				0x05,
				0x00,
				0x04,
				0x20,
			}
			block := concat([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, prefix, digest)
			block = append(block, make([]byte, 256-len(block))...)
			target := new(big.Int).SetBytes(block)
			root := cubeRoot(target)
			cube := new(big.Int).Exp(root, big.NewInt(3), nil)
			require.Equal(
				t,
				block[:11+len(prefix)+len(digest)],
				fixed(cube, 256)[:11+len(prefix)+len(digest)],
				"the forgery is what it should be",
			)
			return fixed(root, 256)
		},
	}
	_, err := verify(t, way.sign(t, good, "_1"), strict, key)
	requireKind(t, dsig.Invalid, err)
}

// cubeRoot is the smallest integer whose cube is not below n.
func cubeRoot(n *big.Int) *big.Int {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+1))
	for low.Cmp(high) < 0 {
		mid := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(mid, big.NewInt(3), nil).Cmp(n) < 0 {
			low = mid.Add(mid, big.NewInt(1))
		} else {
			high = mid
		}
	}
	return low
}

// A point that isn't on its curve is no key, and no panic.
func TestOddECDSAKey(t *testing.T) {
	key := testKeys().ec["P-256"]
	way := signer{key: key, method: more + "ecdsa-sha256", digest: enc + "sha256"}
	doc := way.sign(t, good, "_1")
	x := sha256.Sum256([]byte("x"))
	//lint:ignore SA1019 no other way to make a key that is none
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x[:]), Y: big.NewInt(1)}
	_, err := verify(t, doc, strict, off)
	requireKind(t, dsig.Invalid, err)
}
