package hostile_test

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A table of answers: a service provider accepts the good one, and refuses each hostile one in its place.
func Example() {
	c := mockidp.Config{}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	defer idp.Close()
	sp := serviceProvider(idp)

	for _, attack := range []string{
		"",                 // none: a good answer
		"A03/assertion",    // a forged assertion beside the signed one
		"B01",              // no signature
		"D16",              // for the ACS of another service provider
		"D48/forged-first", // a forged answer before the good one, in one form
	} {
		if err := idp.SetMutation(attack, "", ""); err != nil {
			panic(err)
		}
		page, err := testkit.SignInHandler(idp, sp, "https://sp.example/login", mockidp.DefaultLogin)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%q: status %d\n", attack, page.Status)
	}
	// Output:
	// "": status 200
	// "A03/assertion": status 403
	// "B01": status 403
	// "D16": status 403
	// "D48/forged-first": status 400
}

// serviceProvider is the application under test: a handler that need not listen. Here it is Meridian's.
func serviceProvider(idp *mockidp.Server) http.Handler {
	trusted, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		panic(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdP: trusted,
	})
	if err != nil {
		panic(err)
	}
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintf(w, "Hello, %s", l.Assertion.NameID().Value)
		},
	})
	if err != nil {
		panic(err)
	}
	metadata, err := sp.Metadata()
	if err != nil {
		panic(err)
	}
	if err := idp.RegisterSP("", metadata); err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	return mux
}
