package mockidp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// spEntity returns an EntityDescriptor of a service provider whose only ACS URL is its entity ID and /acs.
func spEntity(id, extensions, organization string) string {
	return fmt.Sprintf(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s"><md:SPSSODescriptor
		protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">%s<md:AssertionConsumerService
		Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%s/acs" index="0"/></md:SPSSODescriptor>%s
		</md:EntityDescriptor>`, id, extensions, id, organization)
}

const uiInfo = `<md:Extensions><mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui">
	<mdui:DisplayName xml:lang="de">Lohn</mdui:DisplayName><mdui:DisplayName xml:lang="en"> Pay
	roll </mdui:DisplayName></mdui:UIInfo></md:Extensions>`

const organization = `<md:Organization><md:OrganizationName xml:lang="en">ex</md:OrganizationName>
	<md:OrganizationDisplayName xml:lang="en">Example</md:OrganizationDisplayName></md:Organization>`

func TestAddSPTakesTheEmptyAppFirst(t *testing.T) {
	idp := start(t, mockidp.Config{})
	before := idp.Apps()[0]
	metadata := idp.MetadataURL("")
	made, err := idp.AddSP([]byte(spEntity("https://a.example", uiInfo, organization)))
	require.NoError(t, err)
	require.Equal(t, idp.Apps(), made)
	a := made[0]
	assert.Equal(t, "Pay roll", a.Label)
	assert.Equal(t, "https://a.example", a.Audience)
	assert.Equal(t, "https://a.example/acs", a.ACS[0].URL)
	assert.Equal(t, before.ID, a.ID)
	assert.Equal(t, metadata, idp.MetadataURL(""), "a service provider may have read it before")
	form, err := idp.IdPInitiated(a.ID, alice, "")
	require.NoError(t, err)
	assert.Equal(t, "https://a.example/acs", form.URL)

	// Again: the same app, by its entity ID.
	again, err := idp.AddSP([]byte(strings.ReplaceAll(spEntity("https://a.example", "", ""), "/acs", "/acs2")))
	require.NoError(t, err)
	require.Len(t, idp.Apps(), 1)
	assert.Equal(t, a.ID, again[0].ID)
	assert.Equal(t, "Pay roll", again[0].Label, "the label stays: an administrator may have changed it")
	assert.Equal(t, "https://a.example/acs2", again[0].ACS[0].URL)

	// Another one gets an app of its own, whose ID depends on its entity ID only.
	other, err := idp.AddSP([]byte(spEntity("https://b.example", "", organization)))
	require.NoError(t, err)
	require.Len(t, idp.Apps(), 2)
	assert.Equal(t, "Example", other[0].Label)
	assert.Equal(t, []string{mockidp.Everyone}, other[0].Groups)
	second := start(t, mockidp.Config{Apps: []mockidp.App{{Label: "x"}}})
	same, err := second.AddSP([]byte(spEntity("https://b.example", "", "")))
	require.NoError(t, err)
	assert.Equal(t, other[0].ID, same[0].ID)
	assert.Equal(t, "https://b.example", same[0].Label)
	require.Len(t, second.Apps(), 2, "an app of the Config is no placeholder")

	with := idp.Apps()
	idp.Reset()
	require.Equal(t, []mockidp.App{before}, idp.Apps())
	_, err = idp.AddSP([]byte(spEntity("https://a.example", uiInfo, organization)))
	require.NoError(t, err)
	idp.SetInitial()
	require.NoError(t, idp.RemoveApp(before.ID))
	idp.Reset()
	require.Equal(t, with[0].ID, idp.Apps()[0].ID)
	require.Equal(t, "https://a.example", idp.Apps()[0].Audience)
}

func TestAddSPOfSeveral(t *testing.T) {
	idp := start(t, mockidp.Config{})
	wrap := func(inner string) []byte {
		return []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + inner + `</EntitiesDescriptor>`)
	}
	_, idpEntity, _ := strings.Cut(string(idp.Metadata("")), "?>") // without the declaration
	made, err := idp.AddSP(wrap(spEntity("https://a.example", "", organization) + idpEntity +
		`<EntitiesDescriptor>` + spEntity("https://b.example", "", organization) + `</EntitiesDescriptor>`))
	require.NoError(t, err)
	require.Len(t, made, 2)
	assert.Equal(t, []string{"Example", "https://b.example"}, []string{made[0].Label, made[1].Label})

	before := idp.Snapshot()
	for name, doc := range map[string][]byte{
		"empty":      wrap(""),
		"IdPs only":  wrap(idpEntity),
		"twice":      wrap(spEntity("https://c.example", "", "") + spEntity("https://c.example", "", "")),
		"second bad": wrap(spEntity("https://c.example", "", "") + spEntity("javascript:x", "", "")),
	} {
		_, err := idp.AddSP(doc)
		assert.Equal(t, mockidp.ReasonMetadata, reason(t, err), name)
		assert.Equal(t, before, idp.Snapshot(), name)
	}
	err = idp.RegisterSP("", wrap(spEntity("https://c.example", "", "")+spEntity("https://d.example", "", "")))
	assert.Equal(t, mockidp.ReasonMetadata, reason(t, err))
	assert.NoError(t, idp.RegisterSP("", wrap(spEntity("https://c.example", "", ""))))
}
