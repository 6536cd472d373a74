package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const sha1RSA = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"

func signatureRows() []row {
	weak := func(c *saml.Config) {
		c.IdP, _ = saml.NewIdP(saml.IdPConfig{EntityID: idpEntity, Keys: []crypto.PublicKey{keys().weak.Public()}})
	}

	sub := func(pattern, by string) func(string) string {
		re := regexp.MustCompile(pattern)
		return func(x string) string {
			if !re.MatchString(x) {
				panic("the document does not match " + pattern)
			}
			return re.ReplaceAllString(x, by)
		}
	}
	return []row{
		{name: "a changed value", doc: doc{After: replace("alice@", "admin@")}, reason: saml.ReasonSignature},
		{
			name:   "a changed Response",
			doc:    doc{SignResponse: true, After: replace(`<samlp:Status>`, `<samlp:Extensions/><samlp:Status>`)},
			reason: saml.ReasonSignature,
		},
		{
			name:   "one good signature does not excuse a bad one",
			doc:    doc{SignResponse: true, AssertionKey: keys().other},
			reason: saml.ReasonSignature,
		},
		{
			name:   "B02 empty Signature",
			doc:    doc{After: sub(`(?s)<ds:SignedInfo.*</ds:KeyInfo>`, "")},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B03 no Reference",
			doc:    doc{After: sub(`(?s)<ds:Reference.*</ds:Reference>`, "")},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B04 two References",
			doc:    doc{After: sub(`(?s)(<ds:Reference.*</ds:Reference>)`, "$1$1")},
			reason: saml.ReasonSignatureShape,
		},
		{name: "B05 empty URI", doc: doc{After: replace(`URI="#_asrt1"`, `URI=""`)}, reason: saml.ReasonSignatureShape},
		{name: "B06 no URI", doc: doc{After: replace(` URI="#_asrt1"`, ``)}, reason: saml.ReasonSignatureShape},
		{
			name:   "B07 external URI",
			doc:    doc{After: replace(`URI="#_asrt1"`, `URI="https://evil.example/"`)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B08 xpointer",
			doc:    doc{After: replace(`URI="#_asrt1"`, `URI="#xpointer(id('_asrt1'))"`)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B09 another element's ID",
			doc:    doc{After: replace(`URI="#_asrt1"`, `URI="#_resp1"`)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name: "B12 XSLT",
			doc: doc{
				After: replace(
					`xmldsig#enveloped-signature"`,
					`xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"`,
				),
			},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B16 no enveloped transform",
			doc:    doc{After: replace(`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, ``)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B17 Object",
			doc:    doc{After: replace(`</ds:KeyInfo>`, `</ds:KeyInfo><ds:Object/>`)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B19 two Signatures",
			doc:    doc{After: sub(`(?s)(<ds:Signature .*</ds:Signature>)`, "$1$1")},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B20 two SignedInfo",
			doc:    doc{After: sub(`(?s)(<ds:SignedInfo>.*</ds:SignedInfo>)`, "$1$1")},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B21 comment in DigestValue",
			doc:    doc{After: replace(`<ds:DigestValue>`, `<ds:DigestValue>AAAA<!-- -->`)},
			reason: saml.ReasonText,
		},
		{
			name:   "B23 junk in SignatureValue",
			doc:    doc{After: replace(`<ds:SignatureValue>`, `<ds:SignatureValue>!`)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name: "B23 white space in SignatureValue",
			doc:  doc{After: replace(`<ds:SignatureValue>`, "<ds:SignatureValue>\n  ")},
		},
		{
			name:   "B23 other white space in SignatureValue",
			doc:    doc{After: replace(`<ds:SignatureValue>`, "<ds:SignatureValue>\u00a0")},
			reason: saml.ReasonSignatureShape,
		},
		{
			name: "B24 inclusive canonicalisation",
			doc: doc{
				After: replace(
					`CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`,
					`CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"`,
				),
			},
			reason: saml.ReasonAlgorithm,
		},
		{
			name: "B25 with comments put in",
			doc: doc{
				After: replace(
					`Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`,
					`Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"`,
				),
			},
			reason: saml.ReasonSignature,
		},
		{
			name: "B29 HMAC parameters",
			doc: doc{
				After: replace(
					`xmldsig-more#rsa-sha256"/>`,
					`xmldsig-more#rsa-sha256"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>`,
				),
			},
			reason: saml.ReasonSignatureShape,
		},
		{
			name:   "B30 HMAC",
			doc:    doc{After: replace(`xmldsig-more#rsa-sha256"`, `xmldsig-more#hmac-sha256"`)},
			reason: saml.ReasonAlgorithm,
		},
		{name: "B31 SHA-1", doc: doc{Method: sha1RSA}, reason: saml.ReasonAlgorithm},
		{name: "B31 SHA-1 allowed", doc: doc{Method: sha1RSA}, config: func(c *saml.Config) { c.InsecureAllowSHA1 = true }},
		{
			name:   "B32 unknown method",
			doc:    doc{After: replace(`xmldsig-more#rsa-sha256"`, `xmldsig-more#none"`)},
			reason: saml.ReasonAlgorithm,
		},
		{name: "B33 weak key", doc: doc{Key: keys().weak}, config: weak, reason: saml.ReasonKey},
		{
			name:   "B33 weak key allowed",
			doc:    doc{Key: keys().weak},
			config: func(c *saml.Config) { weak(c); c.InsecureAllowRSA1024 = true },
		},
		{name: "B36 key of the message", doc: doc{Key: keys().other}, reason: saml.ReasonSignature},
		{
			name: "B38 odd KeyInfo",
			doc: doc{
				After: sub(
					`(?s)<ds:KeyInfo>.*</ds:KeyInfo>`,
					`<ds:KeyInfo><ds:RetrievalMethod URI="https://evil.example/"/></ds:KeyInfo>`,
				),
			},
		},
		{name: "B38 no KeyInfo", doc: doc{After: sub(`(?s)<ds:KeyInfo>.*</ds:KeyInfo>`, ``)}},
		{
			name:   "A13 a Signature elsewhere",
			doc:    doc{Before: add(".//Subject", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`)},
			reason: saml.ReasonSignatureShape,
		},
		{
			name: "a Signature at the end",
			doc: doc{
				Before: nil,
				After:  sub(`(?s)(<ds:Signature .*</ds:Signature>)(.*)</saml:Assertion>`, "$2$1</saml:Assertion>"),
			},
			reason: saml.ReasonSignatureShape,
		},
		{name: "two Signature Ids alike", doc: doc{SignResponse: true, SignatureID: "Signature1"}},
	}
}

// Invariant 5: several keys work, with and without KeyInfo, and the dates of a
// certificate are reported, not enforced.
// Obligations: IIP-MD07, SDP-SP37.
func TestInvariant5_Keys(t *testing.T) {
	expired := certificate(t, keys().idp, now.Add(-time.Hour))
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID:     idpEntity,
		Certificates: []*x509.Certificate{certificate(t, keys().other, now.Add(time.Hour)), expired},
		Keys:         []crypto.PublicKey{ecKey(t, elliptic.P256()).Public(), keys().weak.Public()},
	})
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	withoutKeyInfo := func(x string) string {
		return regexp.MustCompile(`(?s)<ds:KeyInfo>.*</ds:KeyInfo>`).ReplaceAllString(x, "")
	}
	for _, after := range []func(string) string{nil, withoutKeyInfo} {
		a, err := sp.Verify(doc{Key: keys().other, After: after}.base64(t), unsolicited)
		require.NoError(t, err)
		require.Empty(t, a.Warnings())
		a, err = sp.Verify(doc{Key: keys().idp, After: after}.base64(t), unsolicited)
		require.NoError(t, err)
		require.Len(t, a.Warnings(), 1, "the certificate is past its dates")
	}
	_, err = sp.Verify(doc{Key: keys().weak}.base64(t), unsolicited)
	requireReason(t, saml.ReasonSignature, err)
}

// ECDSA signatures are r followed by s, as XML Signature has them; what Go and
// goxmldsig make by themselves, ASN.1, is refused.
// Obligations: IIP-ALG03, SDP-ALG01.
func TestECDSA(t *testing.T) {
	for curve, method := range map[elliptic.Curve]string{
		elliptic.P256(): "ecdsa-sha256", elliptic.P384(): "ecdsa-sha384", elliptic.P521(): "ecdsa-sha512",
	} {
		t.Run(curve.Params().Name, func(t *testing.T) {
			key := ecKey(t, curve)
			idp, err := saml.NewIdP(
				saml.IdPConfig{EntityID: idpEntity, Keys: []crypto.PublicKey{keys().other.Public(), key.Public()}},
			)
			require.NoError(t, err)
			sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
			method := "http://www.w3.org/2001/04/xmldsig-more#" + method
			_, err = sp.Verify(doc{Key: rs{key}, Method: method, SignResponse: true}.base64(t), unsolicited)
			require.NoError(t, err)
			_, err = sp.Verify(doc{Key: key, Method: method}.base64(t), unsolicited)
			requireReason(t, saml.ReasonSignature, err)
			_, err = sp.Verify(doc{Key: rs{ecKey(t, curve)}, Method: method}.base64(t), unsolicited)
			requireReason(t, saml.ReasonSignature, err)
		})
	}
	// A key of the other kind is no key for this signature.
	_, err := newSP(t).Verify(doc{Key: rs{ecKey(t, elliptic.P256())}}.base64(t), unsolicited)
	requireReason(t, saml.ReasonSignature, err)
}

// rs signs as XML Signature has it.
type rs struct{ *ecdsa.PrivateKey }

func (k rs) Sign(random io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	r, s, err := ecdsa.Sign(random, k.PrivateKey, digest)
	if err != nil {
		return nil, err
	}
	width := (k.Curve.Params().N.BitLen() + 7) / 8
	return append(r.FillBytes(make([]byte, width)), s.FillBytes(make([]byte, width))...), nil
}

// A user with thousands of groups signs in like any other.
func TestManyElements(t *testing.T) {
	d := doc{Attributes: attributesOf(1, 10_000)}
	a, err := newSP(t).Verify(d.base64(t), unsolicited)
	require.NoError(t, err)
	require.Len(t, a.Values("attribute0"), 10_000)
}

// Invariant 3: what is read is what was signed. Whatever surrounds a signed
// assertion, the values that come out are the signed ones.
func TestInvariant3_ValuesComeFromWhatWasSigned(t *testing.T) {
	sp := newSP(t)
	good, err := sp.Verify(doc{}.base64(t), unsolicited)
	require.NoError(t, err)
	for name, after := range map[string]func(string) string{
		"prefix rebound around it": replace(
			`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_resp1"`,
			`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="urn:evil" ID="_resp1"`,
		),
		"attributes outside": replace(
			`<samlp:Status>`,
			`<samlp:Extensions><saml:AttributeStatement><saml:Attribute Name="role"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></samlp:Extensions><samlp:Status>`,
		),
		"comments": replace(`<saml:Subject>`, `<!-- x --><saml:Subject><!-- y -->`),
	} {
		t.Run(name, func(t *testing.T) {
			a, err := sp.Verify(doc{After: after}.base64(t), unsolicited)
			require.NoError(t, err)
			require.Equal(t, good.NameID(), a.NameID())
			require.Equal(t, good.Attributes(), a.Attributes())
		})
	}
}
