package mockidp_test

import (
	"encoding/xml"
	"strings"
	"testing"

	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// encryptNames makes an app and its service provider encrypt the NameIDs of LogoutRequests.
func (sp *logoutSP) encryptNames(t *testing.T, idp *mockidp.Server) {
	t.Helper()
	updateApp(t, idp, sp.app, func(a *mockidp.App) {
		a.EncryptedNameIDs, a.EncryptionCertificate = true, spCertificate(t)
	})
	require.NoError(t, xml.Unmarshal(idp.Metadata(sp.app), sp.IDPMetadata))
	sp.EncryptLogoutNameID = true
}

// A LogoutRequest with an EncryptedID for a key of the app ends the session that it names, with each algorithm and
// after a rollover of the key.
func TestLogoutWithAnEncryptedID(t *testing.T) {
	oaep := func(block xmlenc.BlockCipher, digest xmlenc.DigestMethod) xmlenc.Encrypter {
		e := xmlenc.OAEP()
		e.BlockCipher, e.DigestMethod = block, digest
		return e
	}
	pkcs := xmlenc.PKCS1v15()
	pkcs.BlockCipher = xmlenc.AES256CBC
	for name, encrypter := range map[string]xmlenc.Encrypter{
		"the default": nil, "AES-128-CBC": oaep(xmlenc.AES128CBC, xmlenc.SHA1),
		"AES-192-GCM, SHA-256": oaep(xmlenc.AES192GCM, xmlenc.SHA256), "PKCS #1 v1.5": pkcs,
	} {
		for binding, way := range logoutBindings {
			t.Run(name+"/"+binding, func(t *testing.T) {
				idp := start(t, mockidp.Config{})
				sp := addLogoutSP(t, idp, wiki, way)
				sp.encryptNames(t, idp)
				sp.LogoutNameIDEncrypter = encrypter
				b := newBrowser(t, idp)
				sp.signIn(b)
				req := sp.request(nil)
				require.Nil(t, req.NameID)
				next := must(idp.AddKey(otherKey(), nil))
				require.NoError(t, idp.SignWith(next.ID))
				p := sp.send(b, req)
				require.NoError(t, xml.Unmarshal(idp.Metadata(sp.app), sp.IDPMetadata))
				top, _ := sp.answered(t, p, req)
				assert.Equal(t, mockidp.StatusSuccess, top)
				assert.False(t, b.signedIn())
			})
		}
	}
}

// An EncryptedID that can't be decrypted, or names another user, ends no session.
func TestLogoutWithAnEncryptedIDRefused(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addSOAPSP(t, idp)
	sp.encryptNames(t, idp)
	b := newBrowser(t, idp)
	sp.signIn(b)
	foreign := *sp.ServiceProvider
	foreign.IDPMetadata = &crewjam.EntityDescriptor{}
	other := start(t, mockidp.Config{Key: otherKey()})
	addLogoutSP(t, other, wiki, crewjam.SOAPBinding).encryptNames(t, other)
	require.NoError(t, xml.Unmarshal(other.Metadata(other.Apps()[len(other.Apps())-1].ID), foreign.IDPMetadata))
	foreign.IDPMetadata.IDPSSODescriptors[0].SingleLogoutServices[0].Location = idp.LogoutSOAPURL(sp.app)
	name := crewjam.NameID{Value: alice, Format: mockidp.NameIDEmail}
	req, err := foreign.MakeSOAPLogoutRequest(name, crewjam.WithSessionIndex(sp.index))
	require.NoError(t, err)
	status, body := postSOAP(t, idp, idp.LogoutSOAPURL(sp.app), written(envelopeOf(req.Element())))
	assert.Equal(t, 500, status)
	assert.Contains(t, body, "the EncryptedID can")
	assert.True(t, b.signedIn())
	last := idp.Messages()[len(idp.Messages())-1]
	require.NotNil(t, last.Refused)
	assert.Equal(t, mockidp.ReasonSubject, last.Refused.Reason)

	for _, user := range []string{bob, alice} {
		name.Value = user
		req, err = sp.MakeSOAPLogoutRequest(name, crewjam.WithSessionIndex(sp.index))
		require.NoError(t, err)
		_, err = sp.SendSOAPLogoutRequest(t.Context(), req)
		require.NoError(t, private(err))
		assert.Equal(t, user == bob, b.signedIn(), user)
	}
}

// The Server's LogoutRequests have an EncryptedID, which the service provider decrypts.
func TestLogoutRequestWithAnEncryptedID(t *testing.T) {
	for name, binding := range logoutBindings {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			a, c := addLogoutSP(t, idp, wiki, binding), addLogoutSP(t, idp, mail, binding)
			c.encryptNames(t, idp)
			b := newBrowser(t, idp)
			a.signIn(b)
			c.signIn(b)
			req, err := c.ValidateLogoutRequest(c.received(t, a.send(b, a.request(nil))))
			require.NoError(t, private(err))
			require.NotNil(t, req.NameID)
			assert.Equal(t, alice, req.NameID.Value)
			for _, m := range idp.Messages() {
				if m.App == c.app && strings.Contains(string(m.XML), "LogoutRequest ") {
					assert.NotContains(t, string(m.XML), alice)
					assert.Contains(t, string(m.XML), "EncryptedID")
				}
			}
		})
	}
}

func TestEncryptedNameIDsAreChecked(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addSOAPSP(t, idp)
	assert.NotContains(t, string(idp.Metadata(sp.app)), `use="encryption"`)
	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.EncryptedNameIDs, a.EncryptionCertificate = true, nil })
	assert.Contains(t, string(idp.Metadata(sp.app)), `use="encryption"`)
	sp.signIn(newBrowser(t, idp))
	done, err := idp.Logout(t.Context(), alice)
	require.NoError(t, err)
	require.Len(t, done.Told, 1)
	assert.Contains(t, done.Told[0].Problem, "no EncryptionCertificate")
	err = idp.UpdateApp("", func(a *mockidp.App) error {
		a.Profile, a.EncryptedNameIDs = mockidp.Entra, true
		return nil
	})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}
