package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"log"
	"math/big"

	"github.com/meridian-saml/meridian/saml"
)

// A query for an attribute of a user. Region.QueryAttributes of package acs sends it and verifies the answer.
func ExampleServiceProvider_NewAttributeQuery() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // of both sides, for brevity
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	idp, err := saml.NewIdP(saml.IdPConfig{ // or saml.ParseIdPMetadata
		EntityID: "https://idp.example", AttributeService: "https://idp.example/attributes",
		SSO:  []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
		Keys: []crypto.PublicKey{key.Public()},
	})
	if err != nil {
		log.Fatal(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}},
		IdP: idp, Key: key, Certificate: certificate,
	})
	if err != nil {
		log.Fatal(err)
	}
	query, err := sp.NewAttributeQuery(saml.AttributeQueryOptions{
		NameID:     saml.NameID{Value: "alice@example.com"}, // Assertion.NameID
		Attributes: []saml.QueriedAttribute{{Name: "urn:oid:0.9.2342.19200300.100.1.3"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(query.URL(), query.Binding())
	fmt.Println(query.Record().NameID.Value)
	// Output:
	// https://idp.example/attributes urn:oasis:names:tc:SAML:2.0:bindings:SOAP
	// alice@example.com
}
