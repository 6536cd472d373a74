package attack

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	excC14N         = "http://www.w3.org/2001/10/xml-exc-c14n#"
	excC14NComments = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	incC14N         = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	incC14N11       = "http://www.w3.org/2006/12/xml-c14n11"
	sha256Digest    = nsXEnc + "sha256"

	more = "http://www.w3.org/2001/04/xmldsig-more#" // the namespace of most SignatureMethods
)

// signature is a ds:Signature in a document, with its parts (XML Signature 4).
type signature struct {
	d      *draft
	parent *etree.Element // the element that contains it, and that it signs

	el, info, c14n, method               *etree.Element
	ref, transforms, digest, digestValue *etree.Element
	value, keyInfo                       *etree.Element
}

// sign adds an enveloped signature right after the Issuer of an element, as the
// schemas of Response and Assertion require (Core 5.4).
func (d *draft) sign(el *etree.Element, key crypto.Signer) *signature {
	s := &signature{d: d, parent: el}
	s.el = node("ds:Signature", "xmlns:ds", nsDSig)
	s.info = child(s.el, "ds:SignedInfo")
	s.c14n = algorithm(s.info, "ds:CanonicalizationMethod", excC14N)
	s.method = algorithm(s.info, "ds:SignatureMethod", cmp.Or(d.method, methodOf(key)))
	s.ref = child(s.info, "ds:Reference", "URI", "#"+el.SelectAttrValue("ID", ""))
	s.transforms = s.ref.CreateElement("ds:Transforms")
	algorithm(s.transforms, "ds:Transform", nsDSig+"enveloped-signature")
	exclusive := algorithm(s.transforms, "ds:Transform", excC14N)
	if d.prefixes != "" {
		inclusiveNamespaces(exclusive, d.prefixes)
	}
	s.digest = algorithm(s.ref, "ds:DigestMethod", d.digest)
	s.digestValue = s.ref.CreateElement("ds:DigestValue")
	s.value = s.el.CreateElement("ds:SignatureValue")
	if d.keyInfo {
		s.setCertificates(d.certificateOf(key))
	}
	at := 0
	if issuer := el.SelectElement("Issuer"); issuer != nil {
		at = issuer.Index() + 1
	}
	el.InsertChildAt(at, s.el)
	s.digestOver(el)
	s.resign(key)
	return s
}

func algorithm(parent *etree.Element, tag, uri string) *etree.Element {
	return child(parent, tag, "Algorithm", uri)
}

func inclusiveNamespaces(transform *etree.Element, prefixes string) {
	child(transform, "ec:InclusiveNamespaces", "xmlns:ec", excC14N, "PrefixList", prefixes)
}

// setCertificates gives the signature a KeyInfo with certificates, or none.
func (s *signature) setCertificates(all ...[]byte) {
	if len(all) == 0 {
		s.setKeyInfo(nil)
		return
	}
	info := node("ds:KeyInfo")
	x509Data := info.CreateElement("ds:X509Data")
	for _, der := range all {
		x509Data.CreateElement("ds:X509Certificate").SetText(encode(der))
	}
	s.setKeyInfo(info)
}

func (s *signature) setKeyInfo(info *etree.Element) {
	if s.keyInfo != nil {
		s.el.RemoveChild(s.keyInfo)
	}
	s.keyInfo = info
	if info != nil {
		s.el.AddChild(info)
	}
}

// digestOver sets DigestValue to the digest of an element without this signature.
func (s *signature) digestOver(el *etree.Element) {
	list, c14n := "", excC14N
	for _, t := range s.transforms.ChildElements() {
		if alg := t.SelectAttrValue("Algorithm", ""); strings.Contains(alg, "c14n") {
			c14n = alg
		}
		if inc := t.SelectElement("InclusiveNamespaces"); inc != nil {
			list = inc.SelectAttrValue("PrefixList", "")
		}
	}
	text := s.d.canonical(el, s.el, c14n, list)
	s.digestValue.SetText(s.d.digestOf(s.digest.SelectAttrValue("Algorithm", ""), text))
}

// signedInfo returns the canonical form of SignedInfo.
func (s *signature) signedInfo() []byte {
	return s.d.canonical(s.info, nil, s.c14n.SelectAttrValue("Algorithm", ""), "")
}

// resign signs the current SignedInfo by the methods that it names.
func (s *signature) resign(key crypto.Signer) { s.signBytes(key, s.signedInfo()) }

// hmac signs by HMAC.
func (s *signature) hmac(secret []byte) {
	s.method.CreateAttr("Algorithm", more+"hmac-sha256")
	m := hmac.New(sha256.New, secret)
	m.Write(s.signedInfo())
	s.value.SetText(encode(m.Sum(nil)))
}

func (s *signature) signBytes(key crypto.Signer, text []byte) {
	value, err := signText(key, s.method.SelectAttrValue("Algorithm", ""), text)
	if err != nil {
		s.d.fail("signing: %w", err)
		return
	}
	s.value.SetText(encode(value))
}

// canonical returns the canonical form of el in its document, without the element
// skip. It works on a copy that declares every namespace in scope, because goxmldsig
// changes its input and ignores ancestors.
func (d *draft) canonical(el, skip *etree.Element, uri, prefixes string) []byte {
	at := -1
	if skip != nil && skip.Parent() == el {
		at = skip.Index()
	}
	copied := el.Copy()
	if at >= 0 {
		copied.RemoveChildAt(at)
	}
	for p := el.Parent(); p != nil; p = p.Parent() {
		for _, a := range p.Attr {
			declares := a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns"
			if declares && copied.SelectAttr(a.FullKey()) == nil {
				copied.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	text, err := canonicalizer(uri, prefixes).Canonicalize(copied)
	if err != nil {
		d.fail("canonicalizing %s: %w", el.Tag, err)
	}
	return text
}

// canonicalizer returns the exclusive canonicalizer for an unknown identifier,
// so that nothing else is wrong with the signature.
func canonicalizer(uri, prefixes string) dsig.Canonicalizer {
	switch uri {
	case excC14NComments:
		return dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(prefixes)
	case incC14N:
		return dsig.MakeC14N10RecCanonicalizer()
	case incC14N11:
		return dsig.MakeC14N11Canonicalizer()
	}
	return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes)
}

// signAll makes the signatures that the mode asks for, from the inside out, and
// encrypts the assertion between them.
func (d *draft) signAll() {
	// With SignBoth the inner signature is under attack, and the outer one
	// verifies over the attack: a valid signature must not hide an invalid one.
	if !d.unsigned && d.mode != SignResponse && d.asrt.Parent() != nil {
		d.asrtSig = d.sign(d.asrt, d.key)
		d.sig = d.asrtSig
		d.run(signed)
	}
	d.encryptAssertion()
	if d.unsigned || d.mode == SignAssertion {
		return
	}
	d.respSig = d.sign(d.resp, d.key)
	if d.mode == SignResponse {
		d.sig = d.respSig
		d.run(signed)
	}
}
