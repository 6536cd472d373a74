package saml_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// olderRecord is RequestRecord before it had a second format.
type olderRecord struct {
	ID           string                      `json:"id"`
	IdP          string                      `json:"idp"`
	ACS          string                      `json:"acs"`
	At           time.Time                   `json:"at"`
	ForceAuthn   bool                        `json:"force_authn,omitempty"`
	AuthnContext *saml.RequestedAuthnContext `json:"authn_context,omitempty"`
	NameIDFormat string                      `json:"name_id_format,omitempty"`
}

// Nodes of two versions share records during an upgrade. A record of one is read by the
// other, except where it asked for something that the other can't enforce.
func TestRecordsOfOtherVersions(t *testing.T) {
	older := olderRecord{
		ID: "_r1", IdP: idpEntity, ACS: usACS, At: now, ForceAuthn: true, NameIDFormat: email,
		AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a"}},
	}
	raw, err := json.Marshal(older)
	require.NoError(t, err)
	var record saml.RequestRecord
	require.NoError(t, json.Unmarshal(raw, &record))
	assert.Equal(t, saml.RequestRecord{
		ID: "_r1", IdP: idpEntity, ACS: usACS, At: now, ForceAuthn: true, NameIDFormat: email,
		AuthnContext: older.AuthnContext,
	}, record)
	again, err := json.Marshal(record)
	require.NoError(t, err)
	assert.JSONEq(t, string(raw), string(again), "an older version reads it")

	for name, change := range map[string]func(*saml.RequestRecord){
		"Subject":         func(r *saml.RequestRecord) { r.Subject = &saml.NameID{Value: "alice"} },
		"SPNameQualifier": func(r *saml.RequestRecord) { r.SPNameQualifier = affiliation },
	} {
		asked := record
		change(&asked)
		raw, err := json.Marshal(asked)
		require.NoError(t, err)
		var back saml.RequestRecord
		require.NoError(t, json.Unmarshal(raw, &back))
		assert.Equal(t, asked, back, name)

		var seen olderRecord
		require.NoError(t, json.Unmarshal(raw, &seen))
		assert.Equal(t, olderRecord{}, seen, "%s: an older version finds no ID, and refuses the answer", name)
	}
	a, err := newSP(t).Verify(doc{RequestID: "_r1"}.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}})
	require.NoError(t, err)
	requireReason(t, saml.ReasonInResponseTo, a.CheckRequest(saml.RequestRecord{}))

	for _, newer := range []string{
		`{"id":"_r1","later":true}`, `{"v2":{"id":"_r1","later":true}}`, `{"v3":{"id":"_r1"}}`, `[]`, `{"id":1}`,
	} {
		assert.Error(t, json.Unmarshal([]byte(newer), new(saml.RequestRecord)), newer)
	}
}
