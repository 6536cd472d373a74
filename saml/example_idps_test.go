package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log"

	"github.com/meridian-saml/meridian/saml"
)

// tenants are the identity providers of a program. Often they are a
// *federation.Federation instead.
type tenants map[string]*saml.IdP

func (t tenants) IdP(entityID string) (*saml.IdP, error) {
	if idp := t[entityID]; idp != nil {
		return idp, nil
	}
	return nil, &saml.Error{Reason: saml.ReasonMetadataEntity, Got: entityID}
}

// One service provider with two identity providers. The second one may only assert
// values of its own scope, and only as answers to requests.
func ExampleIdP_WithPolicy() {
	known := tenants{}
	for _, name := range []string{"https://idp.one.example", "https://idp.two.example"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			log.Fatal(err)
		}
		known[name], err = saml.NewIdP(saml.IdPConfig{ // or saml.ParseIdPMetadata
			EntityID: name, Keys: []crypto.PublicKey{key.Public()},
			SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: name + "/sso"}},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	two, err := known["https://idp.two.example"].WithPolicy(saml.IdPPolicy{
		Scopes: []string{"two.example"}, RefuseUnsolicited: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	known[two.EntityID()] = two

	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdPs: known,
	})
	if err != nil {
		log.Fatal(err)
	}
	request, err := sp.NewAuthnRequest(saml.RequestOptions{IdP: "https://idp.two.example"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("only", request.Record().IdP, "can answer")

	_, err = sp.NewAuthnRequest(saml.RequestOptions{IdP: "https://idp.three.example"})
	var e *saml.Error
	fmt.Println(errors.As(err, &e) && e.Reason == saml.ReasonMetadataEntity)
	// Output:
	// only https://idp.two.example can answer
	// true
}
