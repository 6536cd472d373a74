package saml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// under makes the only identity provider one with this policy.
func under(t testing.TB, p saml.IdPPolicy) func(*saml.Config) {
	return func(c *saml.Config) {
		idp, err := c.IdP.IdP().WithPolicy(p)
		require.NoError(t, err)
		c.IdP = idp
	}
}

const (
	sha512Signature = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	sha512Digest    = "http://www.w3.org/2001/04/xmlenc#sha512"
)

// Each field refuses a document that is accepted without it, and accepts another.
// Obligations: IIP-ALG08, IIP-SP13.
func TestPolicyNarrows(t *testing.T) {
	encrypted := func(s sealing) doc { return doc{SignResponse: true, Encrypt: s.seal} }
	both := doc{SignResponse: true}
	format := func(f string) doc {
		return doc{Before: set(".//NameID", "Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:"+f)}
	}
	formats := saml.IdPPolicy{NameIDFormats: []string{
		"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
	}}
	ahead := func(d time.Duration) doc { return doc{Issued: now.Add(d)} }
	for _, c := range []struct {
		name      string
		policy    saml.IdPPolicy
		bad, good doc
		reason    saml.Reason
	}{
		{"I05 unsolicited", saml.IdPPolicy{RefuseUnsolicited: true}, doc{}, doc{RequestID: "_r1"}, saml.ReasonUnsolicited},
		{"unsigned Response", saml.IdPPolicy{WantResponsesSigned: true}, doc{}, both, saml.ReasonUnsigned},
		{"unsigned assertion", saml.IdPPolicy{WantAssertionsSigned: true},
			doc{SignResponse: true, UnsignedAssertion: true}, both, saml.ReasonUnsigned},
		{"NameID format", formats, format("X509SubjectName"), doc{}, saml.ReasonNameID},
		{"NameID without format", saml.IdPPolicy{NameIDFormats: formats.NameIDFormats[:1]},
			doc{Before: unset(".//NameID", "Format")}, doc{}, saml.ReasonNameID},
		{"NameID format unspecified", formats, format("entity"), doc{Before: unset(".//NameID", "Format")}, saml.ReasonNameID},
		{"signature algorithm", saml.IdPPolicy{RefusedAlgorithms: []string{sha512Signature}},
			doc{Method: sha512Signature}, doc{}, saml.ReasonAlgorithm},
		{"digest algorithm", saml.IdPPolicy{RefusedAlgorithms: []string{sha512Digest}},
			doc{Method: sha512Signature}, doc{}, saml.ReasonAlgorithm},
		{"data algorithm", saml.IdPPolicy{RefusedAlgorithms: []string{cbc256}},
			encrypted(sealing{data: cbc256}), encrypted(sealing{}), saml.ReasonAlgorithm},
		{"key algorithm", saml.IdPPolicy{RefusedAlgorithms: []string{mgf1p}},
			encrypted(sealing{}), encrypted(sealing{transport: "http://www.w3.org/2009/xmlenc11#rsa-oaep"}), saml.ReasonAlgorithm},
		{"skew", saml.IdPPolicy{Skew: time.Minute}, ahead(2 * time.Minute), ahead(50 * time.Second), saml.ReasonNotYetValid},
		{"skew at the end", saml.IdPPolicy{Skew: time.Minute}, ahead(-7 * time.Minute), ahead(-5 * time.Minute),
			saml.ReasonExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			decryption := func(cfg *saml.Config) { decrypting(cfg) }
			with, without := newSP(t, decryption, under(t, c.policy)), newSP(t, decryption)
			want := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r1"}, Unsolicited: true}
			bad, good := c.bad.base64(t), c.good.base64(t)
			_, err := without.Verify(bad, want)
			require.NoError(t, err)
			_, err = with.Verify(bad, want)
			requireReason(t, c.reason, err)
			_, err = with.Verify(good, want)
			require.NoError(t, err)
		})
	}
}

// No field accepts what Config refuses.
func TestPolicyWidensNothing(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { c.Skew = time.Minute }, under(t, saml.IdPPolicy{Skew: 5 * time.Minute}))
	_, err := sp.Verify(doc{Issued: now.Add(2 * time.Minute)}.base64(t), unsolicited)
	requireReason(t, saml.ReasonNotYetValid, err)
	_, err = sp.Verify(doc{}.base64(t), saml.VerifyOptions{ACS: usACS, RequestIDs: []string{}})
	requireReason(t, saml.ReasonUnsolicited, err)
}

