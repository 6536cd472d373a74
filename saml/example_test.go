package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// One service provider in two Regions. The first URL is the default.
func ExampleNew() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // the identity provider's
	if err != nil {
		log.Fatal(err)
	}
	idp, err := saml.NewIdP(saml.IdPConfig{ // or saml.ParseIdPMetadata
		EntityID: "http://www.okta.com/exk1",
		SSO:      []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://example.okta.com/app/exk1/sso/saml"}},
		Keys:     []crypto.PublicKey{key.Public()},
	})
	if err != nil {
		log.Fatal(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://us-east-1.signin.example/platform/saml/d-9067f1a2b3",
		ACS: []saml.Endpoint{
			{URL: "https://us-east-1.signin.example/platform/saml/acs/4455", Region: "us-east-1"},
			{URL: "https://eu-central-1.signin.example/platform/saml/acs/4455", Region: "eu-central-1"},
		},
		IdP: idp,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range sp.ACS() {
		fmt.Println(*e.Index, e.Region, e.URL)
	}
	// Output:
	// 0 us-east-1 https://us-east-1.signin.example/platform/saml/acs/4455
	// 1 eu-central-1 https://eu-central-1.signin.example/platform/saml/acs/4455
}

// A response is accepted from the browser that made the request, and refused
// from one that made none.
func ExampleServiceProvider_Verify() {
	idp, err := saml.ParseIdPMetadata([]byte(exampleMetadata))
	if err != nil {
		log.Fatal(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml",
		ACS:      []saml.Endpoint{{URL: "https://sp.example/acs"}},
		IdP:      idp,
		// When the response was recorded. A program leaves Now out.
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		log.Fatal(err)
	}
	form := []byte(base64.StdEncoding.EncodeToString([]byte(exampleResponse))) // as a browser posts it

	a, err := sp.Verify(form, saml.VerifyOptions{ACS: "https://sp.example/acs", RequestIDs: []string{"_request1"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.NameID().Value, a.Values("groups"))

	_, err = sp.Verify(form, saml.VerifyOptions{ACS: "https://sp.example/acs", RequestIDs: []string{}})
	var refused *saml.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Output:
	// alice@example.com [Developers]
	// InResponseTo
}

// The attributes of a verified assertion, in a struct of the program.
func ExampleDecoder() {
	type user struct {
		Login  string   `saml:",nameid,required"`
		Groups []string `saml:"groups|http://schemas.xmlsoap.org/claims/Group,required"`
		Locale string   `saml:"locale,default=en"`
	}
	users, err := saml.NewDecoder[user](saml.DecoderConfig{}) // when the program starts
	if err != nil {
		log.Fatal(err)
	}

	idp, err := saml.ParseIdPMetadata([]byte(exampleMetadata))
	if err != nil {
		log.Fatal(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml",
		ACS:      []saml.Endpoint{{URL: "https://sp.example/acs"}},
		IdP:      idp,
		// When the response was recorded. A program leaves Now out.
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		log.Fatal(err)
	}
	form := []byte(base64.StdEncoding.EncodeToString([]byte(exampleResponse))) // as a browser posts it
	a, err := sp.Verify(form, saml.VerifyOptions{ACS: "https://sp.example/acs", RequestIDs: []string{"_request1"}})
	if err != nil {
		log.Fatal(err)
	}
	alice, err := users.Decode(a)
	if err != nil {
		log.Fatal(err) // an attribute is missing: show a page that says so
	}
	fmt.Printf("%+v\n", alice)

	type employee struct {
		Number int `saml:"employeeNumber,required"`
	}
	employees, err := saml.NewDecoder[employee](saml.DecoderConfig{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = employees.Decode(a)
	fmt.Println(err)
	// Output:
	// {Login:alice@example.com Groups:[Developers] Locale:en}
	// saml: AttributeMissing: attribute employeeNumber: field employee.Number
}

const exampleMetadata = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example/metadata">
 <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
  <md:KeyDescriptor use="signing">
   <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` +
	`MIIBCjCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwHhcNMjYxMTIxMTIwMDAwWhcNMzYxMTE5MTIwMDAw` +
	`WjAPMQ0wCwYDVQQDEwR0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGqPlnPCAeaGVCUlTS3WOK5JYyL0qpoiLuamkm5xN` +
	`mUES9A3lDSQd7RTwmbTCjym9FCSzbABQtnbPCvHtKapoyTAKBggqhkjOPQQDAgNIADBFAiBlI7ISyGP42fllb9RfaB98WAOdvScR` +
	`xnBN9/7WeeJPGgIhAJPl0RvFCdx3l2OCE5cIBiDpqn3VYik4hUsVBy7Bz+lH` +
	`</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
  </md:KeyDescriptor>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
 </md:IDPSSODescriptor>
</md:EntityDescriptor>`

const exampleResponse = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_resp1" Version="2.0" IssueInstant="2026-11-22T12:00:00Z" Destination="https://sp.example/acs" InResponseTo="_request1">
 <saml:Issuer>https://idp.example/metadata</saml:Issuer>
 <samlp:Status>
  <samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>
 </samlp:Status>
 <saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_asrt1" IssueInstant="2026-11-22T12:00:00Z" Version="2.0">
  <saml:Issuer>https://idp.example/metadata</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` +
	`<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
	`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>` +
	`<ds:Reference URI="#_asrt1"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
	`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>` +
	`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>weDv2pr27nHG+bcuSm279La4ZGAb6xc5r5p0RMQ8vEU=</ds:DigestValue></ds:Reference>` +
	`</ds:SignedInfo><ds:SignatureValue>NZbJV2AKgZavnJCt/7vq6B4cnF5QjdPOtWWZvAXWMTlktu+GAhVj6DamwEob3ODCy1BoNm5xIl/hFJIkNDBNZA==</ds:SignatureValue></ds:Signature>
  <saml:Subject>
   <saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>
   <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
    <saml:SubjectConfirmationData InResponseTo="_request1" NotOnOrAfter="2026-11-22T12:05:00Z" Recipient="https://sp.example/acs"/>
   </saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="2026-11-22T11:55:00Z" NotOnOrAfter="2026-11-22T12:05:00Z">
   <saml:AudienceRestriction>
    <saml:Audience>https://sp.example/saml</saml:Audience>
   </saml:AudienceRestriction>
  </saml:Conditions>
  <saml:AuthnStatement AuthnInstant="2026-11-22T12:00:00Z" SessionIndex="_s1">
   <saml:AuthnContext>
    <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>
   </saml:AuthnContext>
  </saml:AuthnStatement>
  <saml:AttributeStatement>
   <saml:Attribute Name="groups">
    <saml:AttributeValue>Developers</saml:AttributeValue>
   </saml:Attribute>
  </saml:AttributeStatement>
 </saml:Assertion>
</samlp:Response>`
