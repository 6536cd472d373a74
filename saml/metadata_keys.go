package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	// maxKeyParts bounds the certificates, bare keys and references of one
	// KeyInfo.
	maxKeyParts = 16
	// maxIssuerChecks bounds the signatures that are checked to find the issuers in
	// one entity's metadata. Chains of four in each of maxSigningKeys KeyDescriptors
	// need fewer.
	maxIssuerChecks = 500
	// maxRSABits bounds the cost of one use of a key.
	maxRSABits = 16384

	nsSignature11 = "http://www.w3.org/2009/xmldsig11#"
)

// candidate is a key of a KeyInfo, which may have it in several places.
type candidate struct {
	id           string         // equal for equal keys
	where        string         // the first place that has it
	key          signingKey     // public is nil if problem is set
	problem      error          // why the key can't be used
	certificates []*certificate // of the key
	bare         bool           // present as a bare key, so it is not an issuer's
	issuer       bool           // it signed another key's certificate
}

// readKeyInfo returns the key of a metadata KeyInfo, or the zero value if it has no
// usable key. warnings lists what was not used, and why.
//
// A KeyInfo describes one key (XML Signature 4.5, SAML V2.0 Metadata
// Interoperability Profile 2.5). It may have a certificate, its chain, and the same
// key as a KeyValue. The key is that of the leaf, the certificate whose key signed
// none of the others. Without a single leaf no key of the KeyInfo is trusted,
// because one of them may belong to a certification authority.
//
// This is safe even if an issuer is not recognised, because its algorithm is unknown
// or a certificate of the chain is missing. The true leaf signed nothing, so it is
// never excluded. If a second key is not excluded either, there are two leaves, and
// neither is used.
//
// issuerChecks counts the signatures checked over all KeyInfos of an entity.
func readKeyInfo(info xmltree.Node, issuerChecks *int) (key signingKey, warnings []string) {
	r := keyInfoReader{issuerChecks: issuerChecks}
	parts := keyParts(info)
	if len(parts) > maxKeyParts {
		return key, []string{fmt.Sprintf("KeyInfo: more than %d certificates and keys", maxKeyParts)}
	}
	for _, n := range parts {
		switch n.Local() {
		case "X509Certificate":
			r.certificate(n)
		case "KeyValue":
			r.bareKey(n, readKeyValue)
		case "DEREncodedKeyValue":
			r.bareKey(n, readDERKeyValue)
		default:
			r.warn(n.Local(), errors.New("references are not followed"))
		}
	}
	r.findIssuers()
	key, err := r.leaf()
	if err != nil {
		r.warn("KeyInfo", err)
	}
	return key, r.warnings
}

// keyParts lists the children of a KeyInfo, and of its X509Data, that have a key or
// refer to one. It stops after one more than is accepted.
func keyParts(info xmltree.Node) []xmltree.Node {
	var parts []xmltree.Node
	for n := info.First(); n.OK() && len(parts) <= maxKeyParts; n = n.Next() {
		signature11 := n.Doc().URI(n.NS()) == nsSignature11
		switch {
		case n.Is(xmltree.Signature, "X509Data"):
			for c := n.First(); c.OK() && len(parts) <= maxKeyParts; c = c.Next() {
				if c.Is(xmltree.Signature, "X509Certificate") {
					parts = append(parts, c)
				}
			}
		case n.Is(xmltree.Signature, "KeyValue"), n.Is(xmltree.Signature, "RetrievalMethod"),
			signature11 && n.Local() == "DEREncodedKeyValue", signature11 && n.Local() == "KeyInfoReference":
			parts = append(parts, n)
		}
	}
	return parts
}

// keyInfoReader collects the keys of one KeyInfo.
type keyInfoReader struct {
	candidates []*candidate
	count      int // of X509Certificates
	warnings   []string

	issuerChecks *int // made so far, in the whole entity
}

func (r *keyInfoReader) warn(where string, err error) {
	r.warnings = append(r.warnings, where+": "+err.Error())
}

// certificate adds an X509Certificate. An unreadable certificate, or one with an
// unusable key, counts too, because it may be the leaf.
func (r *keyInfoReader) certificate(n xmltree.Node) {
	r.count++
	where := fmt.Sprintf("X509Certificate %d", r.count)
	if !n.First().OK() && strings.TrimSpace(n.Text()) == "" {
		r.warn(where, errors.New("it is empty"))
		return
	}
	cert, err := readCertificate(n)
	if err != nil {
		r.candidates = append(r.candidates, &candidate{id: where, where: where, problem: err})
		return
	}
	if cert.parsed != nil {
		where += " (" + quote(cert.parsed.Subject.String()) + ")"
	}
	c := r.candidate(where, cert.public, cert.spki)
	c.certificates = append(c.certificates, cert)
	if c.key.cert == nil && c.problem == nil {
		c.key.cert = cert.parsed
	}
}

