package saml_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// TestLogoutCases makes every hostile logout message of the catalogue with each key, and its twin without the attack,
// which is accepted. D49, D53: a case is refused for its Reason.
func TestLogoutCases(t *testing.T) {
	cases := attack.LogoutCases()
	require.NotEmpty(t, cases)
	for _, c := range cases {
		for _, key := range keyFiles(c.Key) {
			t.Run(c.ID+"/"+key, func(t *testing.T) {
				t.Parallel()
				sp := logoutAttackSP(t, key, c.OtherIdP)
				p := logoutAttackParams(t, sp, c, key)
				m, err := c.Twin(p)
				require.NoError(t, err)
				requireLogout(t, sp, c, m, attack.LogoutOutcome{}, p.SessionIndex)
				m, err = c.Make(p)
				require.NoError(t, err)
				requireLogout(t, sp, c, m, c.Outcome, p.SessionIndex)
			})
		}
	}
}

// requireLogout verifies a logout message, and compares the result with what is expected.
func requireLogout(
	t testing.TB, sp *saml.ServiceProvider, c attack.LogoutCase, m attack.LogoutMessage, want attack.LogoutOutcome,
	index string,
) {
	t.Helper()
	var asked *saml.VerifiedLogoutRequest
	var answer *saml.VerifiedLogoutResponse
	var err error
	if c.Answer {
		answer, err = sp.VerifyLogoutResponse(sentLogout(m))
	} else {
		asked, err = sp.VerifyLogoutRequest(sentLogout(m))
	}
	if !want.Accepted() {
		require.Nil(t, asked)
		require.Nil(t, answer)
		requireReasonIn(t, want.Reasons, err)
		return
	}
	require.NoError(t, err)
	if c.Answer {
		require.True(t, answer.Success())
		return
	}
	alice := asked.IdP() == idpEntity && asked.NameID().Value == "alice@example.com" &&
		asked.NameID().Format == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress" &&
		(asked.NameID().NameQualifier == "" || asked.NameID().NameQualifier == idpEntity) &&
		(asked.NameID().SPNameQualifier == "" || asked.NameID().SPNameQualifier == spEntity)
	require.Equal(t, !want.OtherSubject, alice, "%v", asked.NameID())
	if want.AllSessions {
		require.Empty(t, asked.SessionIndexes())
		return
	}
	require.Equal(t, []string{index}, asked.SessionIndexes())
}

// sentLogout returns a message as it arrives.
func sentLogout(m attack.LogoutMessage) saml.LogoutMessage {
	switch m.Binding {
	case attack.ByRedirect:
		return saml.LogoutMessage{Binding: saml.HTTPRedirect, Query: m.Text}
	case attack.BySOAP:
		return saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(m.Text)}
	}
	return saml.LogoutMessage{Binding: saml.HTTPPost, Message: []byte(m.Text), RelayState: m.RelayState}
}

// logoutAttackSP is a service provider whose identity provider signs with a key of testdata/keys.
func logoutAttackSP(t testing.TB, key string, otherIdP bool) *saml.ServiceProvider {
	t.Helper()
	var s attack.Settings
	cfg := attackConfig(t, attackKeys()[key], attackCertificates()[key], nil, s, idpEntity)
	withLogout(t)(&cfg)
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpEntity, Keys: []crypto.PublicKey{attackKeys()[key].Public()},
		SSO:    []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
		Logout: []saml.LogoutService{{Binding: saml.HTTPRedirect, URL: idpSLO}},
	})
	require.NoError(t, err)
	cfg.IdP, cfg.DecryptionKeys = idp, []crypto.Decrypter{attackKeys()["sp-rsa.pem"].(crypto.Decrypter)}
	if otherIdP {
		cfg = withOtherIdP(t, cfg, s, secondIdP, attackKeys()["other-idp-rsa.pem"])
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	return sp
}

func logoutAttackParams(t testing.TB, sp *saml.ServiceProvider, c attack.LogoutCase, key string) attack.LogoutParams {
	t.Helper()
	asked, err := sp.NewLogoutRequest(saml.LogoutOptions{IdP: idpEntity, NameID: saml.NameID{Value: "alice"}})
	require.NoError(t, err)
	authn, err := sp.NewAuthnRequest(saml.RequestOptions{IdP: idpEntity})
	require.NoError(t, err)
	p := attack.LogoutParams{
		Params: attack.Params{
			Issuer: idpEntity, Audience: spEntity, Recipient: usLogout, OtherACS: euLogout, RequestID: authn.ID(), Now: now,
			Key: attackKeys()[key], Certificate: attackCertificates()[key], AttackerKey: attackKeys()["attacker-rsa.pem"],
			OtherIdP: secondIdP, OtherKey: attackKeys()["other-idp-rsa.pem"],
			EncryptTo: &attackKeys()["sp-rsa.pem"].(*rsa.PrivateKey).PublicKey,
			Rand:      rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", c.ID)))),
		},
		SessionIndex: "_session1", InResponseTo: asked.ID(),
	}
	if _, ok := p.Key.(*rsa.PrivateKey); !ok {
		p.AttackerKey = attackKeys()["attacker-ecdsa.pem"]
	}
	return p
}

// J09: an address for logout at http, which SOAP would use without TLS, is refused when metadata is read, unless it is
// on this machine (twin).
func TestLogoutServicesAtHTTP(t *testing.T) {
	for at, used := range map[string]bool{
		"https://idp.example/soap": true, "http://idp.localhost:8080/soap": true,
		"http://idp.example/soap": false, "http://localhost.evil.example/soap": false, "ftp://idp.example/soap": false,
	} {
		for _, binding := range []string{saml.SOAP, saml.HTTPPost, saml.HTTPRedirect} {
			idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "signing",
				`<md:SingleLogoutService Binding="`+binding+`" Location="`+at+`"/>`)))
			require.NoError(t, err)
			require.Equal(t, used, len(idp.LogoutServices()) == 1, at)
			require.Equal(t, used, len(idp.Warnings()) == 0, at)
			_, err = saml.NewIdP(saml.IdPConfig{
				EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()},
				Logout: []saml.LogoutService{{Binding: binding, URL: at}},
			})
			require.Equal(t, used, err == nil, at)
		}
	}
}
