package saml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// A report has the addresses for logout, artifacts and attributes, and says which are not used and why. Those that are
// used are the ones of the identity provider.
// Obligations: IIP-SP17.
func TestInspectServices(t *testing.T) {
	const artifact, soap11 = "ArtifactResolutionService", "urn:oasis:names:tc:SAML:1.0:bindings:SOAP-binding"
	service := func(element, binding, attrs string) string {
		return `<md:` + element + ` Binding="` + binding + `" ` + attrs + `/>`
	}
	document := idpMetadata(t, "", "signing", service(artifact, soap11, `Location="https://idp.example/one" index="0"`)+
		service(artifact, saml.SOAP, `Location="https://idp.example/artifact" index=" 7 "`)+
		service(artifact, saml.SOAP, `Location="https://10.0.0.1/artifact" index="8"`)+
		service(artifact, saml.SOAP, `Location="https://idp.example/a" index="9"`)+
		service(artifact, saml.SOAP, `Location="https://idp.example/b" index="9"`)+
		service(artifact, saml.SOAP, `Location="https://idp.example/c"`)+
		service("SingleLogoutService", saml.HTTPRedirect,
			`Location="https://idp.example/slo" ResponseLocation="https://idp.example/done"`)+
		service("SingleLogoutService", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
			`Location="https://idp.example/slo"`)+
		service("SingleLogoutService", saml.SOAP, `Location="http://u:secret@idp.example/slo"`))
	_, key, _ := strings.Cut(document, "<md:KeyDescriptor")
	key, _, _ = strings.Cut(key, "</md:KeyDescriptor>")
	authority := func(key, body string) string {
		return `<md:AttributeAuthorityDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + key +
			body + `</md:AttributeAuthorityDescriptor>`
	}
	key = "<md:KeyDescriptor" + key + "</md:KeyDescriptor>"
	attributes := service("AttributeService", soap11, `Location="https://idp.example/one"`) +
		service("AttributeService", saml.SOAP, `Location="https://idp.example/attributes"`) +
		service("AttributeService", saml.SOAP, `Location="https://idp.example/more"`)
	whole := func(key string) string {
		return strings.Replace(document, "</md:EntityDescriptor>", authority(key, attributes)+authority(key, attributes)+
			"</md:EntityDescriptor>", 1)
	}
	r := inspect(t, whole(key), saml.InspectOptions{Now: now})[0]
	require.Empty(t, r.Problems)
	const earlier = "an earlier one is used"
	for i, want := range []struct{ element, url, index, ignored string }{
		{"SingleLogoutService", "https://idp.example/slo", "", ""},
		{"SingleLogoutService", "https://idp.example/slo", "", "the binding is none of"},
		{"SingleLogoutService", "http://…@idp.example/slo", "", "neither user information"},
		{artifact, "https://idp.example/one", "0", "the binding is not SOAP"},
		{artifact, "https://idp.example/artifact", "7", ""},
		{artifact, "https://10.0.0.1/artifact", "8", "10.0.0.1"},
		{artifact, "https://idp.example/a", "9", "several have the index 9"},
		{artifact, "https://idp.example/b", "9", "several have the index 9"},
		{artifact, "https://idp.example/c", "", `the index "" is not`},
		{"AttributeService", "https://idp.example/one", "", "the binding is not SOAP"},
		{"AttributeService", "https://idp.example/attributes", "", ""},
		{"AttributeService", "https://idp.example/more", "", earlier},
		{"AttributeService", "https://idp.example/one", "", "the binding is not SOAP"},
		{"AttributeService", "https://idp.example/attributes", "", earlier},
		{"AttributeService", "https://idp.example/more", "", earlier},
	} {
		require.Less(t, i, len(r.Services))
		got := r.Services[i]
		assert.Equal(t, []string{want.element, want.url, want.index}, []string{got.Element, got.URL, got.Index}, i)
		assert.Equal(t, want.ignored == "", got.Ignored == "", "%d: %s", i, got.Ignored)
		assert.Contains(t, got.Ignored, want.ignored, i)
	}
	assert.Len(t, r.Services, 15)
	assert.Equal(t, "https://idp.example/done", r.Services[0].ResponseURL)
	assert.Equal(t, []saml.ArtifactService{{Index: 7, URL: "https://idp.example/artifact"}}, r.IdP.ArtifactServices())
	assert.Equal(t, "https://idp.example/attributes", r.IdP.AttributeService())

	r = inspect(t, whole(""), saml.InspectOptions{Now: now})[0]
	require.Empty(t, r.Problems, "sign-in doesn't need the attribute authority")
	assert.Empty(t, r.IdP.AttributeService())
	for _, s := range r.Services {
		assert.True(t, s.Element != "AttributeService" || s.Ignored != "", s)
	}
}
