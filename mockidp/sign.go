package mockidp

import (
	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// sign puts an enveloped signature right after the element's Issuer, where
// the schemas of Response and Assertion want it (SAML Core 5.4: one Reference,
// to the element's own ID; enveloped-signature, then exclusive C14N).
//
// The signer is goxmldsig and never Meridian's own code: a canonicalisation
// bug can then not cancel out on both sides.
func (k *signingKey) sign(el *etree.Element) error {
	ctx, err := dsig.NewSigningContext(k.signer, [][]byte{k.cert.Raw})
	if err != nil {
		return err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(k.method); err != nil {
		return err
	}
	// A copy, because exclusive C14N as goxmldsig does it rewrites the element
	// in place, and would take the xmlns:xs that only an xsi:type needs.
	sig, err := ctx.ConstructSignature(el.Copy(), true)
	if err != nil {
		return err
	}
	el.InsertChildAt(el.SelectElement("saml2:Issuer").Index()+1, sig)
	return nil
}
