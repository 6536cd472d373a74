package peers_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// TestSchemas validates our messages and the mock's with the schemas of SAML 2.0
// that SimpleSAMLphp ships. Peers that validate refuse all other messages.
func TestSchemas(t *testing.T) {
	v := newSchemas(t)
	d := deploy(t, func(sp *saml.Config, _ *acs.Config) {})
	idp := mockidp.New(mockidp.Config{Users: []mockidp.User{
		{Login: peerUser, Groups: []string{"Engineering", "R&D <Lab>"}},
	}})
	t.Cleanup(idp.Close)
	require.NoError(t, idp.RegisterSP("", d.metadata(t)))
	require.NoError(t, idp.UpdateApp("", func(a *mockidp.App) error {
		a.GroupAttribute = &mockidp.GroupAttribute{}
		a.Attributes = []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}
		return nil
	}))
	d.trust(t, idp.Metadata(""))

	t.Run("the validator refuses", func(t *testing.T) {
		broken := strings.Replace(string(d.metadata(t)), `isDefault="true"`, `isDefault="perhaps"`, 1)
		require.NotEqual(t, string(d.metadata(t)), broken)
		out, ok := v.validate(t, "metadata", []byte(broken))
		assert.False(t, ok)
		assert.Contains(t, out, "isDefault")
	})
	t.Run("metadata of ours", func(t *testing.T) { v.valid(t, "metadata", d.metadata(t)) })
	t.Run("metadata of ours, with encryption", func(t *testing.T) {
		d, _ := deployEncrypted(t, func(*saml.Config, *acs.Config) {})
		require.Contains(t, string(d.metadata(t)), `use="encryption"`)
		v.valid(t, "metadata", d.metadata(t))
	})
	t.Run("metadata of the mock", func(t *testing.T) { v.valid(t, "metadata", idp.Metadata("")) })
	t.Run("requests", func(t *testing.T) { checkRequestSchemas(t, v, d) })
	for name, sign := range map[string]mockidp.Signing{
		signBoth: mockidp.SignBoth, signResponse: mockidp.SignResponse, signAssertion: mockidp.SignAssertion,
	} {
		t.Run("response of the mock, signed "+name, func(t *testing.T) {
			require.NoError(t, idp.UpdateApp("", func(a *mockidp.App) error { a.Sign = sign; return nil }))
			for _, initiated := range []bool{true, false} {
				v.valid(t, "protocol", mockResponse(t, d, idp, initiated))
			}
		})
	}
}

// checkRequestSchemas validates requests with all options, and with none.
func checkRequestSchemas(t *testing.T, v schemas, d *deployment) {
	full := saml.RequestOptions{
		ForceAuthn: true, IsPassive: true,
		AuthnContext: &saml.RequestedAuthnContext{
			ClassRefs:  []string{"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
			Comparison: saml.Exact,
		},
		NameIDPolicy: &saml.NameIDPolicy{Format: mockidp.NameIDEmail, AllowCreate: true, SPNameQualifier: d.sp.EntityID()},
		Subject:      &saml.NameID{Value: peerUser, Format: mockidp.NameIDEmail},
		ProviderName: "R&D <Portal>",
		Scoping: &saml.Scoping{
			ProxyCount: new(uint(0)), RequesterIDs: []string{"https://behind.example/"}, GetComplete: "https://sp.example/idps",
			IDPList: []saml.IDPEntry{{ProviderID: "https://proxied.example/", Name: "Ä & B", Loc: "https://proxied.example/sso"}},
		},
		Extensions: []string{`<x:Type xmlns:x="urn:example:x">public</x:Type>`, `<y xmlns="urn:example:y"/>`},
	}
	for _, o := range []saml.RequestOptions{{}, full} {
		for _, binding := range []string{saml.HTTPRedirect, saml.HTTPPost} {
			o.Binding, o.ACS = binding, d.acs(awayRegion)
			request, err := d.sp.NewAuthnRequest(o)
			require.NoError(t, err)
			var m peerMessage
			if binding == saml.HTTPRedirect {
				to, err := request.RedirectURL("opaque")
				require.NoError(t, err)
				m = peerPage{location: to}.message(t, "SAMLRequest")
			} else {
				form, err := request.PostForm("opaque")
				require.NoError(t, err)
				m = peerMessage{method: "POST", to: form.URL, fields: url.Values{"SAMLRequest": {form.SAMLRequest}}}
			}
			doc := etree.NewDocument()
			doc.SetRoot(m.request(t))
			assert.Equal(t, binding == saml.HTTPPost, doc.FindElement("//Signature") != nil)
			xml, err := doc.WriteToBytes()
			require.NoError(t, err)
			v.valid(t, "protocol", xml)
		}
	}
}

// mockResponse is a response of the mock, to a request or, if initiated there,
// to none.
func mockResponse(t *testing.T, d *deployment, idp *mockidp.Server, initiated bool) []byte {
	t.Helper()
	var form mockidp.Form
	var err error
	if initiated {
		form, err = idp.IdPInitiated("", peerUser, "")
	} else {
		request, failed := d.sp.NewAuthnRequest(saml.RequestOptions{})
		require.NoError(t, failed)
		to, failed := request.RedirectURL("opaque")
		require.NoError(t, failed)
		form, err = idp.Answer(to, peerUser)
	}
	require.NoError(t, err)
	return []byte(peerMessage{fields: form.Values()}.response(t))
}

// schemas validates documents.
type schemas struct{ php, dir string }

func newSchemas(t *testing.T) schemas {
	t.Helper()
	v := schemas{requirePHP(t), filepath.Join(simpleSAMLphp, "schemas")}
	testkit.RequireFile(t, "peers", v.file("metadata"))
	testkit.RequireFile(t, "peers", v.file("protocol"))
	return v
}

func (v schemas) file(name string) string {
	return filepath.Join(v.dir, "saml-schema-"+name+"-2.0.xsd")
}

// valid requires that a document is valid.
func (v schemas) valid(t *testing.T, schema string, xml []byte) {
	t.Helper()
	out, ok := v.validate(t, schema, xml)
	assert.True(t, ok, "%s\n%s", out, xml)
}

func (v schemas) validate(t *testing.T, schema string, xml []byte) (string, bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.xml")
	require.NoError(t, os.WriteFile(file, xml, 0o600))
	out, err := exec.Command(v.php, "testdata/validate.php", v.file(schema), file).CombinedOutput()
	return string(out), err == nil
}
