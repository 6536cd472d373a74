package saml

import (
	"errors"
	"fmt"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	// maxKeyOperations bounds the private-key operations for one message, including
	// all its encrypted attributes.
	maxKeyOperations = 64

	ruleDecryption = "Decryption (Core 2.3.4, 6)"
)

// verifyThenDecrypt is for an encrypted assertion in a signed Response, or in a signed
// ArtifactResponse. That signature covers the ciphertext and is verified first: if it fails, no private
// key is used. The assertion inside need not be signed; if it is, its signature
// must verify too.
func (v *verification) verifyThenDecrypt(m *message) (proof, error) {
	around, err := v.verifyAround(m)
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, err
	}
	_, err = v.decrypt(m, around.element())
	if err := v.trace.step(ruleDecryption, err); err != nil {
		return proof{}, err
	}
	if err := v.trace.step(ruleShapes, v.findSignatures(m, m.assertion)); err != nil {
		return proof{}, err
	}
	assertion, err := v.verifySignature("Assertion", m.assertionSignature)
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, err
	}
	return prove(m, around, assertion)
}

// decryptThenVerify is for an encrypted assertion in a Response that is not signed.
// An attacker may have written or changed the ciphertext. So the encryption must be
// authenticated (GCM), and the assertion inside must be signed: anyone can encrypt
// to a public key. If an attacker could have changed the ciphertext without knowing
// the plaintext, all errors are the same until that signature verifies. The trace,
// which is for the operator, records the real error.
func (v *verification) decryptThenVerify(m *message) (proof, error) {
	malleable, err := v.decrypt(m, xmltree.Node{})
	if err := v.trace.step(ruleDecryption, err); err != nil {
		return proof{}, maskDecryptError(err, malleable)
	}
	if err := v.trace.step(ruleShapes, v.findSignatures(m, m.assertion)); err != nil {
		return proof{}, maskDecryptError(err, malleable)
	}
	assertion, err := v.verifySignature("Assertion", m.assertionSignature)
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, maskDecryptError(err, malleable)
	}
	return prove(m, around{}, assertion)
}

// decrypt decrypts the assertion into m.assertion. The same checks apply to it as to
// a plain assertion: the limits, exactly one assertion, IDs that are unique in the
// message. signed is the Response, or what is around it, whose signature was verified.
// malleable is true after the decryption of a ciphertext that an attacker could have
// changed.
func (v *verification) decrypt(m *message, signed xmltree.Node) (malleable bool, err error) {
	sealed, err := v.readEncrypted(m.encrypted, signed.OK())
	if err != nil {
		return false, err
	}
	// For an assertion with its own signature, the namespaces at its place are in
	// scope: its signature covers those that it uses. Otherwise only those are in
	// scope that the signature around it covers.
	parse := func(plain []byte, limits xmltree.Limits) (*xmltree.Doc, error) {
		tree, err := xmltree.ParseFragment(plain, limits, m.encrypted)
		if err != nil || !signed.OK() || tree.Root().Child(xmltree.Signature, "Signature").OK() {
			return tree, err
		}
		return xmltree.ParseSigned(plain, limits, m.encrypted, signed)
	}
	if m.assertion, err = v.open(sealed, m.encrypted, "Assertion", parse); err != nil {
		return false, err
	}
	assertions, others := 0, 0
	m.assertion.Walk(func(n xmltree.Node) {
		switch {
		case n.Is(xmltree.Assertion, "Assertion"):
			assertions++
		case n.Is(xmltree.Assertion, "EncryptedAssertion"), n.Is(xmltree.Protocol, "Response"):
			others++
		}
	})
	if assertions != 1 || others != 0 {
		got := fmt.Sprintf("%d assertions, and %d encrypted ones or Responses", assertions, others)
		err = &Error{Reason: ReasonAssertionCount, Detail: "in the decrypted assertion", Want: "1", Got: got}
	}
	return sealed.Malleable(), err
}

