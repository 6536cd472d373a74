package mockidp_test

import (
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// The metadata of the profile Entra has the parts of Entra ID's metadata on which some readers fail.
func TestEntraMetadata(t *testing.T) {
	idp := start(t, entra())
	raw := string(idp.Metadata("idc"))
	require.True(t, strings.HasPrefix(raw, mark+"<?xml"))
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(strings.TrimPrefix(raw, mark)))
	root := doc.Root()

	var roles []string
	for _, role := range root.ChildElements() {
		name := role.Tag
		if name == "RoleDescriptor" {
			name = role.SelectAttrValue("xsi:type", "")
		}
		roles = append(roles, name)
		if role.Tag != "Signature" {
			assert.Len(t, role.FindElements("./KeyDescriptor/KeyInfo/X509Data/X509Certificate"), 2, name)
		}
	}
	assert.Equal(t, []string{"Signature", "fed:SecurityTokenServiceType", "fed:ApplicationServiceType",
		"IDPSSODescriptor"}, roles)
	certificates := root.FindElements("./IDPSSODescriptor/KeyDescriptor/KeyInfo/X509Data/X509Certificate")
	assert.Equal(t, base64.StdEncoding.EncodeToString(idp.Certificate().Raw), certificates[0].Text())
	_, err := x509.ParseCertificate(must(base64.StdEncoding.DecodeString(certificates[1].Text())))
	require.NoError(t, err)

	trusted := &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{idp.Certificate()}}
	ctx := dsig.NewDefaultValidationContext(trusted)
	_, err = ctx.Validate(root)
	require.NoError(t, err)
	root.CreateAttr("validUntil", "2034-01-01T00:00:00Z")
	_, err = ctx.Validate(root)
	assert.Error(t, err, "the signature covers the whole document")
}

// Meridian parses the metadata and verifies a response.
func TestMeridianReadsEntraMetadata(t *testing.T) {
	idp := start(t, entra())
	md, err := saml.ParseIdPMetadata(idp.Metadata("idc"))
	require.NoError(t, err)
	app, _ := idp.App("idc")
	assert.Equal(t, app.Issuer, md.EntityID())
	sp := meridianSP(t, idp, func(c *saml.Config) {})
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	a, err := sp.Verify([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: form.URL, Unsolicited: true})
	require.NoError(t, err)
	assert.Equal(t, alice, a.NameID().Value)
	_, err = idp.AddKey(ecdsaKey(), nil)
	require.NoError(t, err)
	assert.Equal(t, string(idp.Metadata("idc")), string(idp.Metadata("idc")), "nothing in it is random")
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.Issuer = "https://sts.windows.net/" + realTenant + "/" })
	assert.Contains(t, string(idp.Metadata("idc")), realTenant)
}
