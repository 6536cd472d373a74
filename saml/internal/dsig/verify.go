package dsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Signed is an element that was signed. Only Verify makes one.
type Signed struct {
	element xmltree.Node
	key     int
}

// Element is what was signed: everything in it, but for the Signature that is
// its direct child.
func (s Signed) Element() xmltree.Node { return s.element }

// Key is the position of the key that the signature holds under.
func (s Signed) Key() int { return s.key }

// Verify hashes the element around the Signature and checks the hash, and then
// the signature over that hash under each key in turn. The hash comes first
// because it is what an attacker's changes break, and it needs no key.
func (e *Envelope) Verify(keys []crypto.PublicKey, policy Policy) (Signed, error) {
	element := e.signature.Parent()
	if err := e.checkComments(element); err != nil {
		return Signed{}, err
	}
	c := xmltree.NewCanonicaliser(element.Doc())
	got := hash(c, digests[e.digest], e.signedForm.prefixList, element, e.signature)
	if subtle.ConstantTimeCompare(got, e.want) != 1 {
		return Signed{}, &Error{Reason: Invalid, Detail: "digest mismatch"}
	}
	var info []byte
	usable, weak := 0, false
	for i, key := range keys {
		if !e.method.usable(key, policy) {
			weak = weak || e.method.usable(key, Policy{})
			continue
		}
		usable++
		if info == nil {
			info = hash(c, e.method.hash, e.infoForm.prefixList, e.info, xmltree.Node{})
		}
		if e.method.holds(key, info, e.value) {
			return Signed{element: element, key: i}, nil
		}
	}
	if usable == 0 && weak {
		return Signed{}, &Error{Reason: WeakKey, Detail: "configured keys are too weak", Want: e.wanted(policy), Got: describe(keys)}
	}
	return Signed{}, &Error{Reason: Invalid, Detail: noKeyVerifies(len(keys), usable)}
}

func noKeyVerifies(configured, usable int) string {
	detail := fmt.Sprintf("signature does not verify with any of the %d configured keys", configured)
	if usable < configured {
		detail += fmt.Sprintf(" (%d of them usable with its algorithm)", usable)
	}
	return detail
}

func (e *Envelope) wanted(policy Policy) string {
	if e.method.kind == ecdsaRS {
		return "an ECDSA key on P-256, P-384 or P-521"
	}
	return fmt.Sprintf("an RSA key of at least %d bits", policy.MinRSABits)
}

// checkComments refuses the canonical form with comments where there are any. The
// reader drops comments, so that form is known only where nothing that is signed
// holds one; there it has the octets of the form without. Where there is one, a
// signer that hashed it and a reader that doesn't see it disagree about what was
// signed.
func (e *Envelope) checkComments(element xmltree.Node) error {
	withComments := e.signedForm.withComments || e.infoForm.withComments
	if !withComments || !element.HasComment(e.signature) && !e.info.HasComment(xmltree.Node{}) {
		return nil
	}
	return &Error{Reason: Algorithm, Detail: "canonicalization with comments is accepted only where nothing that is signed holds a comment", Want: exclusive, Got: exclusiveWithComments}
}

// hash is the hash of the canonical form of the subtree at apex, without what is
// in except.
func hash(c *xmltree.Canonicaliser, hash crypto.Hash, prefixList string, apex, except xmltree.Node) []byte {
	h := hash.New()
	c.Write(h, apex, except, prefixList)
	return h.Sum(nil)
}

func describe(keys []crypto.PublicKey) string {
	var out []string
	for _, key := range keys {
		switch key := key.(type) {
		case *rsa.PublicKey:
			out = append(out, fmt.Sprintf("RSA of %d bits", key.N.BitLen()))
		case *ecdsa.PublicKey:
			out = append(out, "ECDSA on "+key.Curve.Params().Name)
		default:
			out = append(out, fmt.Sprintf("%T", key))
		}
	}
	return strings.Join(out, ", ")
}
