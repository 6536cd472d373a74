package mockidp_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// spMetadata has its default in second position, and an unsupported binding.
const spMetadata = `<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + entityID + `">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="http://artifact.localhost/" index="0" isDefault="true"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="` + virginia + `" index="4"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="` + frank + `" index="2" isDefault="true"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>`

func TestMetadataHasOktasLayout(t *testing.T) {
	idp := start(t, twoRegions())
	app, _ := idp.App("idc")
	served := newBrowser(t, idp).get(idp.MetadataURL("idc"))
	assert.Equal(t, string(idp.Metadata("")), served.Body)
	assert.True(t, strings.HasPrefix(served.Header.Get("Content-Type"), "application/samlmetadata+xml"))
	assert.Equal(t, idp.URL+"/app/"+app.ExternalKey+"/sso/saml/metadata", idp.MetadataURL(""))
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(served.Body))
	root := doc.Root()
	assert.Equal(t, app.Issuer, root.SelectAttrValue("entityID", ""))
	role := root.SelectElement("IDPSSODescriptor")
	require.NotNil(t, role)
	assert.Equal(t, "false", role.SelectAttrValue("WantAuthnRequestsSigned", ""))
	var order []string
	for _, c := range role.ChildElements() {
		order = append(order, c.Tag)
	}
	assert.Equal(t, []string{"KeyDescriptor", "NameIDFormat", "NameIDFormat", "SingleSignOnService",
		"SingleSignOnService"}, order)
	assert.Equal(t, "signing", attrOf(t, role, "./KeyDescriptor", "use"))
	assert.Equal(t, base64.StdEncoding.EncodeToString(idp.Certificate().Raw), text(t, role, ".//X509Certificate"))
	for _, sso := range role.SelectElements("SingleSignOnService") {
		assert.Equal(t, idp.URL+"/app/"+app.Name+"/"+app.ExternalKey+"/sso/saml", sso.SelectAttrValue("Location", ""))
	}
}

func TestRegisterSP(t *testing.T) {
	idp := start(t, twoRegions())
	require.NoError(t, idp.RegisterSP("idc", []byte(spMetadata)))
	app, _ := idp.App("idc")
	assert.Equal(t, entityID, app.Audience)
	assert.Equal(t, []mockidp.ACS{{URL: frank, Index: index(2)}, {URL: virginia, Index: index(4)}}, app.ACS)
	form, err := idp.Answer(redirect(idp, request(attr("AssertionConsumerServiceIndex", "4")), ""), alice)
	require.NoError(t, err)
	assert.Equal(t, virginia, form.URL)
}

// A service provider that can't take the app's format gets one that it lists. So a request for it is answered.
func TestRegisterSPTakesTheNameIDFormat(t *testing.T) {
	const other = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
	const encrypted = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
	for _, c := range []struct{ has, lists, want string }{
		{mockidp.NameIDEmail, "", mockidp.NameIDEmail},
		{mockidp.NameIDEmail, mockidp.NameIDTransient, mockidp.NameIDTransient},
		{mockidp.NameIDEmail, encrypted + " " + other + " " + mockidp.NameIDTransient, other},
		{mockidp.NameIDPersistent, mockidp.NameIDTransient + " " + mockidp.NameIDPersistent, mockidp.NameIDPersistent},
		{mockidp.NameIDEmail, mockidp.NameIDTransient + " " + mockidp.NameIDUnspecified, mockidp.NameIDEmail},
		{mockidp.NameIDEmail, encrypted, mockidp.NameIDEmail},
	} {
		list := ""
		for _, f := range strings.Fields(c.lists) {
			list += "<md:NameIDFormat> " + f + "\n</md:NameIDFormat>"
		}
		at := strings.Index(spMetadata, "<md:AssertionConsumerService")
		conf := twoRegions()
		conf.Apps[0].NameIDFormat = c.has
		idp := start(t, conf)
		require.NoError(t, idp.RegisterSP("idc", []byte(spMetadata[:at]+list+spMetadata[at:])))
		app, _ := idp.App("idc")
		assert.Equal(t, c.want, app.NameIDFormat, c.lists)
	}
}

