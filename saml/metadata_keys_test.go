package saml_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// signers are a root, what it issues, what that issues, and one that is apart.
var signers = sync.OnceValue(func() (s struct{ root, middle, leaf, apart *ecdsa.PrivateKey }) {
	s.root, s.middle, s.leaf, s.apart = testkit.ECDSAKey(
		"root",
	), testkit.ECDSAKey(
		"middle",
	), testkit.ECDSAKey(
		"leaf",
	), testkit.ECDSAKey(
		"apart",
	)
	return s
})

// issued is the certificate of a key, signed by another, in DER. The names say
// nothing about who issued whom.
func issued(t testing.TB, subject crypto.PublicKey, issuer crypto.Signer, algorithm ...x509.SignatureAlgorithm) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(5),
		Subject:      pkix.Name{CommonName: "lindholm.example"},
		NotBefore:    now,
		NotAfter:     now.Add(time.Hour),
	}
	for _, a := range algorithm {
		template.SignatureAlgorithm = a
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, subject, issuer)
	require.NoError(t, err)
	return der
}

// changed changes the signed part of a certificate, which keeps its length, and
// signs it again.
func changed(t testing.TB, der []byte, old, put string, issuer *ecdsa.PrivateKey) []byte {
	t.Helper()
	var c struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &c)
	require.NoError(t, err)
	require.Len(t, put, len(old))
	require.Contains(t, string(c.TBS.FullBytes), old)
	c.TBS.FullBytes = bytes.Replace(c.TBS.FullBytes, []byte(old), []byte(put), 1)
	digest := sha256.Sum256(c.TBS.FullBytes)
	c.Signature.Bytes, err = ecdsa.SignASN1(rand.Reader, issuer, digest[:])
	require.NoError(t, err)
	c.Signature.BitLength = 8 * len(c.Signature.Bytes)
	out, err := asn1.Marshal(c)
	require.NoError(t, err)
	_, err = x509.ParseCertificate(out)
	require.Error(t, err, "the change is for what crypto/x509 refuses")
	return out
}

func x509Data(certificates ...[]byte) string {
	var b strings.Builder
	for _, der := range certificates {
		b.WriteString("<ds:X509Certificate>" + base64.StdEncoding.EncodeToString(der) + "</ds:X509Certificate>")
	}
	return "<ds:X509Data>" + b.String() + "</ds:X509Data>"
}

func rsaKeyValue(n *big.Int, e int64) string {
	return "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>" + base64.StdEncoding.EncodeToString(
		n.Bytes(),
	) + "</ds:Modulus><ds:Exponent>" +
		base64.StdEncoding.EncodeToString(
			big.NewInt(e).Bytes(),
		) + "</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
}

func ecKeyValue(t testing.TB, key *ecdsa.PublicKey, curve string) string {
	t.Helper()
	point, err := key.Bytes()
	require.NoError(t, err)
	return ecPoint(point, curve)
}

func ecPoint(point []byte, curve string) string {
	return `<ds:KeyValue><ec:ECKeyValue xmlns:ec="http://www.w3.org/2009/xmldsig11#"><ec:NamedCurve URI="urn:oid:` +
		curve + `"/><ec:PublicKey>` +
		base64.StdEncoding.EncodeToString(
			point,
		) + `</ec:PublicKey></ec:ECKeyValue></ds:KeyValue>`
}

func derKeyValue(t testing.TB, key crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return `<ec:DEREncodedKeyValue xmlns:ec="http://www.w3.org/2009/xmldsig11#">` + base64.StdEncoding.EncodeToString(
		der,
	) + `</ec:DEREncodedKeyValue>`
}

func keyInfo(inside string) string {
	return `<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KeyName>k</ds:KeyName>` + inside +
		`</ds:KeyInfo>`
}

