package saml_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// described is the description of an identity provider with this UIInfo in its role and
// these extensions of its entity.
func described(t testing.TB, ui, entity string) saml.Description {
	t.Helper()
	metadata := idpMetadata(t, ` xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"`, "signing", "")
	head, rest, _ := strings.Cut(metadata, ">")
	rest = strings.Replace(rest, `:2.0:protocol">`,
		`:2.0:protocol"><md:Extensions><mdui:UIInfo>`+ui+`</mdui:UIInfo></md:Extensions>`, 1)
	a, err := saml.ParseAggregate([]byte(head + ">" + entity + rest))
	require.NoError(t, err)
	all := slices.Collect(a.Descriptions())
	require.Len(t, all, 1)
	require.Equal(t, idpEntity, all[0].EntityID)
	return all[0]
}

func element(name, lang, text string) string {
	return fmt.Sprintf(`<mdui:%s xml:lang=%q>%s</mdui:%s>`, name, lang, text, name)
}

// Obligations: IIP-MD05.
func TestDescriptions(t *testing.T) {
	d := described(t, element("DisplayName", "en", " University\n of One ")+
		element("DisplayName", "de", "Universität Eins")+
		element("Description", "en", "For staff")+element("Keywords", "en", "uni one")+
		`<mdui:Logo width="80" height="60">https://one.example/logo.png</mdui:Logo>`+
		`<x:DisplayName xmlns:x="urn:x">another namespace</x:DisplayName>`, "")
	require.Equal(t, saml.Description{
		EntityID: idpEntity, Names: []saml.LocalizedText{{"en", "University of One"}, {"de", "Universität Eins"}},
		Descriptions: []saml.LocalizedText{{"en", "For staff"}}, Keywords: []saml.LocalizedText{{"en", "uni one"}},
		Logos: []saml.Logo{{URL: "https://one.example/logo.png", Width: 80, Height: 60}},
	}, d)
	require.Empty(t, described(t, "", "").Names)

	organization := `<md:Organization><md:OrganizationName xml:lang="en">N</md:OrganizationName>` +
		`<md:OrganizationDisplayName xml:lang="en">One</md:OrganizationDisplayName></md:Organization>`
	require.Equal(t, []saml.LocalizedText{{"en", "One"}}, described(t, "", organization).Names)
}

// Texts of metadata can't change the page around them, nor fill it.
func TestDescriptionTexts(t *testing.T) {
	for text, want := range map[string]string{
		"a\u202eb": "ab", "a\u2066b\u2069": "ab", "a\u200fb\u061c": "ab", "a\u0085b": "a b", "a\u2028b": "a b",
		"a\u200db\u200cc": "a\u200db\u200cc", "a\ufeffb": "ab", "a\ue000b": "ab", "\u202e": "",
		"\u3164": "", "\u200d\u200c": "", "\u2800": "", "a\u115fb": "ab", "\u1ec7 \u0915\u094d\u0937": "\u1ec7 \u0915\u094d\u0937",
		"a" + strings.Repeat("\u0300", 50) + "b": "a" + strings.Repeat("\u0300", 4) + "b",
		strings.Repeat("é", 150):                 strings.Repeat("é", 100),
		strings.Repeat(" a", 400):                strings.TrimSpace(strings.Repeat(" a", 100)),
		strings.Repeat("a", 1<<16):               strings.Repeat("a", 200), "&lt;b>": "<b>",
	} {
		d := described(t, element("DisplayName", "en", text), "")
		if want == "" {
			require.Empty(t, d.Names)
			continue
		}
		require.Equal(t, want, strings.TrimSpace(d.Names[0].Text))
	}
	d := described(t, strings.Repeat(element("DisplayName", "en", "x"), 1000)+element("Keywords", `e&quot;n`, "x"), "")
	require.Len(t, d.Names, 64)
	require.Empty(t, d.Keywords[0].Lang)
}

func TestDescriptionLogos(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://one.example/logo.png": true, "data:image/png;base64,AAAA": true, "data:image/svg+xml;base64,AAAA": true,
		"http://one.example/logo.png": false, "javascript:alert(1)": false, "data:text/html;base64,AAAA": false,
		"data:image/png,AAAA": false, "data:image/png;base64,": false, "data:image/png;base64,&lt;": false,
		"//one.example/logo.png": false, "https://user@one.example/": false, "https:///x": false, "logo.png": false,
		"https://one.example/" + strings.Repeat("x", 2048):          false,
		"data:image/png;base64," + strings.Repeat("AAAA", 32<<10/4): false,
	} {
		logo := func(attrs string) []saml.Logo {
			return described(t, "<mdui:Logo "+attrs+">"+url+"</mdui:Logo>", "").Logos
		}
		require.Equal(t, ok, len(logo(`width="80" height="60"`)) == 1, url)
		for _, attrs := range []string{"", `width="80"`, `width="0" height="60"`, `width="-1" height="1"`,
			`width="80" height="99999"`, `width="80" height="1e3"`} {
			require.Empty(t, logo(attrs), attrs)
		}
	}
}

// Obligations: IIP-MD05.
func TestDescriptionHidden(t *testing.T) {
	category := func(name, value string) string {
		return `<md:Extensions><a:EntityAttributes xmlns:a="urn:oasis:names:tc:SAML:metadata:attribute">` +
			`<s:Attribute xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion" Name="` + name + `"><s:AttributeValue>` + value +
			`</s:AttributeValue></s:Attribute></a:EntityAttributes></md:Extensions>`
	}
	const entityCategory, hide = "http://macedir.org/entity-category", "http://refeds.org/category/hide-from-discovery"
	require.True(t, described(t, "", category(entityCategory, hide)).Hidden)
	require.False(t, described(t, "", category(entityCategory, hide+"-not")).Hidden)
	require.False(t, described(t, "", category("other", hide)).Hidden)
	require.False(t, described(t, "", "").Hidden)
}

// One that can't be looked up is not described.
func TestDescriptionsWithoutDuplicates(t *testing.T) {
	one := idpMetadata(t, "", "signing", "")
	a, err := saml.ParseAggregate([]byte(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` +
		one + one + strings.Replace(one, idpEntity, secondIdP, 1) + `</md:EntitiesDescriptor>`))
	require.NoError(t, err)
	all := slices.Collect(a.Descriptions())
	require.Len(t, all, 1)
	require.Equal(t, secondIdP, all[0].EntityID)
}
