package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Nested, nil, empty and absent values are shown differently.
func TestAttributeValuesAreToldApart(t *testing.T) {
	s := newSigner(t)
	doc := s.response(
		t,
		`<saml:Attribute Name="eptid" NameFormat="urn:f" FriendlyName="id"><saml:AttributeValue><saml:NameID Format="urn:p">p7Qm=&lt;</saml:NameID></saml:AttributeValue></saml:Attribute>`+
			`<saml:Attribute Name="manager"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></saml:Attribute>`+
			`<saml:Attribute Name="empty"><saml:AttributeValue/></saml:Attribute><saml:Attribute Name="none"/>`,
	)
	code, stdout, _ := run(t, doc, s.args(t)...)
	require.Equal(t, 0, code, stdout)
	for _, want := range []string{
		`"eptid" = <NameID xmlns="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:p">p7Qm=&lt;</NameID>`,
		`"manager" = nil`, `"empty" = ""`, `"none" = (no value)`,
	} {
		require.Contains(t, stdout, "  attribute       "+want+"\n")
	}
	r := requireVerdict(t, "accepted", doc, s.args(t)...)
	require.Equal(t, map[string][]string{"eptid": {}, "manager": {}, "empty": {""}, "none": {}}, r.Assertion.Attributes)
	all := r.Assertion.AttributeValues
	require.Len(t, all, 4)
	require.Equal(t, "id", all[0].FriendlyName)
	require.Equal(t, "urn:f", all[0].NameFormat)
	require.Equal(t, "xml", all[0].Values[0].Kind)
	require.Contains(t, all[0].Values[0].XML, "p7Qm=")
	require.Equal(t, "nil", all[1].Values[0].Kind)
	require.Equal(t, "text", all[2].Values[0].Kind)
	require.Empty(t, all[3].Values)
}

func TestMissingNameID(t *testing.T) {
	s := newSigner(t)
	s.nameID = ""
	doc := s.response(t, "")
	r := requireVerdict(t, "NameID", doc, s.args(t)...)
	require.Equal(t, []string{"-allow-missing-nameid"}, r.flags())
	require.Contains(t, r.Missing[0].GivesUp, "names no subject")
	args := append([]string{"-allow-missing-nameid"}, s.args(t)...)
	requireVerdict(t, "accepted", doc, args...)
	_, stdout, _ := run(t, doc, args...)
	require.Contains(t, stdout, "  name ID         (none)\n")
}

// White space around a name is a part of it, and is shown.
func TestNameIDWithLineBreaks(t *testing.T) {
	s := newSigner(t)
	s.nameID = "<saml:NameID>\n  anna@example.com\n</saml:NameID>"
	doc := s.response(t, "")
	r := requireVerdict(t, "accepted", doc, s.args(t)...)
	require.Equal(t, "\n  anna@example.com\n", *r.Assertion.NameID.Value)
	require.Len(t, r.Notes, 1)
	require.Contains(t, r.Notes[0], "white space")
	_, stdout, _ := run(t, doc, s.args(t)...)
	require.Contains(t, stdout, `  name ID         "\n  anna@example.com\n"`)
}
