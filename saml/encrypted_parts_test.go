package saml_test

import (
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const nameIDXML = `<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">bob@example.com</saml:NameID>`

// encryptedID replaces the NameID before the assertion is signed.
func encryptedID(s sealing, plain string) func(*etree.Element) {
	s.element = "EncryptedID"
	return func(r *etree.Element) {
		id := r.FindElement(".//NameID")
		id.Parent().InsertChildAt(id.Index(), parseXML(s.seal(plain)))
		id.Parent().RemoveChild(id)
	}
}

func TestEncryptedID(t *testing.T) {
	other := sealing{element: "EncryptedID"}.seal(nameIDXML)
	swapped := func(x string) string {
		from, to := strings.Index(x, "<saml:EncryptedID"), strings.Index(x, "</saml:EncryptedID>")+len("</saml:EncryptedID>")
		return x[:from] + other + x[to:]
	}
	for _, r := range []encryptedRow{
		{name: "good", doc: doc{Before: encryptedID(sealing{}, nameIDXML)}, ops: 1},
		{name: "CBC", doc: doc{Before: encryptedID(sealing{data: cbc256}, nameIDXML)}, ops: 1},
		{
			name: "in an encrypted assertion", doc: doc{Before: encryptedID(sealing{}, nameIDXML), Encrypt: sealing{}.seal},
			ops: 2,
		},
		{
			name: "in an encrypted assertion, CBC",
			doc: doc{
				SignResponse: true, UnsignedAssertion: true, Before: encryptedID(sealing{data: cbc256}, nameIDXML),
				Encrypt: sealing{data: cbc256}.seal,
			},
			ops: 2,
		},
		{
			name: "E12 from another assertion", doc: doc{Before: encryptedID(sealing{}, nameIDXML), After: swapped},
			reason: saml.ReasonSignature,
		},
		{
			name: "E12 not signed", doc: doc{UnsignedAssertion: true, Before: encryptedID(sealing{}, nameIDXML)},
			reason: saml.ReasonUnsigned,
		},
		{name: "beside a NameID", doc: doc{Before: add(".//Subject", other)}, reason: saml.ReasonNameID},
		{
			name:   "two of them",
			doc:    doc{Before: func(r *etree.Element) { encryptedID(sealing{}, nameIDXML)(r); add(".//Subject", other)(r) }},
			reason: saml.ReasonNotResponse,
		},
		{
			name: "something else in it", doc: doc{Before: encryptedID(sealing{}, "<saml:Issuer>x</saml:Issuer>")},
			reason: saml.ReasonEncrypted, ops: 1,
		},
		{name: "two in it", doc: doc{Before: encryptedID(sealing{}, nameIDXML+nameIDXML)}, reason: saml.ReasonXML, ops: 1},
		{
			name:   "C01 a comment in it",
			doc:    doc{Before: encryptedID(sealing{}, strings.Replace(nameIDXML, "bob", "bob<!-- -->", 1))},
			reason: saml.ReasonText, ops: 1,
		},
		{
			name: "C07 an element in it",
			doc:  doc{Before: encryptedID(sealing{}, strings.Replace(nameIDXML, "bob", "bob<a/>", 1))}, reason: saml.ReasonText,
			ops: 1,
		},
		{name: "RSA 1.5", doc: doc{Before: encryptedID(sealing{transport: rsa15}, nameIDXML)}, reason: saml.ReasonAlgorithm},
		{
			name: "no key", doc: doc{Before: encryptedID(sealing{}, nameIDXML)},
			with: func(c *saml.Config) { c.DecryptionKeys = nil }, reason: saml.ReasonEncrypted,
		},
		{
			name: "wrong key", doc: doc{Before: encryptedID(sealing{to: []*rsa.PrivateKey{keys().weak}}, nameIDXML)},
			reason: saml.ReasonEncrypted, ops: 1,
		},
	} {
		t.Run(r.name, func(t *testing.T) { r.verify(t, "bob@example.com") })
	}
}

func TestEncryptedAttributes(t *testing.T) {
	plain := func(name, value string) string {
		return fmt.Sprintf(
			`<saml:Attribute Name="%s"><saml:AttributeValue>%s</saml:AttributeValue></saml:Attribute>`,
			name,
			value,
		)
	}
	sealed := func(name, value string) string {
		return sealing{element: "EncryptedAttribute", data: cbc256}.seal(plain(name, value))
	}
	var key *countingKey
	sp := newSP(t, func(c *saml.Config) { key = decrypting(c) })
	good := doc{Attributes: plain("a", "1") + sealed("b", "2") + sealed("a", "3") + plain("c", "4") + plain("b", "5")}
	a, err := sp.Verify(good.base64(t), unsolicited)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3"}, a.Values("a"), "joined in document order, encrypted or not")
	require.Equal(t, []string{"2", "5"}, a.Values("b"))
	require.Equal(t, []string{"4"}, a.Values("c"))
	require.Len(t, a.Attributes(), 3)

	// E12: not even another good one of the same identity provider fits.
	swapped := doc{Attributes: sealed("role", "user"), After: func(x string) string {
		from, to := strings.Index(x, "<saml:EncryptedAttribute"), strings.Index(x, "</saml:AttributeStatement>")
		return x[:from] + sealed("role", "admin") + x[to:]
	}}
	key.n.Store(0)
	_, err = sp.Verify(swapped.base64(t), unsolicited)
	requireReason(t, saml.ReasonSignature, err)
	require.Zero(t, key.n.Load())

	for inside, reason := range map[string]saml.Reason{
		nameIDXML:                         saml.ReasonEncrypted,
		plain("a", "1") + plain("a", "2"): saml.ReasonXML,
		"x":                               saml.ReasonXML,
	} {
		_, err = sp.Verify(doc{Attributes: sealing{element: "EncryptedAttribute"}.seal(inside)}.base64(t), unsolicited)
		requireReason(t, reason, err)
	}

	// 64 operations a message, however they are spent.
	for n, want := range map[int]saml.Reason{64: "", 65: saml.ReasonLimit} {
		key.n.Store(0)
		a, err := sp.Verify(doc{Attributes: strings.Repeat(sealed("a", "1"), n)}.base64(t), unsolicited)
		require.EqualValues(t, 64, key.n.Load())
		if want != "" {
			requireReason(t, want, err)
			require.Nil(t, a)
			continue
		}
		require.NoError(t, err)
		require.Len(t, a.Values("a"), n)
	}

	// The first one that is refused ends it.
	key.n.Store(0)
	bad := sealing{element: "EncryptedAttribute", to: []*rsa.PrivateKey{keys().weak}}.seal(plain("a", "1"))
	_, err = sp.Verify(doc{Attributes: bad + strings.Repeat(sealed("a", "1"), 20)}.base64(t), unsolicited)
	requireReason(t, saml.ReasonEncrypted, err)
	require.EqualValues(t, 1, key.n.Load())
}
