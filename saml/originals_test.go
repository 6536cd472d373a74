package saml_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-saml/meridian/saml"
)

// original is a response that is accepted, and what it says.
type original struct {
	name   string
	doc    []byte
	wrap   func([]byte) []byte // makes a response of doc; nil where it is one
	values []any
}

func (o original) response(doc []byte) []byte {
	if o.wrap == nil {
		return doc
	}
	return o.wrap(doc)
}

// soundSP accepts all originals. What is encrypted to it, an attacker can have
// encrypted: its key is public.
func soundSP(t testing.TB) *saml.ServiceProvider {
	return newSP(t, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
}

var madeOriginals struct {
	sync.Once
	all []original
}

// originals are made once, for they are signed.
func originals(t testing.TB) []original {
	madeOriginals.Do(func() { madeOriginals.all = makeOriginals(t) })
	return madeOriginals.all
}

func makeOriginals(t testing.TB) []original {
	attributes := attributesOf(3, 1) +
		`<saml:Attribute Name="groups"><saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue><![CDATA[a<b]]>&amp;c</saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="targeted" FriendlyName="t"><saml:AttributeValue><saml:NameID NameQualifier="q">opaque</saml:NameID></saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="empty"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></saml:Attribute>` +
		`<saml:Attribute Name="odd"><saml:AttributeValue xml:lang="de" xmlns:o="http://a.example/" o:a="1 2">ä&#13;€</saml:AttributeValue></saml:Attribute>`
	pretty := func(x string) string {
		return strings.NewReplacer(
			"<samlp:Status>", "\n  <samlp:Status>", "<saml:Assertion ", "\n  <!-- the assertion --><saml:Assertion ",
		).
			Replace(x)
	}
	var out []original
	for _, o := range []struct {
		name string
		doc  doc
	}{
		{"assertion signed", doc{Attributes: attributes}},
		{"assertion signed, solicited", doc{Attributes: attributes, RequestID: "_r1", After: pretty}},
		{"assertion signed with a PrefixList", doc{UnsignedAssertion: true, After: listedByHand}},
		{"Response signed", doc{Attributes: attributes, SignResponse: true, UnsignedAssertion: true, RequestID: "_r1"}},
		{"both signed", doc{Attributes: attributes, SignResponse: true}},
		{"small, assertion signed", doc{}},
		{"small, both signed", doc{SignResponse: true}},
	} {
		x := o.doc.xml(t)
		out = append(out, original{name: o.name, doc: x})
	}
	plain := doc{Attributes: attributes}.xml(t)
	from, to := bytes.Index(plain, []byte("<saml:Assertion ")), bytes.Index(plain, []byte("</samlp:Response>"))
	seal := func(assertion []byte) []byte {
		return slices.Concat(plain[:from], []byte(sealing{}.seal(string(assertion))), plain[to:])
	}
	out = append(
		out,
		original{name: "encrypted, signed within: what is around", doc: seal(plain[from:to])},
		original{name: "encrypted, signed within: what is inside", doc: plain[from:to], wrap: seal},
		// What is inside uses declarations around it, which a
		// signature may cover or not.
		original{
			name: "encrypted, signed around",
			doc:  doc{Attributes: attributes, SignResponse: true, UnsignedAssertion: true, Encrypt: sealing{}.seal}.xml(t),
		},
		original{
			name: "encrypted, both signed",
			doc:  doc{Attributes: attributes, SignResponse: true, Encrypt: sealing{}.seal}.xml(t),
		},
		original{
			name: "encrypted attribute",
			doc: doc{
				SignResponse: true,
				Attributes: sealing{
					element: "EncryptedAttribute",
				}.seal(
					`<saml:Attribute Name="role"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>`,
				),
			}.xml(
				t,
			),
		},
	)
	for i, o := range out {
		out[i].values = said(mustVerify(t, o.response(o.doc)))
	}
	return out
}

// listedByHand signs an assertion that is written in canonical form, so that
// no canonicaliser is needed for it: a PrefixList keeps xs, which only a value
// uses, and the default namespace, which nothing uses.
func listedByHand(x string) string {
	const start = `<saml:Assertion xmlns="urn:unused" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_asrt1" IssueInstant="2026-11-22T12:00:00Z" Version="2.0"><saml:Issuer>` + idpEntity + `</saml:Issuer>`
	const rest = `<saml:Subject><saml:NameID>alice@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-11-22T12:05:00Z" Recipient="` + usACS + `"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="2026-11-22T11:55:00Z" NotOnOrAfter="2026-11-22T12:05:00Z">` + oneAudience +
		`</saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="2026-11-22T12:00:00Z" SessionIndex="_s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
		`<saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">a&lt;b&amp;c</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>`
	const exclusive = `"http://www.w3.org/2001/10/xml-exc-c14n#"`
	digest := sha256.Sum256([]byte(start + rest))
	info := `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm=` +
		exclusive +
		`></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>` +
		`<ds:Reference URI="#_asrt1"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm=` + exclusive + `><ec:InclusiveNamespaces xmlns:ec=` + exclusive + ` PrefixList="xs #default"></ec:InclusiveNamespaces></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>` +
		base64.StdEncoding.EncodeToString(
			digest[:],
		) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	digest = sha256.Sum256([]byte(info))
	value, err := rsa.SignPKCS1v15(nil, keys().idp, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	signature := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + info + `<ds:SignatureValue>` +
		base64.StdEncoding.EncodeToString(
			value,
		) + `</ds:SignatureValue></ds:Signature>`
	from, to := strings.Index(x, "<saml:Assertion "), strings.Index(x, "</samlp:Response>")
	return x[:from] + start + signature + rest + x[to:]
}

var anyExpect = saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}, Unsolicited: true}
