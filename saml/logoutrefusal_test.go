package saml_test

import (
	"crypto/rsa"
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// A refused LogoutRequest whose signature verified has a signed answer to its ID, with a status and nothing else. The
// binding is that of the request.
// Obligations: SDP-SP33.
func TestLogoutRefusal(t *testing.T) {
	r := func(changes ...func(*etree.Element)) saml.LogoutMessage {
		return soap(request(t, keys().idp, changes...))
	}
	foreign := sealing{element: "EncryptedID", to: []*rsa.PrivateKey{keys().idp}}.seal(person)
	for name, row := range map[string]struct {
		in     saml.LogoutMessage
		reason saml.Reason
		status string
	}{
		"expired":           {r(set(".", "NotOnOrAfter", "2026-11-22T11:56:00Z")), saml.ReasonExpired, "Requester"},
		"old":               {r(set(".", "IssueInstant", "2026-11-22T10:00:00Z")), saml.ReasonExpired, "Requester"},
		"other Destination": {r(set(".", "Destination", euLogout)), saml.ReasonDestination, "Requester"},
		"no identifier":     {r(remove("./NameID")), saml.ReasonNameID, "Requester"},
		"another version":   {r(set(".", "Version", "1.1")), saml.ReasonVersion, "VersionMismatch"},
		"encrypted to another key": {
			soap(logoutXML(t, "LogoutRequest", "", foreign, keys().idp)), saml.ReasonEncrypted, "Requester",
		},
		"by HTTP-POST": {
			post(request(t, keys().idp, set(".", "NotOnOrAfter", "2026-11-22T11:56:00Z"))), saml.ReasonExpired, "Requester",
		},
	} {
		t.Run(name, func(t *testing.T) {
			sp := newSP(t, withLogout(t))
			_, err := sp.VerifyLogoutRequest(row.in)
			requireReason(t, row.reason, err)
			answer, err := sp.NewLogoutRefusal(err)
			require.NoError(t, err)
			require.NotNil(t, answer)
			assert.Equal(t, row.in.Binding, answer.Binding())
			if row.in.Binding != saml.SOAP {
				assert.NotEmpty(t, answer.URL())
				return
			}
			envelope, err := answer.Envelope()
			require.NoError(t, err)
			el := parseXML(string(envelope)).FindElement("./Body/LogoutResponse")
			require.NotNil(t, el)
			assert.Equal(t, "_l1", el.SelectAttrValue("InResponseTo", ""))
			assert.NotNil(t, el.FindElement("./Signature"))
			assert.Len(t, el.FindElements("./Status/*"), 1)
			code := el.FindElement("./Status/StatusCode")
			assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:status:"+row.status, code.SelectAttrValue("Value", ""))
		})
	}
}

// There is no answer to a request that can't be attributed, so a client without the keys of an identity provider
// learns nothing and makes us sign nothing. The twin is TestLogoutRefusal.
func TestLogoutRefusalOfUnverifiedRequests(t *testing.T) {
	idp := keys().idp
	late := set(".", "NotOnOrAfter", "2026-11-22T11:56:00Z")
	for name, row := range map[string]struct {
		in     saml.LogoutMessage
		reason saml.Reason
	}{
		"unsigned":              {soap(request(t, nil, late)), saml.ReasonUnsigned},
		"another key":           {soap(request(t, keys().other, late)), saml.ReasonSignature},
		"changed after signing": {soap(strings.Replace(request(t, idp, late), "alice", "mallory", 1)), saml.ReasonSignature},
		"wrapped":               {soap(wrapped(t)), saml.ReasonSignatureShape},
		"unknown Issuer":        {soap(request(t, idp, late, text("./Issuer", "https://a.example"))), saml.ReasonIssuer},
		"an ID that is none":    {soap(request(t, idp, late, set(".", "ID", "a b"))), saml.ReasonID},
		"a LogoutResponse":      {soap(logoutXML(t, "LogoutResponse", "", "", idp)), saml.ReasonNotLogout},
		"no envelope":           {saml.LogoutMessage{Binding: saml.SOAP, Message: []byte("x")}, saml.ReasonXML},
	} {
		t.Run(name, func(t *testing.T) {
			sp := newSP(t, withLogout(t))
			_, err := sp.VerifyLogoutRequest(row.in)
			requireReason(t, row.reason, err)
			answer, err := sp.NewLogoutRefusal(err)
			require.NoError(t, err)
			assert.Nil(t, answer)
		})
	}
	sp := newSP(t, withLogout(t))
	for _, err := range []error{nil, errors.New("other"), &saml.Error{Reason: saml.ReasonExpired}} {
		answer, err := sp.NewLogoutRefusal(err)
		require.NoError(t, err)
		assert.Nil(t, answer)
	}
}