// decryptPart decrypts an EncryptedID (Core 2.2.4) or an EncryptedAttribute (Core
// 2.7.3.2) of a signed assertion. The verified signature covers the ciphertext, so
// the identity provider wrote it. In scope are the namespaces that the assertion
// visibly uses, which the signature covers too.
func (v *verification) decryptPart(n, assertion xmltree.Node, want string) (xmltree.Node, error) {
	sealed, err := v.readEncrypted(n, true)
	if err != nil {
		return xmltree.Node{}, err
	}
	return v.open(sealed, n, want, func(plain []byte, limits xmltree.Limits) (*xmltree.Doc, error) {
		return xmltree.ParseSigned(plain, limits, n, assertion)
	})
}

func (v *verification) readEncrypted(n xmltree.Node, authenticated bool) (*xmlenc.Sealed, error) {
	if len(v.cfg.DecryptionKeys) == 0 {
		return nil, &Error{Reason: ReasonEncrypted, Detail: n.Local() + ": Config.DecryptionKeys is empty"}
	}
	if v.keys == nil {
		v.keys = xmlenc.NewKeys(v.cfg.DecryptionKeys, v.cfg.Rand, maxKeyOperations)
	}
	sealed, err := xmlenc.Read(n, xmlenc.Policy{
		Recipient:               v.cfg.EntityID,
		Authenticated:           authenticated,
		AllowUnauthenticatedCBC: v.cfg.InsecureAllowUnauthenticatedCBC,
		AllowRSA15:              v.cfg.InsecureAllowRSA15,
		Refused:                 v.idp.policy.RefusedAlgorithms,
	})
	if err != nil {
		return nil, fromEncryption(n.Local(), err)
	}
	v.cbc = v.cbc || sealed.CBC()
	return sealed, nil
}

// open decrypts n, and parses the plaintext as one element named want, with the
// namespaces in scope at n's EncryptedData (XML Encryption 1.1, 4.4).
func (v *verification) open(
	sealed *xmlenc.Sealed, n xmltree.Node, want string, parse func([]byte, xmltree.Limits) (*xmltree.Doc, error),
) (xmltree.Node, error) {
	limits := v.cfg.Limits.tree(xmltree.Name{})
	root, err := xmlenc.Open(sealed, v.keys, func(plain []byte) (xmltree.Node, error) {
		tree, err := parse(plain, limits)
		if err != nil {
			return xmltree.Node{}, fromTree(err)
		}
		root := tree.Root()
		if root.Is(xmltree.Assertion, "BaseID") {
			return xmltree.Node{}, unknownBaseID()
		}
		if !root.Is(xmltree.Assertion, want) {
			return xmltree.Node{}, &Error{
				Reason: ReasonEncrypted, Detail: "in " + n.Local(), Want: want, Got: root.Name(),
			}
		}
		return root, nil
	})
	if err != nil {
		return xmltree.Node{}, fromEncryption(n.Local(), err)
	}
	return root, nil
}

// maskDecryptError returns the same error for every failure if an attacker could
// have changed the ciphertext without knowing the plaintext. Different errors would
// be a decryption oracle.
func maskDecryptError(err error, malleable bool) error {
	if malleable {
		return cantDecrypt()
	}
	return err
}

// cantDecrypt returns the error for every failure to decrypt an assertion.
func cantDecrypt() *Error {
	return &Error{
		Reason: ReasonEncrypted, Rule: ruleDecryption,
		Detail: "EncryptedAssertion does not decrypt with the configured keys to an assertion with a valid signature",
	}
}

// fromEncryption translates an error of package xmlenc.
func fromEncryption(what string, err error) error {
	var e *xmlenc.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := ReasonEncrypted
	switch {
	case e.Reason == xmlenc.Failed && what == "EncryptedAssertion":
		return cantDecrypt()
	case e.Reason == xmlenc.Algorithm:
		reason = ReasonAlgorithm
	case e.Reason == xmlenc.Limit:
		reason = ReasonLimit
	}
	return &Error{Reason: reason, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got}
}
