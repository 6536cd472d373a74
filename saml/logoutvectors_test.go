package saml_test

import (
	"crypto"
	"encoding/base64"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// TestLogoutVectors verifies the logout messages in testdata/vectors by their headers alone.
func TestLogoutVectors(t *testing.T) {
	vectors := vectorsOf(t, "logout")
	require.NotEmpty(t, vectors, "no vectors")
	generated := 0
	for _, v := range vectors {
		if v.one("body") == "generated" { // too big to store; TestLogoutCases makes it
			generated++
			require.True(t, slices.ContainsFunc(attack.LogoutCases(), func(c attack.LogoutCase) bool {
				return c.ID == v.one("id")
			}), v.one("id"))
			continue
		}
		t.Run(v.one("id"), func(t *testing.T) { v.verifyLogout(t) })
	}
	require.Less(t, generated, len(vectors)/10)
}

func (v *vector) verifyLogout(t *testing.T) {
	now, err := time.Parse(time.RFC3339, v.one("now"))
	require.NoError(t, err)
	sp, idp := v.logoutSP(t, now), v.one("idp")
	in := saml.LogoutMessage{Message: []byte(v.body), RelayState: v.one("relay-state")}
	switch v.one("binding") {
	case "HTTP-Redirect":
		in.Binding, in.Query, in.Message = saml.HTTPRedirect, v.body, nil
	case "HTTP-POST":
		in.Binding, in.Message = saml.HTTPPost, []byte(base64.StdEncoding.EncodeToString([]byte(v.body)))
	case "SOAP":
		in.Binding = saml.SOAP
	default:
		require.Fail(t, "unknown binding", v.one("binding"))
	}
	if id := v.one("request-id"); id != "" {
		answer, err := sp.VerifyLogoutResponse(in)
		if err == nil {
			err = answer.CheckRequest(saml.LogoutRecord{ID: id, IdP: idp, URL: v.one("logout"), At: now})
		}
		v.requireVerdict(t, err)
		return
	}
	asked, err := sp.VerifyLogoutRequest(in)
	v.requireVerdict(t, err)
	if err != nil {
		return
	}
	user, err := strconv.Unquote(v.one("name-id"))
	require.NoError(t, err)
	name := asked.NameID()
	same := asked.IdP() == idp && name.Value == user && slices.Contains([]string{"", idp}, name.NameQualifier) &&
		slices.Contains([]string{"", v.one("sp")}, name.SPNameQualifier) &&
		name.Format == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	require.Equal(t, v.one("ends"), map[bool]string{true: "the session", false: "nothing"}[same])
	if v.one("sessions") == "all" {
		require.Empty(t, asked.SessionIndexes())
		return
	}
	require.Equal(t, []string{v.one("session-index")}, asked.SessionIndexes())
}

// requireVerdict compares an error with the expectation.
func (v *vector) requireVerdict(t *testing.T, err error) {
	t.Helper()
	if len(v.reasons) == 0 {
		require.NoError(t, err)
		return
	}
	requireReasonIn(t, v.reasons, err)
}

func (v *vector) logoutSP(t *testing.T, now time.Time) *saml.ServiceProvider {
	t.Helper()
	key, own := attackKeys()[v.one("idp-key")], attackKeys()["sp-rsa.pem"]
	require.NotNil(t, key, "idp-key")
	cfg := attackConfig(t, key, attackCertificates()[v.one("idp-key")], nil, attack.Settings{}, v.one("idp"))
	cfg.EntityID, cfg.Now, cfg.LogoutSOAP = v.one("sp"), func() time.Time { return now }, true
	cfg.Key, cfg.Certificate = own, certificate(t, own, now)
	cfg.Logout = []saml.LogoutEndpoint{{URL: v.one("logout")}}
	cfg.DecryptionKeys = []crypto.Decrypter{own.(crypto.Decrypter)}
	if other := v.one("other-idp"); other != "" {
		otherKey := attackKeys()[v.one("other-idp-key")]
		require.NotNil(t, otherKey, "other-idp-key")
		cfg = withOtherIdP(t, cfg, attack.Settings{}, other, otherKey)
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	return sp
}
