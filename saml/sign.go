package saml

import (
	"crypto"
	"crypto/ecdsa"
	_ "crypto/sha256" // registers the hashes that signatures are made with
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/url"
)

// ecdsaMethods gives each curve the hash of its own strength (RFC 9231 2.3.6).
var ecdsaMethods = map[int]struct {
	hash crypto.Hash
	uri  string
}{
	256: {crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
	384: {crypto.SHA384, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"},
	521: {crypto.SHA512, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"},
}

const rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// method is the signature algorithm that goes with our key.
func (sp *ServiceProvider) method() (crypto.Hash, string) {
	if key, ok := sp.cfg.Key.Public().(*ecdsa.PublicKey); ok {
		m := ecdsaMethods[key.Curve.Params().BitSize]
		return m.hash, m.uri
	}
	return crypto.SHA256, rsaSHA256
}

// signQuery appends SigAlg and Signature, the signature being over the octets
// of the query as they are sent (Bindings 3.4.4.1).
func (sp *ServiceProvider) signQuery(query string) (string, error) {
	hash, uri := sp.method()
	query += "&SigAlg=" + url.QueryEscape(uri)
	h := hash.New()
	h.Write([]byte(query))
	signature, err := xmlSigner{sp.cfg.Key}.Sign(sp.cfg.Rand, h.Sum(nil), hash)
	if err != nil {
		return "", &Error{Reason: ReasonKey, Rule: "Config.Key", Detail: "can't sign", Err: err}
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}

// signEnveloped makes the enveloped signature of an element of ours that is
// written in canonical form (Core 5.4).
func (sp *ServiceProvider) signEnveloped(id, canonical string) (string, error) {
	const ds, exclusive = "ds:", "http://www.w3.org/2001/10/xml-exc-c14n#"
	hash, uri := sp.method()
	digest := crypto.SHA256.New()
	digest.Write([]byte(canonical))

	// Inside ds:Signature, SignedInfo would not declare the prefix; on its own,
	// as it is hashed, it does (Exclusive XML Canonicalization 1.0, 3).
	info := func(declaration attribute) string {
		var w canonicalWriter
		w.start(ds+"SignedInfo", declaration)
		w.element(ds+"CanonicalizationMethod", "", attribute{"Algorithm", exclusive})
		w.element(ds+"SignatureMethod", "", attribute{"Algorithm", uri})
		w.start(ds+"Reference", attribute{"URI", "#" + id})
		w.start(ds + "Transforms")
		w.element(ds+"Transform", "", attribute{"Algorithm", nsSignature + "enveloped-signature"})
		w.element(ds+"Transform", "", attribute{"Algorithm", exclusive})
		w.end(ds + "Transforms")
		w.element(ds+"DigestMethod", "", attribute{"Algorithm", "http://www.w3.org/2001/04/xmlenc#sha256"})
		w.element(ds+"DigestValue", base64.StdEncoding.EncodeToString(digest.Sum(nil)))
		w.end(ds + "Reference")
		w.end(ds + "SignedInfo")
		return w.String()
	}
	declaration := attribute{"xmlns:ds", nsSignature}
	h := hash.New()
	h.Write([]byte(info(declaration)))
	value, err := xmlSigner{sp.cfg.Key}.Sign(sp.cfg.Rand, h.Sum(nil), hash)
	if err != nil {
		return "", &Error{Reason: ReasonKey, Rule: "Config.Key", Detail: "can't sign", Err: err}
	}
	var w canonicalWriter
	w.start(ds+"Signature", declaration)
	w.b.WriteString(info(attribute{}))
	w.element(ds+"SignatureValue", base64.StdEncoding.EncodeToString(value))
	w.start(ds + "KeyInfo")
	w.start(ds + "X509Data")
	w.element(ds+"X509Certificate", base64.StdEncoding.EncodeToString(sp.cfg.Certificate.Raw))
	w.end(ds + "X509Data")
	w.end(ds + "KeyInfo")
	w.end(ds + "Signature")
	return w.String(), nil
}

// xmlSigner makes ECDSA signatures as XML has them: r followed by s, each as
// wide as the curve's order (RFC 9231 2.3.6), where Go's are ASN.1.
type xmlSigner struct{ crypto.Signer }

func (s xmlSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.Signer.Sign(rand, digest, opts)
	key, isECDSA := s.Public().(*ecdsa.PublicKey)
	if err != nil || !isECDSA {
		return signature, err
	}
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &v); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("the signer's ECDSA signature is not ASN.1")
	}
	width := (key.Curve.Params().N.BitLen() + 7) / 8
	out := make([]byte, 2*width)
	v.R.FillBytes(out[:width])
	v.S.FillBytes(out[width:])
	return out, nil
}
