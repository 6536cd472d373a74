package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/rsa"
	_ "crypto/sha1" // registers the hashes
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// certificate is what decides about a metadata certificate: its key, and what
// shows who issued it. It is read without crypto/x509, which refuses
// certificates for what says nothing about the key: a negative serial number, a
// date, an extension.
type certificate struct {
	signed    []byte // TBSCertificate, which the issuer signed
	algorithm algorithmIdentifier
	signature []byte
	spki      []byte            // SubjectPublicKeyInfo
	public    crypto.PublicKey  // of spki; nil if it is of an unknown kind
	parsed    *x509.Certificate // nil where crypto/x509 refuses the certificate
}

type algorithmIdentifier struct {
	OID        asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

// readCertificate reads an X509Certificate: base64 of DER, and also PEM, and
// base64 of PEM, which people paste.
func readCertificate(n xmltree.Node) (*certificate, error) {
	text, err := ownText(n)
	if err != nil {
		return nil, err
	}
	der, err := decodeArmoured(text)
	if err == nil && strings.HasPrefix(strings.TrimSpace(string(der)), pemBegin) {
		der, err = decodeArmoured(string(der))
	}
	if err != nil {
		return nil, err
	}
	return parseCertificate(der)
}

const (
	pemBegin = "-----BEGIN CERTIFICATE-----"
	pemEnd   = "-----END CERTIFICATE-----"
)

// decodeArmoured decodes base64 with or without the lines of PEM around it. The
// line breaks may be gone, which encoding/pem does not take.
func decodeArmoured(text string) ([]byte, error) {
	body, armoured := strings.CutPrefix(strings.TrimSpace(text), pemBegin)
	if armoured {
		var rest string
		if body, rest, armoured = strings.Cut(body, pemEnd); !armoured || rest != "" {
			return nil, errors.New("not one certificate in PEM")
		}
	}
	return decodeSpaced(body)
}

// parseCertificate walks the DER (RFC 5280, 4.1). What stands behind the key, or
// behind the signature, is not looked at, nor by crypto/x509.
func parseCertificate(der []byte) (*certificate, error) {
	var c certificate
	whole := derReader{rest: der}
	outer := whole.inside(asn1.TagSequence)
	whole.end()
	c.signed = outer.next(asn1.ClassUniversal, asn1.TagSequence)
	algorithm := outer.next(asn1.ClassUniversal, asn1.TagSequence)
	signature := outer.next(asn1.ClassUniversal, asn1.TagBitString)

	tbs := (&derReader{rest: c.signed}).inside(asn1.TagSequence)
	tbs.optional(asn1.ClassContextSpecific, 0)               // version
	tbs.next(asn1.ClassUniversal, asn1.TagInteger)           // serialNumber
	tbs.next(asn1.ClassUniversal, asn1.TagSequence)          // signature
	tbs.next(asn1.ClassUniversal, asn1.TagSequence)          // issuer
	tbs.next(asn1.ClassUniversal, asn1.TagSequence)          // validity
	tbs.next(asn1.ClassUniversal, asn1.TagSequence)          // subject
	c.spki = tbs.next(asn1.ClassUniversal, asn1.TagSequence) // subjectPublicKeyInfo
	if whole.bad || outer.bad || tbs.bad {
		return nil, errors.New("not a certificate in DER")
	}
	var bits asn1.BitString
	if _, err := asn1.Unmarshal(signature, &bits); err == nil {
		c.signature = bits.RightAlign()
	}
	if _, err := asn1.Unmarshal(algorithm, &c.algorithm); err != nil {
		c.algorithm = algorithmIdentifier{} // no key will be recognised as the issuer's
	}
	if public, err := x509.ParsePKIXPublicKey(c.spki); err == nil {
		c.public = public
	}
	if parsed, err := x509.ParseCertificate(der); err == nil {
		c.parsed = parsed
	}
	return &c, nil
}

// derReader takes one DER value after another. Once something was not as
// expected it gives nothing more.
type derReader struct {
	rest []byte
	bad  bool
}

// optional gives the next value, with its tag and length, if it has that tag.
func (r *derReader) optional(class, tag int) []byte {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(r.rest, &v)
	compound := class == asn1.ClassContextSpecific || tag == asn1.TagSequence
	if r.bad || err != nil || v.Class != class || v.Tag != tag || v.IsCompound != compound {
		return nil
	}
	r.rest = rest
	return v.FullBytes
}

func (r *derReader) next(class, tag int) []byte {
	v := r.optional(class, tag)
	r.bad = r.bad || v == nil
	return v
}

// inside gives a reader for what the next value holds.
func (r *derReader) inside(tag int) *derReader {
	var v asn1.RawValue
	_, err := asn1.Unmarshal(r.next(asn1.ClassUniversal, tag), &v)
	return &derReader{rest: v.Bytes, bad: err != nil}
}

// end wants nothing more.
func (r *derReader) end() { r.bad = r.bad || len(r.rest) > 0 }

// maxIssuerBits and maxIssuerExponent bound what one signature check costs. One
// KeyInfo can cause 240 of them, which take about a tenth of a second; with RSA
// keys of 16384 bits and the largest exponent they would take ten seconds.
// Hardly any certification authority has more bits or a larger exponent.
const (
	maxIssuerBits     = 4096
	maxIssuerExponent = 65537
)

const oidPSS = "1.2.840.113549.1.1.10"

// certificateHashes are the hashes of the algorithms that certificates are
// signed with (RFC 3279, RFC 4055, RFC 5758), which name the kind of key too.
// SHA-1 is among them because nothing is trusted for a signature here: a key
// that made one is ruled out.
var certificateHashes = map[string]crypto.Hash{
	"1.2.840.113549.1.1.5":  crypto.SHA1,
	"1.3.14.3.2.29":         crypto.SHA1,
	"1.2.840.113549.1.1.11": crypto.SHA256,
	"1.2.840.113549.1.1.12": crypto.SHA384,
	"1.2.840.113549.1.1.13": crypto.SHA512,
	"1.2.840.10045.4.1":     crypto.SHA1,
	"1.2.840.10045.4.3.2":   crypto.SHA256,
	"1.2.840.10045.4.3.3":   crypto.SHA384,
	"1.2.840.10045.4.3.4":   crypto.SHA512,
}

// signedBy reports whether a key made the signature of the certificate. False
// also means that it can't be told.
func (c *certificate) signedBy(public crypto.PublicKey) bool {
	if key, ok := public.(ed25519.PublicKey); ok {
		return ed25519.Verify(key, c.signed, c.signature)
	}
	hash, ok := c.hash()
	if !ok {
		return false
	}
	h := hash.New()
	h.Write(c.signed)
	digest := h.Sum(nil)
	switch key := public.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() > maxIssuerBits || key.E > maxIssuerExponent || key.Size() != len(c.signature) {
			return false
		}
		if c.algorithm.OID.String() == oidPSS {
			return rsa.VerifyPSS(key, hash, digest, c.signature, nil) == nil
		}
		return rsa.VerifyPKCS1v15(key, hash, digest, c.signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, c.signature)
	}
	return false
}

// hash is the hash that the certificate's signature is over.
func (c *certificate) hash() (hash crypto.Hash, ok bool) {
	oid := c.algorithm.OID.String()
	if oid == oidPSS {
		// The mask is taken to have the same hash, and the salt any length
		// (RFC 4055, 3.1).
		var params struct {
			Hash algorithmIdentifier `asn1:"optional,explicit,tag:0"`
		}
		if _, err := asn1.Unmarshal(c.algorithm.Parameters.FullBytes, &params); err != nil {
			return 0, false
		}
		hash, ok = pssHashes[params.Hash.OID.String()]
	} else {
		hash, ok = certificateHashes[oid]
	}
	if hash == crypto.SHA1 && fips140.Enforced() {
		return 0, false // crypto/sha1 panics
	}
	return hash, ok
}

// pssHashes has SHA-1 where no hash is named, as its definition does.
var pssHashes = map[string]crypto.Hash{
	"":                       crypto.SHA1,
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}
