package saml_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// change replaces a part of a document before it is signed.
func change(t testing.TB, old, new string) func(*etree.Element) {
	return func(response *etree.Element) {
		changed := parseXML(replace(old, new)(writeXML(response)))
		response.Child, response.Attr = nil, nil
		for _, a := range changed.Attr {
			response.CreateAttr(a.FullKey(), a.Value)
		}
		for _, c := range append([]etree.Token(nil), changed.Child...) {
			response.AddChild(c)
		}
	}
}

const passwordClass = `<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>`

// What is signed is held to the schema of SAML where something is read (Core
// 2.7.2, 2.7.3, 1.3.2).
func TestSchemaOfWhatWasSigned(t *testing.T) {
	const context = `<saml:AuthnContext>` + passwordClass + `</saml:AuthnContext>`
	one := attributesOf(1, 1)
	for name, c := range map[string]struct {
		old, new string
		reason   saml.Reason
	}{
		"AttributeStatement without Attribute":    {one, "", saml.ReasonSchema},
		"AttributeStatement of another Attribute": {one, `<Attribute xmlns="urn:x" Name="a"/>`, saml.ReasonSchema},
		"Attribute without Name":                  {` Name="attribute0"`, "", saml.ReasonSchema},
		"no AuthnContext":                         {context, "", saml.ReasonSchema},
		"AuthnContext of another namespace": {
			context, strings.ReplaceAll(context, "<saml:AuthnContext>", `<AuthnContext xmlns="urn:x">`), saml.ReasonSchema,
		},
		"empty AuthnContext": {passwordClass, "", saml.ReasonSchema},
		"empty AuthnContextClassRef": {
			passwordClass, `<saml:AuthnContextClassRef> </saml:AuthnContextClassRef>`, saml.ReasonSchema,
		},
		"an authority without a class": {
			passwordClass, `<saml:AuthenticatingAuthority>urn:x</saml:AuthenticatingAuthority>`, saml.ReasonSchema,
		},
		"a declaration instead of a class": {
			passwordClass, `<saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef>`, "",
		},
		"a class and an authority": {
			passwordClass, passwordClass + `<saml:AuthenticatingAuthority>urn:x</saml:AuthenticatingAuthority>`, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			new := strings.ReplaceAll(c.new, "</saml:AuthnContext>", closing(c.new))
			a, err := newSP(t).Verify(doc{Attributes: one, Before: change(t, c.old, new)}.base64(t), unsolicited)
			if c.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Nil(t, a)
			requireReason(t, c.reason, err)
		})
	}
}

// closing returns the end tag of an AuthnContext's start tag.
func closing(s string) string {
	if strings.HasPrefix(s, "<AuthnContext ") {
		return "</AuthnContext>"
	}
	return "</saml:AuthnContext>"
}

// White space around Audience and AuthnContextClassRef, which are of type
// xs:anyURI, collapses.
func TestURIsInElementsCollapse(t *testing.T) {
	spaced := `<saml:AudienceRestriction><saml:Audience>` + "\n    " + spEntity + "\t\n  " +
		`</saml:Audience></saml:AudienceRestriction>`
	class := strings.ReplaceAll(strings.ReplaceAll(passwordClass, "urn:", "\n urn:"), "Transport<", "Transport \n<")
	a, err := newSP(t).Verify(doc{Audience: spaced, Before: change(t, passwordClass, class)}.base64(t), unsolicited)
	require.NoError(t, err)
	require.Equal(t, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", a.AuthnContext())

	for name, d := range map[string]struct {
		doc    doc
		reason saml.Reason
	}{
		"inside the Audience": {
			doc{Audience: strings.Replace(spaced, "signin.example", "signin .example", 1)}, saml.ReasonAudience,
		},
		"Destination": {doc{Destination: " " + usACS}, saml.ReasonDestination},
		"Recipient":   {doc{Recipient: usACS + " ", Destination: usACS}, saml.ReasonRecipient},
		"Issuer":      {doc{Issuer: idpEntity + " "}, saml.ReasonIssuer},
		"an instant":  {doc{Before: change(t, `AuthnInstant="`, `AuthnInstant=" `)}, saml.ReasonTime},
	} {
		_, err := newSP(t).Verify(d.doc.base64(t), unsolicited)
		require.Error(t, err, name)
		requireReason(t, d.reason, err)
	}
}

func TestEmptyInResponseTo(t *testing.T) {
	const data = `<saml:SubjectConfirmationData `
	for _, d := range []doc{
		{Before: change(t, data, data+`InResponseTo="" `)},
		{Before: change(t, `<samlp:Response `, `<samlp:Response InResponseTo="" `)},
		{RequestID: "_q1", Before: change(t, `<samlp:Response `, `<samlp:Response `)},
	} {
		for _, want := range []saml.VerifyOptions{unsolicited, {ACS: usACS, RequestIDs: []string{"_q1"}, Unsolicited: true}} {
			_, err := newSP(t).Verify(d.base64(t), want)
			if d.RequestID != "" && len(want.RequestIDs) > 0 {
				require.NoError(t, err)
				continue
			}
			requireReason(t, saml.ReasonInResponseTo, err)
			if d.RequestID == "" {
				require.ErrorContains(t, err, "InResponseTo is empty")
			}
		}
	}
}

// WantAssertionsSigned and WantResponsesSigned refuse what Verify would
// otherwise accept, encrypted or not, and metadata says what it can.
// Obligations: IIP-SSO04, IIP-SP13.
func TestDemandedSignatures(t *testing.T) {
	assertion, response, both := doc{}, doc{SignResponse: true, UnsignedAssertion: true}, doc{SignResponse: true}
	for _, c := range []struct {
		assertions, responses bool
		accepted, refused     []doc
	}{
		{false, false, []doc{assertion, response, both}, nil},
		{true, false, []doc{assertion, both}, []doc{response}},
		{false, true, []doc{response, both}, []doc{assertion}},
		{true, true, []doc{both}, []doc{assertion, response}},
	} {
		sp := newSP(
			t,
			func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} },
			func(cfg *saml.Config) { cfg.WantAssertionsSigned, cfg.WantResponsesSigned = c.assertions, c.responses },
		)
		for _, seal := range []func(string) string{nil, sealing{}.seal} {
			for _, d := range c.accepted {
				d.Encrypt = seal
				_, err := sp.Verify(d.base64(t), unsolicited)
				require.NoError(t, err)
			}
			for _, d := range c.refused {
				d.Encrypt = seal
				_, err := sp.Verify(d.base64(t), unsolicited)
				requireReason(t, saml.ReasonUnsigned, err)
			}
		}
		metadata, err := sp.Metadata()
		require.NoError(t, err)
		require.Equal(t, c.assertions, strings.Contains(string(metadata), `WantAssertionsSigned="true"`))
	}
}

// An error cuts names short, as it does values.
func TestALongNameIsCutShort(t *testing.T) {
	long := "<saml:" + strings.Repeat("x", 100_000) + "><x/></saml:" + strings.Repeat("x", 100_000) + ">"
	d := doc{Audience: strings.Replace(oneAudience, "<saml:Audience>", long+"<saml:Audience>", 1)}
	_, err := newSP(t).Verify(d.base64(t), anyExpect)
	requireReason(t, saml.ReasonText, err)
	require.Less(t, len(err.Error()), 1000)
}