// requireKey wants a KeyInfo to give one key, or none where want is nil, and
// reports to hold what is said.
func requireKey(t *testing.T, want crypto.PublicKey, inside string, reports ...string) {
	t.Helper()
	keys, certs, passedOver, err := saml.ReadKeyInfo(keyInfo(inside))
	require.NoError(t, err)
	require.Len(t, passedOver, len(reports), "%q", passedOver)
	for i, text := range reports {
		require.Contains(t, passedOver[i], text)
	}
	if want == nil {
		require.Empty(t, keys)
		require.NotEmpty(t, reports, "an operator is told why")
		return
	}
	require.Len(t, keys, 1)
	require.Equal(t, want, keys[0])
	if certs[0] != nil {
		require.Equal(t, want, certs[0].PublicKey)
	}
}

// D1, D3, D5: a key is trusted, whatever its certificate says (SAML V2.0 Metadata
// Interoperability Profile 2.5, 2.6.1).
// Obligations: IIP-MD12.
func TestKeyInfoForms(t *testing.T) {
	s := signers()
	der := issued(t, s.leaf.Public(), s.leaf)
	text := base64.StdEncoding.EncodeToString(der)
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	certificate := func(text string) string {
		return "<ds:X509Data><ds:X509Certificate>" + text + "</ds:X509Certificate></ds:X509Data>"
	}
	idp := &keys().idp.PublicKey
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		inside string
		want   crypto.PublicKey
	}{
		"a certificate":      {certificate(text), s.leaf.Public()},
		"an RSA certificate": {x509Data(issued(t, idp, keys().idp)), idp},
		"white space":        {certificate("\n\t " + text[:9] + " \r\n" + text[9:] + "\n"), s.leaf.Public()},
		"PEM":                {certificate("\n" + armoured), s.leaf.Public()},
		"PEM on one line":    {certificate(strings.ReplaceAll(armoured, "\n", " ")), s.leaf.Public()},
		"PEM indented":       {certificate(strings.ReplaceAll(armoured, "\n", "\n    ")), s.leaf.Public()},
		"base64 of PEM":      {certificate(base64.StdEncoding.EncodeToString([]byte(armoured))), s.leaf.Public()},
		"a negative serial number": {
			x509Data(changed(t, der, "\x02\x01\x05", "\x02\x01\x85", s.leaf)), s.leaf.Public(),
		},
		"a month that does not exist": {
			x509Data(changed(t, der, "261122120000Z", "261322120000Z", s.leaf)), s.leaf.Public(),
		},
		"a name that is not well-formed": {
			x509Data(changed(t, der, "\x13\x10lindholm.example", "\x13\x10lindholm.ex\xffmple", s.leaf)), s.leaf.Public(),
		},
		"RSAKeyValue":         {rsaKeyValue(idp.N, int64(idp.E)), idp},
		"ECKeyValue on P-256": {ecKeyValue(t, &s.leaf.PublicKey, "1.2.840.10045.3.1.7"), s.leaf.Public()},
		"ECKeyValue on P-384": {ecKeyValue(t, &p384.PublicKey, "1.3.132.0.34"), p384.Public()},
		"ECKeyValue on P-521": {ecKeyValue(t, &p521.PublicKey, "1.3.132.0.35"), p521.Public()},
		"DEREncodedKeyValue":  {derKeyValue(t, idp), idp},
		"KeyValue of the certificate": {
			rsaKeyValue(idp.N, int64(idp.E)) + x509Data(issued(t, idp, keys().idp)) + derKeyValue(t, idp), idp,
		},
		"the same key twice": {
			x509Data(der, issued(t, s.leaf.Public(), s.leaf)) + x509Data(der), s.leaf.Public(),
		},
		"a key in two certificates": {x509Data(der, issued(t, s.leaf.Public(), s.apart)), s.leaf.Public()},
	} {
		t.Run(name, func(t *testing.T) { requireKey(t, c.want, c.inside) })
	}
	requireKey(
		t,
		s.leaf.Public(),
		"<ds:X509Data><ds:X509Certificate> </ds:X509Certificate></ds:X509Data>"+x509Data(der),
		"X509Certificate 1: it is empty",
	)
	requireKey(
		t,
		s.leaf.Public(),
		`<ds:RetrievalMethod URI="#x"/>`+x509Data(der),
		"RetrievalMethod: references are not followed",
	)
	requireKey(
		t,
		idp,
		"<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>"+x509Data(issued(t, idp, keys().idp)),
		`KeyValue: "DSAKeyValue" is neither`,
	)
}

