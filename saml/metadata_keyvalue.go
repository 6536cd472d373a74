package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// namedCurves are the curves that the verifier supports (XML Signature 1.1,
// 4.5.2.3).
var namedCurves = map[string]elliptic.Curve{
	"urn:oid:1.2.840.10045.3.1.7": elliptic.P256(),
	"urn:oid:1.3.132.0.34":        elliptic.P384(),
	"urn:oid:1.3.132.0.35":        elliptic.P521(),
}

// readKeyValue reads a ds:KeyValue (XML Signature 1.1, 4.5.2).
func readKeyValue(n xmltree.Node) (crypto.PublicKey, error) {
	value := n.First()
	switch {
	case !value.OK() || value.Next().OK():
		return nil, errors.New("want exactly one key")
	case value.Is(xmltree.Signature, "RSAKeyValue"):
		return readRSAKeyValue(value)
	case value.Local() == "ECKeyValue" && value.Doc().URI(value.NS()) == nsSignature11:
		return readECKeyValue(value)
	}
	return nil, fmt.Errorf("%s is neither an RSAKeyValue nor an ECKeyValue", quote(value.Local()))
}

// readRSAKeyValue reads two CryptoBinary numbers, which are big-endian (XML
// Signature 1.1, 4.1 and 4.5.2.2).
func readRSAKeyValue(n xmltree.Node) (*rsa.PublicKey, error) {
	modulus, err := decodeElement(n.Child(xmltree.Signature, "Modulus"), "Modulus")
	if err != nil {
		return nil, err
	}
	exponent, err := decodeElement(n.Child(xmltree.Signature, "Exponent"), "Exponent")
	if err != nil {
		return nil, err
	}
	e := new(big.Int).SetBytes(exponent)
	if !e.IsInt64() || int64(int(e.Int64())) != e.Int64() {
		return nil, errors.New("an RSA exponent that is too large")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(e.Int64())}, nil
}

// readECKeyValue reads a point of a named curve (XML Signature 1.1, 4.5.2.3).
func readECKeyValue(n xmltree.Node) (*ecdsa.PublicKey, error) {
	curve, point := n.First(), n.First().Next()
	if !curve.Is(n.NS(), "NamedCurve") || !point.Is(n.NS(), "PublicKey") {
		return nil, errors.New("an ECKeyValue without a NamedCurve and a PublicKey")
	}
	uri, _ := curve.Attr("URI")
	named, ok := namedCurves[uri]
	if !ok {
		return nil, fmt.Errorf("the curve %s is none of P-256, P-384 and P-521", quote(uri))
	}
	b, err := decodeElement(point, "PublicKey")
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseUncompressedPublicKey(named, b)
	if err != nil {
		return nil, errors.New("the PublicKey is not an uncompressed point of the curve")
	}
	return key, nil
}

// readDERKeyValue reads a SubjectPublicKeyInfo (XML Signature 1.1, 4.5.8).
func readDERKeyValue(n xmltree.Node) (crypto.PublicKey, error) {
	der, err := decodeElement(n, n.Local())
	if err != nil {
		return nil, err
	}
	return x509.ParsePKIXPublicKey(der)
}

// decodeElement decodes an element's base64 text.
func decodeElement(n xmltree.Node, name string) ([]byte, error) {
	if !n.OK() {
		return nil, fmt.Errorf("there is no %s", name)
	}
	text, err := ownText(n)
	if err != nil {
		return nil, err
	}
	return decodeSpaced(text)
}

// ownText returns the text of an element that may contain only text.
func ownText(n xmltree.Node) (string, error) {
	if n.First().OK() {
		return "", fmt.Errorf("an element inside %s", n.Local())
	}
	return n.Text(), nil
}

// decodeSpaced decodes base64 with white space anywhere.
func decodeSpaced(text string) ([]byte, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fmt.Errorf("not base64: %w", err)
	}
	return der, nil
}
