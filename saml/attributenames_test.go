package saml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

var nameTables = map[string]func() saml.Names{
	"eduPerson": saml.EduPersonNames, "SCHAC": saml.SCHACNames, "LDAP": saml.LDAPNames,
	"Microsoft": saml.MicrosoftNames, "Okta": saml.OktaNames,
}

// In a table each attribute has one name, and each name at least one attribute.
func TestNameTables(t *testing.T) {
	for table, names := range nameTables {
		seen := map[string]bool{}
		require.NotEmpty(t, names(), table)
		for short, attributes := range names() {
			require.NotEmpty(t, attributes, "%s: %s", table, short)
			require.NotContains(t, short, ":", table)
			for _, a := range attributes {
				require.False(t, seen[a], "%s: %s", table, a)
				seen[a] = true
				require.Equal(t, table != "Okta", strings.Contains(a, ":"), "%s: %s", table, a)
			}
		}
	}
}

// No name means different things in the tables of object identifiers.
func TestNameTablesAgree(t *testing.T) {
	seen := map[string]string{}
	for table, names := range nameTables {
		for short, attributes := range names() {
			for _, a := range attributes {
				if strings.HasPrefix(a, "urn:oid:") {
					require.Empty(t, seen[a], "%s: %s", table, a)
					seen[a] = short
				}
			}
		}
	}
}

// What a program does with a table changes no other program's.
func TestNameTablesAreCopies(t *testing.T) {
	for table, names := range nameTables {
		for short, attributes := range names() {
			attributes[0] = "changed"
			require.NotEqual(t, "changed", names()[short][0], table)
			break
		}
	}
}

// The mail of one user as a university, Entra ID, AD FS 1.x and Okta send it.
func TestNameTablesTogether(t *testing.T) {
	type user struct {
		Mail string        `saml:"mail,required"`
		EPPN []saml.Scoped `saml:"eduPersonPrincipalName"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{Names: []saml.Names{
		saml.LDAPNames(), saml.EduPersonNames(), saml.MicrosoftNames(), saml.OktaNames(),
	}})
	require.NoError(t, err)
	for _, name := range []string{
		"urn:oid:0.9.2342.19200300.100.1.3", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"http://schemas.xmlsoap.org/claims/EmailAddress", "email",
	} {
		got, err := d.Decode(saml.NewAssertion(saml.NameID{}, []saml.Attribute{
			texts(name, "a@example.org"), texts("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "a@example.org"),
		}, nil))
		require.NoError(t, err)
		require.Equal(t, user{"a@example.org", []saml.Scoped{{Value: "a", Scope: "example.org"}}}, got)
	}
}

// Verify checks the scopes of every scoped attribute in the tables, under each name.
func TestNameTablesScoped(t *testing.T) {
	idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "signing", "")))
	require.NoError(t, err)
	idp, err = idp.WithPolicy(saml.IdPPolicy{Scopes: []string{"example.org"}})
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	for _, short := range []string{
		"eduPersonPrincipalName", "eduPersonPrincipalNamePrior", "eduPersonScopedAffiliation", "eduPersonUniqueId",
		"subject-id", "pairwise-id",
	} {
		for _, name := range saml.EduPersonNames()[short] {
			xml := doc{Attributes: `<saml:Attribute Name="` + name + `"><saml:AttributeValue>a@other.example` +
				`</saml:AttributeValue></saml:Attribute>`}.xml(t)
			_, err := sp.VerifyXML(xml, saml.VerifyOptions{ACS: usACS, Unsolicited: true})
			requireReason(t, saml.ReasonScope, err)
		}
	}
}