func TestPolicyIsChecked(t *testing.T) {
	idp := config().IdP.IdP()
	for name, p := range map[string]saml.IdPPolicy{
		"skew": {Skew: 6 * time.Minute}, "negative skew": {Skew: -1}, "an unknown algorithm": {RefusedAlgorithms: []string{"rsa-sha1"}},
		"a scope with @": {Scopes: []string{"a@b"}}, "an empty scope": {Scopes: []string{""}},
		"an empty attribute": {ScopedAttributes: []string{""}},
	} {
		_, err := idp.WithPolicy(p)
		require.Error(t, err, name)
		requireReason(t, saml.ReasonConfig, err)
	}
	// The policy is a copy, and replaces the one before.
	refused := []string{sha512Signature}
	first, err := idp.WithPolicy(saml.IdPPolicy{RefusedAlgorithms: refused, Scopes: []string{"a.example"}})
	require.NoError(t, err)
	refused[0] = sha512Digest
	d := doc{Attributes: scoped("u@b.example"), Method: sha512Signature}.base64(t)
	_, err = newSP(t, func(c *saml.Config) { c.IdP = first }).Verify(d, unsolicited)
	requireReason(t, saml.ReasonAlgorithm, err)
	second, err := first.WithPolicy(saml.IdPPolicy{})
	require.NoError(t, err)
	_, err = newSP(t, func(c *saml.Config) { c.IdP = second }).Verify(d, unsolicited)
	require.NoError(t, err)
}

// scoped has values of eduPersonPrincipalName.
func scoped(values ...string) string {
	return named("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", values...)
}

func named(name string, values ...string) string {
	out := `<saml:Attribute Name="` + name + `">`
	for _, v := range values {
		out += "<saml:AttributeValue>" + v + "</saml:AttributeValue>"
	}
	return out + "</saml:Attribute>"
}

// scopeIdP is an identity provider with these Scope elements, in its role.
func scopeIdP(t testing.TB, elements string) (*saml.IdP, error) {
	t.Helper()
	metadata := idpMetadata(t, ` xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"`, "signing", "")
	role := `urn:oasis:names:tc:SAML:2.0:protocol">`
	metadata = strings.Replace(metadata, role, role+"<md:Extensions>"+elements+"</md:Extensions>", 1)
	return saml.ParseIdPMetadata([]byte(metadata))
}

const exactScope, patternScope = `<shibmd:Scope>%s</shibmd:Scope>`, `<shibmd:Scope regexp="true">%s</shibmd:Scope>`

