package mockidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	dsig "github.com/russellhaering/goxmldsig"
)

// signingKey is a key with its certificate and the algorithm it signs by.
type signingKey struct {
	signer crypto.Signer // what goxmldsig is given
	method string        // SignatureMethod
	cert   *x509.Certificate
}

func newSigningKey(c Config) (*signingKey, error) {
	key := c.Key
	if key == nil {
		k, err := rsa.GenerateKey(c.Rand, 2048)
		if err != nil {
			return nil, &Error{Reason: ReasonInternal, Detail: "generating a key", Err: err}
		}
		key = k
	}
	key = steadySigner{key}
	sk := &signingKey{signer: key, method: dsig.RSASHA256SignatureMethod, cert: c.Certificate}
	switch pub := key.Public().(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		sk.signer = rawECDSA{key, (pub.Curve.Params().BitSize + 7) / 8}
		if sk.method = ecdsaMethod(pub.Curve); sk.method == "" {
			return nil, badConfig("Config.Key is on the curve %s, not P-256, P-384 or P-521", pub.Curve.Params().Name)
		}
	default:
		return nil, badConfig("Config.Key is neither RSA nor ECDSA but %T", pub)
	}
	if sk.cert == nil {
		cert, err := selfSigned(c, key)
		if err != nil {
			return nil, &Error{Reason: ReasonInternal, Detail: "making a certificate", Err: err}
		}
		sk.cert = cert
	}
	type comparable interface{ Equal(crypto.PublicKey) bool }
	if pub, ok := key.Public().(comparable); !ok || !pub.Equal(sk.cert.PublicKey) {
		return nil, badConfig("Config.Certificate is for another key than Config.Key")
	}
	return sk, nil
}

func ecdsaMethod(c elliptic.Curve) string {
	switch c {
	case elliptic.P256():
		return dsig.ECDSASHA256SignatureMethod
	case elliptic.P384():
		return dsig.ECDSASHA384SignatureMethod
	case elliptic.P521():
		return dsig.ECDSASHA512SignatureMethod
	}
	return ""
}

// selfSigned makes a certificate as Okta makes one for each app.
func selfSigned(c Config, key crypto.Signer) (*x509.Certificate, error) {
	serial := make([]byte, 6)
	if _, err := io.ReadFull(c.Rand, serial); err != nil {
		return nil, err
	}
	from := c.Now().UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Add(new(big.Int).SetBytes(serial), big.NewInt(1)),
		Subject: pkix.Name{Country: []string{"US"}, Province: []string{"California"}, Locality: []string{"San Francisco"},
			Organization: []string{"Okta"}, OrganizationalUnit: []string{"SSOProvider"}, CommonName: c.Org},
		NotBefore: from.Add(-time.Minute),
		NotAfter:  from.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(c.Rand, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// steadySigner makes ECDSA deterministic (RFC 6979), so that the same Config
// yields the same bytes. RSA by PKCS #1 v1.5 is so anyway; a key in hardware
// does as it likes.
type steadySigner struct{ crypto.Signer }

func (s steadySigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, soft := s.Signer.(*ecdsa.PrivateKey); soft {
		random = nil
	}
	return s.Signer.Sign(random, digest, opts)
}

// rawECDSA turns Go's ASN.1 signature into r‖s of fixed width, which is what
// XML signatures hold (XML Signature 1.1, 6.4.3; RFC 4050 3.3).
type rawECDSA struct {
	crypto.Signer
	size int
}

func (s rawECDSA) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	der, err := s.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, err
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("the key's signature is not ASN.1: %w", errors.Join(err, asn1.SyntaxError{Msg: "ECDSA-Sig-Value"}))
	}
	if sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.BitLen() > 8*s.size || sig.S.BitLen() > 8*s.size {
		return nil, errors.New("the key's signature is out of its curve's range")
	}
	out := make([]byte, 2*s.size)
	sig.R.FillBytes(out[:s.size])
	sig.S.FillBytes(out[s.size:])
	return out, nil
}
