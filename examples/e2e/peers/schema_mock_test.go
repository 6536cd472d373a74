package peers_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// mockVariants are configurations of an app of the mock. Its metadata and
// responses must be valid with each.
var mockVariants = map[string]func(*mockidp.App){
	"as it comes": func(*mockidp.App) {},
	"X.509 subject": func(a *mockidp.App) {
		a.NameIDFormat, a.NameIDTemplate = mockidp.NameIDX509Subject, "CN=${user.login}"
	},
	"unspecified":     func(a *mockidp.App) { a.NameIDFormat = mockidp.NameIDUnspecified },
	"persistent":      func(a *mockidp.App) { a.NameIDFormat = mockidp.NameIDPersistent },
	"transient":       func(a *mockidp.App) { a.NameIDFormat = mockidp.NameIDTransient },
	"no attribute":    func(a *mockidp.App) { a.Attributes, a.GroupAttribute, a.GroupAttributes = nil, nil, nil },
	"issuer":          func(a *mockidp.App) { a.Issuer = "urn:example:idp" },
	"recipient":       func(a *mockidp.App) { a.Recipient, a.Destination = "https://r.example.com/", "https://d.example.com/" },
	"no KeyInfo":      func(a *mockidp.App) { a.OmitKeyInfo = true },
	"RSA-SHA384":      func(a *mockidp.App) { a.SignatureMethod = mockidp.RSASHA384 },
	"RSA-SHA512":      func(a *mockidp.App) { a.SignatureMethod = mockidp.RSASHA512 },
	"session's end":   func(a *mockidp.App) { a.SessionLifetime = time.Hour },
	"second factor":   func(a *mockidp.App) { a.AuthnContext = mockidp.MultiFactor },
	"signed requests": func(a *mockidp.App) { a.SignedRequests = true },
	"Entra": func(a *mockidp.App) {
		a.Profile, a.Issuer = mockidp.Entra, "" // its issuer is another one
		a.ACS[0].Default = true
	},
	"Identity Center": func(a *mockidp.App) {
		a.IdentityCenter = &mockidp.IdentityCenter{ACSURL: a.ACS[0].URL, IssuerURL: a.Audience}
		a.IdentityCenter.ACSURLs[16] = a.ACS[1].URL
	},
	"attributes": func(a *mockidp.App) {
		a.Attributes = []mockidp.Attribute{
			{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: mockidp.AttrURI, Values: []string{"${user.email}"}},
			{Name: "roles", NameFormat: mockidp.AttrBasic, Values: []string{"a<b>&\"'c", "", "Zürich \t\n end"}},
			{Name: "spaces in its name", Values: []string{"x"}},
		}
		a.GroupAttribute = &mockidp.GroupAttribute{Name: "memberOf", Filter: mockidp.Regex, Value: "."}
		a.GroupAttributes = []mockidp.GroupAttribute{
			{Name: "labs", NameFormat: mockidp.AttrURI, Filter: mockidp.Contains, Value: "Lab"},
		}
	},
}

