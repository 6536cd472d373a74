package saml_test

import (
	"crypto"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const secondIdP = "https://idp.second.example"

// federated returns an aggregate of two identity providers and a service provider.
func federated(t testing.TB, attributes string) string {
	t.Helper()
	one := idpMetadata(t, "", "signing", "")
	return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_fed" ` + attributes + `><md:Extensions>` +
		`<mdrpi:PublicationInfo xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" publisher="https://fed.example" creationInstant="2026-11-20T00:00:00Z"/>` +
		`</md:Extensions>` + one + `<md:EntitiesDescriptor>` + strings.Replace(one, idpEntity, secondIdP, 1) + `</md:EntitiesDescriptor>` +
		`<md:EntityDescriptor entityID="https://sp.example"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></md:EntityDescriptor>` +
		`</md:EntitiesDescriptor>`
}

// signedMetadata signs an element of a document, the root if path is "".
func signedMetadata(t testing.TB, document, path string, key crypto.Signer, method string) []byte {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(document))
	element := doc.Root()
	if path != "" {
		element = doc.FindElement(path)
		for _, a := range doc.Root().Attr { // it is signed as it will stand alone
			if a.Space == "xmlns" && element.SelectAttr(a.FullKey()) == nil {
				element.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	sign(t, element, key, method, "")
	out, err := doc.WriteToBytes()
	require.NoError(t, err)
	return out
}

func pinned() []crypto.PublicKey { return []crypto.PublicKey{keys().other.Public()} }

// Obligations: IIP-MD03.
func TestVerifyAggregate(t *testing.T) {
	document := signedMetadata(t, federated(t, `validUntil="2026-12-10T00:00:00Z" cacheDuration="PT6H"`), "", keys().other, "")
	a, err := saml.VerifyAggregate(document, pinned())
	require.NoError(t, err)
	assert.True(t, a.Verified())
	assert.Equal(t, []string{idpEntity, secondIdP}, slices.Collect(a.EntityIDs()))
	assert.Equal(t, 2, a.Len())
	assert.Equal(t, time.Date(2026, 12, 10, 0, 0, 0, 0, time.UTC), a.ValidUntil())
	assert.Equal(t, 6*time.Hour, a.CacheDuration())
	assert.Equal(t, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), a.CreationInstant())
	_, single := a.Single()
	assert.False(t, single)

	idp, err := a.IdP(secondIdP)
	require.NoError(t, err)
	assert.Equal(t, secondIdP, idp.EntityID())
	assert.Equal(t, a.ValidUntil(), idp.ValidUntil(), "what the group says holds for the entity")
	for _, other := range []string{"https://sp.example", idpEntity + "/", strings.ToUpper(idpEntity), "",
		" " + idpEntity} { // F34
		assert.False(t, a.Has(other))
		_, err = a.IdP(other)
		requireReason(t, saml.ReasonMetadataEntity, err)
	}

	one, err := saml.ParseAggregate([]byte(idpMetadata(t, "", "signing", "")))
	require.NoError(t, err)
	assert.False(t, one.Verified())
	id, single := one.Single()
	assert.True(t, single)
	assert.Equal(t, idpEntity, id)
}

// D54, F01 to F11 of the catalogue: which signatures are accepted.
// Obligations: IIP-G03, IIP-MD03, SDP-MD02.
func TestVerifyAggregateRefuses(t *testing.T) {
	plain := federated(t, "")
	good := string(signedMetadata(t, plain, "", keys().other, ""))
	_, err := saml.VerifyAggregate([]byte(good), pinned())
	require.NoError(t, err, "the twin")
	signature := func(document string) string {
		i, j := strings.Index(document, "<ds:Signature "), strings.Index(document, "</ds:Signature>")
		return document[i : j+len("</ds:Signature>")]
	}
	child := strings.Replace(plain, "<md:EntityDescriptor ", `<md:EntityDescriptor ID="_child" `, 1)
	for name, c := range map[string]struct {
		document string
		want     saml.Reason
	}{
		"F01 no signature": {plain, saml.ReasonMetadataUnsigned},
		"F02 another key":  {string(signedMetadata(t, plain, "", keys().idp, "")), saml.ReasonMetadataSignature},
		"F03 a child is signed": {string(signedMetadata(t, child, "//EntityDescriptor[@ID='_child']", keys().other, "")),
			saml.ReasonMetadataUnsigned},
		"F04 reference to a child":   {strings.Replace(strings.Replace(good, `URI="#_fed"`, `URI="#_child"`, 1), "<md:EntityDescriptor ", `<md:EntityDescriptor ID="_child" `, 1), saml.ReasonSignatureShape},
		"F05 the original inside":    {strings.Replace(plain, "<md:Extensions>", "<md:Extensions>"+good, 1), saml.ReasonID},
		"F05 its signature in front": {strings.Replace(strings.Replace(plain, `ID="_fed"`, `ID="_forged"`, 1), "<md:Extensions>", signature(good)+"<md:Extensions>"+strings.Replace(good, signature(good), "", 1), 1), saml.ReasonSignatureShape},
		"F07 an Object": {strings.Replace(good, "</ds:Signature>",
			"<ds:Object>"+plain+"</ds:Object></ds:Signature>", 1), saml.ReasonID},
		"F07 an empty Object": {strings.Replace(good, "</ds:Signature>", "<ds:Object/></ds:Signature>", 1),
			saml.ReasonSignatureShape},
		"F08 another transform": {strings.Replace(good, "http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>",
			"http://www.w3.org/TR/1999/REC-xslt-19991116\"/></ds:Transforms>", 1), saml.ReasonAlgorithm},
		"F09 SHA-1": {string(signedMetadata(t, plain, "", keys().other,
			"http://www.w3.org/2000/09/xmldsig#rsa-sha1")), saml.ReasonAlgorithm},
		"F11 a key from inside": {string(signedMetadata(t, plain, "", keys().idp, "")), saml.ReasonMetadataSignature},
		"F20 HTML":              {"<html><body>Sign in to the network</body></html>", saml.ReasonMetadata},
		"F20 nothing":           {"", saml.ReasonMetadata},
		"F23 a DOCTYPE":         {"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + good, saml.ReasonMetadata},
		"a changed key": {strings.Replace(good, "https://idp.example/post", "https://evil.example/post", 1),
			saml.ReasonMetadataSignature},
		"an added entity": {strings.Replace(good, "<md:EntitiesDescriptor>",
			"<md:EntitiesDescriptor>"+strings.Replace(idpMetadata(t, "", "signing", ""), idpEntity, "https://evil.example", 1),
			1), saml.ReasonMetadataSignature},
		"a signature at the end": {strings.Replace(strings.Replace(good, signature(good), "", 1),
			"</md:EntitiesDescriptor>", "</md:EntitiesDescriptor>"+signature(good), 1), saml.ReasonMetadataUnsigned},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, good, c.document)
			a, err := saml.VerifyAggregate([]byte(c.document), pinned())
			requireReason(t, c.want, err)
			require.Nil(t, a)
		})
	}
	_, err = saml.VerifyAggregate([]byte(string(signedMetadata(t, plain, "", keys().weak, ""))),
		[]crypto.PublicKey{keys().weak.Public()}) // F09
	requireReason(t, saml.ReasonKey, err)
	_, err = saml.VerifyAggregate([]byte(good), nil)
	requireReason(t, saml.ReasonConfig, err)
}

