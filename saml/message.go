package saml

import (
	"fmt"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// message is the document that came in. Until the signatures hold it is only
// good for finding reasons to refuse.
type message struct {
	response  xmltree.Node
	assertion xmltree.Node // once it was decrypted, in a tree of its own
	encrypted xmltree.Node // the EncryptedAssertion, where there is one instead
	parts     *response    // of the Response, as they stand
	malleable bool         // the assertion was decrypted, and anybody can have changed it

	responseSig  *dsig.Envelope // nil where there is none
	assertionSig *dsig.Envelope
}

// parse reads the document, if it is a samlp:Response. There is no other
// reader after this one.
func (v *verification) parse() error {
	tree, err := xmltree.Parse(v.doc, v.cfg.Limits.tree(xmltree.Name{NS: xmltree.Protocol, Local: "Response"}))
	if err != nil {
		return fromTree(err)
	}
	v.in.response = tree.Root()
	return nil
}

// findResponse wants nothing in the Response that the schema doesn't have there
// (Core 3.3.3).
func (v *verification) findResponse() error {
	root := v.in.response
	for c := root.First(); c.OK(); c = c.Next() {
		known := c.Is(xmltree.Assertion, "Issuer") || c.Is(xmltree.Signature, "Signature") || c.Is(xmltree.Protocol, "Extensions") ||
			c.Is(xmltree.Protocol, "Status") || c.Is(xmltree.Assertion, "Assertion") || c.Is(xmltree.Assertion, "EncryptedAssertion")
		if !known {
			return &Error{Reason: ReasonNotResponse, Detail: "an element that a Response does not hold", Got: c.Name()}
		}
	}
	var err error
	v.in.parts, err = decodeResponse(root)
	return err
}

// checkStatus comes before the signatures: an identity provider that says no
// often doesn't sign it, and a forged no lets nobody in. All codes are told.
func (v *verification) checkStatus() error {
	status := v.in.parts.status
	if status.code == statusSuccess && len(status.nested) == 0 {
		return nil
	}
	return &Error{Reason: ReasonStatus, Want: statusSuccess, Got: status.String()}
}

// findAssertion wants exactly one assertion in the whole document, and that
// directly in the Response. Wrapped, nested and advised ones need a second one
// somewhere; without it there is nothing to confuse it with.
func (v *verification) findAssertion() error {
	var assertions, encrypted, responses int
	v.in.response.Walk(func(n xmltree.Node) {
		switch {
		case n.Is(xmltree.Assertion, "Assertion"):
			assertions++
			v.in.assertion = n
		case n.Is(xmltree.Assertion, "EncryptedAssertion"):
			encrypted++
			v.in.encrypted = n
		case n.Is(xmltree.Protocol, "Response"):
			responses++
		}
	})
	switch {
	case assertions+encrypted != 1:
		return &Error{Reason: ReasonAssertionCount, Want: "1", Got: fmt.Sprintf("%d assertions and %d encrypted ones", assertions, encrypted)}
	case responses != 1:
		return &Error{Reason: ReasonAssertionCount, Detail: "one Response", Want: "1", Got: fmt.Sprint(responses)}
	case assertions == 1 && v.in.assertion.Parent() != v.in.response, encrypted == 1 && v.in.encrypted.Parent() != v.in.response:
		return &Error{Reason: ReasonAssertionCount, Detail: "the assertion is not directly in the Response"}
	}
	return nil
}

// checkSignatureShapes finds the signatures and looks at their shape. They may
// stand directly in the Response and directly in the assertion, once each;
// one anywhere else could only be there to be mistaken for these. After an
// assertion was decrypted it is called again, and looks at what is new.
func (v *verification) checkSignatureShapes() error {
	where := v.in.response
	decrypted := v.in.encrypted.OK() && v.in.assertion.OK()
	if decrypted {
		where = v.in.assertion
	}
	var err error
	where.Walk(func(n xmltree.Node) {
		if err != nil || !n.Is(xmltree.Signature, "Signature") {
			return
		}
		switch {
		case n.Parent() == v.in.response && v.in.responseSig == nil:
			v.in.responseSig, err = v.readSignature(n)
		case n.Parent() == v.in.assertion && v.in.assertionSig == nil:
			v.in.assertionSig, err = v.readSignature(n)
		default:
			err = &Error{Reason: ReasonSignatureShape, Detail: "a Signature that belongs neither to the Response nor to its assertion, or a second one"}
		}
	})
	if err != nil || v.in.responseSig != nil || v.in.assertionSig != nil {
		return err
	}
	if v.in.encrypted.OK() && !decrypted {
		return nil // it must be inside, and will be looked for there
	}
	return &Error{Reason: ReasonUnsigned, Detail: "neither the Response nor the assertion is signed"}
}

// readSignature wants a Signature where the schema has it: right after the
// Issuer (Core 2.3.3, 3.2.2), or first where there is none.
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

// checkSignatures verifies every signature that is there and was not verified.
func (v *verification) checkSignatures() error {
	keys := v.idp.public
	if v.in.responseSig != nil && !v.signedResponse.OK() {
		signed, err := v.in.responseSig.Verify(keys, v.policy())
		if err != nil {
			return fromSignature("Response", err)
		}
		v.respKey, v.signedResponse = signed.Key(), signed.Element()
	}
	if v.in.assertionSig != nil && !v.signedAssertion.OK() {
		signed, err := v.in.assertionSig.Verify(keys, v.policy())
		if err != nil {
			return fromSignature("Assertion", err)
		}
		v.asrtKey, v.signedAssertion = signed.Key(), signed.Element()
	}
	return nil
}

// decodeSigned reads the values, from the nodes whose canonical bytes were
// hashed. The Response around a signed assertion may be unsigned: then its own
// values come from the document. Every rule on them can only refuse; what
// somebody could change there to be let in (a failure into Success, say) leaves
// an assertion that the identity provider signed for this very place and time.
func (v *verification) decodeSigned() error {
	v.resp = v.in.parts
	v.resp.signed = v.signedResponse.OK()
	if !v.signedAssertion.OK() {
		// It is signed as a part of the Response: there is one, and it is
		// directly in it, or was in its place as ciphertext.
		c := v.signedResponse.First()
		for c.OK() && !c.Is(xmltree.Assertion, "Assertion") && !c.Is(xmltree.Assertion, "EncryptedAssertion") {
			c = c.Next()
		}
		if c.OK() && c == v.in.encrypted {
			c = v.in.assertion
		}
		v.signedAssertion = c
	}
	if v.signedAssertion != v.in.assertion || v.resp.signed && v.signedResponse != v.in.response {
		return &Error{Reason: ReasonSignatureShape, Detail: "what was signed is not what was found"}
	}
	var err error
	v.asrt, err = decodeAssertion(v.signedAssertion, v)
	return err
}
