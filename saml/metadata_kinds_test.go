package saml_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// roleXML is an IDPSSODescriptor with a key and one address; attrs and body are
// added to it.
func roleXML(t testing.TB, attrs, body string) string {
	t.Helper()
	whole := idpMetadata(t, "", "signing", body)
	from, to := strings.Index(whole, "<md:IDPSSODescriptor"), strings.Index(whole, "</md:EntityDescriptor>")
	return strings.Replace(whole[from:to], " protocolSupport", attrs+" protocolSupport", 1)
}

func entityXML(attrs, inside string) string {
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + idpEntity + `"` + attrs +
		`>` + inside + `</md:EntityDescriptor>`
}

const (
	otherRole = `<md:SPSSODescriptor%s protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService Binding="x" Location=":::" index="many"/></md:SPSSODescriptor>`
	wsFedRole = `<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" xsi:type="fed:SecurityTokenServiceType" cacheDuration="PT1H" validUntil="never" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706"><fed:Odd a=""/></md:RoleDescriptor>`
)

// Only used values matter: other roles, endpoints, entities and extensions may have
// any content.
// Obligations: IIP-MD05, IIP-EXT01.
func TestUnusedMetadataIsNotValidated(t *testing.T) {
	good := roleXML(t, "", "")
	neighbour := strings.Replace(
		entityXML(
			` validUntil="soon" cacheDuration="P99999999999999Y"`,
			strings.Replace(good, "<ds:X509Certificate>", "<ds:X509Certificate>!", 1),
		),
		idpEntity,
		"https://b.example",
		1,
	)
	group := func(attrs, inside string) string {
		return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"` + attrs + `>` + inside +
			`</md:EntitiesDescriptor>`
	}
	for name, metadata := range map[string]string{
		"a role of WS-Federation": entityXML("", wsFedRole+good),
		"another role's end": entityXML(
			"", strings.Replace(otherRole, "%s", ` validUntil="0001-01-01T00:00:00Z" cacheDuration="often"`, 1)+good,
		),
		"a SAML 1.1 role": entityXML(
			"",
			strings.Replace(
				roleXML(t, ` validUntil="x" WantAuthnRequestsSigned="perhaps"`, ""), "SAML:2.0:protocol", "SAML:1.1:protocol", 1,
			)+good,
		),
		"an endpoint without Location": entityXML(
			"",
			roleXML(
				t, "",
				`<md:ManageNameIDService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP"/><md:SingleLogoutService/>`,
			),
		),
		"an address of another binding": entityXML(
			"", roleXML(t, "", `<md:SingleSignOnService Binding="urn:x" Location="javascript:alert(1)"/>`),
		),
		"odd extensions": entityXML(
			"",
			`<md:Extensions><x xmlns="urn:x" validUntil="x"><md:EntityDescriptor entityID="`+idpEntity+`"/></x></md:Extensions>`+good,
		),
		"a comment in a text": entityXML(
			"",
			good+`<md:Organization><md:OrganizationName xml:lang="en">A<!-- formerly B --> Ltd</md:OrganizationName></md:Organization>`,
		),
		"a neighbour":                       group("", neighbour+entityXML("", good)),
		"a neighbour in a group of its own": group("", group(` validUntil="x"`, neighbour)+entityXML("", good)),
	} {
		t.Run(name, func(t *testing.T) {
			idp, err := saml.ParseIdPMetadataFor([]byte(metadata), idpEntity)
			require.NoError(t, err)
			require.Equal(t, idpEntity, idp.EntityID())
			require.Len(t, idp.Certificates(), 1)
			require.True(t, idp.ValidUntil().IsZero())
			require.Empty(t, idp.Warnings())
		})
	}
	_, err := saml.ParseIdPMetadataFor([]byte(group("", neighbour+entityXML("", good))), "https://b.example")
	requireReason(t, saml.ReasonMetadata, err)
	require.ErrorContains(t, err, "soon", "a broken entity is refused with its own reason")
}

// Used values are read by their types in XML Schema, which collapse white space.
// Obligations: IIP-MD05, IIP-SSO06.
func TestMetadataTypesCollapse(t *testing.T) {
	spaced := func(s string) string { return "\n  " + s + "\t " }
	metadata := entityXML(` validUntil="`+spaced("2027-01-01T00:00:00")+`" cacheDuration="`+spaced("P1DT2H")+`"`,
		roleXML(t, ` WantAuthnRequestsSigned="`+spaced("1")+`" cacheDuration="PT1H30M"`, ""))
	for _, value := range []string{
		idpEntity, saml.HTTPPost, saml.HTTPRedirect, "https://idp.example/post", "urn:oasis:names:tc:SAML:2.0:protocol",
	} {
		require.Contains(t, metadata, `="`+value+`"`)
		metadata = strings.ReplaceAll(metadata, `="`+value+`"`, `="`+spaced(value)+`"`)
	}
	idp, err := saml.ParseIdPMetadata([]byte(metadata))
	require.NoError(t, err)
	require.Equal(t, idpEntity, idp.EntityID())
	require.Equal(t, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), idp.ValidUntil())
	require.Equal(t, 90*time.Minute, idp.CacheDuration())
	require.True(t, idp.WantAuthnRequestsSigned())
	require.Equal(
		t,
		[]saml.SSOService{
			{Binding: saml.HTTPPost, URL: "https://idp.example/post"},
			{Binding: saml.HTTPRedirect, URL: "https://idp.example/redirect"},
		},
		idp.SSOServices(),
	)
	require.Empty(t, idp.Warnings())
	// A list of URIs may be long, and its order says nothing.
	long := strings.Replace(entityXML("", roleXML(t, "", "")), `Enumeration="`, "Enumeration=\"urn:a\n\turn:b ", 1)
	_, err = saml.ParseIdPMetadata([]byte(long))
	require.NoError(t, err)
}

