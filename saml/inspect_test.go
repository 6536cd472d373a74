package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// inspect returns the reports on the entities of a document.
func inspect(t testing.TB, document string, o saml.InspectOptions) []*saml.EntityReport {
	t.Helper()
	a, err := saml.ParseAggregate([]byte(document))
	require.NoError(t, err)
	return slices.Collect(a.Inspect(o))
}

// withCertificate replaces the first certificate of a document by one of key.
func withCertificate(t testing.TB, document string, key crypto.Signer) string {
	t.Helper()
	head, rest, _ := strings.Cut(document, "<ds:X509Certificate>")
	_, tail, _ := strings.Cut(rest, "</ds:X509Certificate>")
	return head + "<ds:X509Certificate>" +
		base64.StdEncoding.EncodeToString(certificate(t, key, now.Add(time.Hour)).Raw) + "</ds:X509Certificate>" + tail
}

// reasonsOf returns the Reasons of problems.
func reasonsOf(r *saml.EntityReport) (reasons []saml.Reason) {
	for _, p := range r.Problems {
		reasons = append(reasons, p.Reason)
	}
	return reasons
}

// A report has what was read of an identity provider, and what was not.
func TestInspect(t *testing.T) {
	const extensions = `<md:Extensions>` +
		`<mdrpi:RegistrationInfo xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" registrationAuthority="https://fed.example" registrationInstant="2020-02-03T04:05:06Z"/>` +
		`<mdattr:EntityAttributes xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><saml:Attribute Name="` + saml.EntityCategory + `"><saml:AttributeValue> https://category.example </saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>` +
		`<shibmd:Scope xmlns:shibmd="urn:mace:shibboleth:metadata:1.0">one.example</shibmd:Scope>` +
		`<shibmd:Scope xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" regexp="true">(</shibmd:Scope>` +
		`</md:Extensions>`
	role := strings.NewReplacer(
		"</ds:KeyInfo></md:KeyDescriptor>", `</ds:KeyInfo><md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/><md:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#tripledes-cbc"/></md:KeyDescriptor>`,
		"https://idp.example/redirect", "http://user:secret@idp.example/redirect",
	).Replace(strings.Replace(idpMetadata(t, "", "any encryption odd",
		"<md:NameIDFormat>\n urn:format:one </md:NameIDFormat>"), `:2.0:protocol">`,
		`:2.0:protocol" cacheDuration="PT1H"><md:Extensions>`+signing(rsaSHA1, `MinKeySize="2048"`)+
			signing(sigMore+"rsa-sha256", "")+digesting(xmlSHA256)+`</md:Extensions>`, 1))
	entity := strings.Replace(role, "<md:IDPSSODescriptor", extensions+`<md:SPSSODescriptor/><md:IDPSSODescriptor`, 1)
	document := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" Name="https://fed.example/all" validUntil="2026-12-24T00:00:00Z">` +
		`<md:EntitiesDescriptor Name="inner" validUntil="2026-12-01T00:00:00Z">` + entity + `</md:EntitiesDescriptor>` +
		`<md:EntityDescriptor entityID="https://sp.example"><md:SPSSODescriptor/></md:EntityDescriptor></md:EntitiesDescriptor>`

	reports := inspect(t, document, saml.InspectOptions{Now: now})
	require.Len(t, reports, 2)
	r := reports[0]
	require.Empty(t, r.Problems)
	require.True(t, r.Provider)
	assert.Equal(t, idpEntity, r.IdP.EntityID())
	assert.Equal(t, idpEntity, r.Description.EntityID)
	assert.Equal(t, []string{"SPSSODescriptor", "IDPSSODescriptor"}, r.Roles)
	assert.Equal(t, r.IdP.Warnings(), r.Warnings)

	inner := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	assert.Equal(t, []saml.Lifetime{
		{Element: "EntitiesDescriptor", Name: "inner", ValidUntil: inner},
		{Element: "EntitiesDescriptor", Name: "https://fed.example/all", ValidUntil: inner.AddDate(0, 0, 23)},
		{Element: "IDPSSODescriptor", CacheDuration: time.Hour},
	}, r.Lifetimes)
	assert.Equal(t, r.Lifetimes[0], r.Ends)
	assert.Equal(t, r.IdP.ValidUntil(), r.Ends.ValidUntil)

	require.Len(t, r.Keys, 3)
	both, encryption, odd := r.Keys[0], r.Keys[1], r.Keys[2]
	assert.True(t, both.Trusted)
	assert.Empty(t, both.Use)
	assert.Empty(t, both.Ignored)
	assert.Equal(t, keys().idp.Public(), both.Public)
	assert.False(t, encryption.Trusted)
	assert.Equal(t, "encryption", encryption.Use)
	assert.Empty(t, encryption.Ignored)
	assert.Equal(t, keys().other.Public(), encryption.Public)
	assert.Equal(t, []saml.AlgorithmReport{
		{Element: "EncryptionMethod", URI: "http://www.w3.org/2009/xmlenc11#aes128-gcm", Usable: true},
		{Element: "EncryptionMethod", URI: "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"},
	}, encryption.EncryptionMethods)
	assert.False(t, odd.Trusted)
	assert.Nil(t, odd.Public)
	assert.Contains(t, odd.Ignored[0], `use "odd"`)

	require.Len(t, r.Endpoints, 3)
	assert.Contains(t, r.Endpoints[0].Ignored, "neither HTTP-Redirect nor HTTP-POST")
	assert.Equal(t, saml.EndpointReport{SSOService: r.IdP.SSOServices()[0]}, r.Endpoints[1])
	assert.Contains(t, r.Endpoints[2].Ignored, "must have neither user information")
	assert.NotContains(t, r.Endpoints[2].URL, "secret")

	assert.Equal(t, []saml.AlgorithmReport{
		{Element: "SigningMethod", URI: rsaSHA1, MinBits: 2048},
		{Element: "SigningMethod", URI: sigMore + "rsa-sha256", Usable: true},
		{Element: "DigestMethod", URI: xmlSHA256, Usable: true},
	}, r.Algorithms)
	assert.Equal(t, saml.ScopeReport{Scope: "one.example"}, r.Scopes[0])
	assert.True(t, r.Scopes[1].Pattern)
	assert.Contains(t, r.Scopes[1].Ignored, "is not a regular expression")
	assert.Equal(t, []string{"urn:format:one"}, r.NameIDFormats)
	assert.Equal(t, saml.Registration{Authority: "https://fed.example",
		Instant: time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)}, r.Registration)
	assert.Equal(t, []saml.EntityAttribute{{Name: saml.EntityCategory, Values: []string{"https://category.example"}}},
		r.Attributes)

	sp := reports[1]
	assert.Equal(t, &saml.EntityReport{Description: saml.Description{EntityID: "https://sp.example"},
		Roles: []string{"SPSSODescriptor"}}, sp)
}

