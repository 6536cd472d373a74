package saml_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const (
	affiliation = "https://affiliation.example"
	email       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	persistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
)

// member makes the service provider a member of an affiliation, with two lists of
// attributes.
func member(c *saml.Config) {
	names := []saml.LocalizedText{{Lang: "en", Text: "Wiki"}}
	attributes := []saml.RequestedAttribute{{Name: "urn:oid:0.9.2342.19200300.100.1.3"}}
	c.SPNameQualifiers = []string{affiliation}
	c.AttributeConsumingServices = []saml.AttributeConsumingService{
		{Names: names, Attributes: attributes}, {Index: 7, Names: names, Attributes: attributes},
	}
}

// askEverything uses every option of a request, with characters that need an escape.
func askEverything() saml.RequestOptions {
	return saml.RequestOptions{
		Binding: saml.HTTPPost, ACS: euACS, ForceAuthn: true, IsPassive: true,
		AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a&<>", `urn:b"`}},
		NameIDPolicy: &saml.NameIDPolicy{Format: `urn:f"&<>`, AllowCreate: true, SPNameQualifier: affiliation},
		Subject: &saml.NameID{
			Value: `a<lice>&"`, Format: persistent, NameQualifier: `q"`, SPNameQualifier: affiliation, SPProvidedID: "<p>",
		},
		ProviderName: `Wiki & "Docs"`, AttributeConsumingServiceIndex: 7,
		Scoping: &saml.Scoping{
			ProxyCount: new(uint(0)), GetComplete: "https://sp.example/idps?a=1&b=2",
			IDPList: []saml.IDPEntry{
				{ProviderID: "https://one.example", Name: "One <1>", Loc: "https://one.example/sso"},
				{ProviderID: "https://two.example"},
			},
			RequesterIDs: []string{"https://behind.example/&", "https://behind2.example"},
		},
		Extensions: []string{
			`<?xml version="1.0"?> <e:Type xmlns:e='urn:e' xmlns:unused="urn:u" b="2" a='1'>a &amp; b</e:Type>`,
			`<x xmlns="urn:x" xmlns:samlp="urn:other" samlp:a="&quot;"><!-- c --><y/>` +
				`<samlp:z xml:lang="de"><![CDATA[<]]></samlp:z></x>`,
			`<r:R xmlns:r="urn:r" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"><md:RequestedAttribute Name="n"/></r:R>`,
		},
		Query: url.Values{"login_hint": {"alice+1@example.com&SAMLRequest=x"}},
	}
}

// The order of elements and attributes is that of the schema and of canonical XML
// (Core 3.2.1, 3.4.1).
func TestRequestWithEverything(t *testing.T) {
	o := askEverything()
	o.Binding = saml.HTTPRedirect
	r, err := newSP(t, member).NewAuthnRequest(o)
	require.NoError(t, err)
	location, err := r.RedirectURL("")
	require.NoError(t, err)
	el, _ := readRedirect(t, location)

	var children []string
	for _, c := range el.ChildElements() {
		children = append(children, c.FullTag())
	}
	assert.Equal(t, []string{
		"saml:Issuer", "samlp:Extensions", "saml:Subject", "samlp:NameIDPolicy", "samlp:RequestedAuthnContext",
		"samlp:Scoping",
	}, children)
	written := func(path string) string { return writeXML(el.FindElement(path).Copy()) }
	assert.Equal(t, `<samlp:Extensions><e:Type xmlns:e="urn:e" a="1" b="2">a &amp; b</e:Type>`+
		`<x xmlns="urn:x" xmlns:samlp="urn:other" samlp:a="&quot;"><y/><samlp:z xml:lang="de">&lt;</samlp:z></x>`+
		`<r:R xmlns:r="urn:r"><md:RequestedAttribute xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" Name="n"/></r:R>`+
		`</samlp:Extensions>`, written("./Extensions"))
	id := el.FindElement("./Subject/NameID")
	assert.Equal(t, `a<lice>&"`, id.Text())
	for name, want := range map[string]string{
		"Format": persistent, "NameQualifier": `q"`, "SPNameQualifier": affiliation, "SPProvidedID": "<p>",
	} {
		assert.Equal(t, want, id.SelectAttrValue(name, ""))
	}
	assert.Len(t, el.FindElement("./Subject").ChildElements(), 1, "no SubjectConfirmation (Profiles 4.1.4.1)")
	assert.Equal(t, affiliation, el.FindElement("./NameIDPolicy").SelectAttrValue("SPNameQualifier", ""))
	assert.Equal(t, `Wiki & "Docs"`, el.SelectAttrValue("ProviderName", ""))
	assert.Equal(t, "7", el.SelectAttrValue("AttributeConsumingServiceIndex", ""))
	assert.Equal(t, `<samlp:Scoping ProxyCount="0"><samlp:IDPList>`+
		`<samlp:IDPEntry Loc="https://one.example/sso" Name="One &lt;1>" ProviderID="https://one.example"/>`+
		`<samlp:IDPEntry ProviderID="https://two.example"/>`+
		`<samlp:GetComplete>https://sp.example/idps?a=1&amp;b=2</samlp:GetComplete></samlp:IDPList>`+
		`<samlp:RequesterID>https://behind.example/&amp;</samlp:RequesterID>`+
		`<samlp:RequesterID>https://behind2.example</samlp:RequesterID></samlp:Scoping>`,
		strings.ReplaceAll(written("./Scoping"), "&gt;", ">"))
	raw, err := json.Marshal(r.Record())
	require.NoError(t, err)
	assert.Contains(t, string(raw), affiliation)
}

