package mockidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"
)

// signingKey is a key with its certificate and the algorithms it signs by.
type signingKey struct {
	id      string
	own     crypto.Signer     // as it was given or made
	signer  crypto.Signer     // what goxmldsig is given
	methods []SignatureMethod // the usual one first
	cert    *x509.Certificate
	created time.Time // when the Server got it
}

// keySource is what making a key draws on.
type keySource struct {
	rand io.Reader
	now  time.Time
	org  string
	// years is how long a certificate is valid; 0 is Okta's ten.
	years int
}

// newSigningKey takes a key (nil: a new RSA key) and its certificate (nil: a
// self-signed one).
func newSigningKey(from keySource, key crypto.Signer, cert *x509.Certificate) (*signingKey, error) {
	if cert != nil && key == nil {
		return nil, badConfig("a certificate without its key")
	}
	if key == nil {
		k, err := rsa.GenerateKey(from.rand, 2048)
		if err != nil {
			return nil, &Error{Reason: ReasonInternal, Detail: "generating a key", Err: err}
		}
		key = k
	}
	methods := methodsFor(key.Public())
	if methods == nil {
		if pub, ok := key.Public().(*ecdsa.PublicKey); ok {
			return nil, badConfig("the signing key is on the curve %s, not P-256, P-384 or P-521", pub.Curve.Params().Name)
		}
		return nil, badConfig("the signing key is neither RSA nor ECDSA but %T", key.Public())
	}
	own := key
	key = steadySigner{key}
	sk := &signingKey{own: own, signer: key, methods: methods, cert: cert, created: from.now}
	if pub, ok := key.Public().(*ecdsa.PublicKey); ok {
		sk.signer = rawECDSA{key, (pub.Curve.Params().BitSize + 7) / 8}
	}
	if cert == nil {
		made, err := selfSigned(from, key)
		if err != nil {
			return nil, &Error{Reason: ReasonInternal, Detail: "making a certificate", Err: err}
		}
		sk.cert = made
	}
	type equaler interface{ Equal(crypto.PublicKey) bool }
	if pub, ok := key.Public().(equaler); !ok || !pub.Equal(sk.cert.PublicKey) {
		return nil, badConfig("the certificate is for another key than the signing key")
	}
	// As long as an Okta kid, and the same wherever the certificate is.
	sum := sha256.Sum256(sk.cert.Raw)
	sk.id = base64.RawURLEncoding.EncodeToString(sum[:])
	return sk, nil
}

// method picks what to sign by: the one asked for, or the key's usual one.
func (k *signingKey) method(asked SignatureMethod) (SignatureMethod, *Error) {
	switch {
	case asked == "":
		return k.methods[0], nil
	case slices.Contains(k.methods, asked):
		return asked, nil
	}
	return "", badConfig("the key %s can't sign by %s", quote(k.id), quote(string(asked)))
}

// selfSigned makes a certificate as Okta makes one for each app.
func selfSigned(from keySource, key crypto.Signer) (*x509.Certificate, error) {
	serial := make([]byte, 6)
	if _, err := io.ReadFull(from.rand, serial); err != nil {
		return nil, err
	}
	start, years := from.now.UTC().Truncate(time.Second), 10
	if from.years > 0 {
		years = from.years
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Add(new(big.Int).SetBytes(serial), big.NewInt(1)),
		Subject: pkix.Name{Country: []string{"US"}, Province: []string{"California"}, Locality: []string{"San Francisco"},
			Organization: []string{"Okta"}, OrganizationalUnit: []string{"SSOProvider"}, CommonName: from.org},
		NotBefore: start.Add(-time.Minute),
		NotAfter:  start.AddDate(years, 0, 0),
	}
	der, err := x509.CreateCertificate(from.rand, template, template, key.Public(), key)
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