// Each problem makes the identity provider unusable, and has its Reason. An unusable
// one has no effect on others.
func TestInspectProblems(t *testing.T) {
	good := idpMetadata(t, "", "signing", "")
	with := func(extensions string) string {
		return strings.Replace(good, `:2.0:protocol">`, `:2.0:protocol"><md:Extensions>`+extensions+`</md:Extensions>`, 1)
	}
	weak := withCertificate(t, good, keys().weak)
	onlyPOST := func(document string) string {
		return strings.Replace(document, `Location="https://idp.example/redirect"`, `Location="ftp://idp.example"`, 1)
	}
	for _, c := range []struct {
		name, document string
		options        saml.InspectOptions
		want           []saml.Reason
	}{
		{"good", good, saml.InspectOptions{Now: now}, nil},
		{"expired", idpMetadata(t, ` validUntil="2026-11-01T00:00:00Z"`, "signing", ""), saml.InspectOptions{Now: now},
			[]saml.Reason{saml.ReasonMetadataExpired}},
		{"expired, allowed", idpMetadata(t, ` validUntil="2026-11-01T00:00:00Z"`, "signing", ""),
			saml.InspectOptions{Now: now, InsecureAllowExpiredMetadata: true}, nil},
		{"no time given", idpMetadata(t, ` validUntil="2001-11-01T00:00:00Z"`, "signing", ""),
			saml.InspectOptions{}, nil},
		{"within the default skew", idpMetadata(t, ` validUntil="`+now.Add(-179*time.Second).Format(time.RFC3339)+`"`,
			"signing", ""), saml.InspectOptions{Now: now}, nil},
		{"beyond a smaller skew", idpMetadata(t, ` validUntil="`+now.Add(-179*time.Second).Format(time.RFC3339)+`"`,
			"signing", ""), saml.InspectOptions{Now: now, Skew: time.Minute}, []saml.Reason{saml.ReasonMetadataExpired}},
		{"no key", idpMetadata(t, "", "encryption", ""), saml.InspectOptions{}, []saml.Reason{saml.ReasonMetadata}},
		{"weak key", weak, saml.InspectOptions{}, []saml.Reason{saml.ReasonKey}},
		{"weak key, allowed", weak, saml.InspectOptions{InsecureAllowRSA1024: true}, nil},
		{"F26 no usable address", strings.ReplaceAll(good, `Location="https:`, `Location="javascript:`),
			saml.InspectOptions{}, []saml.Reason{saml.ReasonMetadata}},
		{"K13 SHA-1 only", with(signing(rsaSHA1, "")), saml.InspectOptions{}, []saml.Reason{saml.ReasonAlgorithm}},
		{"an algorithm that we verify and never make", with(signing(sigMore+"rsa-sha512", "")), saml.InspectOptions{},
			[]saml.Reason{saml.ReasonAlgorithm}},
		{"one that we make among others", with(signing(rsaSHA1, "") + signing(sigMore+"ecdsa-sha384", "")),
			saml.InspectOptions{}, nil},
		{"K13, requests are not signed", with(signing(rsaSHA1, "")), saml.InspectOptions{UnsignedRequests: true}, nil},
		{"K13, but it wants them signed",
			strings.Replace(with(signing(rsaSHA1, "")), "<md:IDPSSODescriptor", `<md:IDPSSODescriptor WantAuthnRequestsSigned="true"`, 1),
			saml.InspectOptions{UnsignedRequests: true}, []saml.Reason{saml.ReasonAlgorithm}},
		{"SHA-1 digest only, by POST", onlyPOST(with(digesting("http://www.w3.org/2000/09/xmldsig#sha1"))),
			saml.InspectOptions{}, []saml.Reason{saml.ReasonAlgorithm}},
		{"SHA-1 digest only, by Redirect", with(digesting("http://www.w3.org/2000/09/xmldsig#sha1")),
			saml.InspectOptions{}, nil},
		{"several", strings.ReplaceAll(weak, `Location="https:`, `Location="ftp:`), saml.InspectOptions{},
			[]saml.Reason{saml.ReasonKey, saml.ReasonMetadata}},
		{"SAML 1.1", strings.Replace(good, "SAML:2.0:protocol", "SAML:1.1:protocol", 1), saml.InspectOptions{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := strings.Replace(good, idpEntity, secondIdP, 1)
			reports := inspect(t, `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">`+c.document+
				second+`</md:EntitiesDescriptor>`, c.options)
			require.Len(t, reports, 2)
			assert.Equal(t, c.want, reasonsOf(reports[0]))
			assert.Equal(t, c.name != "SAML 1.1", reports[0].Provider)
			assert.Empty(t, reports[1].Problems)
		})
	}
	twice := inspect(t, `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">`+good+good+
		`</md:EntitiesDescriptor>`, saml.InspectOptions{})
	require.Len(t, twice, 2)
	for _, r := range twice {
		assert.Nil(t, r.IdP)
		assert.Equal(t, []saml.Reason{saml.ReasonMetadataDuplicate}, reasonsOf(r))
	}
}

