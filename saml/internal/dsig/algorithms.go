package dsig

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1" // registers the hashes
	_ "crypto/sha256"
	_ "crypto/sha512"
	"math/big"
	"slices"
)

// Identifiers (XML Signature 1.1, 6; RFC 9231, 2).
const (
	base      = "http://www.w3.org/2000/09/xmldsig#"
	more      = "http://www.w3.org/2001/04/xmldsig-more#"
	more2007  = "http://www.w3.org/2007/05/xmldsig-more#"
	enveloped = base + "enveloped-signature"
	exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"

	exclusiveWithComments = exclusive + "WithComments"
)

// Policy says which algorithms and keys are accepted.
type Policy struct {
	AllowSHA1  bool
	MinRSABits int
	Refused    []string // URIs of signature and digest algorithms
}

func (p *Policy) refuses(uri string) bool { return slices.Contains(p.Refused, uri) }

// Supports reports whether uri names a signature or digest algorithm of this package.
func Supports(uri string) bool {
	_, method := methods[uri]
	_, digest := digests[uri]
	return method || digest
}

// Method is a signature algorithm in metadata.
type Method struct {
	URI     string
	MinBits int // of the key; zero: the curve decides
}

// Offered lists the digest and signature algorithms that p accepts, for metadata, in
// order of preference.
func (p *Policy) Offered() (digestURIs []string, methodURIs []Method) {
	for uri, hash := range digests {
		if (hash != crypto.SHA1 || p.AllowSHA1) && !p.refuses(uri) {
			digestURIs = append(digestURIs, uri)
		}
	}
	slices.SortFunc(digestURIs, func(a, b string) int { return cmp.Compare(rank(digests[a]), rank(digests[b])) })
	for uri, m := range methods {
		if m.hash == crypto.SHA1 && !p.AllowSHA1 || p.refuses(uri) {
			continue
		}
		least := p.MinRSABits
		if m.kind == ecdsaRS {
			least = 0
		}
		methodURIs = append(methodURIs, Method{uri, least})
	}
	slices.SortFunc(methodURIs, func(a, b Method) int {
		x, y := methods[a.URI], methods[b.URI]
		return cmp.Or(cmp.Compare(rank(x.hash), rank(y.hash)), cmp.Compare(x.kind, y.kind))
	})
	return digestURIs, methodURIs
}

// rank puts SHA-256 first, and SHA-1 last.
func rank(h crypto.Hash) int {
	return slices.Index([]crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA1}, h)
}

// method is a signature algorithm. PSS is the variant whose name fixes all
// parameters (RFC 9231, 2.3.10), so a message can't choose any: the salt is as long
// as the hash, which MGF1 uses too.
type method struct {
	hash crypto.Hash
	kind kind
}

type kind int

// What more peers support comes first.
const (
	pkcs1 kind = iota
	ecdsaRS
	pss
	ecdsaOctets // r followed by s as ecdsaRS, or DER: see VerifyOctets
)

var methods = map[string]method{
	base + "rsa-sha1":   {crypto.SHA1, pkcs1},
	more + "rsa-sha256": {crypto.SHA256, pkcs1},
	more + "rsa-sha384": {crypto.SHA384, pkcs1},
	more + "rsa-sha512": {crypto.SHA512, pkcs1},

	more2007 + "sha256-rsa-MGF1": {crypto.SHA256, pss},
	more2007 + "sha384-rsa-MGF1": {crypto.SHA384, pss},
	more2007 + "sha512-rsa-MGF1": {crypto.SHA512, pss},

	more + "ecdsa-sha256": {crypto.SHA256, ecdsaRS},
	more + "ecdsa-sha384": {crypto.SHA384, ecdsaRS},
	more + "ecdsa-sha512": {crypto.SHA512, ecdsaRS},
}

var digests = map[string]crypto.Hash{
	base + "sha1": crypto.SHA1,
	"http://www.w3.org/2001/04/xmlenc#sha256": crypto.SHA256,
	more + "sha384": crypto.SHA384,
	"http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512,
}

// usable reports whether a key is of the kind that a method needs, whatever its
// strength.
func (m method) usable(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return m.kind == pkcs1 || m.kind == pss
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return m.kind == ecdsaRS || m.kind == ecdsaOctets
		}
	}
	return false
}

// verify reports whether a key made the signature of a digest. Any error of the
// standard library means that it didn't.
func (m method) verify(key crypto.PublicKey, digest, signature []byte) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if m.kind == pss {
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(key, m.hash, digest, signature, opts) == nil
		}
		return rsa.VerifyPKCS1v15(key, m.hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		// r followed by s, each as wide as the order of the curve (RFC 9231, 2.3.6).
		width := (key.Curve.Params().N.BitLen() + 7) / 8
		if len(signature) != 2*width {
			return m.kind == ecdsaOctets && ecdsa.VerifyASN1(key, digest, signature)
		}
		r, s := new(big.Int).SetBytes(signature[:width]), new(big.Int).SetBytes(signature[width:])
		return ecdsa.Verify(key, digest, r, s)
	}
	return false
}
