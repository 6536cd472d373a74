package saml_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Whatever the texts are, samlp:Extensions has exactly the elements that were checked.
func TestExtensionsStayInside(t *testing.T) {
	sp := newSP(t)
	const ns = ` xmlns="urn:x"`
	for name, x := range map[string]string{
		"nothing":                  "",
		"text":                     "x",
		"end of Extensions":        `<a` + ns + `/></samlp:Extensions><samlp:Extensions>`,
		"only an end":              `</samlp:Extensions>`,
		"a start":                  `<a` + ns + `>`,
		"two elements":             `<a` + ns + `/><b` + ns + `/>`,
		"text after it":            `<a` + ns + `/>x`,
		"no namespace":             `<a/>`,
		"none inside":              `<x:a xmlns:x="urn:x"><b/></x:a>`,
		"none again":               `<a` + ns + `><b xmlns=""/></a>`,
		"a prefix of the request":  `<samlp:Extensions/>`,
		"an undeclared prefix":     `<x:a/>`,
		"a DOCTYPE":                `<!DOCTYPE a><a` + ns + `/>`,
		"a processing instruction": `<a` + ns + `><?x?></a>`,
		"a comment in a text":      `<a` + ns + `>b<!-- -->c</a>`,
		"an entity":                `<a` + ns + `>&x;</a>`,
		"protocol":                 `<Extensions xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`,
		"protocol inside":          `<a` + ns + `><Scoping xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/></a>`,
		"protocol's attribute":     `<a` + ns + ` xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" p:x=""/>`,
		"assertion":                `<Attribute xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>`,
		"an Issuer inside":         `<a` + ns + `><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">x</Issuer></a>`,
		"metadata":                 `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`,
		"a Signature inside":       `<a` + ns + `><b><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></b></a>`,
		"EncryptedData":            `<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"/>`,
		"deep":                     strings.Repeat(`<a`+ns+`>`, 33) + strings.Repeat(`</a>`, 33),
		"large":                    `<a` + ns + `>` + strings.Repeat("x", 8<<10) + `</a>`,
		"large when written":       `<a` + ns + `>` + strings.Repeat(">", 2<<10) + `</a>`,
	} {
		_, err := sp.NewAuthnRequest(saml.RequestOptions{Extensions: []string{x}})
		requireReason(t, saml.ReasonConfig, err)
		assert.ErrorContains(t, err, "RequestOptions.Extensions", name)
	}
	half := `<a` + ns + `>` + strings.Repeat("x", 4<<10) + `</a>`
	_, err := sp.NewAuthnRequest(saml.RequestOptions{Extensions: []string{half, half}})
	requireReason(t, saml.ReasonConfig, err)
	_, err = sp.NewAuthnRequest(saml.RequestOptions{Extensions: []string{half}})
	require.NoError(t, err)
}

// Any accepted text is written as one element, and its canonical form is its own.
func FuzzExtensions(f *testing.F) {
	for _, x := range askEverything().Extensions {
		f.Add(x)
	}
	f.Add(`<a xmlns="urn:x"/></samlp:Extensions><b xmlns="urn:x"/>`)
	f.Add(`<samlp:Extensions xmlns:samlp="urn:x"/>`)
	f.Fuzz(func(t *testing.T, x string) {
		sp := newSP(t)
		r, err := sp.NewAuthnRequest(saml.RequestOptions{Extensions: []string{x}, Binding: saml.HTTPPost})
		if err != nil {
			requireReason(t, saml.ReasonConfig, err)
			return
		}
		form, err := r.PostForm("")
		require.NoError(t, err)
		xml, err := base64.StdEncoding.DecodeString(form.SAMLRequest)
		require.NoError(t, err)
		const start, end = "<samlp:Extensions>", "</samlp:Extensions>"
		inside := string(xml[strings.Index(string(xml), start)+len(start) : strings.LastIndex(string(xml), end)])
		root := parseXML(string(xml))
		require.Len(t, root.ChildElements(), 2, "%s", xml)
		require.Len(t, root.ChildElements()[1].ChildElements(), 1, "%s", xml)
		_, err = sp.NewAuthnRequest(saml.RequestOptions{Extensions: []string{inside}})
		require.NoError(t, err, "%s", inside)
	})
}