// A report agrees with what a service provider does.
func TestInspectAgreesWithIdP(t *testing.T) {
	n := 0
	for _, v := range vectorsOf(t, "metadata") {
		if a, err := saml.ParseAggregate(v.document(t)); err == nil {
			n += requireReports(t, a)
		}
	}
	require.Greater(t, n, 30, "too few vectors have an identity provider")
}

// requireReports requires the reports on identity providers to agree with IdP, and
// returns their number.
func requireReports(t testing.TB, a *saml.Aggregate) (n int) {
	t.Helper()
	for r := range a.Inspect(saml.InspectOptions{Now: now}) {
		id := r.Description.EntityID
		require.Equal(t, a.Has(id), r.Provider, id)
		if !r.Provider {
			require.Empty(t, r.Problems)
			continue
		}
		n++
		idp, err := a.IdP(id)
		if err != nil {
			require.Nil(t, r.IdP)
			require.NotEmpty(t, r.Problems)
			if r.Problems[0].Reason != saml.ReasonMetadata { // with that, a duplicate has two problems
				require.EqualError(t, r.Problems[0], err.Error())
			}
			continue
		}
		require.Equal(t, idp, r.IdP)
		require.Equal(t, idp.Warnings(), r.Warnings)
		require.True(t, idp.ValidUntil().Equal(r.Ends.ValidUntil))
		used := slices.DeleteFunc(slices.Clone(r.Endpoints), func(e saml.EndpointReport) bool { return e.Ignored != "" })
		require.True(t, len(idp.SSOServices()) == len(used) || len(r.Endpoints) == 4096)
		if len(r.Problems) == 0 {
			trusted := slices.ContainsFunc(r.Keys, func(k saml.KeyReport) bool { return k.Trusted })
			require.True(t, trusted || len(r.Keys) == 64)
		}
	}
	return n
}

