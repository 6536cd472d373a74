package saml_test

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Invariant 4: there is one assertion, and every signature verifies, has one
// Reference to its parent and only the two transforms. The rows of TestVerdicts
// violate each of these alone. Here they are violated while the other signature is
// valid.
func TestInvariant4_OneGoodSignatureIsNotEnough(t *testing.T) {
	sp := newSP(t)
	both := doc{SignResponse: true}
	_, err := sp.Verify(both.base64(t), unsolicited)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		after  func(string) string
		reason saml.Reason
	}{
		"Response's broken": {
			replace(`<samlp:Status>`, `<samlp:Extensions/><samlp:Status>`), saml.ReasonSignature,
		},
		"Response's for another ID":     {replace(`URI="#_resp1"`, `URI="#_asrt1"`), saml.ReasonSignatureShape},
		"assertion's for another ID":    {replace(`URI="#_asrt1"`, `URI="#_resp1"`), saml.ReasonSignatureShape},
		"assertion's without Reference": {replace(`URI="#_asrt1"`, ``), saml.ReasonSignatureShape},
		"a second assertion": {
			replace(
				`</samlp:Response>`,
				`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_b"/></samlp:Response>`,
			),
			saml.ReasonAssertionCount,
		},
	} {
		t.Run(name, func(t *testing.T) {
			both := both
			both.After = c.after
			_, err := sp.Verify(both.base64(t), unsolicited)
			requireReason(t, c.reason, err)
		})
	}
	_, err = sp.Verify(doc{SignResponse: true, AssertionKey: keys().other}.base64(t), unsolicited)
	requireReason(t, saml.ReasonSignature, err)
}

// Invariant 8: the zero Config is the safe one, and RSA keys under 1024 bits
// are refused whatever else is allowed.
// Obligations: IIP-ALG01, IIP-ALG02, IIP-ALG08, SDP-MD06.
func TestInvariant8_SafeByDefault(t *testing.T) {
	tiny := &rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 1022), big.NewInt(1)), E: 65537}
	idp, err := saml.NewIdP(saml.IdPConfig{EntityID: idpEntity, Keys: []crypto.PublicKey{tiny}})
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp; c.InsecureAllowRSA1024 = true; c.InsecureAllowSHA1 = true })
	_, err = sp.Verify(doc{}.base64(t), unsolicited)
	requireReason(t, saml.ReasonKey, err)

	for name, d := range map[string]doc{"SHA-1": {Method: sha1RSA}, "weak key": {Key: keys().weak}} {
		_, err := newSP(t).Verify(d.base64(t), unsolicited)
		require.Error(t, err, name)
	}
	require.Equal(t, 3*time.Minute, newSP(t).Skew())
}

// Invariant 10: the work on an unauthenticated message is bounded. The
// limits stop it before any cryptography, so all of these are refused for
// their size and not for their signature; what they cost is measured by the
// benchmarks, not here.
func TestInvariant10_LimitsComeFirst(t *testing.T) {
	sp := newSP(t)
	for name, insert := range map[string]string{
		"depth":            strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"nodes":            strings.Repeat("<a/>", 100_001),
		"texts":            strings.Repeat("<a>x</a>", 60_000),
		"comments":         strings.Repeat("<!---->", 100_001),
		"attributes":       "<a" + numbered(65, ` a%="x"`) + "/>",
		"all attributes":   strings.Repeat("<a"+numbered(60, ` a%=""`)+"/>", 1100),
		"namespaces":       "<a" + numbered(33, ` xmlns:n%="urn:x"`) + "/>",
		"all namespaces":   strings.Repeat(`<a xmlns:a="u:"`+numbered(30, ` xmlns:n%="u:"`)+"/>", 2200),
		"a long namespace": `<a xmlns:p="urn:` + strings.Repeat("x", 600) + `"/>`,
		"bytes":            strings.Repeat(" ", 2<<20),
		"one long value":   `<a a="` + strings.Repeat("x", 2<<20) + `"/>`,
		"bytes of a name":  "<" + strings.Repeat("x", 2<<20) + "/>",
	} {
		t.Run(name, func(t *testing.T) {
			d := doc{After: replace("<saml:Subject>", insert+"<saml:Subject>")}
			_, err := sp.VerifyXML(d.xml(t), unsolicited)
			requireReason(t, saml.ReasonLimit, err)
		})
	}
	small := newSP(t, func(c *saml.Config) { c.Limits.Bytes = 100 })
	_, err := small.Verify(doc{}.base64(t), unsolicited)
	requireReason(t, saml.ReasonLimit, err)
}

// numbered repeats a text n times with % replaced by a name.
func numbered(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "%", string(rune('a'+i/26))+string(rune('a'+i%26))))
	}
	return b.String()
}
