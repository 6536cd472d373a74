package saml_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// J04: an empty ID among those of the requests that are waiting is a mistake of
// the caller. It must not stand for "no request" or for InResponseTo="".
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
