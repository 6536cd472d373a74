package saml_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// longText has 256 characters of all ranges that XML allows, with white space inside
// and at both ends.
func longText(t testing.TB) string {
	t.Helper()
	const some = " \t\n\r<>&\"'aÄ߿ࠀ\ud7ff\ue000\ufffd𐀀\U0010ffff é"
	out := strings.Repeat(some, 256/utf8.RuneCountInString(some)+1)
	out = string([]rune(out)[:255]) + "\r"
	require.Equal(t, 256, utf8.RuneCountInString(out))
	return out
}

// Values of 256 characters arrive whole, whatever the characters, in elements and in
// attributes. The NameFormat, which is a URI, collapses white space.
// Obligations: IIP-G02, IIP-SP01.
func TestLongValuesAreKept(t *testing.T) {
	long := longText(t)
	uri := "urn:x:" + strings.Repeat("ü", 250)
	id := saml.NameID{Value: long, Format: uri, NameQualifier: long, SPProvidedID: long}
	a, err := newSP(t).Verify(doc{Attributes: named("x", "y"), Before: func(r *etree.Element) {
		n := r.FindElement(".//NameID")
		n.SetText(id.Value)
		n.CreateAttr("Format", id.Format)
		n.CreateAttr("NameQualifier", id.NameQualifier)
		n.CreateAttr("SPProvidedID", id.SPProvidedID)
		r.FindElement(".//AuthnStatement").CreateAttr("SessionIndex", long)
		attribute := r.FindElement(".//Attribute")
		attribute.CreateAttr("Name", long)
		attribute.CreateAttr("NameFormat", uri)
		attribute.CreateAttr("FriendlyName", long)
		attribute.FindElement("AttributeValue").SetText(long)
	}}.base64(t), unsolicited)
	require.NoError(t, err)
	require.Equal(t, id, a.NameID())
	require.Equal(t, long, a.SessionIndex())
	require.Equal(t, []saml.Attribute{{
		Name: long, NameFormat: uri, FriendlyName: long, Values: []saml.AttributeValue{{Text: long}},
	}}, a.Attributes())
	require.Equal(t, long, a.Value(long))
}

// All SessionIndexes are kept, because a LogoutRequest may name any of them (Core 3.7.1).
func TestSessionIndexes(t *testing.T) {
	for name, c := range map[string]struct{ of, want []string }{
		"one": {[]string{"s1"}, []string{"s1"}}, "none": {[]string{""}, nil},
		"several": {[]string{"s2", "", "s1", "s2"}, []string{"s2", "s1"}},
	} {
		a, err := newSP(t).Verify(doc{Before: func(r *etree.Element) {
			first := r.FindElement(".//AuthnStatement")
			for _, index := range c.of {
				next := first.Copy()
				next.RemoveAttr("SessionIndex")
				if index != "" {
					next.CreateAttr("SessionIndex", index)
				}
				first.Parent().InsertChildAt(first.Index(), next)
			}
			first.Parent().RemoveChild(first)
		}}.base64(t), unsolicited)
		require.NoError(t, err, name)
		require.Equal(t, c.want, a.SessionIndexes(), name)
	}
}

// A NameID of any format is taken as it is. Nothing is read into its value.
// Obligations: IIP-SSO05, IIP-SP12.
func TestNameIDsAreOpaque(t *testing.T) {
	const formats = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
	for _, want := range []saml.NameID{
		{Value: "_e3b0c44298fc1c149afbf4c8996fb924", Format: formats + "transient"},
		{Value: "Zm9v/+== é:@", Format: formats + "persistent", NameQualifier: idpEntity, SPNameQualifier: spEntity},
		{Value: "Zm9v", Format: formats + "persistent"},
		{Value: "anything", Format: "https://idp.example/format", NameQualifier: "https://other.example"},
	} {
		a, err := newSP(t).Verify(doc{Before: func(r *etree.Element) {
			n := r.FindElement(".//NameID")
			n.SetText(want.Value)
			for name, value := range map[string]string{
				"Format": want.Format, "NameQualifier": want.NameQualifier, "SPNameQualifier": want.SPNameQualifier,
			} {
				if value != "" {
					n.CreateAttr(name, value)
				}
			}
		}}.base64(t), unsolicited)
		require.NoError(t, err)
		require.Equal(t, want, a.NameID())
	}
}

// Optional content that this package doesn't use is ignored where SAML Core permits it,
// and refused where Core requires to understand it.
// Obligations: IIP-SSO07, IIP-EXT01, IIP-SP02, IIP-SP10.
func TestOptionalContent(t *testing.T) {
	const foreign = `<x:Any xmlns:x="urn:x" a="b"><x:More/>text</x:Any>`
	first := func(path, fragment string) func(*etree.Element) {
		return func(r *etree.Element) {
			parent := r.FindElement(path)
			add(path, fragment)(r)
			added := parent.ChildElements()[len(parent.ChildElements())-1]
			parent.RemoveChild(added)
			parent.InsertChildAt(1, added) // after the Issuer, or the only child
		}
	}
	decision := `<saml:AuthzDecisionStatement Resource="urn:r" Decision="Permit"><saml:Action ` +
		`Namespace="urn:a">x</saml:Action></saml:AuthzDecisionStatement>`
	for name, c := range map[string]struct {
		before func(*etree.Element)
		reason saml.Reason
	}{
		"Extensions":                          {first(top, `<samlp:Extensions>`+foreign+`</samlp:Extensions>`), ""},
		"Consent":                             {set(top, "Consent", "urn:oasis:names:tc:SAML:2.0:consent:obtained"), ""},
		"StatusMessage":                       {add(".//Status", `<samlp:StatusMessage>fine</samlp:StatusMessage>`), ""},
		"StatusDetail":                        {add(".//Status", `<samlp:StatusDetail>`+foreign+`</samlp:StatusDetail>`), ""},
		"Advice":                              {add(asrt, `<saml:Advice>`+foreign+`<saml:AssertionIDRef>_x</saml:AssertionIDRef></saml:Advice>`), ""},
		"SubjectLocality":                     {first(".//AuthnStatement", `<saml:SubjectLocality Address="192.0.2.1" DNSName="x"/>`), ""},
		"an authorization decision":           {add(asrt, decision), ""},
		"elements in SubjectConfirmationData": {add(scd, foreign), ""},
		"an attribute of another namespace in SubjectConfirmationData": {set(scd, "xml:lang", "en"), ""},
		"attributes of other namespaces in Attribute": {func(r *etree.Element) {
			r.FindElement(".//Attribute").CreateAttr("xmlns:x", "urn:x")
			r.FindElement(".//Attribute").CreateAttr("x:LastModified", "2026-11-22T12:00:00Z")
		}, ""},
		"an address":                     {set(scd, "Address", "192.0.2.1"), ""},
		"ProxyRestriction":               {add(".//Conditions", `<saml:ProxyRestriction Count="0"/>`), ""},
		"an unknown condition":           {add(".//Conditions", foreign), saml.ReasonCondition},
		"an assertion in Advice":         {add(asrt, `<saml:Advice><saml:Assertion/></saml:Advice>`), saml.ReasonAssertionCount},
		"an unknown child of a Response": {add(top, foreign), saml.ReasonNotResponse},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := newSP(t).Verify(doc{Attributes: named("unknown", "v"), Before: c.before}.base64(t), unsolicited)
			if c.reason != "" {
				requireReason(t, c.reason, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "v", a.Value("unknown"))
			require.Equal(t, "alice@example.com", a.NameID().Value)
		})
	}
}
