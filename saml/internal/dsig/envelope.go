package dsig

import "github.com/meridian-saml/meridian/saml/internal/xmltree"

// Envelope is a Signature that has the right shape, and the element around it.
// Nothing is known yet about whether it holds.
type Envelope struct {
	signature  xmltree.Node
	info       xmltree.Node
	method     method
	value      []byte
	digest     string // identifier
	want       []byte // DigestValue
	infoForm   form   // of SignedInfo
	signedForm form   // of what is signed
}

// Read checks a Signature's shape (SAML Core 5.4.1 to 5.4.4, XML Signature 4):
// SignedInfo, SignatureValue and at most a KeyInfo; one Reference, to the ID of
// the element around it; the enveloped-signature transform, then exclusive
// canonicalisation, and nothing else. An attacker needs a place to put something
// where a verifier looks and a reader doesn't, or the other way round; this
// leaves none.
func Read(signature xmltree.Node, policy Policy) (*Envelope, error) {
	e := &Envelope{signature: signature, info: signature.First()}
	value := e.info.Next()
	last := value
	if keyInfo := value.Next(); keyInfo.Is(xmltree.Signature, "KeyInfo") {
		last = keyInfo
	}
	ok := e.info.Is(xmltree.Signature, "SignedInfo") && value.Is(xmltree.Signature, "SignatureValue") && !last.Next().OK()
	if !ok {
		return nil, shape("Signature must contain SignedInfo, SignatureValue and at most one KeyInfo, in this order")
	}
	if e.value, ok = value.Base64(); !ok || len(e.value) == 0 {
		return nil, shape("SignatureValue is not valid base64")
	}
	if err := e.readInfo(policy); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Envelope) readInfo(policy Policy) error {
	c14n := e.info.First()
	sign := c14n.Next()
	ref := sign.Next()
	if !c14n.Is(xmltree.Signature, "CanonicalizationMethod") || !sign.Is(xmltree.Signature, "SignatureMethod") ||
		!ref.Is(xmltree.Signature, "Reference") || ref.Next().OK() {
		return shape("SignedInfo must contain CanonicalizationMethod, SignatureMethod and exactly one Reference, in this order")
	}
	var err error
	if e.infoForm, err = readForm("CanonicalizationMethod", c14n); err != nil {
		return err
	}
	if sign.First().OK() {
		return shape("SignatureMethod must not have parameters")
	}
	name := algorithm(sign)
	m, known := methods[name]
	if !known || name == base+"rsa-sha1" && !policy.AllowSHA1 {
		return &Error{Reason: Algorithm, Detail: "SignatureMethod is not accepted", Want: "RSA, RSA-PSS or ECDSA with SHA-256, SHA-384 or SHA-512", Got: name}
	}
	e.method = m
	return e.readReference(ref, policy)
}

func (e *Envelope) readReference(ref xmltree.Node, policy Policy) error {
	around := e.signature.Parent()
	if !around.OK() {
		return shape("Signature has no parent element")
	}
	id, _ := around.Attr("ID")
	if uri, _ := ref.Attr("URI"); id == "" || uri != "#"+id {
		return &Error{Reason: Shape, Detail: "Reference is not to the ID of the parent of the Signature", Want: "#" + id, Got: uri}
	}
	transforms := ref.First()
	digest := transforms.Next()
	value := digest.Next()
	if !transforms.Is(xmltree.Signature, "Transforms") || !digest.Is(xmltree.Signature, "DigestMethod") ||
		!value.Is(xmltree.Signature, "DigestValue") || value.Next().OK() {
		return shape("Reference must contain Transforms, DigestMethod and DigestValue, in this order")
	}
	if err := e.readTransforms(transforms); err != nil {
		return err
	}
	if digest.First().OK() {
		return shape("DigestMethod must not have parameters")
	}
	var ok bool
	if e.want, ok = value.Base64(); !ok || len(e.want) == 0 {
		return shape("DigestValue is not valid base64")
	}
	e.digest = algorithm(digest)
	if _, known := digests[e.digest]; !known || e.digest == base+"sha1" && !policy.AllowSHA1 {
		return &Error{Reason: Algorithm, Detail: "DigestMethod is not accepted", Want: "SHA-256, SHA-384 or SHA-512", Got: e.digest}
	}
	return nil
}

// readTransforms wants the two that SAML Core 5.4.4 allows, in the one order
// that makes sense.
func (e *Envelope) readTransforms(transforms xmltree.Node) error {
	first := transforms.First()
	second := first.Next()
	ok := first.Is(xmltree.Signature, "Transform") && second.Is(xmltree.Signature, "Transform") && !second.Next().OK() &&
		algorithm(first) == enveloped && !first.First().OK()
	if !ok {
		return shape("Transforms must be enveloped-signature, then exclusive canonicalization")
	}
	var err error
	e.signedForm, err = readForm("the second Transform", second)
	return err
}

// form is how an element is canonicalised.
type form struct {
	prefixList   string
	withComments bool // only where there are none, see checkComments
}

// readForm wants exclusive canonicalisation. Inclusive canonicalisation is
// refused: what it makes of an element depends on everything around it, which is
// not signed. The variant with comments is named by Core 5.4.3 and 5.4.4.
func readForm(what string, n xmltree.Node) (form, error) {
	got := algorithm(n)
	if got != exclusive && got != exclusiveWithComments {
		return form{}, &Error{Reason: Algorithm, Detail: what + " is not accepted", Want: exclusive, Got: got}
	}
	f := form{withComments: got == exclusiveWithComments}
	list := n.First()
	if !list.OK() {
		return f, nil
	}
	if !list.Is(xmltree.ExclusiveC14N, "InclusiveNamespaces") || list.First().OK() || list.Next().OK() {
		return form{}, shape("exclusive canonicalization must have at most one InclusiveNamespaces and nothing else")
	}
	f.prefixList, _ = list.Attr("PrefixList")
	return f, nil
}

func algorithm(n xmltree.Node) string {
	a, _ := n.Attr("Algorithm")
	return a
}