// Obligations: SDP-MD07.
func TestUnusableKeysAreReported(t *testing.T) {
	s := signers()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	idp := &keys().idp.PublicKey
	offCurve, err := s.leaf.PublicKey.Bytes()
	require.NoError(t, err)
	offCurve[64] ^= 1
	certificate := func(text string) string {
		return "<ds:X509Data><ds:X509Certificate>" + text + "</ds:X509Certificate></ds:X509Data>"
	}
	der := issued(t, s.leaf.Public(), s.leaf)
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	for name, c := range map[string]struct{ inside, report string }{
		"nothing":          {"", "KeyInfo: it has no usable key"},
		"not base64":       {certificate("!"), "not base64"},
		"an element in it": {certificate("AAAA<x/>"), "an element inside X509Certificate"},
		"not DER":          {certificate("AAAA"), "not a certificate in DER"},
		"bytes behind it":  {x509Data(append(slices.Clone(der), 0)), "not a certificate in DER"},
		"a key alone":      {x509Data(der[:40]), "not a certificate in DER"},
		"two in one PEM":   {certificate(armoured + armoured), "not one certificate in PEM"},
		"a private key's PEM": {
			certificate(strings.ReplaceAll(armoured, "CERTIFICATE", "PRIVATE KEY")), "not base64",
		},
		"Ed25519":                    {x509Data(issued(t, edwards.Public(), edwards)), "ed25519.PublicKey"},
		"P-224":                      {x509Data(issued(t, p224.Public(), p224)), "P-224"},
		"seventeen certificates":     {x509Data(slices.Repeat([][]byte{der}, 17)...), "more than 16"},
		"seventeen keys":             {strings.Repeat(rsaKeyValue(idp.N, 3), 17), "more than 16"},
		"an even exponent":           {rsaKeyValue(idp.N, 4), "exponent"},
		"exponent one":               {rsaKeyValue(idp.N, 1), "exponent"},
		"exponent zero":              {rsaKeyValue(idp.N, 0), "exponent"},
		"an exponent of 2 to the 40": {rsaKeyValue(idp.N, 1<<40+1), "exponent"},
		"no modulus":                 {rsaKeyValue(big.NewInt(0), 3), "modulus"},
		"an even modulus":            {rsaKeyValue(big.NewInt(1<<40), 3), "modulus"},
		"a modulus without end": {
			rsaKeyValue(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 1<<15), big.NewInt(1)), 3), "at most 16384",
		},
		"no Exponent": {
			"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>Aw==</ds:Modulus></ds:RSAKeyValue></ds:KeyValue>", "there is no Exponent",
		},
		"another curve's name":      {ecKeyValue(t, &s.leaf.PublicKey, "1.3.132.0.34"), "not an uncompressed point"},
		"an unknown curve":          {ecKeyValue(t, &s.leaf.PublicKey, "1.3.132.0.10"), "is none of P-256"},
		"a point that is not on it": {ecPoint(offCurve, "1.2.840.10045.3.1.7"), "not an uncompressed point"},
		"two keys in a KeyValue": {
			strings.ReplaceAll(rsaKeyValue(idp.N, 3), "<ds:RSAKeyValue>", "<x/><ds:RSAKeyValue>"), "want exactly one key",
		},
		"a DEREncodedKeyValue of junk": {strings.ReplaceAll(derKeyValue(t, idp), ">MI", ">AA"), "DEREncodedKeyValue"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, _, passedOver, err := saml.ReadKeyInfo(keyInfo(c.inside))
			require.NoError(t, err)
			require.Empty(t, keys)
			require.Contains(t, strings.Join(passedOver, "\n"), c.report)
		})
	}
}