// Lists are bounded, also where the document has more, and a long list of encryption
// keys doesn't make an identity provider unusable.
func TestInspectIsBounded(t *testing.T) {
	good := idpMetadata(t, "", "signing", "")
	from, to := strings.Index(good, "<md:KeyDescriptor"), strings.Index(good, "<md:SingleSignOnService")
	key := good[from:to]
	encryption := strings.Replace(key, `use="signing"`, `use="encryption"`, 1)
	document := strings.Replace(good, key, strings.Repeat(encryption, 100)+key+
		strings.Repeat("<md:NameIDFormat>urn:x</md:NameIDFormat>", 5000), 1)
	document = strings.Replace(document, "<md:IDPSSODescriptor",
		`<md:Extensions>`+strings.Repeat(`<md:Any/>`, 10)+`</md:Extensions>`+strings.Repeat("<md:XDescriptor/>", 10)+
			"<md:IDPSSODescriptor", 1)
	document = strings.Replace(document, "<md:SingleSignOnService",
		strings.Repeat(`<md:SingleSignOnService Binding="`+saml.HTTPPost+`" Location="x"/>`, 5000)+
			"<md:SingleSignOnService", 1)
	group := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2030-01-01T00:00:00Z" Name="` +
		strings.Repeat("x", 10_000) + `">`
	group = strings.Replace(group, "2030", "2029", 1) + strings.Repeat(group, 20) + document +
		strings.Repeat(`</md:EntitiesDescriptor>`, 21)
	r := inspect(t, group, saml.InspectOptions{})[0]
	assert.Empty(t, r.Problems)
	assert.Len(t, r.Keys, 64)
	assert.Len(t, r.NameIDFormats, 4096)
	assert.Equal(t, []string{"XDescriptor", "IDPSSODescriptor"}, r.Roles)
	assert.Len(t, r.Endpoints, 4096)
	assert.Len(t, r.Warnings, 1000)
	assert.Equal(t, r.Warnings, r.IdP.Warnings())
	assert.Len(t, r.Lifetimes, 8)
	assert.Equal(t, 2029, r.Ends.ValidUntil.Year(), "that of the root, which the list doesn't reach")
	assert.Less(t, len(r.Ends.Name), 300)
}

// An ECDSA key is trusted whatever the least size of an RSA key is.
func TestInspectECDSA(t *testing.T) {
	document := withCertificate(t, idpMetadata(t, "", "signing", ""), ecKey(t, elliptic.P256()))
	r := inspect(t, document, saml.InspectOptions{})[0]
	assert.Empty(t, r.Problems)
	assert.True(t, r.Keys[0].Trusted)
	assert.IsType(t, &ecdsa.PublicKey{}, r.Keys[0].Public)
	assert.NotNil(t, r.Keys[0].Certificate)
}

// Keys for encryption, which only a report reads, don't use up what is spent on the
// chains of signing keys.
func TestInspectReadsEncryptionKeysApart(t *testing.T) {
	s := signers()
	chain := x509Data(issued(t, s.root.Public(), s.root), issued(t, s.middle.Public(), s.root),
		issued(t, s.leaf.Public(), s.middle), issued(t, s.apart.Public(), s.apart))
	descriptor := func(use, inside string) string {
		return `<md:KeyDescriptor use="` + use + `"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + inside +
			`</ds:KeyInfo></md:KeyDescriptor>`
	}
	leaf := x509Data(issued(t, s.root.Public(), s.root), issued(t, s.leaf.Public(), s.root))
	document := strings.Replace(idpMetadata(t, "", "", ""), "<md:SingleSignOnService",
		strings.Repeat(descriptor("encryption", chain), 60)+descriptor("signing", leaf)+"<md:SingleSignOnService", 1)
	r := inspect(t, document, saml.InspectOptions{})[0]
	require.Empty(t, r.Problems)
	require.Equal(t, s.leaf.Public(), r.Keys[60].Public)
	require.True(t, r.Keys[60].Trusted)
	require.Contains(t, strings.Join(r.Keys[59].Ignored, " "), "too many certificates", "the test is strong enough")
}
