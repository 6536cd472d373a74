package dsig

import "github.com/meridian-saml/meridian/saml/internal/xmltree"

// Envelope is a Signature of the accepted form and the element around it. It is not
// verified yet.
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

// Read checks the form of a Signature (SAML Core 5.4.1 to 5.4.4, XML Signature 4):
// SignedInfo, SignatureValue and at most a KeyInfo; one Reference, to the ID of
// the element around it; the enveloped-signature transform, then exclusive
// canonicalisation, and nothing else. An attack needs a place that a verifier reads
// and a reader of values doesn't, or the other way round. There is none.
func Read(signature xmltree.Node, policy Policy) (*Envelope, error) {
	c, ok := children(signature, "SignedInfo", "SignatureValue")
	if !ok {
		c, ok = children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
	}
	if !ok {
		return nil, shape("Signature must contain SignedInfo, SignatureValue and at most one KeyInfo, in this order")
	}
	e := &Envelope{signature: signature, info: c[0]}
	if e.value, ok = c[1].Base64(); !ok || len(e.value) == 0 {
		return nil, shape("SignatureValue is not valid base64")
	}
	if err := e.readInfo(policy); err != nil {
		return nil, err
	}
	return e, nil
}

// children returns the child elements of n, if they are exactly those of XML
// Signature with these names, in this order.
func children(n xmltree.Node, names ...string) (all [3]xmltree.Node, ok bool) {
	c := n.First()
	for i, name := range names {
		if !c.Is(xmltree.Signature, name) {
			return all, false
		}
		all[i], c = c, c.Next()
	}
	return all, !c.OK()
}

func (e *Envelope) readInfo(policy Policy) (err error) {
	c, ok := children(e.info, "CanonicalizationMethod", "SignatureMethod", "Reference")
	if !ok {
		return shape("SignedInfo must contain CanonicalizationMethod, SignatureMethod and one Reference, in this order")
	}
	if e.infoForm, err = readForm("CanonicalizationMethod", c[0]); err != nil {
		return err
	}
	if c[1].First().OK() {
		return shape("SignatureMethod must not have parameters")
	}
	name := algorithm(c[1])
	if e.method, ok = methods[name]; !ok || name == base+"rsa-sha1" && !policy.AllowSHA1 || policy.refuses(name) {
		const want = "RSA, RSA-PSS or ECDSA with SHA-256, SHA-384 or SHA-512"
		return &Error{Reason: Algorithm, Detail: "SignatureMethod is not accepted", Want: want, Got: name}
	}
	return e.readReference(c[2], policy)
}

func (e *Envelope) readReference(ref xmltree.Node, policy Policy) error {
	around := e.signature.Parent()
	if !around.OK() {
		return shape("Signature has no parent element")
	}
	id, _ := around.Attr("ID")
	if uri, _ := ref.Attr("URI"); id == "" || uri != "#"+id {
		const detail = "Reference is not to the ID of the parent of the Signature"
		return &Error{Reason: Shape, Detail: detail, Want: "#" + id, Got: uri}
	}
	c, ok := children(ref, "Transforms", "DigestMethod", "DigestValue")
	if !ok {
		return shape("Reference must contain Transforms, DigestMethod and DigestValue, in this order")
	}
	if err := e.readTransforms(c[0]); err != nil {
		return err
	}
	if c[1].First().OK() {
		return shape("DigestMethod must not have parameters")
	}
	if e.want, ok = c[2].Base64(); !ok || len(e.want) == 0 {
		return shape("DigestValue is not valid base64")
	}
	e.digest = algorithm(c[1])
	if _, known := digests[e.digest]; !known || e.digest == base+"sha1" && !policy.AllowSHA1 || policy.refuses(e.digest) {
		const want = "SHA-256, SHA-384 or SHA-512"
		return &Error{Reason: Algorithm, Detail: "DigestMethod is not accepted", Want: want, Got: e.digest}
	}
	return nil
}

// readTransforms accepts the two transforms of SAML Core 5.4.4, in the one order
// that makes sense.
func (e *Envelope) readTransforms(transforms xmltree.Node) (err error) {
	c, ok := children(transforms, "Transform", "Transform")
	if !ok || algorithm(c[0]) != enveloped || c[0].First().OK() {
		return shape("Transforms must be enveloped-signature, then exclusive canonicalization")
	}
	e.signedForm, err = readForm("the second Transform", c[1])
	return err
}

// form is how an element is canonicalised.
type form struct {
	prefixList   string
	withComments bool // accepted only where there are none, see checkComments
}

// readForm accepts exclusive canonicalisation. The variant with comments is in Core
// 5.4.3 and 5.4.4. The inclusive one is refused: its result depends on everything
// around an element, which is not signed.
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