// The first SAML app's metadata has an address that one can type, also for a tenant.
func TestFirstMetadata(t *testing.T) {
	idp := start(t, mockidp.Config{Apps: []mockidp.App{
		{Label: "Mark", Kind: mockidp.Bookmark, URL: "http://sp.localhost/"}, {Label: "One"}, {Label: "Two"}}})
	b := newBrowser(t, idp)
	assert.Equal(t, string(idp.Metadata("")), b.get(idp.URL+"/metadata").Body)
	assert.Contains(t, b.get(idp.URL+"/t/other/metadata").Body, "/t/other/")
	odd := start(t, mockidp.Config{OddPaths: true})
	assert.Equal(t, 404, newBrowser(t, odd).get(odd.URL[:strings.LastIndex(odd.URL, "/")]+"/metadata").Status)
	require.NoError(t, odd.RemoveApp(""))
	newBrowser(t, odd).get(odd.URL+"/metadata").refused(t, 404, mockidp.ReasonNoSuchApp)
}

// SAML Metadata 2.4.4 defines the default.
func TestRegisterSPPicksTheDefault(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		want     string
	}{
		"marked":                    {"", "", frank},
		"nothing marked":            {` index="2" isDefault="true"`, ` index="2"`, virginia},
		"first says no":             {` index="4"/>`, ` index="4" isDefault="false"/>`, frank},
		"first no, second unmarked": {` index="4"/>`, ` index="4" isDefault="0"/>`, frank},
		"both marked":               {` index="4"/>`, ` index="4" isDefault="1"/>`, virginia},
		"no indexes":                {` index="4"/>`, `/>`, frank},
	} {
		md := spMetadata
		if c.from != "" {
			require.Contains(t, md, c.from)
			md = strings.Replace(md, c.from, c.to, 1)
		}
		if name == "first no, second unmarked" {
			md = strings.Replace(md, ` index="2" isDefault="true"`, ` index="2"`, 1)
		}
		idp := start(t, twoRegions())
		require.NoError(t, idp.RegisterSP("", []byte(md)), name)
		app, _ := idp.App("")
		assert.Equal(t, c.want, app.ACS[0].URL, name)
		assert.Len(t, app.ACS, 2)
	}
}

func TestRegisterSPRefuses(t *testing.T) {
	idp := start(t, twoRegions())
	for name, md := range map[string]string{
		"nothing":      "",
		"other XML":    "<a/>",
		"IdP":          string(idp.Metadata("")),
		"no entity ID": strings.Replace(spMetadata, entityID, "", 1),
		"no POST":      strings.ReplaceAll(spMetadata, "HTTP-POST", "HTTP-Redirect"),
		"script":       strings.Replace(spMetadata, frank, "javascript:alert(1)", 1),
		"same index":   strings.Replace(spMetadata, `index="4"`, `index="2"`, 1),
		"index":        strings.Replace(spMetadata, `index="4"`, `index="70000"`, 1),
		"over 1 MiB":   spMetadata + strings.Repeat(" ", 1<<20),
		"two SP roles": strings.Replace(spMetadata, "</md:EntityDescriptor>", "<md:SPSSODescriptor/></md:EntityDescriptor>",
			1),
		"not wellformed": spMetadata[:len(spMetadata)-3],
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, mockidp.ReasonMetadata, reason(t, idp.RegisterSP("idc", []byte(md))))
		})
	}
	assert.Equal(t, mockidp.ReasonNotSAML, reason(t, idp.RegisterSP("mark", []byte(spMetadata))))
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, idp.RegisterSP("none", []byte(spMetadata))))
	app, _ := idp.App("idc")
	assert.Equal(t, virginia, app.ACS[0].URL)
}
