package saml

import (
	"errors"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	ruleShapes     = "Shape of signatures (Core 5.4)"
	ruleSignatures = "Signatures (Profiles 4.1.4.5)"
)

// findSignatures finds the signatures of the message as it arrived, and looks
// at their shape. One that is demanded must be there. The signature of an
// encrypted assertion is looked for once that is decrypted.
func (v *verification) findSignatures(m *message) error {
	if err := v.readSignatures(m, m.root); err != nil {
		return err
	}
	if v.cfg.WantResponsesSigned && m.responseSignature == nil {
		return &Error{Reason: ReasonUnsigned, Detail: "Config.WantResponsesSigned is set, and the Response is not signed"}
	}
	if m.encrypted.OK() {
		return nil
	}
	return v.checkSigned(m)
}

// findDecryptedSignature does the same with an assertion that was decrypted.
func (v *verification) findDecryptedSignature(m *message) error {
	if err := v.readSignatures(m, m.assertion); err != nil {
		return err
	}
	return v.checkSigned(m)
}

// checkSigned wants the assertion to be signed, itself or as a part of the
// Response.
func (v *verification) checkSigned(m *message) error {
	switch {
	case m.assertionSignature == nil && m.responseSignature == nil:
		return &Error{Reason: ReasonUnsigned, Detail: "neither the Response nor the assertion is signed"}
	case m.assertionSignature == nil && v.cfg.WantAssertionsSigned:
		return &Error{Reason: ReasonUnsigned, Detail: "Config.WantAssertionsSigned is set, and the assertion has no signature of its own"}
	}
	return nil
}

// readSignatures reads every Signature in n. They may stand directly in the
// Response and directly in the assertion, once each; one anywhere else could
// only be there to be mistaken for these.
func (v *verification) readSignatures(m *message, n xmltree.Node) error {
	var err error
	n.Walk(func(n xmltree.Node) {
		if err != nil || !n.Is(xmltree.Signature, "Signature") {
			return
		}
		switch {
		case n.Parent() == m.root && m.responseSignature == nil:
			m.responseSignature, err = v.readSignature(n)
		case n.Parent() == m.assertion && m.assertionSignature == nil:
			m.assertionSignature, err = v.readSignature(n)
		default:
			err = &Error{Reason: ReasonSignatureShape, Detail: "a Signature that belongs neither to the Response nor to its assertion, or a second one"}
		}
	})
	return err
}

// readSignature wants a Signature where the schema has it: right after the
// Issuer (Core 2.3.3, 3.2.2), or first where there is none. Some old signers
// append it to the end of the element. It would do no harm there, because the
// enveloped-signature transform takes it out wherever it stands. It is refused
// all the same: a message that the schema doesn't allow was read by other rules
// than ours by the one who signed it, and the setting that puts it in its place
// exists in every product that is maintained.
func (v *verification) readSignature(n xmltree.Node) (*dsig.Envelope, error) {
	first := n.Parent().First()
	if first != n && !(first.Is(xmltree.Assertion, "Issuer") && first.Next() == n) {
		return nil, &Error{Reason: ReasonSignatureShape, Detail: "a Signature stands right after the Issuer (Core 2.3.3, 3.2.2)"}
	}
	envelope, err := dsig.Read(n, v.policy())
	if err != nil {
		return nil, fromSignature(n.Parent().Local(), err)
	}
	return envelope, nil
}

func (v *verification) policy() dsig.Policy {
	return dsig.Policy{AllowSHA1: v.cfg.InsecureAllowSHA1, MinRSABits: v.cfg.minRSABits()}
}

// verifySignature verifies one signature. The result is the element that it
// covers; none where there is no signature.
func (v *verification) verifySignature(what string, e *dsig.Envelope) (dsig.Signed, error) {
	if e == nil {
		return dsig.Signed{}, nil
	}
	signed, err := e.Verify(v.idp.public, v.policy())
	if err != nil {
		return dsig.Signed{}, fromSignature(what, err)
	}
	return signed, nil
}

// verifySignatures verifies the signatures of a message that is not encrypted.
func (v *verification) verifySignatures(m *message) (proof, error) {
	response, err := v.verifySignature("Response", m.responseSignature)
	var assertion dsig.Signed
	if err == nil {
		assertion, err = v.verifySignature("Assertion", m.assertionSignature)
	}
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, err
	}
	return prove(m, response, assertion)
}

// proof is the Response and the assertion once their signatures are verified.
// Only prove makes one.
type proof struct {
	assertion      xmltree.Node // what the verified signatures cover, and nothing else
	response       *response    // the Response's own values,
	responseSigned bool         // which are proved too if this is true
	keys           [2]int       // positions of the keys of the Response and the assertion; none is below 0
}

// prove makes sure that what was signed is what was found: the assertion is
// covered by its own signature, or stands directly in the signed Response, as it
// is or as ciphertext. The Response around a signed assertion may be unsigned:
// then its own values come from the document. Every rule on them can only
// refuse; what an attacker could change there to be let in (a failure into
// Success, say) leaves an assertion that the identity provider signed for this
// very place and time.
func prove(m *message, response, assertion dsig.Signed) (proof, error) {
	p := proof{assertion: m.assertion, response: m.response, responseSigned: response.Element().OK(), keys: [2]int{-1, -1}}
	within := m.assertion
	if m.encrypted.OK() {
		within = m.encrypted
	}
	byItself := assertion.Element().OK()
	switch {
	case byItself && assertion.Element() != m.assertion,
		p.responseSigned && response.Element() != m.root,
		!byItself && !(p.responseSigned && within.Parent() == m.root):
		return proof{}, &Error{Reason: ReasonSignatureShape, Detail: "what was signed is not what was found"}
	}
	if p.responseSigned {
		p.keys[0] = response.Key()
	}
	if byItself {
		p.keys[1] = assertion.Key()
	}
	return p, nil
}

// fromSignature gives the verifier's errors their Reason.
func fromSignature(what string, err error) error {
	var e *dsig.Error
	if !errors.As(err, &e) {
		return fromTree(err)
	}
	reason := map[dsig.Reason]Reason{
		dsig.Shape: ReasonSignatureShape, dsig.Algorithm: ReasonAlgorithm, dsig.WeakKey: ReasonKey,
		dsig.Invalid: ReasonSignature,
	}[e.Reason]
	return &Error{Reason: reason, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got}
}
