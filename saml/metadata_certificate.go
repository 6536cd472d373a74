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

// certificate has the parts of a metadata certificate that are used: its key, and
// the fields that identify the key that signed it. crypto/x509 is not used for
// these, because it refuses certificates for problems that don't concern the key: a
// negative serial number, a date, an extension.
type certificate struct {
	signed    []byte // TBSCertificate, which the issuer signed
	algorithm algorithmIdentifier
	signature []byte
	spki      []byte            // SubjectPublicKeyInfo
	public    crypto.PublicKey  // of spki; nil if its kind is unknown
	parsed    *x509.Certificate // nil if crypto/x509 refuses the certificate
}

type algorithmIdentifier struct {
	OID        asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

// readCertificate reads an X509Certificate: base64 of DER. PEM, and base64 of PEM,
// are accepted too, because users paste them.
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
// line breaks may be missing, which encoding/pem refuses.
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

// parseCertificate reads the DER (RFC 5280, 4.1). Fields after the key and after
// the signature are ignored.
func parseCertificate(der []byte) (*certificate, error) {
	var outer struct{ TBS, Algorithm, Signature asn1.RawValue }
	var tbs struct {
		Version                                                 asn1.RawValue `asn1:"optional,tag:0"`
		SerialNumber, Signature, Issuer, Validity, Subject, Key asn1.RawValue
	}
	rest, err := asn1.Unmarshal(der, &outer)
	valid := err == nil && len(rest) == 0
	_, err = asn1.Unmarshal(outer.TBS.FullBytes, &tbs)
	valid = valid && err == nil && (tbs.Version.FullBytes == nil || tbs.Version.IsCompound)
	for _, field := range []struct {
		value asn1.RawValue
		tag   int
	}{
		{outer.Algorithm, asn1.TagSequence}, {outer.Signature, asn1.TagBitString},
		{tbs.SerialNumber, asn1.TagInteger}, {tbs.Signature, asn1.TagSequence}, {tbs.Issuer, asn1.TagSequence},
		{tbs.Validity, asn1.TagSequence}, {tbs.Subject, asn1.TagSequence}, {tbs.Key, asn1.TagSequence},
	} {
		v, compound := field.value, field.tag == asn1.TagSequence
		valid = valid && v.Class == asn1.ClassUniversal && v.Tag == field.tag && v.IsCompound == compound
	}
	if !valid {
		return nil, errors.New("not a certificate in DER")
	}
	c := &certificate{signed: outer.TBS.FullBytes, spki: tbs.Key.FullBytes}
	var bits asn1.BitString
	if _, err := asn1.Unmarshal(outer.Signature.FullBytes, &bits); err == nil {
		c.signature = bits.RightAlign()
	}
	if _, err := asn1.Unmarshal(outer.Algorithm.FullBytes, &c.algorithm); err != nil {
		c.algorithm = algorithmIdentifier{} // no key will be recognised as the issuer's
	}
	if public, err := x509.ParsePKIXPublicKey(c.spki); err == nil {
		c.public = public
	}
	if parsed, err := x509.ParseCertificate(der); err == nil {
		c.parsed = parsed
	}
	return c, nil
}

// maxIssuerBits and maxIssuerExponent bound the cost of one signature check. One
// KeyInfo can cause 240 checks, which take about a tenth of a second. With RSA keys
// of 16384 bits and the largest exponent they would take ten seconds. Almost no
// certification authority exceeds these bounds.
const (
	maxIssuerBits     = 4096
	maxIssuerExponent = 65537
)

const oidPSS = "1.2.840.113549.1.1.10"

// certificateHashes are the hashes of the signature algorithms of certificates (RFC
// 3279, RFC 4055, RFC 5758). SHA-1 is safe here: a key that signed another
// certificate is excluded, never trusted.
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

// signedBy reports whether a key signed the certificate. It returns false if the
// algorithm is unknown.
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

// hash returns the hash of the certificate's signature algorithm.
func (c *certificate) hash() (hash crypto.Hash, ok bool) {
	oid := c.algorithm.OID.String()
	if oid == oidPSS {
		// The mask is assumed to have the same hash, and the salt any length
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

// pssHashes maps an absent hash to SHA-1, the default of RSASSA-PSS-params.
var pssHashes = map[string]crypto.Hash{
	"":                       crypto.SHA1,
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}
