package saml

import (
	"crypto"
	"crypto/x509"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// ReadKeyInfo is readKeyInfo for a document that is a KeyInfo.
func ReadKeyInfo(doc string) (keys []crypto.PublicKey, certs []*x509.Certificate, warnings []string, err error) {
	tree, err := xmltree.Parse(doc, metadataLimits)
	if err != nil {
		return nil, nil, nil, err
	}
	var issuerChecks int
	key, warnings := readKeyInfo(tree.Root(), &issuerChecks)
	if key.public != nil {
		keys, certs = append(keys, key.public), append(certs, key.cert)
	}
	return keys, certs, warnings, nil
}

// CertificateKey is the SubjectPublicKeyInfo that parseCertificate finds.
func CertificateKey(der []byte) (spki []byte, public crypto.PublicKey, err error) {
	c, err := parseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return c.spki, c.public, nil
}

// The readers of schema types.
var (
	ParseDateTime = parseDateTime
	ParseDuration = parseDuration
	ParseBoolean  = parseBoolean
)

// NewAssertion returns an assertion with a subject and attributes, for the decoder. The
// scopes are those of its identity provider; nil: they are not checked.
func NewAssertion(id NameID, attributes []Attribute, scope []string) *Assertion {
	a := &Assertion{a: &assertion{nameID: id, attributes: attributes}}
	if scope != nil {
		a.scopes = &scopes{exact: scope}
	}
	return a
}

// FindSource looks a SourceID up in an index of entity IDs made with a hash.
func FindSource(entityIDs []string, hash func(string) SourceID, id SourceID) (string, error) {
	return newSourceIndex(entityIDs, hash).find(id)
}