// bareKey adds a key without a certificate. An unusable one is ignored, because a
// bare key is not an issuer's.
func (r *keyInfoReader) bareKey(n xmltree.Node, read func(xmltree.Node) (crypto.PublicKey, error)) {
	public, err := read(n)
	if err == nil {
		err = checkUsable(public)
	}
	if err != nil {
		r.warn(n.Local(), err)
		return
	}
	r.candidate(n.Local(), public, nil).bare = true
}

// candidate returns the candidate of a key, and adds it if it is new. A key that
// can't be encoded is compared by spki.
func (r *keyInfoReader) candidate(where string, public crypto.PublicKey, spki []byte) *candidate {
	id := spki
	if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
		id = der
	}
	for _, c := range r.candidates {
		if c.id == string(id) {
			return c
		}
	}
	c := &candidate{id: string(id), where: where}
	if c.problem = checkUsable(public); c.problem == nil {
		c.key.public = public
	}
	r.candidates = append(r.candidates, c)
	return c
}

// findIssuers marks the keys that signed another key's certificate. The order in the
// KeyInfo doesn't matter. Self-signed certificates are skipped.
func (r *keyInfoReader) findIssuers() {
	for _, issuer := range r.candidates {
		for _, other := range r.candidates {
			if other == issuer || issuer.issuer || len(issuer.certificates) == 0 {
				continue
			}
			for _, cert := range other.certificates {
				if *r.issuerChecks++; *r.issuerChecks > maxIssuerChecks {
					r.warn("KeyInfo", errors.New("issuers were not looked for: the metadata has too many certificates"))
					return
				}
				if cert.signedBy(issuer.certificates[0].public) {
					issuer.issuer = true
				}
			}
		}
	}
}

// leaf returns the one key that the KeyInfo describes.
func (r *keyInfoReader) leaf() (signingKey, error) {
	var leaves []*candidate
	var names []string
	for _, c := range r.candidates {
		if c.issuer && !c.bare {
			r.warn(c.where, errors.New("its key signed another certificate of the KeyInfo, "+
				"so it belongs to a certification authority"))
			continue
		}
		name := c.where
		if c.problem != nil {
			name += " (" + c.problem.Error() + ")"
		}
		leaves, names = append(leaves, c), append(names, name)
	}
	switch {
	case len(r.candidates) == 0:
		return signingKey{}, errors.New("it has no usable key")
	case len(leaves) == 0:
		return signingKey{}, errors.New("the key of each certificate signed another one")
	case len(leaves) > 1:
		return signingKey{}, fmt.Errorf("%d keys that did not sign one another, where one is allowed "+
			"(XML Signature 4.5): give each key its own KeyDescriptor: %s", len(leaves), strings.Join(names, ", "))
	case leaves[0].problem != nil:
		return signingKey{}, fmt.Errorf("%s: %w", leaves[0].where, leaves[0].problem)
	}
	return leaves[0].key, nil
}

// checkUsable accepts a key that the verifier supports. Weak keys pass: the service
// provider's Config decides about them.
func checkUsable(public crypto.PublicKey) error {
	switch public := public.(type) {
	case nil:
		return errors.New("a key of an unknown kind")
	case *rsa.PublicKey:
		switch {
		case public.N.BitLen() > maxRSABits:
			return fmt.Errorf("an RSA key of %d bits, of which at most %d are accepted", public.N.BitLen(), maxRSABits)
		case public.N.Sign() <= 0 || public.N.Bit(0) == 0:
			return errors.New("an RSA modulus that is not an odd positive number")
		case public.E < 3 || public.E%2 == 0 || public.E > math.MaxInt32:
			return errors.New("an RSA exponent that is not an odd number from 3 to 2147483647")
		}
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		default:
			return fmt.Errorf("an ECDSA key on %s, not on P-256, P-384 or P-521", public.Params().Name)
		}
		if _, err := public.Bytes(); err != nil {
			return errors.New("an ECDSA key that is not a point of its curve")
		}
	default:
		return fmt.Errorf("a key of type %T, neither RSA nor ECDSA", public)
	}
	return nil
}
