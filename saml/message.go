package saml

import (
	"crypto"
	"fmt"
	"slices"

	"github.com/beevik/etree"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// message is the document that came in: the tree, and the same with its names
// resolved. Until the signatures hold it is only good for finding reasons to
// refuse.
type message struct {
	el   *etree.Element
	node *xmltree.Node

	assertion     *xmltree.Node
	assertionEl   *etree.Element
	responseSig   *xmltree.Node // nil where there is none
	assertionSig  *xmltree.Node
	responseParts *response // as it stands in the document
}

// findResponse wants a samlp:Response with nothing in it that the schema
// doesn't have there (Core 3.3.3).
func (v *verification) findResponse() error {
	root := v.root.node
	if !root.Is(nsProtocol, "Response") {
		return &Error{Reason: ReasonNotResponse, Want: "{" + nsProtocol + "}Response", Got: "{" + root.Space + "}" + root.Local}
	}
	for _, c := range root.Children {
		known := c.Is(nsAssertion, "Issuer") || c.Is(nsSignature, "Signature") || c.Is(nsProtocol, "Extensions") ||
			c.Is(nsProtocol, "Status") || c.Is(nsAssertion, "Assertion") || c.Is(nsAssertion, "EncryptedAssertion")
		if !known {
			return &Error{Reason: ReasonNotResponse, Detail: "an element that a Response does not hold", Got: "{" + c.Space + "}" + c.Local}
		}
	}
	var err error
	v.root.responseParts, err = decodeResponse(root)
	return err
}

// checkStatus comes before the signatures: an identity provider that says no
// often doesn't sign it, and a forged no lets nobody in. All codes are told.
func (v *verification) checkStatus() error {
	status := v.root.responseParts.status
	if len(status.codes) > 0 && status.codes[0] == statusSuccess && len(status.codes) == 1 {
		return nil
	}
	return &Error{Reason: ReasonStatus, Want: statusSuccess, Got: status.String()}
}

// findAssertion wants exactly one assertion in the whole document, and that
// directly in the Response. Wrapped, nested and advised ones need a second one
// somewhere; without it there is nothing to confuse it with.
func (v *verification) findAssertion() error {
	var assertions, encrypted, responses []*xmltree.Node
	v.root.node.Walk(func(n *xmltree.Node) {
		switch {
		case n.Is(nsAssertion, "Assertion"):
			assertions = append(assertions, n)
		case n.Is(nsAssertion, "EncryptedAssertion"):
			encrypted = append(encrypted, n)
		case n.Is(nsProtocol, "Response"):
			responses = append(responses, n)
		}
	})
	switch {
	case len(assertions)+len(encrypted) != 1:
		return &Error{Reason: ReasonAssertionCount, Want: "1", Got: fmt.Sprintf("%d assertions and %d encrypted ones", len(assertions), len(encrypted))}
	case len(responses) != 1:
		return &Error{Reason: ReasonAssertionCount, Detail: "one Response", Want: "1", Got: fmt.Sprint(len(responses))}
	case len(encrypted) == 1:
		return &Error{Reason: ReasonEncrypted, Detail: "encrypted assertions are not supported yet"}
	case assertions[0].Parent() != v.root.node:
		return &Error{Reason: ReasonAssertionCount, Detail: "the assertion is not directly in the Response"}
	}
	v.root.assertion = assertions[0]
	for _, el := range v.root.el.ChildElements() {
		if el.Tag == "Assertion" && el.NamespaceURI() == nsAssertion {
			v.root.assertionEl = el
		}
	}
	return nil
}

// checkSignatureShapes finds the signatures and looks at their shape. They may
// stand directly in the Response and directly in the assertion, once each;
// one anywhere else could only be there to be mistaken for these.
func (v *verification) checkSignatureShapes() error {
	var all []*xmltree.Node
	v.root.node.Walk(func(n *xmltree.Node) {
		if n.Is(nsSignature, "Signature") {
			all = append(all, n)
		}
	})
	for _, s := range all {
		switch {
		case s.Parent() == v.root.node && v.root.responseSig == nil:
			v.root.responseSig = s
		case s.Parent() == v.root.assertion && v.root.assertionSig == nil:
			v.root.assertionSig = s
		default:
			return &Error{Reason: ReasonSignatureShape, Detail: "a Signature that belongs neither to the Response nor to its assertion, or a second one"}
		}
	}
	if len(all) == 0 {
		return &Error{Reason: ReasonUnsigned, Detail: "neither the Response nor the assertion is signed"}
	}
	for _, s := range all {
		if at := slices.Index(s.Parent().Children, s); at > 1 || at == 1 && !s.Parent().Children[0].Is(nsAssertion, "Issuer") {
			return &Error{Reason: ReasonSignatureShape, Detail: "a Signature stands right after the Issuer (Core 2.3.3, 3.2.2)"}
		}
		if err := dsig.Profile(s, v.policy()); err != nil {
			return fromSignature(s.Parent().Local, err)
		}
	}
	return nil
}

func (v *verification) policy() dsig.Policy {
	p := dsig.Policy{AllowSHA1: v.cfg.InsecureAllowSHA1, MinRSABits: minRSABits}
	if v.cfg.InsecureAllowRSA1024 {
		p.MinRSABits = weakRSABits
	}
	return p
}

// checkSignatures verifies every signature that is there, and goes on with
// what the verifier gave back in place of what came in.
func (v *verification) checkSignatures() error {
	keys := make([]crypto.PublicKey, len(v.idp.keys))
	for i, k := range v.idp.keys {
		keys[i] = k.public
	}
	var signedResponse, signedAssertion *xmltree.Node
	var err error
	if v.root.responseSig != nil {
		if signedResponse, v.respKey, err = dsig.Verify(v.root.el, keys, v.policy()); err != nil {
			return fromSignature("Response", err)
		}
		inside := signedResponse.All(nsAssertion, "Assertion")
		if len(inside) != 1 {
			return &Error{Reason: ReasonAssertionCount, Detail: "in what was signed", Want: "1", Got: fmt.Sprint(len(inside))}
		}
		signedAssertion = inside[0]
	}
	if v.root.assertionSig != nil {
		if signedAssertion, v.asrtKey, err = dsig.Verify(v.root.assertionEl, keys, v.policy()); err != nil {
			return fromSignature("Assertion", err)
		}
	}
	v.root.assertion = signedAssertion
	if signedResponse != nil {
		v.root.node = signedResponse
	}
	return nil
}

// decodeSigned reads the values, from what was signed. The Response around a
// signed assertion may be unsigned: then its own values come from the
// document. Every rule on them can only refuse; what somebody could change
// there to be let in (a failure into Success, say) leaves an assertion that the
// identity provider signed for this very place and time.
func (v *verification) decodeSigned() error {
	var err error
	if v.resp, err = decodeResponse(v.root.node); err != nil {
		return err
	}
	v.resp.signed = v.respKey >= 0
	v.asrt, err = decodeAssertion(v.root.assertion)
	return err
}
