package dsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"
	"hash"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Signed is an element whose signature was verified. Only Verify makes one.
type Signed struct {
	element xmltree.Node
	key     int
}

// Element returns what was signed: the element with everything in it, except
// the Signature that is its direct child.
func (s Signed) Element() xmltree.Node { return s.element }

// Key returns the position of the key that verified the signature.
func (s Signed) Key() int { return s.key }

// Verify checks the digest of the element around the Signature, and then the
// signature of SignedInfo with each key in turn. The digest comes first because
// it needs no key and any change to the element breaks it.
func (e *Envelope) Verify(keys []crypto.PublicKey, policy Policy) (Signed, error) {
	element := e.signature.Parent()
	if err := e.checkComments(element); err != nil {
		return Signed{}, err
	}
	c := xmltree.NewCanonicaliser(element.Doc())
	digest := digests[e.digest].New()
	c.Write(digest, element, e.signature, e.signedForm.prefixList)
	if subtle.ConstantTimeCompare(digest.Sum(nil), e.want) != 1 {
		return Signed{}, &Error{Reason: Invalid, Detail: "digest mismatch"}
	}
	key, _, err := e.method.tryKeys(keys, policy, e.value, func(h hash.Hash) {
		c.Write(h, e.info, xmltree.Node{}, e.infoForm.prefixList)
	})
	if err != nil {
		return Signed{}, err
	}
	return Signed{element: element, key: key}, nil
}

// tryKeys returns the position of the key that made a signature, or an error and how many keys could be tried. write
// writes what is signed; it is called at most once.
func (m method) tryKeys(
	keys []crypto.PublicKey, policy Policy, signature []byte, write func(hash.Hash),
) (at, usable int, err error) {
	var digest []byte
	weak := -1 // bits of the strongest that is too weak
	for i, key := range keys {
		if !m.usable(key) {
			continue
		}
		if key, ok := key.(*rsa.PublicKey); ok && key.N.BitLen() < policy.MinRSABits {
			weak = max(weak, key.N.BitLen())
			continue
		}
		usable++
		if digest == nil {
			h := m.hash.New()
			write(h)
			digest = h.Sum(nil)
		}
		if m.verify(key, digest, signature) {
			return i, usable, nil
		}
	}
	if usable == 0 && weak >= 0 {
		return -1, usable, &Error{
			Reason: WeakKey, Detail: "configured keys are too weak",
			Want: fmt.Sprintf("an RSA key of at least %d bits", policy.MinRSABits), Got: fmt.Sprintf("%d bits", weak),
		}
	}
	detail := fmt.Sprintf("signature does not verify with any of the %d configured keys", len(keys))
	if usable < len(keys) {
		detail += fmt.Sprintf(" (%d of them usable with its algorithm)", usable)
	}
	return -1, usable, &Error{Reason: Invalid, Detail: detail}
}

// checkComments refuses canonicalization with comments where something that is
// signed holds one. The reader drops comments, so it can't make that form, and a
// signer that hashed a comment and a reader that doesn't see it disagree about
// what was signed. Without a comment the two forms have the same octets.
func (e *Envelope) checkComments(element xmltree.Node) error {
	withComments := e.signedForm.withComments || e.infoForm.withComments
	if !withComments || !element.HasComment(e.signature) && !e.info.HasComment(xmltree.Node{}) {
		return nil
	}
	return &Error{
		Reason: Algorithm,
		Detail: "canonicalization with comments is accepted only where nothing that is signed holds a comment",
		Want:   exclusive, Got: exclusiveWithComments,
	}
}
