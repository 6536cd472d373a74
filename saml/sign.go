package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	_ "crypto/sha512" // registers the hashes of ECDSA signatures
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"net/url"
)

// ecdsaMethods maps each curve to the hash of the same strength (RFC 9231 2.3.6).
var ecdsaMethods = map[int]struct {
	hash crypto.Hash
	uri  string
}{
	256: {crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
	384: {crypto.SHA384, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"},
	521: {crypto.SHA512, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"},
}

const rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// method returns the signature algorithm for Config.Key.
func (sp *ServiceProvider) method() (crypto.Hash, string) {
	if key, ok := sp.cfg.Key.Public().(*ecdsa.PublicKey); ok {
		m := ecdsaMethods[key.Curve.Params().BitSize]
		return m.hash, m.uri
	}
	return crypto.SHA256, rsaSHA256
}

// sign returns the base64 of a signature over text.
func (sp *ServiceProvider) sign(text string) (string, error) {
	hash, _ := sp.method()
	h := hash.New()
	h.Write([]byte(text))
	signature, err := sp.cfg.Key.Sign(sp.cfg.Rand, h.Sum(nil), hash)
	if key, ok := sp.cfg.Key.Public().(*ecdsa.PublicKey); ok && err == nil {
		signature, err = fromASN1(signature, key)
	}
	if err != nil {
		return "", &Error{Reason: ReasonKey, Rule: "Config.Key", Detail: "can't sign", Err: err}
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// fromASN1 converts an ECDSA signature from ASN.1 to the form of XML Signature: r
// followed by s, each as wide as the curve's order (RFC 9231 2.3.6).
func fromASN1(signature []byte, key *ecdsa.PublicKey) ([]byte, error) {
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &v); err != nil || len(rest) > 0 {
		return nil, errors.New("the signer's ECDSA signature is not ASN.1")
	}
	width := (key.Curve.Params().N.BitLen() + 7) / 8
	out := make([]byte, 2*width)
	v.R.FillBytes(out[:width])
	v.S.FillBytes(out[width:])
	return out, nil
}

// signQuery appends SigAlg and Signature. The signature is over the octets of the
// query as they are sent (Bindings 3.4.4.1).
func (sp *ServiceProvider) signQuery(query string) (string, error) {
	_, uri := sp.method()
	query += "&SigAlg=" + url.QueryEscape(uri)
	signature, err := sp.sign(query)
	if err != nil {
		return "", err
	}
	return query + "&Signature=" + url.QueryEscape(signature), nil
}

// signEnveloped returns the enveloped signature of an element in canonical form
// (Core 5.4).
func (sp *ServiceProvider) signEnveloped(id, canonical string) (string, error) {
	const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	_, uri := sp.method()
	digest := sha256.Sum256([]byte(canonical))

	// Inside ds:Signature, SignedInfo doesn't declare the prefix. Its canonical
	// form, which is hashed, does (Exclusive XML Canonicalization 1.0, 3).
	info := func(declaration attribute) string {
		var w canonicalWriter
		w.start("ds:SignedInfo", declaration)
		w.element("ds:CanonicalizationMethod", "", attribute{"Algorithm", exclusive})
		w.element("ds:SignatureMethod", "", attribute{"Algorithm", uri})
		w.start("ds:Reference", attribute{"URI", "#" + id})
		w.start("ds:Transforms")
		w.element("ds:Transform", "", attribute{"Algorithm", nsSignature + "enveloped-signature"})
		w.element("ds:Transform", "", attribute{"Algorithm", exclusive})
		w.end("ds:Transforms")
		w.element("ds:DigestMethod", "", attribute{"Algorithm", "http://www.w3.org/2001/04/xmlenc#sha256"})
		w.element("ds:DigestValue", base64.StdEncoding.EncodeToString(digest[:]))
		w.end("ds:Reference")
		w.end("ds:SignedInfo")
		return w.String()
	}
	declaration := attribute{"xmlns:ds", nsSignature}
	value, err := sp.sign(info(declaration))
	if err != nil {
		return "", err
	}
	var w canonicalWriter
	w.start("ds:Signature", declaration)
	w.WriteString(info(attribute{}))
	w.element("ds:SignatureValue", value)
	w.start("ds:KeyInfo")
	w.start("ds:X509Data")
	w.element("ds:X509Certificate", base64.StdEncoding.EncodeToString(sp.cfg.Certificate.Raw))
	w.end("ds:X509Data")
	w.end("ds:KeyInfo")
	w.end("ds:Signature")
	return w.String(), nil
}