// K18, D6: the key of a chain's leaf is trusted, whatever the order and place of the
// certificates. Without a single leaf, no key is trusted.
func TestChainLeafIsTrusted(t *testing.T) {
	s := signers()
	root, middle, leaf := issued(
		t,
		s.root.Public(),
		s.root,
	), issued(
		t,
		s.middle.Public(),
		s.root,
	), issued(
		t,
		s.leaf.Public(),
		s.middle,
	)
	apart := issued(t, s.apart.Public(), s.apart)
	const ca = "it belongs to a certification authority"
	for _, order := range [][][]byte{
		{root, middle, leaf}, {root, leaf, middle}, {middle, root, leaf}, {middle, leaf, root}, {leaf, root, middle},
		{leaf, middle, root},
	} {
		requireKey(t, s.leaf.Public(), x509Data(order...), ca, ca)
		requireKey(t, s.leaf.Public(), x509Data(order[0])+x509Data(order[1])+x509Data(order[2]), ca, ca)
	}
	requireKey(t, s.middle.Public(), x509Data(root, middle), ca)
	requireKey(t, s.middle.Public(), x509Data(middle, root), ca)

	two := "KeyInfo: 2 keys that did not sign one another"
	requireKey(t, nil, x509Data(leaf, apart), two)          // a rollover
	requireKey(t, nil, x509Data(leaf)+x509Data(apart), two) // the same
	requireKey(t, nil, x509Data(root, leaf), two)           // what is between them is missing
	requireKey(t, nil, x509Data(root, middle, leaf, apart), ca, ca, two)
	crossed := [][]byte{issued(t, s.root.Public(), s.middle), middle}
	requireKey(t, nil, x509Data(crossed...), ca, ca, "KeyInfo: the key of each certificate signed another one")

	// A bare key is what the KeyInfo is about, and not an issuer's.
	bare := func(key *ecdsa.PrivateKey) string { return ecKeyValue(t, &key.PublicKey, "1.2.840.10045.3.1.7") }
	requireKey(t, s.leaf.Public(), bare(s.leaf)+x509Data(root, middle, leaf), ca, ca)
	requireKey(t, nil, bare(s.apart)+x509Data(leaf), two)
	requireKey(t, nil, bare(s.middle)+x509Data(leaf), two)
	requireKey(t, nil, bare(s.middle)+x509Data(middle, leaf), two)
	requireKey(t, nil, bare(s.apart)+bare(s.leaf), two)

	// What can't be read or used may be the leaf.
	requireKey(t, nil, x509Data(root, []byte("junk")), two)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	requireKey(t, nil, x509Data(root, issued(t, edwards.Public(), s.root)), ca, "neither RSA nor ECDSA")
	requireKey(t, nil, x509Data(apart, issued(t, edwards.Public(), edwards)), two)
	requireKey(t, s.leaf.Public(), x509Data(issued(t, edwards.Public(), edwards), issued(t, s.leaf.Public(), edwards)), ca)
}

// An issuer is recognised by its signature, of every kind that certificates
// have been signed with, and also where crypto/x509 refuses the certificate.
func TestIssuerIsFoundBySignature(t *testing.T) {
	s := signers()
	ca := "it belongs to a certification authority"
	for _, a := range []x509.SignatureAlgorithm{
		x509.SHA1WithRSA, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS,
		x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	} {
		requireKey(
			t,
			s.leaf.Public(),
			x509Data(issued(t, keys().idp.Public(), keys().idp), issued(t, s.leaf.Public(), keys().idp, a)),
			ca,
		)
	}
	root := issued(t, s.root.Public(), s.root)
	for _, a := range []x509.SignatureAlgorithm{
		x509.ECDSAWithSHA1, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
	} {
		requireKey(t, s.leaf.Public(), x509Data(root, issued(t, s.leaf.Public(), s.root, a)), ca)
	}
	leaf := issued(t, s.leaf.Public(), s.root)
	negative := changed(t, leaf, "\x02\x01\x05", "\x02\x01\x85", s.root)
	requireKey(t, s.leaf.Public(), x509Data(root, negative), ca)
	requireKey(t, s.leaf.Public(), x509Data(changed(t, root, "\x02\x01\x05", "\x02\x01\x85", s.root), negative), ca)

	// A signature that doesn't verify, or has an unknown algorithm, is ignored.
	broken := slices.Clone(leaf)
	broken[len(broken)-1] ^= 1
	requireKey(t, nil, x509Data(root, broken), "2 keys")
	unknown := bytes.ReplaceAll(
		leaf,
		[]byte("\x2a\x86\x48\xce\x3d\x04\x03\x02"),
		[]byte("\x2a\x86\x48\xce\x3d\x04\x03\x09"),
	)
	requireKey(t, nil, x509Data(root, unknown), "2 keys")
	requireKey(t, s.leaf.Public(), x509Data(unknown))
}

