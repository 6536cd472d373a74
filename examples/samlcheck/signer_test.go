package main_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"html"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// signer is an identity provider for responses that no capture has.
type signer struct {
	key     *rsa.PrivateKey
	cert    []byte
	acs     string
	request string // that the response answers; none if empty
	nameID  string // the element, or none
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	key := testkit.RSAKey("idp")
	return &signer{key, testkit.Certificate(key, time.Now()).Raw, "https://sp.example/acs", "_q",
		"<saml:NameID>anna</saml:NameID>"}
}

// args returns the command line for its responses.
func (s *signer) args(t *testing.T) []string {
	t.Helper()
	return []string{
		"-idp-entity-id", "https://idp.example", "-idp-cert", write(t, "idp.pem", inPEM("CERTIFICATE", s.cert)),
		"-entity-id", "https://sp.example", "-acs", s.acs, "-request-id", "_q",
	}
}

// response returns a response with a signed assertion.
func (s *signer) response(t *testing.T, attributes string) []byte {
	t.Helper()
	now := time.Now().UTC()
	at, end := now.Format(time.RFC3339), now.Add(5*time.Minute).Format(time.RFC3339)
	acs, answers := html.EscapeString(s.acs), ""
	if s.request != "" {
		answers = fmt.Sprintf(` InResponseTo="%s"`, s.request)
	}
	if attributes != "" {
		attributes = "<saml:AttributeStatement>" + attributes + "</saml:AttributeStatement>"
	}
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(fmt.Sprintf(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" Version="2.0" IssueInstant="%[1]s"><saml:Issuer>https://idp.example</saml:Issuer>`+
		`<saml:Subject>%[4]s<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData%[6]s Recipient="%[3]s" NotOnOrAfter="%[2]s"/></saml:SubjectConfirmation></saml:Subject>`+
		`<saml:Conditions><saml:AudienceRestriction><saml:Audience>https://sp.example</saml:Audience></saml:AudienceRestriction></saml:Conditions>`+
		`<saml:AuthnStatement AuthnInstant="%[1]s"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>%[5]s</saml:Assertion>`,
		at, end, acs, s.nameID, attributes, answers)))
	ctx, err := dsig.NewSigningContext(s.key, [][]byte{s.cert})
	require.NoError(t, err)
	ctx.Hash = crypto.SHA256
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signed, err := ctx.SignEnveloped(doc.Root())
	require.NoError(t, err)
	signature := signed.ChildElements()[len(signed.ChildElements())-1]
	signed.Child = signed.Child[:len(signed.Child)-1]
	signed.InsertChildAt(1, signature) // behind Issuer (Core 2.3.3)
	out := etree.NewDocument()
	require.NoError(t, out.ReadFromString(fmt.Sprintf(`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0" IssueInstant="%s" Destination="%s"%s>`+
		`<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status></p:Response>`, at, acs, answers)))
	out.Root().AddChild(signed)
	b, err := out.WriteToBytes()
	require.NoError(t, err)
	return b
}