// Ends and cache durations of groups, the entity and its role only shorten one
// another.
// Obligations: IIP-MD05.
func TestMetadataEndsAtTheEarliest(t *testing.T) {
	year := func(y string) string { return ` validUntil="` + y + `-01-01T00:00:00Z" cacheDuration="P` + y + `D"` }
	for _, years := range [][3]string{{"2031", "2032", "2033"}, {"2033", "2031", "2032"}, {"2032", "2033", "2031"}} {
		metadata := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"` + year(years[0]) + `>` +
			entityXML(year(years[1]), roleXML(t, year(years[2]), "")) + `</md:EntitiesDescriptor>`
		idp, err := saml.ParseIdPMetadata([]byte(metadata))
		require.NoError(t, err)
		require.Equal(t, 2031, idp.ValidUntil().Year())
		require.Equal(t, 2031*24*time.Hour, idp.CacheDuration())
	}
}

func TestUsedMetadataIsValidated(t *testing.T) {
	for name, metadata := range map[string]string{
		"the role's end":         entityXML("", roleXML(t, ` validUntil="0001-01-01T00:00:00Z"`, "")),
		"a flag":                 entityXML("", roleXML(t, ` WantAuthnRequestsSigned="perhaps"`, "")),
		"an end that is no time": entityXML(` validUntil="2030-01-01"`, roleXML(t, "", "")),
		"an entity ID too long": strings.Replace(
			entityXML("", roleXML(t, "", "")), idpEntity, "https://"+strings.Repeat("x", 1024), 1,
		),
		"a role of another schema": strings.ReplaceAll(
			entityXML("", roleXML(t, "", "")), "md:IDPSSODescriptor", "md:IDPDescriptor",
		),
	} {
		idp, err := saml.ParseIdPMetadata([]byte(metadata))
		require.Nil(t, idp, name)
		requireReason(t, saml.ReasonMetadata, err)
	}
}

// Ignored values are reported.
func TestMetadataWarnings(t *testing.T) {
	idp, err := saml.ParseIdPMetadata([]byte(entityXML(` cacheDuration="-PT1H"`, roleXML(t, "",
		`<md:KeyDescriptor use="both"/><md:KeyDescriptor use="signing"/>`+
			`<md:SingleSignOnService Binding="`+saml.HTTPPost+`" Location="http://idp.example/plain"/>`))))
	require.NoError(t, err)
	require.Len(t, idp.Warnings(), 4)
	require.Zero(t, idp.CacheDuration())
	require.Len(t, idp.SSOServices(), 2)
	for _, w := range []string{"cacheDuration", "both", "KeyInfo", "plain http"} {
		require.Contains(t, strings.Join(idp.Warnings(), "\n"), w)
	}
}

// K11, and metadata that Windows programs save.
func TestMetadataEncodings(t *testing.T) {
	good := `<?xml version="1.0" encoding="utf-16"?>` + entityXML("", roleXML(t, "", ""))
	idp, err := saml.ParseIdPMetadata(utf16LE("\ufeff" + good))
	require.NoError(t, err)
	require.Equal(t, idpEntity, idp.EntityID())

	latin := strings.Replace(
		`<?xml version="1.0" encoding="ISO-8859-1"?>`+entityXML("", roleXML(t, "", "")),
		idpEntity,
		"https://idp.example/z\xfcrich",
		1,
	)
	idp, err = saml.ParseIdPMetadata([]byte(latin))
	require.NoError(t, err)
	require.Equal(t, "https://idp.example/zürich", idp.EntityID())

	for name, metadata := range map[string][]byte{
		"a mark against the declaration": []byte("\ufeff" + good),
		"windows-1252":                   []byte(strings.Replace(latin, "ISO-8859-1", "windows-1252", 1)),
		"half a surrogate pair":          append(utf16LE("\ufeff"+good), 0x00, 0xd8),
		"a blank before the declaration": []byte("\n" + strings.Replace(good, "utf-16", "utf-8", 1)),
	} {
		_, err := saml.ParseIdPMetadata(metadata)
		requireReason(t, saml.ReasonMetadata, err)
		t.Log(name, err)
	}
}

func utf16LE(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// K12: IDs are unique in the whole document.
func TestMetadataIDsAreUnique(t *testing.T) {
	metadata := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1">` +
		strings.Replace(
			entityXML(` ID="_1"`, ""),
			idpEntity,
			"https://b.example",
			1,
		) + entityXML("", roleXML(t, "", "")) + `</md:EntitiesDescriptor>`
	_, err := saml.ParseIdPMetadataFor([]byte(metadata), idpEntity)
	requireReason(t, saml.ReasonID, err)
}
