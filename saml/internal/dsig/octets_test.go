package dsig_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml/internal/dsig"
)

var octets = []byte("SAMLRequest=fZ&SigAlg=ecdsa")

// octetsHash is the hash and the algorithm for octets that a key of a curve signs.
var octetsHash = map[string]struct {
	hash crypto.Hash
	name string
}{"P-256": {crypto.SHA256, "sha256"}, "P-384": {crypto.SHA384, "sha384"}, "P-521": {crypto.SHA512, "sha512"}}

func digestOf(hash crypto.Hash) []byte {
	h := hash.New()
	h.Write(octets)
	return h.Sum(nil)
}

// G05: octets are signed by r followed by s, or by what openssl and Java make of r and s: DER, in the one form that DER
// allows.
func TestVerifyOctetsOfECDSA(t *testing.T) {
	testkit.RequireSuccess(t, "peers", "openssl", "version")
	for curve, way := range octetsHash {
		key := testKeys().ec[curve]
		verify := func(value []byte, keys ...crypto.PublicKey) error {
			return dsig.VerifyOctets(more+"ecdsa-"+way.name, octets, value, keys, strict)
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, digestOf(way.hash))
		require.NoError(t, err)
		width := (key.Curve.Params().N.BitLen() + 7) / 8
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		require.NoError(t, err)
		require.NoError(t, verify(concat(fixed(r, width), fixed(s, width)), key.Public()), curve)
		require.NoError(t, verify(der, key.Public()), curve)
		other := testKeys().rsa.Public()
		require.NoError(t, verify(byOpenSSL(t, key, way.name), other, key.Public()), curve)

		content := der[2:]
		if der[1]&0x80 != 0 {
			content = der[3:]
		}
		for what, value := range map[string][]byte{
			"a byte behind it":       concat(der, []byte{0}),
			"cut":                    der[:len(der)-1],
			"another tag":            concat([]byte{0x31}, der[1:]),
			"a longer length":        concat([]byte{0x30, 0x82, 0, byte(len(content))}, content),
			"of no definite length":  concat([]byte{0x30, 0x80}, content, []byte{0, 0}),
			"a third integer":        sequence(concat(content, []byte{2, 1, 1})),
			"one integer":            sequence(content[:2+int(content[1])]),
			"a zero in front of r":   sequence(concat([]byte{2, content[1] + 2, 0, 0}, content[2:])),
			"negative":               derOf(t, new(big.Int).Neg(r), s),
			"s then r":               derOf(t, s, r),
			"the order":              derOf(t, key.Curve.Params().N, s),
			"zero":                   derOf(t, new(big.Int), new(big.Int)),
			"nothing":                {},
			"a zero before r and s":  concat([]byte{0}, fixed(r, width), fixed(s, width)),
			"r and s, one byte less": concat(fixed(r, width), fixed(s, width))[1:],
		} {
			requireKind(t, dsig.Invalid, verify(value, key.Public()))
			require.NotEqual(t, der, value, what)
		}
		changed := bytes.Clone(der)
		changed[len(changed)-1] ^= 1
		requireKind(t, dsig.Invalid, verify(changed, key.Public()))
		requireKind(t, dsig.Algorithm, verify(der, other))
	}
}

// DER that is as long as r and s is read as r and s: a length has one meaning. Such a signature has a short r and s, so
// the key is computed from it.
func TestOctetsOfOneLengthHaveOneMeaning(t *testing.T) {
	curve := elliptic.P256()
	short := new(big.Int).Lsh(big.NewInt(1), 8*29-2) // in 29 bytes, with which DER has 64
	x, y := (*big.Int)(nil), (*big.Int)(nil)
	for r := new(big.Int).Set(short); x == nil; r.Add(r, big.NewInt(1)) {
		x, y = elliptic.UnmarshalCompressed(curve, concat([]byte{2}, fixed(r, 32)))
	}
	order := curve.Params().N
	inverse := new(big.Int).ModInverse(x, order)
	times := func(n *big.Int) []byte { return new(big.Int).Mod(n.Mul(n, inverse), order).Bytes() }
	z := new(big.Int).SetBytes(digestOf(crypto.SHA256))
	//lint:ignore SA1019 the point is computed from a signature, which crypto/ecdh can't do
	ax, ay := curve.ScalarMult(x, y, times(new(big.Int).Set(short)))
	//lint:ignore SA1019 the point is computed from a signature, which crypto/ecdh can't do
	bx, by := curve.ScalarBaseMult(times(z.Neg(z)))
	key := &ecdsa.PublicKey{Curve: curve}
	//lint:ignore SA1019 the point is computed from a signature, which crypto/ecdh can't do
	key.X, key.Y = curve.Add(ax, ay, bx, by)

	der := derOf(t, x, short)
	require.Len(t, der, 64)
	require.True(t, ecdsa.VerifyASN1(key, digestOf(crypto.SHA256), der))
	keys := []crypto.PublicKey{key}
	requireKind(t, dsig.Invalid, dsig.VerifyOctets(more+"ecdsa-sha256", octets, der, keys, strict))
	value := concat(fixed(x, 32), fixed(short, 32))
	require.NoError(t, dsig.VerifyOctets(more+"ecdsa-sha256", octets, value, keys, strict))
}

func sequence(content []byte) []byte {
	if len(content) < 0x80 {
		return concat([]byte{0x30, byte(len(content))}, content)
	}
	return concat([]byte{0x30, 0x81, byte(len(content))}, content)
}

func derOf(t *testing.T, r, s *big.Int) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	require.NoError(t, err)
	return der
}

func byOpenSSL(t *testing.T, key *ecdsa.PrivateKey, hash string) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	c := exec.Command("openssl", "dgst", "-"+hash, "-sign", pemFile(t, "PRIVATE KEY", der, err))
	c.Stdin = bytes.NewReader(octets)
	value, err := c.Output()
	require.NoError(t, err)
	return value
}
