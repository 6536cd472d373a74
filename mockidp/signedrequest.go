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
	"net/url"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// verified returns what the service provider signed: the document that is to
// be read, which for HTTP-POST is what goxmldsig hashed and not what came.
func (a *App) verified(in incoming, req *authnRequest, doc []byte) ([]byte, *Error) {
	if len(a.RequestCertificates) == 0 {
		return nil, &Error{Reason: ReasonSignature,
			Detail: "the app " + quote(a.Label) + " takes signed requests only and knows no key: give it RequestCertificates, or metadata that has one"}
	}
	if in.binding == bindingRedirect {
		return doc, a.verifyQuery(in, req)
	}
	return a.verifyDocument(in, doc)
}

// verifyQuery is the signature of the HTTP-Redirect binding (SAML Bindings
// 3.4.4.1). It covers the octets of the query as they came, not as they would
// be encoded again.
func (a *App) verifyQuery(in incoming, req *authnRequest) *Error {
	raw := map[string]string{}
	for _, pair := range strings.Split(in.query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if _, twice := raw[name]; !twice {
			raw[name] = pair
		}
	}
	if raw["Signature"] == "" && req.Enveloped {
		return badSignature(nil, "the request is signed as HTTP-POST signs, by a ds:Signature inside it; HTTP-Redirect takes that out and signs the query (SigAlg and Signature, SAML Bindings 3.4.4.1), and the app %s asks for it", quote(a.Label))
	}
	if raw["SigAlg"] == "" || raw["Signature"] == "" {
		return badSignature(nil, "the request isn't signed (SigAlg and Signature, SAML Bindings 3.4.4.1), and the app %s asks for it", quote(a.Label))
	}
	if raw["SAMLRequest"] == "" || raw["RelayState"] == "" && in.hasRelay {
		// Under such a name it would be taken in and not be signed.
		return badSignature(nil, "the query writes the name SAMLRequest or RelayState in escapes")
	}
	signed := raw["SAMLRequest"]
	if raw["RelayState"] != "" {
		signed += "&" + raw["RelayState"]
	}
	signed += "&" + raw["SigAlg"]
	value := func(name string) (string, error) {
		_, v, _ := strings.Cut(raw[name], "=")
		return url.QueryUnescape(v)
	}
	alg, err := value("SigAlg")
	if err != nil {
		return badSignature(err, "SigAlg can't be read")
	}
	text, err := value("Signature")
	if err != nil {
		return badSignature(err, "Signature can't be read")
	}
	sig, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return badSignature(err, "Signature is not base64")
	}
	for _, c := range a.RequestCertificates {
		if err = verifyBytes(c.PublicKey, SignatureMethod(alg), []byte(signed), sig); err == nil {
			return nil
		}
	}
	return badSignature(err, "the request's signature doesn't hold with any key of the app %s", quote(a.Label))
}

var errWrongKind = errors.New("the algorithm isn't one for this key, or isn't taken here")

// verifyBytes checks a detached signature. SHA-1 isn't taken. ECDSA is r‖s as
// in XML; ASN.1, which Java's libraries write here, is taken as well.
func verifyBytes(pub crypto.PublicKey, method SignatureMethod, signed, sig []byte) error {
	hash := map[SignatureMethod]crypto.Hash{RSASHA256: crypto.SHA256, ECDSASHA256: crypto.SHA256, RSASHA384: crypto.SHA384,
		ECDSASHA384: crypto.SHA384, RSASHA512: crypto.SHA512, ECDSASHA512: crypto.SHA512}[method]
	if hash == 0 {
		return errWrongKind
	}
	h := hash.New()
	h.Write(signed)
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if method == RSASHA256 || method == RSASHA384 || method == RSASHA512 {
			return rsa.VerifyPKCS1v15(pub, hash, h.Sum(nil), sig)
		}
	case *ecdsa.PublicKey:
		if method == ECDSASHA256 || method == ECDSASHA384 || method == ECDSASHA512 {
			if !ecdsa.VerifyASN1(pub, h.Sum(nil), toASN1(pub, sig)) {
				return errors.New("the ECDSA signature doesn't hold")
			}
			return nil
		}
	}
	return errWrongKind
}

// toASN1 turns r‖s into what Go's ECDSA reads. Anything else stays what it is.
func toASN1(pub *ecdsa.PublicKey, sig []byte) []byte {
	size := (pub.Curve.Params().BitSize + 7) / 8
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

// verifyDocument is the enveloped signature of the HTTP-POST binding (SAML
// Core 5.4). The document was parsed once already, so it is neither deep nor large.
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
		return nil, badSignature(nil, "the request is signed beside the message, as HTTP-Redirect and HTTP-POST-SimpleSign sign; HTTP-POST signs by a ds:Signature inside it (SAML Bindings 3.5.4, Core 5.4), and the app %s asks for it", quote(a.Label))
	}
	if errors.Is(last, dsig.ErrMissingSignature) {
		return nil, badSignature(nil, "the request isn't signed, and the app %s asks for it", quote(a.Label))
	}
	return nil, badSignature(last, "the request's signature doesn't hold with any key of the app %s", quote(a.Label))
}

func verifyEnveloped(doc []byte, cert *x509.Certificate) (signed []byte, err error) {
	// Strangers' bytes go into a library that isn't ours; should it ever
	// panic on some, that is one refused request.
	defer func() {
		if p := recover(); p != nil {
			signed, err = nil, fmt.Errorf("the signature can't be verified: %v", p)
		}
	}()
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(doc); err != nil {
		return nil, err
	}
	for _, sig := range tree.Root().SelectElements(dsig.SignatureTag) {
		if m := sig.FindElement("./SignedInfo/SignatureMethod"); m != nil && strings.HasSuffix(m.SelectAttrValue("Algorithm", ""), "sha1") {
			return nil, errWrongKind
		}
		// goxmldsig reads ASN.1, XML signatures hold r‖s. The signature doesn't
		// cover its own value, so writing it differently changes nothing.
		v := sig.SelectElement(dsig.SignatureValueTag)
		if pub, ok := cert.PublicKey.(*ecdsa.PublicKey); ok && v != nil {
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.Text()), ""))
			if err != nil {
				return nil, err
			}
			v.SetText(base64.StdEncoding.EncodeToString(toASN1(pub, raw)))
		}
		// The key is trusted because the app's configuration says so, whatever
		// certificate the message holds.
		if info := sig.SelectElement(dsig.KeyInfoTag); info != nil {
			sig.RemoveChild(info)
		}
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	// Nor do its dates matter (SAML metadata interoperability profile 2.6.1).
	ctx.Clock = dsig.NewFakeClockAt(cert.NotBefore)
	el, err := ctx.Validate(tree.Root())
	if err != nil {
		return nil, err
	}
	out := etree.NewDocumentWithRoot(el)
	out.WriteSettings.CanonicalText, out.WriteSettings.CanonicalAttrVal = true, true
	return out.WriteToBytes()
}

func badSignature(err error, format string, args ...any) *Error {
	return &Error{Reason: ReasonSignature, Detail: fmt.Sprintf(format, args...), Err: err}
}
