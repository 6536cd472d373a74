package mockidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// verified returns the signed request. For HTTP-POST and SOAP it is the document that goxmldsig hashed, not the input.
// A SOAP request may be unsigned if the TLS client has a key of the app.
//
// enveloped says that the message holds a ds:Signature, verified or not.
func (a *App) verified(in incoming, enveloped bool, doc []byte) ([]byte, *Error) {
	if len(a.RequestCertificates) == 0 {
		return nil, badSignature(nil, "the app %s takes signed requests only and has no RequestCertificates; set them, or "+
			"register metadata with a key", quote(a.Label))
	}
	switch {
	case in.binding == bindingRedirect:
		return doc, a.verifyQuery(in, enveloped)
	case !enveloped && a.presents(in.client):
		return doc, nil
	}
	return a.verifyDocument(in, doc)
}

// verifyQuery verifies the signature over the octets of the query, as received (SAML Bindings 3.4.4.1).
func (a *App) verifyQuery(in incoming, enveloped bool) *Error {
	raw := map[string]string{}
	for _, pair := range strings.Split(in.query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if _, twice := raw[name]; !twice {
			raw[name] = pair
		}
	}
	if raw["Signature"] == "" && enveloped {
		return badSignature(nil, "the request is signed as HTTP-POST signs, by a ds:Signature inside it; HTTP-Redirect "+
			"removes that and signs the query (SigAlg and Signature, SAML Bindings 3.4.4.1), as the app %s requires",
			quote(a.Label))
	}
	if raw["SigAlg"] == "" || raw["Signature"] == "" {
		return badSignature(nil, "the request isn't signed (SigAlg and Signature, SAML Bindings 3.4.4.1), but the app %s "+
			"requires it", quote(a.Label))
	}
	if raw[in.param] == "" || raw["RelayState"] == "" && in.hasRelay {
		// The parameter would be read although the signature doesn't cover it.
		return badSignature(nil, "the name %s or RelayState is percent-encoded in the query", in.param)
	}
	signed := raw[in.param]
	if raw["RelayState"] != "" {
		signed += "&" + raw["RelayState"]
	}
	signed += "&" + raw["SigAlg"]
	sig, err := base64.StdEncoding.DecodeString(in.signature)
	if err != nil {
		return badSignature(err, "Signature is not base64")
	}
	for _, c := range a.RequestCertificates {
		if err = verifyBytes(c.PublicKey, SignatureMethod(in.sigAlg), []byte(signed), sig); err == nil {
			return nil
		}
	}
	return badSignature(err, "the request's signature does not verify with any key of the app %s", quote(a.Label))
}

var errWrongKind = errors.New("the algorithm is not supported, or not for this key")

// verifyBytes refuses SHA-1. ECDSA signatures are r‖s as in XML, or ASN.1, which Java's libraries write here.
func verifyBytes(pub crypto.PublicKey, method SignatureMethod, signed, sig []byte) error {
	digest := func() []byte {
		h := signatureHashes[method].New()
		h.Write(signed)
		return h.Sum(nil)
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if method != InsecureRSASHA1 && slices.Contains(rsaMethods, method) {
			return rsa.VerifyPKCS1v15(pub, signatureHashes[method], digest(), sig)
		}
	case *ecdsa.PublicKey:
		if slices.Contains(ecdsaMethods, method) {
			if !ecdsa.VerifyASN1(pub, digest(), toASN1(pub, sig)) {
				return errors.New("the ECDSA signature does not verify")
			}
			return nil
		}
	}
	return errWrongKind
}

// toASN1 converts r‖s to ASN.1, which Go's ECDSA reads. It returns any other signature unchanged.
func toASN1(pub *ecdsa.PublicKey, sig []byte) []byte {
	size := coordinateSize(pub)
	if len(sig) != 2*size {
		return sig
	}
	r, s := new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		return sig
	}
	return der
}

// verifyDocument verifies an enveloped signature (SAML Core 5.4). parseAuthnRequest has bounded the document.
func (a *App) verifyDocument(in incoming, doc []byte) ([]byte, *Error) {
	doc, e := withoutMark(doc)
	if e != nil {
		return nil, e
	}
	var last error
	for _, c := range a.RequestCertificates {
		signed, err := verifyEnveloped(doc, c)
		if err == nil {
			return signed, nil
		}
		last = err
	}
	if errors.Is(last, dsig.ErrMissingSignature) && in.detached {
		return nil, badSignature(nil, "the request is signed outside the message, as HTTP-Redirect and "+
			"HTTP-POST-SimpleSign sign; HTTP-POST signs by a ds:Signature inside it (SAML Bindings 3.5.4, Core 5.4), "+
			"as the app %s requires", quote(a.Label))
	}
	if errors.Is(last, dsig.ErrMissingSignature) {
		return nil, badSignature(nil, "the request isn't signed, but the app %s requires it", quote(a.Label))
	}
	return nil, badSignature(last, "the request's signature does not verify with any key of the app %s", quote(a.Label))
}

func verifyEnveloped(doc []byte, cert *x509.Certificate) (signed []byte, err error) {
	// A panic of the library on an attacker's input must refuse only that request.
	defer func() {
		if p := recover(); p != nil {
			signed, err = nil, fmt.Errorf("verifying the signature panicked: %v", p)
		}
	}()
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(doc); err != nil {
		return nil, err
	}
	for _, sig := range tree.Root().SelectElements(dsig.SignatureTag) {
		method := sig.FindElement("./SignedInfo/SignatureMethod")
		if method != nil && strings.HasSuffix(method.SelectAttrValue("Algorithm", ""), "sha1") {
			return nil, errWrongKind
		}
		// goxmldsig reads ASN.1, XML signatures hold r‖s. The signature doesn't cover its own value.
		v := sig.SelectElement(dsig.SignatureValueTag)
		if pub, ok := cert.PublicKey.(*ecdsa.PublicKey); ok && v != nil {
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.Text()), ""))
			if err != nil {
				return nil, err
			}
			v.SetText(base64.StdEncoding.EncodeToString(toASN1(pub, raw)))
		}
		// The app's configuration says which key is trusted, not a certificate in the message.
		if info := sig.SelectElement(dsig.KeyInfoTag); info != nil {
			sig.RemoveChild(info)
		}
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	// The certificate's dates don't matter (SAML metadata interoperability profile 2.6.1).
	ctx.Clock = dsig.NewFakeClockAt(cert.NotBefore)
	el, err := ctx.Validate(tree.Root())
	if err != nil {
		return nil, err
	}
	return canonical(etree.NewDocumentWithRoot(el)).WriteToBytes()
}

func badSignature(err error, format string, args ...any) *Error {
	return &Error{Reason: ReasonSignature, Detail: fmt.Sprintf(format, args...), Err: err}
}
