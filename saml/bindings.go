package saml

import (
	"bytes"
	"compress/flate"
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
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// maxRelayState is the longest RelayState in bytes (Bindings 3.4.3 and 3.5.3).
const maxRelayState = 80

// PostForm is a form to be posted by the browser (Bindings 3.5.4): write it
// with html/template, which escapes it.
type PostForm struct {
	URL         string // the form's action
	SAMLRequest string // base64
	RelayState  string // empty: leave the field out
}

// RedirectURL is where to send the browser with HTTP-Redirect (Bindings
// 3.4.4.1). relayState is at most 80 bytes; empty leaves it out.
func (r *AuthnRequest) RedirectURL(relayState string) (string, error) {
	if err := r.checkSend(HTTPRedirect, relayState); err != nil {
		return "", err
	}
	xml, err := r.bytes(r.el)
	if err != nil {
		return "", err
	}
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err != nil {
		return "", configError("AuthnRequest", "can't be deflated", err)
	}
	if _, err := w.Write(xml); err != nil {
		return "", configError("AuthnRequest", "can't be deflated", err)
	}
	if err := w.Close(); err != nil {
		return "", configError("AuthnRequest", "can't be deflated", err)
	}
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated.Bytes()))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	if r.sign {
		if query, err = r.sp.signQuery(query); err != nil {
			return "", err
		}
	}
	separator := "?"
	if strings.Contains(r.sso, "?") {
		separator = "&"
	}
	return r.sso + separator + query, nil
}

// PostForm is the form to send with HTTP-POST. relayState is at most 80
// bytes; empty leaves it out.
func (r *AuthnRequest) PostForm(relayState string) (PostForm, error) {
	if err := r.checkSend(HTTPPost, relayState); err != nil {
		return PostForm{}, err
	}
	el := r.el
	if r.sign {
		var err error
		if el, err = r.sp.signElement(el); err != nil {
			return PostForm{}, err
		}
	}
	xml, err := r.bytes(el)
	if err != nil {
		return PostForm{}, err
	}
	return PostForm{URL: r.sso, SAMLRequest: base64.StdEncoding.EncodeToString(xml), RelayState: relayState}, nil
}

func (r *AuthnRequest) checkSend(binding, relayState string) error {
	if r.binding != binding {
		return configError("AuthnRequest.Binding", "this request goes by "+quote(r.binding), nil)
	}
	if len(relayState) > maxRelayState {
		return configError("RelayState", fmt.Sprintf("at most %d bytes (Bindings 3.4.3), got %d", maxRelayState, len(relayState)), nil)
	}
	return nil
}

func (r *AuthnRequest) bytes(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.SetRoot(el.Copy())
	out, err := doc.WriteToBytes()
	if err != nil {
		return nil, configError("AuthnRequest", "can't be written", err)
	}
	return out, nil
}

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

// signElement gives a copy of el with an enveloped signature right after its
// Issuer, where the schema has it (Core 3.2.1).
func (sp *ServiceProvider) signElement(el *etree.Element) (*etree.Element, error) {
	fail := func(err error) (*etree.Element, error) {
		return nil, &Error{Reason: ReasonKey, Rule: "Config.Key", Detail: "can't sign", Err: err}
	}
	_, uri := sp.method()
	ctx, err := dsig.NewSigningContext(xmlSigner{sp.cfg.Key}, [][]byte{sp.cfg.Certificate.Raw})
	if err != nil {
		return fail(err)
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(uri); err != nil {
		return fail(err)
	}
	signature, err := ctx.ConstructSignature(el, true)
	if err != nil {
		return fail(err)
	}
	signed := el.Copy()
	signed.InsertChildAt(1, signature)
	return signed, nil
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
