package saml_test

import (
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Each instant is compared with the allowed difference between clocks, which by default
// is three minutes, in both directions.
// Obligations: IIP-G01, SDP-G01.
func TestEveryInstantAllowsSkew(t *testing.T) {
	for name, c := range map[string]struct {
		attr     func(value string) func(*etree.Element)
		sign     time.Duration // 1: the instant may be ahead; -1: it may have passed
		metadata bool
	}{
		"NotBefore of SubjectConfirmationData": {
			attr: func(v string) func(*etree.Element) { return set(scd, "NotBefore", v) }, sign: 1,
		},
		"NotOnOrAfter of SubjectConfirmationData": {
			attr: func(v string) func(*etree.Element) { return set(scd, "NotOnOrAfter", v) }, sign: -1,
		},
		"NotBefore of Conditions": {
			attr: func(v string) func(*etree.Element) { return set(".//Conditions", "NotBefore", v) }, sign: 1,
		},
		"NotOnOrAfter of Conditions": {
			attr: func(v string) func(*etree.Element) { return set(".//Conditions", "NotOnOrAfter", v) }, sign: -1,
		},
		"IssueInstant of the assertion": {
			attr: func(v string) func(*etree.Element) { return set(asrt, "IssueInstant", v) }, sign: 1,
		},
		"IssueInstant of the Response": {
			attr: func(v string) func(*etree.Element) { return set(top, "IssueInstant", v) }, sign: 1,
		},
		"AuthnInstant": {
			attr: func(v string) func(*etree.Element) { return set(".//AuthnStatement", "AuthnInstant", v) }, sign: 1,
		},
		"SessionNotOnOrAfter": {
			attr: func(v string) func(*etree.Element) { return set(".//AuthnStatement", "SessionNotOnOrAfter", v) }, sign: -1,
		},
		"validUntil of metadata": {sign: -1, metadata: true},
	} {
		t.Run(name, func(t *testing.T) {
			verify := func(skew, off time.Duration) error {
				at := now.Add(c.sign * off).Format(time.RFC3339)
				d, change := doc{}, func(cfg *saml.Config) { cfg.Skew = skew }
				sp := newSP(t, change)
				if c.metadata {
					idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, ` validUntil="`+at+`"`, "signing", "")))
					require.NoError(t, err)
					sp = newSP(t, change, func(cfg *saml.Config) { cfg.IdP = idp })
				} else {
					d.Before = func(r *etree.Element) {
						if r.FindElement(".//Conditions").SelectAttrValue("NotBefore", "") > at { // it precedes the end
							set(".//Conditions", "NotBefore", now.Add(-time.Hour).Format(time.RFC3339))(r)
						}
						c.attr(at)(r)
					}
				}
				_, err := sp.Verify(d.base64(t), unsolicited)
				return err
			}
			for skew, allowed := range map[time.Duration]time.Duration{
				0: 3 * time.Minute, time.Minute: time.Minute, 5 * time.Minute: 5 * time.Minute,
			} {
				require.NoError(t, verify(skew, allowed-time.Second), skew)
				require.Error(t, verify(skew, allowed+time.Second), skew)
			}
		})
	}
}