// I07, K10: the scopes of the metadata, matched as a whole.
// Obligations: SDP-SP17.
func TestScopes(t *testing.T) {
	exact := func(s string) string { return fmt.Sprintf(exactScope, s) }
	pattern := func(s string) string { return fmt.Sprintf(patternScope, s) }
	for _, c := range []struct {
		name, scopes, attributes string
		ok                       bool
	}{
		{"its own", exact("one.example"), scoped("u@one.example"), true},
		{"white space around it", exact("\n one.example "), scoped("u@one.example"), true},
		{"in another case", exact("One.example"), scoped("u@one.EXAMPLE"), true},
		{"one of several", exact("one.example") + exact("two.example"), scoped("u@two.example", "v@one.example"), true},
		{"no scoped attribute", exact("one.example"), named("mail", "u@other.example"), true},
		{"no attribute", exact("one.example"), "", true},
		{"another's", exact("one.example"), scoped("u@other.example"), false},
		{"another's, second value", exact("one.example"), scoped("u@one.example", "u@other.example"), false},
		{"another's, affiliation", exact("one.example"),
			named("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "member@other.example"), false},
		{"another's, subject-id", exact("one.example"),
			named("urn:oasis:names:tc:SAML:attribute:subject-id", "u@other.example"), false},
		{"another's, pairwise-id", exact("one.example"),
			named("urn:oasis:names:tc:SAML:attribute:pairwise-id", "u@other.example"), false},
		{"a subdomain", exact("one.example"), scoped("u@a.one.example"), false},
		{"a suffix", exact("one.example"), scoped("u@one.example.evil.example"), false},
		{"no scope", exact("one.example"), scoped("u"), false},
		{"an empty scope", exact("one.example"), scoped("u@"), false},
		{"no name", exact("one.example"), scoped("@one.example"), false},
		{"two scopes", exact("one.example"), scoped("u@other.example@one.example"), false},
		{"two scopes, in the other order", exact("one.example"), scoped("u@one.example@other.example"), false},
		{"white space in the value", exact("one.example"), scoped("u@one.example "), false},
		{"a letter that folds to an ASCII one", exact("kite.example"), scoped("u@\u212aite.example"), false},
		{"elements", exact("one.example"), scoped("<x>u@one.example</x>"), false},
		{"nil", exact("one.example"), `<saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.6"><saml:AttributeValue ` +
			`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></saml:Attribute>`, true},

		{"a pattern", pattern(`^([a-z]+\.)?one\.example$`), scoped("u@a.one.example"), true},
		{"a pattern without anchors", pattern(`one\.example`), scoped("u@one.example"), true},
		{"K10 unanchored, a prefix", pattern(`one\.example`), scoped("u@evil-one.example"), false},
		{"K10 unanchored, a suffix", pattern(`one\.example`), scoped("u@one.example.evil"), false},
		{"K10 an alternative", pattern(`one\.example|x`), scoped("u@one.example.evil"), false},
		{"K10 lines", pattern(`(?m)^one\.example$`), scoped("u@one.example\nevil"), false},
		{"K10 out of its group", pattern(`x)|(?:.*`), scoped("u@evil.example"), false},
		{"K10 quoted to the end", pattern(`\Qone.example`), scoped("u@evil.example"), false},
		{"K10 not a pattern", pattern(`(`), scoped("u@one.example"), false},
		{"K10 exponential elsewhere", pattern(`(a|a)*b`), scoped("u@" + strings.Repeat("a", 250)), false},
		{"two scopes, and a pattern for all", pattern(`.*`), scoped("u@one.example@other.example"), false},
		{"an overlong scope", pattern(`.*`), scoped("u@" + strings.Repeat("a", 256)), false},
		{"not a pattern by its attribute", `<shibmd:Scope regexp="false">.*</shibmd:Scope>`, scoped("u@one.example"), false},
		{"another namespace", `<x:Scope xmlns:x="urn:x">two.example</x:Scope>`, scoped("u@one.example"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			idp, err := scopeIdP(t, c.scopes)
			require.NoError(t, err)
			sp := newSP(t, func(cfg *saml.Config) { cfg.IdP = idp })
			_, err = sp.Verify(doc{Attributes: c.attributes}.base64(t), unsolicited)
			if c.ok {
				require.NoError(t, err)
				return
			}
			requireReason(t, saml.ReasonScope, err)
		})
	}
}

// K10: what a metadata's patterns cost is bounded when it is read, and what an
// assertion's values cost when it is verified.
func TestScopesAreBounded(t *testing.T) {
	for name, elements := range map[string]string{
		"a huge pattern":       fmt.Sprintf(patternScope, strings.Repeat("a", 513)),
		"many patterns":        strings.Repeat(fmt.Sprintf(patternScope, "a"), 17),
		"nested repetitions":   fmt.Sprintf(patternScope, "(a{31}){31}"),
		"repetitions in a row": fmt.Sprintf(patternScope, strings.Repeat(".{900}", 3)),
		"many scopes":          strings.Repeat(fmt.Sprintf(exactScope, "a"), 4097),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scopeIdP(t, elements)
			requireReason(t, saml.ReasonLimit, err)
		})
	}
	idp, err := scopeIdP(t, strings.Repeat(fmt.Sprintf(patternScope, strings.Repeat("(a|b)*", 80)+"c"), 16))
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	values := func(n int) string { return scoped(slicesOf(n, "u@"+strings.Repeat("ab", 120)+"c")...) }
	_, err = sp.Verify(doc{Attributes: values(100)}.base64(t), unsolicited)
	require.NoError(t, err)
	_, err = sp.Verify(doc{Attributes: values(101)}.base64(t), unsolicited)
	requireReason(t, saml.ReasonLimit, err)
}

func slicesOf(n int, value string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = value
	}
	return out
}

// The operator's scopes replace those of the metadata.
// Obligations: SDP-SP16, SDP-SP17.
func TestScopesOfThePolicy(t *testing.T) {
	with, err := scopeIdP(t, fmt.Sprintf(exactScope, "one.example"))
	require.NoError(t, err)
	without := config().IdP.IdP()
	for _, c := range []struct {
		name, attributes string
		idp              *saml.IdP
		policy           saml.IdPPolicy
		ok               bool
	}{
		{"no scopes at all", scoped("u@any.example"), without, saml.IdPPolicy{}, true},
		{"required", scoped("u@any.example"), without, saml.IdPPolicy{RequireScopes: true}, false},
		{"required, and none in the assertion", named("mail", "x"), without, saml.IdPPolicy{RequireScopes: true}, true},
		{"of the policy", scoped("u@two.example"), without, saml.IdPPolicy{Scopes: []string{"two.example"}}, true},
		{"not of the policy", scoped("u@any.example"), without, saml.IdPPolicy{Scopes: []string{"two.example"}}, false},
		{"of the metadata", scoped("u@one.example"), with, saml.IdPPolicy{RequireScopes: true}, true},
		{"replaced", scoped("u@one.example"), with, saml.IdPPolicy{Scopes: []string{"two.example"}}, false},
		{"another attribute", named("groups", "a@any.example"), with, saml.IdPPolicy{ScopedAttributes: []string{"groups"}}, false},
		{"and not that one", scoped("u@any.example"), with, saml.IdPPolicy{ScopedAttributes: []string{"groups"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			idp, err := c.idp.WithPolicy(c.policy)
			require.NoError(t, err)
			sp := newSP(t, func(cfg *saml.Config) { cfg.IdP = idp })
			_, err = sp.Verify(doc{Attributes: c.attributes}.base64(t), unsolicited)
			if c.ok {
				require.NoError(t, err)
				return
			}
			requireReason(t, saml.ReasonScope, err)
		})
	}
}
