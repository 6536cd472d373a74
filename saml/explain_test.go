package saml_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

func TestExplainReportsEveryRule(t *testing.T) {
	sp := newSP(t)
	bad := doc{
		Recipient: euACS,
		Issuer:    "https://other.example",
		Audience:  `<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>`,
	}
	r := sp.Explain(bad.base64(t), unsolicited)
	require.Nil(t, r.Assertion)
	var wrong []saml.Reason
	for _, c := range r.Checks {
		if !c.OK {
			wrong = append(wrong, c.Reason)
			require.NotEmpty(t, c.Detail, c.Rule)
		}
	}
	require.Equal(
		t,
		[]saml.Reason{saml.ReasonIssuer, saml.ReasonRecipient, saml.ReasonDestination, saml.ReasonAudience},
		wrong,
	)
	requireReason(t, wrong[0], r.Err)

	// The verdict is Verify's, and a good response breaks no rule.
	_, err := sp.Verify(bad.base64(t), unsolicited)
	require.EqualError(t, r.Err, err.Error())
	r = sp.ExplainXML(doc{}.xml(t), unsolicited)
	require.NoError(t, r.Err)
	require.NotNil(t, r.Assertion)
	require.Greater(t, len(r.Checks), 20)
	for _, c := range r.Checks {
		require.True(t, c.OK, c.Rule)
	}
}

func TestExplainStopsAtUnreadableMessages(t *testing.T) {
	r := newSP(t).Explain([]byte("!"), unsolicited)
	requireReason(t, saml.ReasonBase64, r.Err)
	require.Len(t, r.Checks, 1)
}

func TestVerifyRefusesInvalidOptions(t *testing.T) {
	sp := newSP(t)
	for name, want := range map[string]saml.VerifyOptions{
		"nothing":        {},
		"no expectation": {ACS: usACS},
		"unlisted ACS":   {ACS: "https://evil.example/acs", Unsolicited: true},
		"empty ID":       {ACS: usACS, RequestIDs: []string{"_a", ""}},
	} {
		a, err := sp.Verify(doc{}.base64(t), want)
		require.Nil(t, a, name)
		requireReason(t, saml.ReasonConfig, err)
	}
}

// C24, D51: white space is accepted. Other characters, and deflated messages, are
// refused.
func TestBase64(t *testing.T) {
	sp := newSP(t)
	good := string(doc{}.base64(t))
	for name, c := range map[string]struct {
		raw    string
		reason saml.Reason
	}{
		"as it is":           {good, ""},
		"lines":              {strings.Join(chunks(good, 76), "\r\n") + "\n", ""},
		"spaces and tabs":    {" \t" + strings.Join(chunks(good, 5), " "), ""},
		"empty":              {"", saml.ReasonXML},
		"junk inside":        {good[:10] + "*" + good[10:], saml.ReasonBase64},
		"URL alphabet":       {strings.Repeat("-_", 8), saml.ReasonBase64},
		"padding inside":     {"PGE=" + good, saml.ReasonBase64},
		"cut short":          {strings.TrimRight(good, "=")[:len(good)-5], saml.ReasonBase64},
		"stray bits":         {"PGEvPh==", saml.ReasonBase64},
		"deflated":           {base64.StdEncoding.EncodeToString([]byte{0xb3, 0x49, 0xb4, 0x03, 0x00}), saml.ReasonXML},
		"not encoded at all": {string(doc{}.xml(t)), saml.ReasonBase64},
		"too long":           {strings.Repeat(" ", 12<<20), saml.ReasonLimit},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sp.Verify([]byte(c.raw), unsolicited)
			if c.reason == "" {
				require.NoError(t, err)
				return
			}
			requireReason(t, c.reason, err)
		})
	}
}

func chunks(s string, n int) []string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return append(out, s)
}

// Invariant 2: over all our URLs, a response is accepted at the one that it
// was made for and nowhere else.
func TestInvariant2_OneURLAccepts(t *testing.T) {
	sp := newSP(t)
	for _, made := range sp.ACS() {
		raw := doc{Recipient: made.URL}.base64(t)
		for _, posted := range sp.ACS() {
			a, err := sp.Verify(raw, saml.VerifyOptions{ACS: posted.URL, Unsolicited: true})
			if made.URL == posted.URL {
				require.NoError(t, err)
				require.Equal(t, made.URL, a.ACS().URL)
			} else {
				requireReason(t, saml.ReasonRecipient, err)
			}
		}
	}
}

// Invariant 8: what is weak is refused unless a field named Insecure… allows
// it, and RSA keys under 1024 bits always are; invariant 9: an error never
// holds the message.
func TestInvariant9_ErrorsAreShortAndQuoted(t *testing.T) {
	long := strings.Repeat("<evil>\n", 1000)
	_, err := newSP(
		t,
	).Verify(doc{Issuer: strings.ReplaceAll(strings.ReplaceAll(long, "<", "&lt;"), ">", "&gt;")}.base64(t), unsolicited)
	requireReason(t, saml.ReasonIssuer, err)
	require.Less(t, len(err.Error()), 700)
	require.NotContains(t, err.Error(), "\n")
}

// Values that hold elements stay elements.
// Obligations: IIP-SP01, IIP-SP02.
func TestAttributeValues(t *testing.T) {
	d := doc{
		Attributes: `<saml:Attribute Name="eptid" NameFormat="urn:f" FriendlyName="x"><saml:AttributeValue><saml:NameID Format="urn:p">opaque</saml:NameID></saml:AttributeValue></saml:Attribute>` +
			`<saml:Attribute Name="eptid"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">plain&#13;</saml:AttributeValue></saml:Attribute>`,
	}
	a, err := newSP(t).Verify(d.base64(t), unsolicited)
	require.NoError(t, err)
	attrs := a.Attributes()
	require.Len(t, attrs, 2, "another NameFormat is another attribute")
	require.Equal(t, []saml.AttributeValue{{Elements: []saml.Element{{
		Namespace: "urn:oasis:names:tc:SAML:2.0:assertion", Name: "NameID", Text: "opaque",
		Attributes: []saml.ElementAttribute{{Name: "Format", Value: "urn:p"}},
	}}}}, attrs[0].Values)
	require.Equal(t, []saml.AttributeValue{{Nil: true}, {Text: "plain\r"}}, attrs[1].Values)
	require.Equal(t, []string{"plain\r"}, a.Values("eptid"))
	attrs[0].Values[0].Elements[0].Text = "changed"
	require.Equal(t, "opaque", a.Attributes()[0].Values[0].Elements[0].Text)
}
