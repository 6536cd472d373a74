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

// findSignatures finds every Signature in within, the document or the decrypted
// assertion, and checks its form. The ArtifactResponse, the Response and the assertion
// may each have one, as a child. Any other is refused, because it could be mistaken for
// these. A required signature must be present. That of an ArtifactResponse covers the
// Response. The signature of an encrypted assertion is checked after decryption.
func (v *verification) findSignatures(m *message, within xmltree.Node) error {
	var err error
	within.Walk(func(n xmltree.Node) {
		if err != nil || !n.Is(xmltree.Signature, "Signature") {
			return
		}
		switch {
		case n.Parent() == m.root && m.responseSignature == nil:
			m.responseSignature, err = v.readSignature(n)
		case m.artifactResponse.OK() && n.Parent() == m.artifactResponse && m.artifactSignature == nil:
			m.artifactSignature, err = v.readSignature(n)
		case n.Parent() == m.assertion && m.assertionSignature == nil:
			m.assertionSignature, err = v.readSignature(n)
		default:
			err = &Error{
				Reason: ReasonSignatureShape,
				Detail: "a Signature that is neither the Response's nor its assertion's, or a second one",
			}
		}
	})
	covered := m.responseSignature != nil || m.artifactSignature != nil
	switch {
	case err != nil:
		return err
	case !covered && (v.cfg.WantResponsesSigned || v.idp.policy.WantResponsesSigned):
		field := whoWants(v.cfg.WantResponsesSigned) + "WantResponsesSigned"
		return &Error{Reason: ReasonUnsigned, Detail: field + " is set, and the Response is not signed"}
	case m.assertionSignature != nil || !m.assertion.OK(): // or not decrypted yet
		return nil
	case !covered:
		return &Error{Reason: ReasonUnsigned, Detail: "neither the Response nor the assertion is signed"}
	case v.cfg.WantAssertionsSigned || v.idp.policy.WantAssertionsSigned:
		field := whoWants(v.cfg.WantAssertionsSigned) + "WantAssertionsSigned"
		return &Error{Reason: ReasonUnsigned, Detail: field + " is set, and the assertion has no signature of its own"}
	}
	return nil
}

// whoWants returns the struct of a field that Config and IdPPolicy have.
func whoWants(config bool) string {
	if config {
		return "Config."
	}
	return "IdPPolicy."
}

// readSignature requires a Signature in its place in the schema: right after the
// Issuer (Core 2.3.3, 3.2.2), or first where there is none. Some old signers append
// it at the end. That would be harmless, because the enveloped-signature transform
// removes it anywhere, but it violates the schema, and every maintained product has
// a setting for it.
func (v *verification) readSignature(n xmltree.Node) (*dsig.Envelope, error) {
	first := n.Parent().First()
	if first != n && !(first.Is(xmltree.Assertion, "Issuer") && first.Next() == n) {
		return nil, &Error{
			Reason: ReasonSignatureShape, Detail: "a Signature must be right after the Issuer (Core 2.3.3, 3.2.2)",
		}
	}
	envelope, err := dsig.Read(n, v.policy())
	if err != nil {
		return nil, fromSignature(n.Parent().Local(), err)
	}
	return envelope, nil
}

func (v *verification) policy() dsig.Policy {
	return dsig.Policy{
		AllowSHA1: v.cfg.InsecureAllowSHA1, MinRSABits: v.cfg.minRSABits(), Refused: v.idp.policy.RefusedAlgorithms,
	}
}

// verifySignature verifies one signature and returns the element that it covers, or
// the zero value if there is no signature.
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
	around, err := v.verifyAround(m)
	var assertion dsig.Signed
	if err == nil {
		assertion, err = v.verifySignature("Assertion", m.assertionSignature)
	}
	if err := v.trace.step(ruleSignatures, err); err != nil {
		return proof{}, err
	}
	return prove(m, around, assertion)
}

// around are the elements around the assertion whose signatures were verified. The zero
// value of one: it is not signed.
type around struct{ artifactResponse, response dsig.Signed }

// verifyAround verifies the signatures around the assertion.
func (v *verification) verifyAround(m *message) (out around, err error) {
	if out.artifactResponse, err = v.verifySignature("ArtifactResponse", m.artifactSignature); err != nil {
		return around{}, err
	}
	out.response, err = v.verifySignature("Response", m.responseSignature)
	return out, err
}

// element returns the innermost element that is signed, or the zero value.
func (a around) element() xmltree.Node {
	if a.response.Element().OK() {
		return a.response.Element()
	}
	return a.artifactResponse.Element()
}

// proof is the Response and the assertion after their signatures were verified. Only
// prove returns one.
type proof struct {
	signed         xmltree.Node // the assertion, which verified signatures cover
	response       *response    // the values of the Response itself,
	responseSigned bool         // which its own signature covers too if this is true
	around         *response    // the values of the ArtifactResponse; nil: there is none
	signedBy       [3]int       // positions of the keys of all signatures; -1 for none
}

// prove checks that a verified signature covers the assertion. Either the assertion
// has its own signature, or it is a child of the Response, in the clear or as
// ciphertext, and that or the ArtifactResponse around it is signed. The Response around
// a signed assertion may be unsigned, and an attacker may have changed it, for example a
// failure into Success. That is safe: rules on the Response can only refuse, and the
// identity provider signed the assertion for this URL and time.
func prove(m *message, around around, assertion dsig.Signed) (proof, error) {
	response, artifact := around.response.Element(), around.artifactResponse.Element()
	p := proof{
		signed: m.assertion, response: m.response, responseSigned: response.OK(), around: m.around,
		signedBy: [3]int{-1, -1, -1},
	}
	within := m.assertion
	if m.encrypted.OK() {
		within = m.encrypted
	}
	byItself := assertion.Element().OK()
	switch {
	case byItself && assertion.Element() != m.assertion,
		response.OK() && response != m.root,
		artifact.OK() && !(artifact == m.artifactResponse && m.root.Parent() == artifact),
		!byItself && !((response.OK() || artifact.OK()) && within.Parent() == m.root):
		return proof{}, &Error{Reason: ReasonSignatureShape, Detail: "no verified signature covers the assertion"}
	}
	for i, signed := range [...]dsig.Signed{around.artifactResponse, around.response, assertion} {
		if signed.Element().OK() {
			p.signedBy[i] = signed.Key()
		}
	}
	return p, nil
}

// fromSignature translates an error of the verifier.
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
