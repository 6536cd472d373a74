package mockidp

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

type signingKey struct {
	id      string
	own     crypto.Signer     // as it was given or generated
	signer  crypto.Signer     // for goxmldsig
	methods []SignatureMethod // the default first
	cert    *x509.Certificate
	created time.Time // when the key was added
	test    bool      // the published test key
}

// keySource holds the inputs of a new key.
type keySource struct {
	rand  io.Reader
	now   time.Time
	org   string
	years int // how long a certificate is valid; 0 is Okta's ten
}

func (s *Server) keySource(years int) keySource {
	return keySource{rand: readerFunc(s.readRandom), now: s.now(), org: s.config.Org, years: years}
}

// newSigningKey takes a key (nil: a new RSA key) and its certificate (nil: a self-signed one).
func newSigningKey(from keySource, key crypto.Signer, cert *x509.Certificate) (*signingKey, error) {
	if cert != nil && key == nil {
		return nil, badConfig("a certificate without its key")
	}
	if key == nil {
		k, err := rsa.GenerateKey(from.rand, 2048)
		if err != nil {
			return nil, internal("generating a key", err)
		}
		key = k
	}
	methods := methodsFor(key.Public())
	ec, isECDSA := key.Public().(*ecdsa.PublicKey)
	switch {
	case methods == nil && isECDSA:
		return nil, badConfig("the curve of the signing key must be P-256, P-384 or P-521, got %s", ec.Curve.Params().Name)
	case methods == nil:
		return nil, badConfig("the signing key must be RSA or ECDSA, got %T", key.Public())
	}
	steady := deterministicSigner{key}
	sk := &signingKey{own: key, signer: steady, methods: methods, cert: cert, created: from.now}
	if isECDSA {
		sk.signer = rawECDSA{steady, coordinateSize(ec)}
	}
	if cert == nil {
		made, err := selfSigned(from, steady)
		if err != nil {
			return nil, internal("making a certificate", err)
		}
		sk.cert = made
	}
	type equaler interface{ Equal(crypto.PublicKey) bool }
	if pub, ok := key.Public().(equaler); !ok || !pub.Equal(sk.cert.PublicKey) {
		return nil, badConfig("the certificate is for another key than the signing key")
	}
	// As long as Okta's kid, and derived from the certificate.
	sum := sha256.Sum256(sk.cert.Raw)
	sk.id = base64.RawURLEncoding.EncodeToString(sum[:])
	sk.test = sk.published()
	return sk, nil
}

// selfSigned makes a certificate as Okta makes one for each app.
func selfSigned(from keySource, key crypto.Signer) (*x509.Certificate, error) {
	serial := make([]byte, 6)
	if _, err := io.ReadFull(from.rand, serial); err != nil {
		return nil, err
	}
	start := from.now.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Add(new(big.Int).SetBytes(serial), big.NewInt(1)),
		Subject: pkix.Name{Country: []string{"US"}, Province: []string{"California"}, Locality: []string{"San Francisco"},
			Organization: []string{"Okta"}, OrganizationalUnit: []string{"SSOProvider"}, CommonName: from.org},
		NotBefore: start.Add(-time.Minute),
		NotAfter:  start.AddDate(cmp.Or(max(from.years, 0), 10), 0, 0),
	}
	der, err := x509.CreateCertificate(from.rand, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// deterministicSigner makes ECDSA deterministic (RFC 6979), so that the same Config yields the same bytes. RSA by PKCS
// #1 v1.5 always is; other implementations of crypto.Signer may not be.
type deterministicSigner struct{ crypto.Signer }

func (s deterministicSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, soft := s.Signer.(*ecdsa.PrivateKey); soft {
		random = nil
	}
	return s.Signer.Sign(random, digest, opts)
}

// rawECDSA converts Go's ASN.1 signatures to r‖s of fixed width (XML Signature 1.1, 6.4.3; RFC 4050 3.3).
type rawECDSA struct {
	crypto.Signer
	size int
}

func coordinateSize(pub *ecdsa.PublicKey) int { return (pub.Curve.Params().BitSize + 7) / 8 }

func (s rawECDSA) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	der, err := s.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, err
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) > 0 {
		err = cmp.Or(err, errors.New("trailing data"))
		return nil, fmt.Errorf("the key's signature is not an ASN.1 ECDSA-Sig-Value: %w", err)
	}
	if sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.BitLen() > 8*s.size || sig.S.BitLen() > 8*s.size {
		return nil, errors.New("the key's signature is outside the range of its curve")
	}
	out := make([]byte, 2*s.size)
	sig.R.FillBytes(out[:s.size])
	sig.S.FillBytes(out[s.size:])
	return out, nil
}

// signer is a key as one app uses it.
type signer struct {
	key    *signingKey
	method SignatureMethod
	// bare leaves KeyInfo out. Verifiers that take keys from metadata don't need it (SAML metadata interoperability
	// profile 2.6.1).
	bare bool
}

// signer returns how an app's messages are signed at this moment.
func (st *state) signer(a *App) (signer, *Error) {
	k := st.keyFor(a)
	out := signer{key: k, method: cmp.Or(a.SignatureMethod, k.methods[0]), bare: a.OmitKeyInfo}
	if !slices.Contains(k.methods, out.method) {
		return out, badConfig("the key %s doesn't support the signature method %s", quote(k.id), quote(string(out.method)))
	}
	return out, nil
}

// sign puts an enveloped signature right after the element's Issuer, where the schemas of Response and Assertion have
// it (SAML Core 5.4: one Reference, to the element's own ID; enveloped-signature, then exclusive C14N).
func (k signer) sign(el *etree.Element) error {
	sig, err := k.signature(el)
	if err != nil {
		return err
	}
	at := 0
	if issuer := childNamed(el, xml.Name{Space: nsAssertion, Local: "Issuer"}); issuer != nil {
		at = issuer.Index() + 1
	}
	el.InsertChildAt(at, sig)
	return nil
}

// childNamed returns the first child with a name, or nil.
func childNamed(el *etree.Element, name xml.Name) *etree.Element {
	for c := range el.ChildElementsSeq() {
		if nameOf(c) == name {
			return c
		}
	}
	return nil
}

// signature returns the signature of an element. goxmldsig makes it, and not Meridian's own code. So a bug in
// canonicalization is not hidden by the same bug in the verifier.
func (k signer) signature(el *etree.Element) (*etree.Element, error) {
	// A copy, because goxmldsig's exclusive C14N rewrites the element in place, and would remove the xmlns:xs that only
	// an xsi:type needs.
	return k.construct(el.Copy(), func(c dsig.Canonicalizer) dsig.Canonicalizer { return c })
}

// construct returns the signature of an element, with what use makes of the canonicalizer.
func (k signer) construct(el *etree.Element, use func(dsig.Canonicalizer) dsig.Canonicalizer) (*etree.Element, error) {
	ctx, err := dsig.NewSigningContext(k.key.signer, [][]byte{k.key.cert.Raw})
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = use(dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(""))
	if err := ctx.SetSignatureMethod(string(k.method)); err != nil {
		return nil, err
	}
	sig, err := ctx.ConstructSignature(el, true)
	if err != nil {
		return nil, err
	}
	if info := sig.SelectElement(dsig.KeyInfoTag); k.bare && info != nil {
		sig.RemoveChild(info)
	}
	return sig, nil
}