// D54, F21, F22, F33: an invalid entity doesn't affect others, and unused parts have no
// effect.
// Obligations: IIP-EXT01.
func TestInvalidEntityDoesNotAffectOthers(t *testing.T) {
	plain := federated(t, "")
	entity := func(id, attrs string) string {
		return strings.Replace(idpMetadata(t, attrs, "signing", ""), idpEntity, id, 1)
	}
	inside := entity("https://twice.example", "") + entity("https://twice.example", "") +
		entity("https://until.example", ` validUntil="never"`) +
		strings.Replace(entity("https://certificate.example", ""), "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", 1) +
		strings.ReplaceAll(entity("https://location.example", ""), `Location="https://`, `Location="javascript:`) + // F26
		`<md:EntityDescriptor entityID="https://odd.example"><md:AffiliationDescriptor/><x:Role xmlns:x="urn:x"/></md:EntityDescriptor>`
	document := signedMetadata(t, strings.Replace(plain, "</md:Extensions>", "</md:Extensions>"+inside, 1), "",
		keys().other, "")
	a, err := saml.VerifyAggregate(document, pinned())
	require.NoError(t, err)
	for id, want := range map[string]saml.Reason{
		"https://twice.example": saml.ReasonMetadataDuplicate, "https://until.example": saml.ReasonMetadata,
		"https://certificate.example": saml.ReasonMetadata, "https://odd.example": saml.ReasonMetadataEntity,
	} {
		_, err := a.IdP(id)
		requireReason(t, want, err)
	}
	assert.Equal(t, []string{"https://twice.example"}, a.Duplicates())
	for _, id := range []string{idpEntity, secondIdP} {
		_, err := a.IdP(id)
		require.NoError(t, err)
	}
	odd, err := a.IdP("https://location.example")
	require.NoError(t, err)
	assert.Empty(t, odd.SSOServices())
}

