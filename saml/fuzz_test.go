package saml_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// FuzzVerifyXML fuzzes everything from the parser to the rules. For every input:
// there is no panic; an error is a *saml.Error and has no assertion; success means
// that the values are the signed ones, and that verifying again has the same result.
// The vectors' service provider gets every input too, and accepts only the good
// vectors.
func FuzzVerifyXML(f *testing.F) {
	seeds := []doc{
		{},
		{SignResponse: true},
		{SignResponse: true, UnsignedAssertion: true},
		{RequestID: "_r1"},
		{UnsignedAssertion: true},
		{Key: keys().other},
		{Attributes: `<saml:Attribute Name="a"><saml:AttributeValue><x/></saml:AttributeValue></saml:Attribute>`},
		{After: replace("alice", "<![CDATA[alice]]>")},
		{After: replace("<saml:Subject>", "<!-- x --><saml:Subject>")},
		{Before: func(r *etree.Element) { r.CreateAttr("xml:lang", "en") }},
	}
	for _, d := range seeds {
		f.Add(d.xml(f))
	}
	f.Add([]byte("<a/>"))
	f.Add([]byte(""))
	vectors := vectorDocuments(f)
	for _, doc := range vectors {
		f.Add(doc)
	}
	sp := newSP(f)
	want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}, Unsolicited: true}
	theirs, expected := vectorSP(f)
	accepted := acceptedVectors(f, vectors)
	f.Fuzz(func(t *testing.T, xml []byte) {
		before := bytes.Clone(xml)
		a, err := sp.VerifyXML(xml, want)
		require.Equal(t, before, xml, "the input is not written to")
		if v, err := theirs.VerifyXML(xml, expected); err == nil {
			o, known := accepted[v.ID()]
			// The plaintext of a vector that is refused only for its encryption is
			// unknown here.
			require.True(
				t,
				known || bytes.Contains(xml, []byte("EncryptedAssertion")),
				"no vector's assertion has the ID %q",
				v.ID(),
			)
			if known {
				require.Empty(t, o.different(xml, v))
			}
		}
		if err != nil {
			require.Nil(t, a)
			var e *saml.Error
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Reason)
			return
		}
		require.Equal(t, "alice@example.com", a.NameID().Value)
		require.Equal(t, "_asrt1", a.ID())
		require.Equal(t, idpEntity, a.Issuer())
		again, err := sp.VerifyXML(xml, want)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

// FuzzParseIdPMetadata: no panic, never half a result, and reports that agree with it.
func FuzzParseIdPMetadata(f *testing.F) {
	for _, uses := range []string{"signing", "any other", "encryption", ""} {
		f.Add([]byte(idpMetadata(f, ` validUntil="2026-12-01T00:00:00Z"`, uses, "")))
	}
	f.Add([]byte(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"/>`))
	for _, v := range vectorsOf(f, "metadata") {
		f.Add(v.document(f))
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		if a, err := saml.ParseAggregate(xml); err == nil {
			requireReports(t, a)
		}
		idp, err := saml.ParseIdPMetadata(xml)
		if err != nil {
			require.Nil(t, idp)
			requireReasonIn(t, []string{"Metadata", "ID", "Limit", "MetadataDuplicate"}, err)
			return
		}
		require.NotEmpty(t, idp.EntityID())
	})
}
