package saml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// identifiers are both functions, which follow the same rules.
var identifiers = map[string]func(*saml.Assertion) (saml.Scoped, error){
	saml.AttributeSubjectID:  (*saml.Assertion).SubjectID,
	saml.AttributePairwiseID: (*saml.Assertion).PairwiseID,
}

// Obligations: SDP-SP14.
func TestSubjectIdentifiers(t *testing.T) {
	long := strings.Repeat("a", 127)
	for name, of := range identifiers {
		for value, want := range map[string]saml.Scoped{
			"idm123456789@example.org":     {Value: "idm123456789", Scope: "example.org"},
			"0A=B-c@EXAMPLE.org":           {Value: "0a=b-c", Scope: "example.org"},
			"a@0..-":                       {Value: "a", Scope: "0..-"},
			long + "@" + long:              {Value: long, Scope: long},
			"MFRGGZDF===@" + "x-y.Example": {Value: "mfrggzdf===", Scope: "x-y.example"},
		} {
			got, err := of(saml.NewAssertion(saml.NameID{}, []saml.Attribute{texts("x", "y"), texts(name, value)}, nil))
			require.NoError(t, err, value)
			require.Equal(t, want, got)
		}
	}
}

// Obligations: IIP-SP11, SDP-SP14.
func TestSubjectIdentifiersRefuse(t *testing.T) {
	long := strings.Repeat("a", 128)
	for name, of := range identifiers {
		for _, value := range []string{
			"", "a", "@", "a@", "@b", "a@b@c", "=a@b", "-a@b", "a@-b", "a@.b", "a.b@c", "a_b@c", "a@b=c", "a@b_c",
			" a@b", "a@b ", "a@b\n", "é@b", "a@é", "\u212a@b", long + "@b", "a@" + long,
		} {
			got, err := of(saml.NewAssertion(saml.NameID{}, []saml.Attribute{texts(name, value)}, nil))
			requireReason(t, saml.ReasonAttributeType, err)
			require.Zero(t, got)
		}
		of := func(scopes []string, attributes ...saml.Attribute) error {
			_, err := of(saml.NewAssertion(saml.NameID{}, attributes, scopes))
			return err
		}
		requireReason(t, saml.ReasonAttributeMissing, of(nil))
		requireReason(t, saml.ReasonAttributeMissing, of(nil, saml.Attribute{Name: name}))
		requireReason(t, saml.ReasonAttributeMissing, of(nil, saml.Attribute{
			Name: "x", FriendlyName: name, Values: []saml.AttributeValue{{Text: "a@b"}},
		}))
		requireReason(t, saml.ReasonAttributeType, of(nil, saml.Attribute{
			Name: name, Values: []saml.AttributeValue{{Elements: []saml.Element{{Name: "a", Text: "a@b"}}}},
		}))
		requireReason(t, saml.ReasonAttributeType, of(nil, saml.Attribute{
			Name: name, Values: []saml.AttributeValue{{Nil: true}},
		}))
		// Exactly one value, even if the others are the same, empty, or in another format.
		basic := texts(name, "a@b")
		basic.NameFormat = basicFormat
		requireReason(t, saml.ReasonAttributeCount, of(nil, texts(name, "a@b", "a@b")))
		requireReason(t, saml.ReasonAttributeCount, of(nil, texts(name, "a@b", "")))
		requireReason(t, saml.ReasonAttributeCount, of(nil, texts(name, "a@b"), basic))
		// The scope is the identity provider's.
		require.NoError(t, of([]string{"example.org"}, texts(name, "a@Example.ORG")))
		requireReason(t, saml.ReasonScope, of([]string{"example.org"}, texts(name, "a@sub.example.org")))
		requireReason(t, saml.ReasonScope, of([]string{}, texts(name, "a@example.org")))
	}
}

// A Decoder reads them in the same way.
// Obligations: SDP-SP14.
func TestDecodeSubjectIdentifiers(t *testing.T) {
	type user struct {
		ID saml.Scoped `saml:"urn:oasis:names:tc:SAML:attribute:subject-id|urn:oasis:names:tc:SAML:attribute:pairwise-id"`
	}
	for name := range identifiers {
		got, err := decode[user](t, texts(name, "A=@Example.org"))
		require.NoError(t, err)
		require.Equal(t, user{saml.Scoped{Value: "a=", Scope: "example.org"}}, got)
		_, err = decode[user](t, texts(name, "a.b@example.org"))
		requireReason(t, saml.ReasonAttributeType, err)
		require.ErrorContains(t, err, "field user.ID")
	}
}
