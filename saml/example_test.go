package saml_test

import (
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

func ExampleNew() {
	idp, err := saml.NewIdP(saml.IdPConfig{ // or saml.ParseIdPMetadata
		EntityID: "http://www.okta.com/exk1",
		SSO:      []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://example.okta.com/app/exk1/sso/saml"}},
		Keys:     []crypto.PublicKey{keys().idp.Public()},
	})
	if err != nil {
		fmt.Println(err)
		return
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
		fmt.Println(err)
		return
	}
	for _, e := range sp.ACS() {
		fmt.Println(*e.Index, e.Region, e.URL)
	}
	// Output:
	// 0 us-east-1 https://us-east-1.signin.example/platform/saml/acs/4455
	// 1 eu-central-1 https://eu-central-1.signin.example/platform/saml/acs/4455
}

func ExampleServiceProvider_Verify() {
	cfg := config()
	cfg.Now = func() time.Time { return now }
	sp, err := saml.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = sp.Verify([]byte("PHNhbWw+"), saml.VerifyOptions{ACS: usACS, Unsolicited: true})
	var refused *saml.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Output: NotResponse
}