// TestSchemasOfMock validates the mock's messages with the schemas.
func TestSchemasOfMock(t *testing.T) {
	v := newSchemas(t)
	d := deploy(t, func(*saml.Config, *acs.Config) {})

	for name, change := range mockVariants {
		t.Run(name, func(t *testing.T) {
			idp := newSchemaMock(t, d)
			changeApp(t, idp, change)
			metadata := idp.Metadata("")
			v.valid(t, "metadata", withoutFederationRoles(t, metadata))
			d.trust(t, metadata)
			if name != "signed requests" { // the answer to one goes where that says, so there must be one
				v.valid(t, "protocol", mockResponse(t, d, idp, true))
			}
			v.valid(t, "protocol", mockResponse(t, d, idp, false))
		})
	}
	t.Run("keys", func(t *testing.T) {
		idp := newSchemaMock(t, d)
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		require.NoError(t, err)
		added, err := idp.AddKey(key, nil)
		require.NoError(t, err)
		d.trust(t, idp.Metadata(""))
		v.valid(t, "metadata", idp.Metadata(""))
		require.NoError(t, idp.SignWith(added.ID))
		xml := mockResponse(t, d, idp, true)
		require.Contains(t, string(xml), "#ecdsa-sha384")
		v.valid(t, "protocol", xml)
	})
	t.Run("errors", func(t *testing.T) {
		idp := newSchemaMock(t, d)
		d.trust(t, idp.Metadata(""))
		for _, status := range mockStatuses() {
			require.NoError(t, idp.QueueError("", status))
			xml := mockResponse(t, d, idp, status.Message == "")
			require.NotContains(t, string(xml), peerUser)
			require.Contains(t, string(xml), status.SubCode)
			v.valid(t, "protocol", xml)
		}
	})
	t.Run("encrypted", func(t *testing.T) {
		idp := newSchemaMock(t, d)
		d.trust(t, idp.Metadata(""))
		v := v.withEncryption11(t)
		for name, encryption := range spCiphers {
			changeApp(t, idp, func(a *mockidp.App) {
				a.Encrypt, a.EncryptionCertificate = &encryption, peerEncryptionKey().cert
			})
			xml := mockResponse(t, d, idp, true)
			require.Contains(t, string(xml), "EncryptedAssertion")
			v.valid(t, "protocol", xml)
			if name == "aes256-gcm" || name == cbcBeside {
				doc, _ := opened(t, string(xml))
				inside := etree.NewDocument()
				inside.SetRoot(doc.FindElement("//EncryptedAssertion/Assertion").Copy())
				xml, err := inside.WriteToBytes()
				require.NoError(t, err)
				v.valid(t, "assertion", xml)
			}
		}
	})
}

// withoutFederationRoles takes away the roles of WS-Federation, whose types are
// in no schema here, and the byte order mark.
func withoutFederationRoles(t *testing.T, metadata []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(bytes.TrimPrefix(metadata, []byte("\xef\xbb\xbf"))))
	for _, role := range doc.FindElements("/EntityDescriptor/RoleDescriptor") {
		doc.Root().RemoveChild(role)
	}
	out, err := doc.WriteToBytes()
	require.NoError(t, err)
	return out
}

// newSchemaMock is a mock that knows a deployment, and users with names that
// need escaping.
func newSchemaMock(t *testing.T, d *deployment) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(mockidp.Config{
		Key: peerIdPKey().key, Certificate: peerIdPKey().cert,
		Users: []mockidp.User{{Login: peerUser, Groups: []string{"Engineering", "R&D <Lab>"}}},
	})
	t.Cleanup(idp.Close)
	require.NoError(t, idp.RegisterSP("", d.metadata(t)))
	changeApp(t, idp, func(a *mockidp.App) {
		a.Attributes = []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}
		a.GroupAttribute = &mockidp.GroupAttribute{}
	})
	return idp
}

// mockStatuses are all statuses of a response without an assertion.
func mockStatuses() []mockidp.Status {
	all := []mockidp.Status{{}, {Message: "with <no> second level"}}
	for _, code := range []string{mockidp.StatusRequester, mockidp.StatusResponder, mockidp.StatusVersionMismatch} {
		for _, sub := range []string{
			mockidp.StatusAuthnFailed, mockidp.StatusInvalidNameIDPolicy, mockidp.StatusNoAuthnContext,
			mockidp.StatusNoPassive, mockidp.StatusRequestDenied, mockidp.StatusRequestUnsupported,
		} {
			all = append(all, mockidp.Status{Code: code, SubCode: sub, Message: "why & how"})
		}
	}
	return all
}

// withEncryption11 are the schemas of SAML together with that of XML Encryption
// 1.1, which defines the names of OAEP's mask functions.
func (v schemas) withEncryption11(t *testing.T) schemas {
	t.Helper()
	const encryption11 = "/usr/share/xml/xmltooling/xenc11-schema.xsd"
	testkit.RequireFile(t, "peers", encryption11)
	both := schemas{v.php, t.TempDir()}
	for _, name := range []string{"protocol", "assertion"} {
		require.NoError(t, os.WriteFile(both.file(name), []byte(`<schema xmlns="http://www.w3.org/2001/XMLSchema">
			<import namespace="urn:oasis:names:tc:SAML:2.0:`+name+`" schemaLocation="`+v.file(name)+`"/>
			<import namespace="http://www.w3.org/2009/xmlenc11#" schemaLocation="`+encryption11+`"/>
		</schema>`), 0o600))
	}
	return both
}
