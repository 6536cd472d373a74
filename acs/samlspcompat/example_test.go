package samlspcompat_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"

	"github.com/meridian-saml/meridian/acs/samlspcompat"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A program that was written for samlsp: its handler is as it was.
func Example() {
	idp := mockidp.New(mockidp.Config{}) // in place of the identity provider's metadata
	defer idp.Close()
	metadata := new(crewjam.EntityDescriptor)
	if err := xml.Unmarshal(idp.Metadata(""), metadata); err != nil {
		panic(err)
	}
	rootURL, _ := url.Parse("https://app.example")
	key := testkit.RSAKey("example")

	samlSP, err := samlspcompat.NewWith(samlspcompat.Config{
		Options: samlsp.Options{
			URL: *rootURL, Key: key, Certificate: testkit.Certificate(key, time.Now()), IDPMetadata: metadata,
		},
		FriendlyNames: saml.Names{"givenName": {"firstName"}}, // the key of the handler, and the Name that the mock sends
	})
	if err != nil {
		panic(err)
	}
	hello := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!", samlsp.AttributeFromContext(r.Context(), "givenName"))
	}
	mux := http.NewServeMux()
	mux.Handle("/hello", samlSP.RequireAccount(http.HandlerFunc(hello)))
	mux.Handle("/saml/", samlSP)

	rec := httptest.NewRecorder()
	samlSP.ServeMetadata(rec, httptest.NewRequest(http.MethodGet, "/saml/metadata", nil))
	if err := idp.RegisterSP("", rec.Body.Bytes()); err != nil {
		panic(err)
	}
	page, err := testkit.SignInHandler(idp, mux, "https://app.example/hello", mockidp.DefaultLogin)
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Body)
	// Output: Hello, Alice!
}
