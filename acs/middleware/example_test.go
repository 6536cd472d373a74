package middleware_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A user opens a page, signs in at a mock identity provider, and is back at the page.
func Example() {
	provider := mockidp.New(mockidp.Config{})
	defer provider.Close()
	idp, err := saml.ParseIdPMetadata(provider.Metadata("")) // or package federation, which refreshes metadata
	if err != nil {
		log.Fatal(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://app.example/saml", ACS: []saml.Endpoint{{URL: "https://app.example/saml/acs"}}, IdP: idp,
	})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := middleware.New(middleware.Config{
		Config:   acs.Config{SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{})},
		Sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	guard.Mount(mux)
	mux.Handle("/", guard.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello %s at %s", middleware.From(r.Context()).Value("firstName"), r.URL.Path)
	})))

	// The identity provider knows the program by its metadata.
	metadata, err := sp.Metadata()
	if err != nil {
		log.Fatal(err)
	}
	if err := provider.RegisterSP("", metadata); err != nil {
		log.Fatal(err)
	}
	page, err := testkit.SignInHandler(provider, mux, "https://app.example/reports", mockidp.DefaultLogin)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Status, page.Body)
	// Output:
	// 200 Hello Alice at /reports
}

// A test of a handler needs no sign-in.
func ExampleWith() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("Hello", middleware.From(r.Context()).UserName)
	}
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		log.Fatal(err)
	}
	user := &middleware.Session{UserName: "alice@example.com"}
	handler(nil, r.WithContext(middleware.With(r.Context(), user)))
	// Output:
	// Hello alice@example.com
}