// FuzzReadKeyInfo: whatever is in an X509Certificate and in a KeyValue, no
// panic; a key that comes out is RSA or ECDSA, and is the one that crypto/x509
// finds in the certificate, if it reads it, or in what the walk calls its
// SubjectPublicKeyInfo.
func FuzzReadKeyInfo(f *testing.F) {
	s := signers()
	der := issued(f, s.leaf.Public(), s.leaf)
	idp := &keys().idp.PublicKey
	f.Add(der, []byte{3}, []byte{3})
	f.Add(changed(f, der, "\x02\x01\x05", "\x02\x01\x85", s.leaf), idp.N.Bytes(), []byte{1, 0, 1})
	f.Add(issued(f, idp, keys().idp, x509.SHA256WithRSAPSS), []byte{}, []byte{0, 3})
	f.Add(issued(f, s.leaf.Public(), s.root, x509.ECDSAWithSHA1), []byte{0}, []byte{})
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), []byte{1}, []byte{2})
	f.Add(issued(f, s.leaf.Public(), keys().idp), []byte{5}, []byte{3})
	root := issued(f, idp, keys().idp) // the same in every process
	f.Fuzz(func(t *testing.T, certificate, modulus, exponent []byte) {
		armoured, _ := pem.Decode(certificate)
		if armoured != nil {
			certificate = armoured.Bytes
		}
		spki, public, err := saml.CertificateKey(certificate)
		parsed, refused := x509.ParseCertificate(certificate)
		// crypto/x509 accepts keys with unreadable algorithm identifiers.
		if refused == nil && parsed.PublicKey != nil {
			require.NoError(t, err, "crypto/x509 takes it")
			require.Equal(t, parsed.RawSubjectPublicKeyInfo, spki)
			require.Equal(t, parsed.PublicKey, public)
		}
		found, _, passedOver, err := saml.ReadKeyInfo(keyInfo(x509Data(certificate)))
		require.NoError(t, err)
		require.NotEqual(t, len(found) == 0, len(passedOver) == 0, "a key, or the reason why not")
		for _, key := range found {
			requireKind(t, key)
			if len(spki) == 0 {
				continue // PEM that encoding/pem doesn't take, because its lines are odd
			}
			want, err := x509.ParsePKIXPublicKey(spki)
			require.NoError(t, err)
			require.Equal(t, want, key)
		}
		n, e := new(big.Int).SetBytes(modulus), new(big.Int).SetBytes(exponent)
		value := "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>" + base64.StdEncoding.EncodeToString(
			modulus,
		) + "</ds:Modulus><ds:Exponent>" +
			base64.StdEncoding.EncodeToString(
				exponent,
			) + "</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
		found, _, _, err = saml.ReadKeyInfo(keyInfo(value))
		require.NoError(t, err)
		for _, key := range found {
			require.True(t, key.(*rsa.PublicKey).N.Cmp(n) == 0 && e.IsInt64() && e.Int64() == int64(key.(*rsa.PublicKey).E))
		}
		found, _, _, err = saml.ReadKeyInfo(keyInfo(value + x509Data(root, certificate)))
		require.NoError(t, err)
		require.LessOrEqual(t, len(found), 1)
	})
}

func requireKind(t *testing.T, key crypto.PublicKey) {
	t.Helper()
	switch key := key.(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		_, err := key.Bytes()
		require.NoError(t, err)
	default:
		t.Fatalf("%T", key)
	}
}
