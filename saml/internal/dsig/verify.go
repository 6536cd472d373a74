package dsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	goxmldsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Verify checks the Signature that is the direct child of el against each key
// in turn. It gives what was signed, parsed anew from the bytes whose digest
// was compared, and the position of the key that it holds under. KeyInfo is
// never looked at: keys come from configuration.
//
// The caller has called Profile on that Signature and made sure that el holds
// no other Signature that refers to it.
func Verify(el *etree.Element, keys []crypto.PublicKey, policy Policy) (*xmltree.Node, int, error) {
	detached, err := detach(el)
	if err != nil {
		return nil, 0, err
	}
	var last error
	usable := 0
	for i, key := range keys {
		public, ok := key.(*rsa.PublicKey)
		if !ok || public.N.BitLen() < policy.MinRSABits {
			continue
		}
		usable++
		signed, err := verifyWith(detached, public)
		if err == nil {
			node, err := sameElement(el, signed)
			return node, i, err
		}
		if errors.Is(err, etreeutils.ErrTraversalLimit) {
			return nil, 0, &Error{Kind: Limit, Detail: "more elements than the canonicaliser takes", Err: err}
		}
		last = err
	}
	if usable == 0 {
		return nil, 0, &Error{Kind: WeakKey, Detail: "no usable key", Want: fmt.Sprintf("an RSA key of at least %d bits", policy.MinRSABits), Got: describe(keys)}
	}
	return nil, 0, &Error{Kind: Invalid, Detail: fmt.Sprintf("it does not hold under any of %d keys", usable), Err: last}
}

// verifyWith hands the work to goxmldsig, with a certificate store that holds
// just this key, as if in a certificate that is valid now: what a certificate
// says of itself is not what makes its key trusted.
func verifyWith(el *etree.Element, key *rsa.PublicKey) (*etree.Element, error) {
	now := time.Unix(0, 0)
	store := &goxmldsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{{
		PublicKey: key, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}}}
	ctx := goxmldsig.NewDefaultValidationContext(store)
	ctx.Clock = goxmldsig.NewFakeClockAt(now)
	return ctx.Validate(el)
}

// sameElement makes sure that what came back is the element that was asked
// about, and not some other that the signature was also over.
func sameElement(el, signed *etree.Element) (*xmltree.Node, error) {
	if signed == nil {
		return nil, shape("the verifier gave nothing back")
	}
	want, err := xmltree.FromElement(el)
	if err != nil {
		return nil, err
	}
	got, err := xmltree.FromElement(signed)
	if err != nil {
		return nil, err
	}
	wantID, _ := want.Attr("ID")
	gotID, _ := got.Attr("ID")
	if !got.Is(want.Space, want.Local) || gotID != wantID || wantID == "" {
		return nil, shape("what was signed is not the element around the Signature")
	}
	return got, nil
}

// detach copies el with the namespaces in scope where it stands, and drops
// KeyInfo and the white space of SignatureValue from the copy's own signature.
// Neither is part of what was signed.
func detach(el *etree.Element) (*etree.Element, error) {
	copied := el.Copy()
	dropComments(copied)
	declared := make(map[string]bool)
	for _, a := range el.Attr {
		if prefix, ok := declaration(a); ok {
			declared[prefix] = true
		}
	}
	for p := el.Parent(); p != nil; p = p.Parent() {
		for _, a := range p.Attr {
			if prefix, ok := declaration(a); ok && !declared[prefix] {
				declared[prefix] = true
				copied.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	for _, child := range copied.ChildElements() {
		if child.Tag != "Signature" || child.NamespaceURI() != Namespace {
			continue
		}
		for _, part := range child.ChildElements() {
			switch part.Tag {
			case "KeyInfo":
				child.RemoveChild(part)
			case "SignatureValue":
				part.SetText(withoutSpace(part.Text()))
			}
		}
		return copied, nil
	}
	return nil, shape("no Signature in the element")
}

// dropComments takes all comments out in one pass. The transforms drop them
// too, but one at a time, each time renumbering everything behind it.
func dropComments(el *etree.Element) {
	kept := el.Child[:0]
	for _, child := range el.Child {
		switch child := child.(type) {
		case *etree.Comment:
			continue
		case *etree.Element:
			dropComments(child)
		}
		kept = append(kept, child)
	}
	el.Child = kept
	el.ReindexChildren()
}

func declaration(a etree.Attr) (prefix string, ok bool) {
	switch {
	case a.Space == "xmlns":
		return a.Key, true
	case a.Space == "" && a.Key == "xmlns":
		return "", true
	}
	return "", false
}

func describe(keys []crypto.PublicKey) string {
	var out []string
	for _, key := range keys {
		if public, ok := key.(*rsa.PublicKey); ok {
			out = append(out, fmt.Sprintf("RSA %d bits", public.N.BitLen()))
		} else {
			out = append(out, fmt.Sprintf("%T", key))
		}
	}
	return strings.Join(out, ", ")
}