// F24: an aggregate with too many entities is refused at a bounded cost.
func TestTooManyEntities(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<m:EntitiesDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata">`)
	for range 250_000 {
		b.WriteString(`<m:EntityDescriptor entityID="a"/>`)
	}
	b.WriteString(`</m:EntitiesDescriptor>`)
	_, err := saml.ParseAggregate([]byte(b.String()))
	requireReason(t, saml.ReasonLimit, err)
}

// The depth of an aggregate's groups doesn't multiply the cost of its entities.
// Obligations: IIP-MD02.
func TestNestedGroupsCostNoMore(t *testing.T) {
	allocated := func(depth int) uint64 {
		const group = `<m:EntitiesDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata">`
		document := []byte(strings.Repeat(group, depth) + strings.Repeat(`<m:EntityDescriptor/>`, 90_000) +
			strings.Repeat(`</m:EntitiesDescriptor>`, depth))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := saml.ParseAggregate(document)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		return after.TotalAlloc - before.TotalAlloc
	}
	assert.Less(t, allocated(60), 2*allocated(1))
}

// Another program signs the aggregate.
// Obligations: IIP-MD03.
func TestXmlsecSignsAnAggregate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "aggregate.xml")
	signWithXmlsec(t, testkit.RequireProgram(t, "peers", "xmlsec1"), federated(t, ""), file)
	document, err := os.ReadFile(file)
	require.NoError(t, err)
	a, err := saml.VerifyAggregate(document, pinned())
	require.NoError(t, err)
	assert.Equal(t, 2, a.Len())
}

// signWithXmlsec signs an aggregate whose ID is _fed, and writes it to a file.
func signWithXmlsec(t testing.TB, xmlsec, document, file string) {
	t.Helper()
	const template = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` +
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>` +
		`<ds:Reference URI="#_fed"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
		`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>` +
		`<ds:SignatureValue/></ds:Signature>`
	in := filepath.Join(t.TempDir(), "in.xml")
	first := strings.IndexByte(document, '>') + 1 // the root's content
	require.NoError(t, os.WriteFile(in, []byte(document[:first]+template+document[first:]), 0o600))
	out, err := exec.Command(xmlsec, "--sign", "--privkey-pem", filepath.Join("..", "testdata", "keys", "decryption.pem"),
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", "--output", file, in).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
