package attack

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // for digests that must never be accepted
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// digestOf returns a digest in base64, by SHA-256 if the method is unknown.
func (d *draft) digestOf(uri string, text []byte) string {
	return encode(sum(hashOf(uri, crypto.SHA256), text))
}

func sum(hash crypto.Hash, text []byte) []byte {
	h := hash.New()
	h.Write(text)
	return h.Sum(nil)
}

// methodOf returns the SignatureMethod of a key: with SHA-256, or a longer hash if
// the curve is stronger.
func methodOf(key crypto.Signer) string {
	if public, ok := key.Public().(*ecdsa.PublicKey); ok {
		switch bits := public.Curve.Params().BitSize; {
		case bits > 384:
			return more + "ecdsa-sha512"
		case bits > 256:
			return more + "ecdsa-sha384"
		}
		return more + "ecdsa-sha256"
	}
	return more + "rsa-sha256"
}

// hashOf returns the hash that an algorithm identifier names, or a default if
// it is unknown.
func hashOf(uri string, other crypto.Hash) crypto.Hash {
	for name, hash := range map[string]crypto.Hash{
		"md5": crypto.MD5, "sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
	} {
		if strings.Contains(uri, name) {
			return hash
		}
	}
	return other
}

// signText signs as a SignatureMethod says. If that is unknown, it signs by the
// key's default method, so that only the identifier is wrong.
func signText(key crypto.Signer, method string, text []byte) ([]byte, error) {
	hash := hashOf(method, crypto.SHA256)
	digest := sum(hash, text)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if strings.HasSuffix(method, "rsa-MGF1") {
			return rsaPSS(key, hash, hash, hash.Size(), digest), nil
		}
		if hash == crypto.SHA256 && tooWeak(&key.PublicKey) {
			return rsaPKCS1(key, digest), nil
		}
		return rsa.SignPKCS1v15(nil, key, hash, digest)
	case *ecdsa.PrivateKey:
		// Without randomness it is deterministic (RFC 6979).
		der, err := key.Sign(nil, digest, hash)
		if err != nil {
			return nil, err
		}
		return rAndS(der, &key.PublicKey)
	}
	value, err := key.Sign(rand.Reader, digest, hash)
	if public, ok := key.Public().(*ecdsa.PublicKey); ok && err == nil {
		return rAndS(value, public)
	}
	return value, err
}

// rAndS converts a signature from ASN.1 to r followed by s (XML Signature 6.4.3).
func rAndS(der []byte, public *ecdsa.PublicKey) ([]byte, error) {
	var value struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &value); err != nil {
		return nil, err
	}
	size := (public.Curve.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	value.R.FillBytes(out[:size])
	value.S.FillBytes(out[size:])
	return out, nil
}

// rsaPrivate is the bare private operation. The standard library does not support
// weak keys and odd paddings, which a service provider must refuse.
func rsaPrivate(key *rsa.PrivateKey, padded []byte) []byte {
	m := new(big.Int).SetBytes(padded)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// rsaPublic is the bare public operation.
func rsaPublic(key *rsa.PublicKey, padded []byte) []byte {
	m := new(big.Int).SetBytes(padded)
	return m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
}

// sha256Info is the DigestInfo of SHA-256, without the digest (RFC 8017, 9.2, note 1).
const sha256Info = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// rsaPKCS1 implements RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2).
func rsaPKCS1(key *rsa.PrivateKey, digest []byte) []byte {
	info := sha256Info + string(digest)
	padding := bytes.Repeat([]byte{0xff}, key.Size()-len(info)-3)
	return rsaPrivate(key, slices.Concat([]byte{0, 1}, padding, []byte{0}, []byte(info)))
}

// rsaPSS implements RSASSA-PSS (RFC 8017, 9.1.1) with a salt of zeros.
func rsaPSS(key *rsa.PrivateKey, hash, mgf crypto.Hash, saltLen int, digest []byte) []byte {
	emBits := key.N.BitLen() - 1
	emLen := (emBits + 7) / 8
	salt := make([]byte, saltLen)
	h := sum(hash, append(append(make([]byte, 8), digest...), salt...))
	db := make([]byte, emLen-len(h)-1)
	db[len(db)-saltLen-1] = 1
	copy(db[len(db)-saltLen:], salt)
	xor(db, mgf1(mgf, h, len(db)))
	db[0] &= 0xff >> (8*emLen - emBits)
	return rsaPrivate(key, append(append(db, h...), 0xbc))
}

// mgf1 implements RFC 8017, B.2.1.
func mgf1(hash crypto.Hash, seed []byte, n int) []byte {
	var out []byte
	for i := byte(0); len(out) < n; i++ {
		out = append(out, sum(hash, append(bytes.Clone(seed), 0, 0, 0, i))...)
	}
	return out[:n]
}

func xor(dst, with []byte) {
	for i := range dst {
		dst[i] ^= with[i]
	}
}

// certificateOf returns Params.Certificate for Params.Key, and a new certificate with
// the same names for another key.
func (d *draft) certificateOf(key crypto.Signer) []byte {
	if key == d.p.Key && d.p.Certificate != nil {
		return d.p.Certificate
	}
	der, err := NewCertificate(key, d.p.Now)
	if err != nil {
		d.fail("certificate: %w", err)
	}
	return der
}

// NewCertificate returns a self-signed certificate in DER that is valid from a day
// before now until a year after it. The same key and time give the same certificate.
func NewCertificate(key crypto.Signer, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "idp.example"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(365 * 24 * time.Hour),
	}
	return x509.CreateCertificate(nil, template, template, key.Public(), key)
}

// tooWeak reports whether the standard library refuses to sign with a key.
func tooWeak(public crypto.PublicKey) bool {
	key, ok := public.(*rsa.PublicKey)
	return ok && (key.N.BitLen() < 1024 || key.E < 3)
}

// spki returns the public half of the signing key in DER.
func (d *draft) spki() []byte {
	der, err := x509.MarshalPKIXPublicKey(d.key.Public())
	if err != nil {
		d.fail("public key: %w", err)
	}
	return der
}

// keyValue returns a KeyValue with the public half of the signing key.
func (d *draft) keyValue() string {
	const rsaValue = "<ds:RSAKeyValue><ds:Modulus>%s</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
	const der = `<dsig11:DEREncodedKeyValue xmlns:dsig11="http://www.w3.org/2009/xmldsig11#">%s` +
		"</dsig11:DEREncodedKeyValue>"
	value := fmt.Sprintf(der, encode(d.spki()))
	if public, ok := d.key.Public().(*rsa.PublicKey); ok {
		value = fmt.Sprintf(rsaValue, encode(public.N.Bytes()))
	}
	return "<ds:KeyValue>" + value + "</ds:KeyValue>"
}

// cubeRootForgery returns, without the private key, a value whose cube begins as a
// PKCS #1 v1.5 padding with the right hash and continues with garbage.
func cubeRootForgery(key *rsa.PublicKey, digest []byte) []byte {
	begin := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8), []byte{0}, []byte(sha256Info), digest)
	target := append(begin, bytes.Repeat([]byte{0xff}, key.Size()-len(begin))...)
	return cubeRoot(new(big.Int).SetBytes(target)).FillBytes(make([]byte, key.Size()))
}

// cubeRoot returns the cube root, rounded down.
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
