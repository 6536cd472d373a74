package saml_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// J04: an empty ID in RequestIDs is a mistake of the caller. It must match neither a
// missing InResponseTo nor InResponseTo="".
func TestJ04_EmptyRequestID(t *testing.T) {
	sp := newSP(t)
	for name, d := range map[string]doc{
		"answers no request":    {},
		"InResponseTo is empty": {After: replace("Recipient=", `InResponseTo="" Recipient=`)},
		"answers a request":     {RequestID: "_r1"},
	} {
		for _, ids := range [][]string{{""}, {"", "_r1"}, {"_r1", ""}} {
			for _, unsolicited := range []bool{false, true} {
				a, err := sp.Verify(d.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: ids, Unsolicited: unsolicited})
				require.Nil(t, a, name)
				requireReason(t, saml.ReasonConfig, err)
			}
		}
	}
	_, err := sp.Verify(doc{RequestID: "_r1"}.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}})
	require.NoError(t, err)
}

// A response to a browser without a pending request is refused with
// ReasonInResponseTo, and the error has the signed values for the log. Only a
// pending request, or Unsolicited, permits a response.
func TestNoRequestIsWaiting(t *testing.T) {
	sp := newSP(t)
	none := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{}}
	for reason, d := range map[saml.Reason]doc{
		saml.ReasonUnsolicited:  {},
		saml.ReasonInResponseTo: {RequestID: "_r1"},
	} {
		a, err := sp.Verify(d.base64(t), none)
		require.Nil(t, a)
		requireReason(t, reason, err)
		var e *saml.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "_asrt1", e.AssertionID)
		require.Equal(t, "alice@example.com", e.NameID)
		require.Equal(t, now, e.Issued.UTC())
	}
}
