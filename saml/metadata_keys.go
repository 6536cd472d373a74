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
	// maxIssuerChecks bounds the signatures that are checked in one entity's
	// metadata to tell leaves from their issuers. Chains of four in each of
	// maxSigningKeys KeyDescriptors take fewer.
	maxIssuerChecks = 500
	// maxRSABits bounds what one use of a key costs.
	maxRSABits = 16384

	nsSignature11 = "http://www.w3.org/2009/xmldsig11#"
)

// candidate is a key that a KeyInfo names, in one place or in several.
type candidate struct {
	id           string         // equal for equal keys
	where        string         // the place that named it first
	key          signingKey     // its public half is nil if problem is set
	problem      error          // why the key can't be used
	certificates []*certificate // that carry the key
	stated       bool           // as a bare key: that is never an issuer's
	issuer       bool           // it signed another key's certificate
}

// readKeyInfo gives the key of a metadata KeyInfo. passedOver says of
// everything that was not used why not, for the operator.
//
// A KeyInfo is about one key (XML Signature 4.5, SAML V2.0 Metadata
// Interoperability Profile 2.5): a certificate, its chain, and the same key as a
// KeyValue may stand side by side. The key is that of the leaf, the certificate
// whose key signed none of the others. Where there is no single leaf, no key of
// the KeyInfo is trusted: one of them may be a certification authority's.
//
// This is safe where an issuer is not recognised, because its algorithm is
// unknown or a certificate between the two is missing. The true leaf signed
// nothing, so it is never ruled out: a second key that is not ruled out makes
// two, and neither is used.
//
// issuerChecks counts the signatures that were checked, over all KeyInfos of an
// entity.
func readKeyInfo(info xmltree.Node, issuerChecks *int) (keys []signingKey, passedOver []string) {
	r := keyInfoReader{issuerChecks: issuerChecks}
	parts := keyParts(info)
	if len(parts) > maxKeyParts {
		return nil, []string{fmt.Sprintf("KeyInfo: it holds more than %d certificates and keys", maxKeyParts)}
	}
	for _, n := range parts {
		r.read(n)
	}
	r.findIssuers()
	leaf, err := r.leaf()
	if err != nil {
		r.pass("KeyInfo", err)
		return nil, r.passedOver
	}
	return []signingKey{leaf.key}, r.passedOver
}

// keyParts lists the children of a KeyInfo, and of X509Data in it, that hold a
// key or refer to one: at most one more than is accepted. Others, such as a
// KeyName, have no key.
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

// keyInfoReader gathers what one KeyInfo holds.
type keyInfoReader struct {
	candidates []*candidate
	count      int // X509Certificates
	passedOver []string

	issuerChecks *int // made so far, in the whole entity
}

func (r *keyInfoReader) pass(where string, err error) {
	r.passedOver = append(r.passedOver, where+": "+err.Error())
}

// read reads one of keyParts.
func (r *keyInfoReader) read(n xmltree.Node) {
	switch n.Local() {
	case "X509Certificate":
		r.certificate(n)
	case "KeyValue":
		r.bareKey(n, readKeyValue)
	case "DEREncodedKeyValue":
		r.bareKey(n, readDERKeyValue)
	default:
		r.pass(n.Local(), errors.New("references are not followed"))
	}
}

// certificate adds an X509Certificate. One that can't be read, or whose key
// can't be used, counts all the same: it may be the leaf.
func (r *keyInfoReader) certificate(n xmltree.Node) {
	r.count++
	where := fmt.Sprintf("X509Certificate %d", r.count)
	if !n.First().OK() && strings.TrimSpace(n.Text()) == "" {
		r.pass(where, errors.New("it is empty"))
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

// bareKey adds a key without a certificate. One that can't be used is not in
// the way of another form of the key: it is no certification authority's.
func (r *keyInfoReader) bareKey(n xmltree.Node, read func(xmltree.Node) (crypto.PublicKey, error)) {
	public, err := read(n)
	if err == nil {
		err = checkUsable(public)
	}
	if err != nil {
		r.pass(n.Local(), err)
		return
	}
	r.candidate(n.Local(), public, nil).stated = true
}

// candidate gives the candidate with a key, which is a new one if the key was
// not named before. spki stands in where the key itself can't be compared.
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

// findIssuers marks the keys that signed another key's certificate, wherever in
// the KeyInfo the two stand. That a certificate is signed by its own key says
// nothing.
func (r *keyInfoReader) findIssuers() {
	for _, issuer := range r.candidates {
		for _, other := range r.candidates {
			if other == issuer || issuer.issuer {
				continue
			}
			for _, cert := range other.certificates {
				if len(issuer.certificates) == 0 {
					continue
				}
				if *r.issuerChecks++; *r.issuerChecks > maxIssuerChecks {
					r.pass("KeyInfo", errors.New("who issued its certificates was not checked: the metadata holds too many"))
					return
				}
				if cert.signedBy(issuer.certificates[0].public) {
					issuer.issuer = true
				}
			}
		}
	}
}

// leaf gives the one key that the KeyInfo is about.
func (r *keyInfoReader) leaf() (*candidate, error) {
	var leaves []*candidate
	for _, c := range r.candidates {
		if c.issuer && !c.stated {
			r.pass(c.where, errors.New("its key issued another certificate of the KeyInfo, so it belongs to a certification authority"))
			continue
		}
		leaves = append(leaves, c)
	}
	switch {
	case len(r.candidates) == 0:
		return nil, errors.New("it holds no key that can be used")
	case len(leaves) == 0:
		return nil, errors.New("each of its certificates issued another one")
	case len(leaves) == 1:
		return leaves[0], leaves[0].fault()
	}
	var names []string
	for _, c := range leaves {
		name := c.where
		if c.problem != nil {
			name += " (" + c.problem.Error() + ")"
		}
		names = append(names, name)
	}
	return nil, fmt.Errorf("it holds %d keys that did not issue one another, and is about one key (XML Signature 4.5): each key needs a KeyDescriptor of its own: %s", len(leaves), strings.Join(names, ", "))
}

// fault is why the key can't be used, with its place.
func (c *candidate) fault() error {
	if c.problem == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", c.where, c.problem)
}

// checkUsable wants a key with which the verifier can check signatures. A key
// that is too weak passes: what is too weak is the service provider's decision.
func checkUsable(public crypto.PublicKey) error {
	switch public := public.(type) {
	case nil:
		return errors.New("a key of an unknown kind")
	case *rsa.PublicKey:
		switch {
		case public.N.BitLen() > maxRSABits:
			return fmt.Errorf("an RSA key of %d bits, of which at most %d are accepted", public.N.BitLen(), maxRSABits)
		case public.N.Sign() <= 0 || public.N.Bit(0) == 0:
			return errors.New("an RSA modulus that is no odd positive number")
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
			return errors.New("an ECDSA key that is no point of its curve")
		}
	default:
		return fmt.Errorf("a key of type %T, neither RSA nor ECDSA", public)
	}
	return nil
}
