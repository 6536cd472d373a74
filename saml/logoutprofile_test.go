package saml_test

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// An answer by HTTP-Redirect is signed over its octets, and has no signature in its XML.
// Obligations: IIP-SP15, SDP-SP31, SDP-SP33.
func TestLogoutResponseByRedirectIsSigned(t *testing.T) {
	sp := newSP(t, withLogout(t))
	asked, err := sp.VerifyLogoutRequest(byRedirect(redirect(request(t, nil), "state")))
	require.NoError(t, err)
	answer, err := sp.NewLogoutResponse(asked, saml.LogoutSuccess)
	require.NoError(t, err)
	require.Equal(t, saml.HTTPRedirect, answer.Binding())
	location, err := answer.RedirectURL(asked.RelayState())
	require.NoError(t, err)
	_, query, _ := strings.Cut(location, "?")
	octets, encoded, found := strings.Cut(query, "&Signature=")
	require.True(t, found)
	require.Contains(t, octets, "&RelayState=state&SigAlg=")
	unescaped, err := url.QueryUnescape(encoded)
	require.NoError(t, err)
	signature, err := base64.StdEncoding.DecodeString(unescaped)
	require.NoError(t, err)
	require.True(t, verifyOctets(keys().other.Public(), octets, signature))
	require.False(t, verifyOctets(keys().other.Public(), octets+"x", signature))
	raw, err := testkit.Inflated(mustParse(t, location).Query().Get("SAMLResponse"))
	require.NoError(t, err)
	require.Nil(t, parseXML(string(raw)).FindElement("//Signature"))
}

// An EncryptedID is decrypted with each of our keys, also in a request by HTTP-Redirect.
// Obligations: IIP-SP16.
func TestLogoutRequestIsDecryptedWithAnyKey(t *testing.T) {
	sp := newSP(t, withLogout(t), func(c *saml.Config) {
		c.DecryptionKeys = []crypto.Decrypter{keys().other, keys().idp}
	})
	plain := strings.Replace(person, "<saml:NameID", `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`, 1)
	for _, key := range []*rsa.PrivateKey{keys().other, keys().idp} {
		sealed := sealing{element: "EncryptedID", to: []*rsa.PrivateKey{key}}.seal(plain)
		for _, in := range []saml.LogoutMessage{
			post(logoutXML(t, "LogoutRequest", "", sealed, keys().idp)),
			byRedirect(redirect(logoutXML(t, "LogoutRequest", "", sealed, nil), "")),
		} {
			r, err := sp.VerifyLogoutRequest(in)
			require.NoError(t, err)
			require.Equal(t, "alice@example.com", r.NameID().Value)
		}
	}
}

// The skew between clocks is allowed for the instants of a LogoutRequest.
// Obligations: IIP-G01, SDP-G01.
func TestLogoutRequestAllowsSkew(t *testing.T) {
	for name, c := range map[string]struct {
		attribute string
		sign      time.Duration
	}{"NotOnOrAfter": {"NotOnOrAfter", -1}, "IssueInstant": {"IssueInstant", 1}} {
		for skew, allowed := range map[time.Duration]time.Duration{
			0: 3 * time.Minute, time.Minute: time.Minute, 5 * time.Minute: 5 * time.Minute,
		} {
			sp := newSP(t, withLogout(t), func(cfg *saml.Config) { cfg.Skew = skew })
			at := func(off time.Duration) error {
				value := now.Add(c.sign * off).Format(time.RFC3339)
				_, err := sp.VerifyLogoutRequest(post(request(t, keys().idp, set(".", c.attribute, value))))
				return err
			}
			require.NoError(t, at(allowed-time.Second), "%s %v", name, skew)
			require.Error(t, at(allowed+time.Second), "%s %v", name, skew)
		}
	}
}
