package xmlenc_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

// Every one of these is refused before a private key is used.
func TestRefusedBeforeAnyKeyIsUsed(t *testing.T) {
	nested, detached := message{}.String(), message{
		detached: true,
		to:       []envelope{{key: keys().a, attrs: `Id="_k"`}},
	}.String()
	sub := func(doc, pattern, by string) string {
		re := regexp.MustCompile("(?s)" + pattern)
		require.Regexp(t, re, doc)
		at := re.FindStringSubmatchIndex(doc)
		return doc[:at[0]] + string(re.ExpandString(nil, by, doc, at)) + doc[at[1]:]
	}
	const data = `(<xenc:EncryptedData.*</xenc:EncryptedData>)`
	for _, c := range []struct {
		name, doc string
		kind      xmlenc.Reason
	}{
		{"empty", `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`, xmlenc.Shape},
		{"no EncryptedData", sub(detached, data, ""), xmlenc.Shape},
		{"two EncryptedData", sub(nested, data, "$1$1"), xmlenc.Shape},
		{"EncryptedKey first", sub(detached, data+`(<xenc:EncryptedKey.*</xenc:EncryptedKey>)`, "$2$1"), xmlenc.Shape},
		{"something after it", sub(nested, data, "$1<x/>"), xmlenc.Shape},
		{"another Type", sub(nested, `xmlenc#Element"`, `xmlenc#Content"`), xmlenc.Shape},
		{"no EncryptionMethod", sub(nested, `<xenc:EncryptionMethod[^>]*/>`, ""), xmlenc.Shape},
		{"no Algorithm", sub(nested, ` Algorithm="[^"]*"`, ""), xmlenc.Algorithm},
		{"two EncryptionMethods", sub(nested, `(<xenc:EncryptionMethod[^>]*/>)`, "$1$1"), xmlenc.Shape},
		{"two KeyInfo", sub(nested, `(<ds:KeyInfo>.*</ds:KeyInfo>)`, "$1$1"), xmlenc.Shape},
		{"no KeyInfo and no EncryptedKey", sub(nested, `<ds:KeyInfo>.*</ds:KeyInfo>`, ""), xmlenc.Shape},
		{
			"KeyInfo without EncryptedKey", sub(nested, `<xenc:EncryptedKey.*</xenc:EncryptedKey>`, "<ds:KeyName/>"),
			xmlenc.Shape,
		},
		{"no CipherData", sub(nested, `<xenc:CipherData>.*?</xenc:CipherData>`, ""), xmlenc.Shape},
		{"no CipherValue", sub(nested, `<xenc:CipherValue>.*?</xenc:CipherValue>`, ""), xmlenc.Shape},
		{"two CipherValues", sub(nested, `(<xenc:CipherValue>.*?</xenc:CipherValue>)`, "$1$1"), xmlenc.Shape},
		{"CipherValue of junk", sub(nested, `<xenc:CipherValue>`, "<xenc:CipherValue>!"), xmlenc.Shape},
		{"element in CipherValue", sub(nested, `<xenc:CipherValue>`, "<xenc:CipherValue><x/>"), xmlenc.Shape},
		{
			"E06 CipherReference",
			sub(nested, `<xenc:CipherValue>.*?</xenc:CipherValue>`, `<xenc:CipherReference URI="https://evil.example/"/>`),
			xmlenc.Shape,
		},
		{
			"E06 CipherReference to an ID",
			sub(nested, `<xenc:CipherValue>.*?</xenc:CipherValue>`, `<xenc:CipherReference URI="#_x"/>`), xmlenc.Shape,
		},
		{
			"E06 RetrievalMethod in a KeyInfo of EncryptedKey",
			sub(nested, `<ds:KeyName>x</ds:KeyName>`, `<ds:RetrievalMethod URI="https://evil.example/"/>`), xmlenc.Shape,
		},
		{
			"E06 KeyInfoReference",
			sub(
				nested, `<ds:KeyName>x</ds:KeyName>`, `<y:KeyInfoReference xmlns:y="http://www.w3.org/2009/xmldsig11#" URI="#_x"/>`,
			),
			xmlenc.Shape,
		},
		{
			"RetrievalMethod with transforms",
			sub(
				detached, `(<xenc:EncryptionMethod[^>]*/>)`,
				`$1<ds:KeyInfo><ds:RetrievalMethod URI="#_k"><ds:Transforms/></ds:RetrievalMethod></ds:KeyInfo>`,
			),
			xmlenc.Shape,
		},
		{
			"RetrievalMethod to a certificate",
			sub(
				detached, `(<xenc:EncryptionMethod[^>]*/>)`,
				`$1<ds:KeyInfo><ds:RetrievalMethod Type="http://www.w3.org/2000/09/xmldsig#X509Data" URI="#_k"/></ds:KeyInfo>`,
			),
			xmlenc.Shape,
		},
		{
			"something at the end of EncryptedData", sub(nested, `</xenc:EncryptedData>`, "<x/></xenc:EncryptedData>"),
			xmlenc.Shape,
		},
		{"E09 3DES", sub(nested, regexp.QuoteMeta(gcm256), xenc+"tripledes-cbc"), xmlenc.Algorithm},
		{"unknown cipher", sub(nested, regexp.QuoteMeta(gcm256), "urn:none"), xmlenc.Algorithm},
		{
			"parameter of the cipher", sub(nested, `(<xenc:EncryptionMethod[^>]*)/>`, `$1><x/></xenc:EncryptionMethod>`),
			xmlenc.Algorithm,
		},
		{
			"another KeySize",
			sub(nested, `(<xenc:EncryptionMethod[^>]*)/>`, `$1><xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>`),
			xmlenc.Algorithm,
		},
		{"unknown transport", sub(nested, regexp.QuoteMeta(mgf1p), "urn:none"), xmlenc.Algorithm},
		{"key wrap", sub(nested, regexp.QuoteMeta(mgf1p), xenc+"kw-aes128"), xmlenc.Algorithm},
		{
			"RSA 1.5 with parameters",
			sub(message{transport: oaep, digest: xenc + "sha256"}.String(), regexp.QuoteMeta(oaep), rsa15), xmlenc.Algorithm,
		},
		{
			"two digests", sub(message{transport: oaep, digest: xenc + "sha256"}.String(), `(<ds:DigestMethod[^>]*>)`, "$1$1"),
			xmlenc.Shape,
		},
		{"long label", message{label: make([]byte, 257)}.String(), xmlenc.Shape},
		{"label of junk", sub(message{label: []byte("x")}.String(), `eA==`, "!"), xmlenc.Shape},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := &counter{PrivateKey: keys().a}
			_, err := decrypt(c.doc, loose, key)
			requireReason(t, c.kind, err)
			require.Zero(t, key.n.Load())
		})
	}
}