func TestRequestOptionsAreChecked(t *testing.T) {
	sp := newSP(t, member)
	long := strings.Repeat("x", 1025)
	subject := func(n saml.NameID) saml.RequestOptions { return saml.RequestOptions{Subject: &n} }
	policy := func(p saml.NameIDPolicy) saml.RequestOptions { return saml.RequestOptions{NameIDPolicy: &p} }
	scoping := func(s saml.Scoping) saml.RequestOptions { return saml.RequestOptions{Scoping: &s} }
	entry := func(e saml.IDPEntry) saml.RequestOptions { return scoping(saml.Scoping{IDPList: []saml.IDPEntry{e}}) }
	many := make([]saml.IDPEntry, 64)
	for i := range many {
		many[i] = saml.IDPEntry{ProviderID: "https://idp.example/" + long[:900]}
	}
	for _, c := range []struct {
		field string // after "RequestOptions"
		o     saml.RequestOptions
	}{
		{".ProviderName", saml.RequestOptions{ProviderName: "a\nb"}},
		{".ProviderName", saml.RequestOptions{ProviderName: long}},
		{".AttributeConsumingServiceIndex", saml.RequestOptions{AttributeConsumingServiceIndex: 3}},
		{".NameIDPolicy.Format", policy(saml.NameIDPolicy{Format: "\x00"})},
		{".NameIDPolicy.SPNameQualifier", policy(saml.NameIDPolicy{SPNameQualifier: "https://x.example"})},
		{".Subject.Value", subject(saml.NameID{Format: email})},
		{".Subject.Value", subject(saml.NameID{Value: " "})},
		{".Subject.Value", subject(saml.NameID{Value: long})},
		{".Subject.Format", subject(saml.NameID{Value: "a", Format: "\xff"})},
		{".Subject.NameQualifier", subject(saml.NameID{Value: "a", NameQualifier: long})},
		{".Subject.SPProvidedID", subject(saml.NameID{Value: "a", SPProvidedID: "\ufffe"})},
		{".Subject.SPNameQualifier", subject(saml.NameID{Value: "a", SPNameQualifier: "https://x.example"})},
		{".Scoping.IDPList[0].ProviderID", entry(saml.IDPEntry{Name: "a"})},
		{".Scoping.IDPList[0].Name", entry(saml.IDPEntry{ProviderID: "a", Name: "\x01"})},
		{".Scoping.IDPList[0].Loc", entry(saml.IDPEntry{ProviderID: "a", Loc: long})},
		{".Scoping.IDPList", scoping(saml.Scoping{IDPList: make([]saml.IDPEntry, 65)})},
		{".Scoping.GetComplete", scoping(saml.Scoping{GetComplete: "https://sp.example/idps"})},
		{".Scoping.RequesterIDs", scoping(saml.Scoping{RequesterIDs: make([]string, 65)})},
		{".Scoping.RequesterIDs[0]", scoping(saml.Scoping{RequesterIDs: []string{""}})},
		{"", scoping(saml.Scoping{IDPList: many})}, // the whole request is too long
	} {
		_, err := sp.NewAuthnRequest(c.o)
		requireReason(t, saml.ReasonConfig, err)
		var e *saml.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, "RequestOptions"+c.field, e.Rule)
		if c.field != "" {
			assert.Equal(t, err, sp.CheckRequestOptions(c.o))
		}
	}
	require.NoError(t, sp.CheckRequestOptions(askEverything()))
	for _, qualifier := range []string{"", spEntity, affiliation} {
		_, err := sp.NewAuthnRequest(saml.RequestOptions{NameIDPolicy: &saml.NameIDPolicy{SPNameQualifier: qualifier}})
		assert.NoError(t, err)
	}
	for _, qualifiers := range [][]string{{""}, {"a", " "}, {long}, {"\x00"}} {
		c := config()
		c.SPNameQualifiers = qualifiers
		_, err := saml.New(c)
		requireReason(t, saml.ReasonConfig, err)
	}
}
