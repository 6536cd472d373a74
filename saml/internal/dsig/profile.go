package dsig

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Identifiers of the algorithms that are known here.
const (
	Namespace = "http://www.w3.org/2000/09/xmldsig#"

	exclusiveC14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped     = Namespace + "enveloped-signature"

	rsaSHA1   = Namespace + "rsa-sha1"
	rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	rsaSHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	rsaSHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"

	digestSHA1   = Namespace + "sha1"
	digestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	digestSHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	digestSHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
)

// Policy says which weak things are accepted all the same.
type Policy struct {
	AllowSHA1  bool
	MinRSABits int
}

// Profile checks a Signature's shape (SAML Core 5.4.1 to 5.4.4, XML Signature
// 4): SignedInfo, SignatureValue and at most a KeyInfo; one Reference, to the
// ID of the element around it; the enveloped-signature transform, then
// exclusive canonicalisation without comments, and nothing else. An attacker
// needs room to put something where a verifier looks and a reader doesn't, or
// the other way round; this leaves none.
func Profile(signature *xmltree.Node, policy Policy) error {
	children := signature.Children
	ok := len(children) >= 2 && len(children) <= 3 &&
		children[0].Is(Namespace, "SignedInfo") && children[1].Is(Namespace, "SignatureValue") &&
		(len(children) == 2 || children[2].Is(Namespace, "KeyInfo"))
	if !ok {
		return shape("a Signature holds SignedInfo, SignatureValue and at most one KeyInfo, in this order")
	}
	if !isBase64(children[1]) {
		return shape("SignatureValue is not base64")
	}
	return signedInfo(signature, children[0], policy)
}

func signedInfo(signature, info *xmltree.Node, policy Policy) error {
	c := info.Children
	ok := len(c) == 3 && c[0].Is(Namespace, "CanonicalizationMethod") && c[1].Is(Namespace, "SignatureMethod") && c[2].Is(Namespace, "Reference")
	if !ok {
		return shape("SignedInfo holds CanonicalizationMethod, SignatureMethod and exactly one Reference, in this order")
	}
	if got := algorithm(c[0]); got != exclusiveC14N {
		return &Error{Kind: Algorithm, Detail: "CanonicalizationMethod", Want: exclusiveC14N, Got: got}
	}
	if len(c[0].Children) > 0 {
		return &Error{Kind: Algorithm, Detail: "CanonicalizationMethod with InclusiveNamespaces is not supported"}
	}
	if len(c[1].Children) > 0 {
		return shape("SignatureMethod takes no parameters")
	}
	if err := signatureMethod(algorithm(c[1]), policy); err != nil {
		return err
	}
	return reference(signature, c[2], policy)
}

func signatureMethod(got string, policy Policy) error {
	switch {
	case got == rsaSHA256, got == rsaSHA384, got == rsaSHA512:
		return nil
	case got == rsaSHA1 && policy.AllowSHA1:
		return nil
	}
	return &Error{Kind: Algorithm, Detail: "SignatureMethod", Want: "RSA with SHA-256, SHA-384 or SHA-512", Got: got}
}

func reference(signature, ref *xmltree.Node, policy Policy) error {
	id, _ := signature.Parent().Attr("ID")
	uri, ok := ref.Attr("URI")
	if !ok || id == "" || uri != "#"+id {
		return &Error{Kind: Shape, Detail: "the Reference is to the ID of the element around the Signature", Want: "#" + id, Got: uri}
	}
	c := ref.Children
	if len(c) != 3 || !c[0].Is(Namespace, "Transforms") || !c[1].Is(Namespace, "DigestMethod") || !c[2].Is(Namespace, "DigestValue") {
		return shape("a Reference holds Transforms, DigestMethod and DigestValue, in this order")
	}
	if err := transforms(c[0]); err != nil {
		return err
	}
	if len(c[1].Children) > 0 {
		return shape("DigestMethod takes no parameters")
	}
	if !isBase64(c[2]) {
		return shape("DigestValue is not base64")
	}
	switch got := algorithm(c[1]); {
	case got == digestSHA256, got == digestSHA384, got == digestSHA512:
		return nil
	case got == digestSHA1 && policy.AllowSHA1:
		return nil
	default:
		return &Error{Kind: Algorithm, Detail: "DigestMethod", Want: "SHA-256, SHA-384 or SHA-512", Got: got}
	}
}

// transforms wants the two that SAML Core 5.4.4 allows, in the one order that
// makes sense, and no comments variant: comments are dropped by readers.
func transforms(n *xmltree.Node) error {
	c := n.Children
	ok := len(c) == 2 && c[0].Is(Namespace, "Transform") && c[1].Is(Namespace, "Transform") &&
		algorithm(c[0]) == enveloped && len(c[0].Children) == 0
	if !ok {
		return shape(fmt.Sprintf("exactly two transforms, enveloped-signature and then exclusive canonicalisation; got %d", len(c)))
	}
	if got := algorithm(c[1]); got != exclusiveC14N {
		return &Error{Kind: Algorithm, Detail: "the second transform", Want: exclusiveC14N, Got: got}
	}
	inclusive := c[1].Children
	if len(inclusive) > 1 || len(inclusive) == 1 && !(inclusive[0].Is(exclusiveC14N, "InclusiveNamespaces") && len(inclusive[0].Children) == 0) {
		return shape("exclusive canonicalisation takes at most one InclusiveNamespaces")
	}
	return nil
}

func algorithm(n *xmltree.Node) string {
	a, _ := n.Attr("Algorithm")
	return a
}

// withoutSpace drops what XML calls white space, and nothing else.
func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s)
}

// isBase64 wants text alone, of canonical base64 but for white space.
func isBase64(n *xmltree.Node) bool {
	if len(n.Children) > 0 {
		return false
	}
	text := withoutSpace(n.Text)
	_, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && text != ""
}