// What is refused unless the policy says otherwise, and what makes it accepted.
func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		name           string
		m              message
		policy, enough xmlenc.Policy
	}{
		{"CBC", message{data: cbc128}, xmlenc.Policy{AllowRSA15: true}, xmlenc.Policy{AllowUnauthenticatedCBC: true}},
		{"CBC in a signature", message{data: cbc256}, xmlenc.Policy{}, xmlenc.Policy{Authenticated: true}},
		{
			"RSA 1.5", message{transport: rsa15}, xmlenc.Policy{Authenticated: true, AllowUnauthenticatedCBC: true},
			xmlenc.Policy{AllowRSA15: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := &counter{PrivateKey: keys().a}
			_, err := decrypt(c.m.String(), c.policy, key)
			requireReason(t, xmlenc.Algorithm, err)
			require.Zero(t, key.n.Load())
			got, err := decrypt(c.m.String(), c.enough, key)
			require.NoError(t, err)
			require.Equal(t, good, got)
		})
	}
}

// Variants that mean the same.
func TestAcceptedForms(t *testing.T) {
	id := []envelope{{key: keys().a, attrs: `Id="_k" Recipient="x"`}}
	nested, detached := message{}.String(), message{detached: true, to: id}.String()
	for name, doc := range map[string]string{
		"detached":    detached,
		"referred to": message{retrieval: "#_k", to: id}.String(),
		"no Type":     strings.Replace(nested, ` Type="`+xenc+`Element"`, "", 1),
		"white space": regexp.MustCompile(`<xenc:CipherValue>(.{20})`).ReplaceAllString(
			nested, "<xenc:CipherValue>\n $1\n\t",
		),
		"KeySize": strings.Replace(
			nested, gcm256+`"/>`, gcm256+`"><xenc:KeySize>256</xenc:KeySize></xenc:EncryptionMethod>`, 1,
		),
		"all that may follow": strings.Replace(detached, `</xenc:EncryptedKey>`,
			`<xenc:EncryptionProperties/><xenc:ReferenceList><xenc:DataReference URI="#_d"/></xenc:ReferenceList><xenc:CarriedKeyName>k</xenc:CarriedKeyName></xenc:EncryptedKey>`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decrypt(doc, xmlenc.Policy{}, keys().a)
			require.NoError(t, err)
			require.Equal(t, good, got)
		})
	}
}
