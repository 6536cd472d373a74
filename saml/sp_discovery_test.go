package saml_test

import (
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Obligations: IIP-SP04.
func TestMetadataForDiscovery(t *testing.T) {
	back := []string{usHostDiscovery, "https://eu-central-1.signin.example/login/idp?a=b&c=d"}
	sp := newSP(t, func(c *saml.Config) {
		c.DiscoveryResponses, c.RequestInitiators = back, []string{"https://us-east-1.signin.example/login"}
	})
	back[0] = "https://changed.example"
	role := etreeOf(t, sp).FindElement("//SPSSODescriptor")
	require.Equal(t, "Extensions", role.ChildElements()[0].Tag, "the schema has it first")
	var got [][3]string
	for _, e := range role.ChildElements()[0].ChildElements() {
		require.Equal(t, e.NamespaceURI(), e.SelectAttrValue("Binding", ""))
		got = append(got, [3]string{e.Tag, e.SelectAttrValue("Location", ""), e.SelectAttrValue("index", "")})
	}
	require.Equal(t, [][3]string{
		{"RequestInitiator", "https://us-east-1.signin.example/login", ""},
		{"DiscoveryResponse", usHostDiscovery, "1"},
		{"DiscoveryResponse", "https://eu-central-1.signin.example/login/idp?a=b&c=d", "2"},
	}, got)
	require.Nil(t, etreeOf(t, newSP(t)).FindElement("//SPSSODescriptor/Extensions"))
}

const usHostDiscovery = "https://us-east-1.signin.example/login/idp"

func etreeOf(t testing.TB, sp *saml.ServiceProvider) *etree.Document {
	t.Helper()
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(metadata))
	return doc
}
