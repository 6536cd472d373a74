package acs_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// Sign-in by artifact, and a query for an attribute of the user. The browser carries a reference only, and the Region
// gets the response from the identity provider, by SOAP.
func ExampleRegion_QueryAttributes() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	if err := idp.UpdateApp("", func(a *mockidp.App) error {
		a.ResponseBinding, a.AttributeQueries = mockidp.ResponseArtifact, true
		return nil
	}); err != nil {
		log.Fatal(err)
	}
	metadata, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	key := testkit.RSAKey("sp") // signs what goes to the identity provider
	sp, err := saml.New(saml.Config{
		EntityID: server.URL + "/metadata",
		ACS:      []saml.Endpoint{{URL: server.URL + "/acs", ArtifactIndex: new(uint16(1001))}},
		IdP:      metadata, Key: key, Certificate: testkit.Certificate(key, time.Now()),
	})
	if err != nil {
		log.Fatal(err)
	}
	own, err := sp.Metadata()
	if err != nil {
		log.Fatal(err)
	}
	if err := idp.RegisterSP("", own); err != nil {
		log.Fatal(err)
	}

	var region *acs.Region
	region, err = acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		LoginOptions: func(*http.Request) acs.LoginOptions {
			return acs.LoginOptions{ResponseBinding: saml.HTTPArtifact}
		},
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			answer, err := region.QueryAttributes(r.Context(), saml.AttributeQueryOptions{
				IdP: l.Assertion.Issuer(), NameID: l.Assertion.NameID(),
				Attributes: []saml.QueriedAttribute{{Name: "firstName"}},
			})
			if err != nil {
				log.Print(err)
				http.Error(w, "the identity provider doesn't answer", http.StatusBadGateway)
				return
			}
			fmt.Fprintf(w, "%s is %s", l.Assertion.NameID().Value, answer.Value("firstName"))
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})

	page, err := testkit.SignIn(idp, server.URL+"/login", mockidp.DefaultLogin) // the browser
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.URL.Path, page.URL.Query().Has("SAMLart"))
	fmt.Println(page.Body)
	// Output:
	// /acs true
	// alice@example.com is Alice
}
