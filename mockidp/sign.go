package mockidp

import (
	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// signer is a key as one app uses it.
type signer struct {
	key    *signingKey
	method SignatureMethod
	// bare leaves KeyInfo out. A verifier that trusts keys because metadata
	// says so (SAML metadata interoperability profile 2.6.1) doesn't miss it.
	bare bool
}

// sign puts an enveloped signature right after the element's Issuer, where
// the schemas of Response and Assertion want it (SAML Core 5.4: one Reference,
// to the element's own ID; enveloped-signature, then exclusive C14N).
//
// The signer is goxmldsig and never Meridian's own code: a canonicalisation
// bug can then not cancel out on both sides.
func (k signer) sign(el *etree.Element) error {
	sig, err := k.signature(el)
	if err != nil {
		return err
	}
	el.InsertChildAt(el.SelectElement("saml2:Issuer").Index()+1, sig)
	return nil
}

// signature is the signature of an element, which it doesn't stand in yet.
func (k signer) signature(el *etree.Element) (*etree.Element, error) {
	ctx, err := dsig.NewSigningContext(k.key.signer, [][]byte{k.key.cert.Raw})
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(string(k.method)); err != nil {
		return nil, err
	}
	// A copy, because exclusive C14N as goxmldsig does it rewrites the element
	// in place, and would take the xmlns:xs that only an xsi:type needs.
	sig, err := ctx.ConstructSignature(el.Copy(), true)
	if err != nil {
		return nil, err
	}
	if info := sig.SelectElement(dsig.KeyInfoTag); k.bare && info != nil {
		sig.RemoveChild(info)
	}
	return sig, nil
}

// signer is how an app's messages are signed at this moment.
func (st *state) signer(a *App) (signer, *Error) {
	k := st.keyFor(a)
	method, err := k.method(a.SignatureMethod)
	return signer{key: k, method: method, bare: a.OmitKeyInfo}, err
}
