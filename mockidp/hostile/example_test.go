package hostile_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

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

// A logout message of the mock that no service provider may obey: it has no signature. Artifacts and the answers to
// attribute queries are attacked in the same way.
func Example_logout() {
	c := mockidp.Config{StandingMutations: []mockidp.StandingMutation{{ID: "G01"}}}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	defer idp.Close()
	asked := ""
	sp := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked += r.URL.RawQuery })
	if err := idp.UpdateApp("", func(a *mockidp.App) error {
		a.Audience, a.ACS = "https://sp.example/saml", []mockidp.ACS{{URL: "https://sp.example/acs"}}
		a.LogoutURL = "https://sp.example/logout"
		return nil
	}); err != nil {
		panic(err)
	}
	page, err := testkit.SignInHandler(idp, sp, idp.TileURL(""), mockidp.DefaultLogin)
	if err != nil {
		panic(err)
	}
	browser := page.Browser
	page, err = browser.Post(idp.DashboardURL(), idp.URL+"/login/signout", url.Values{})
	if err == nil {
		_, err = browser.Continue(page)
	}
	if err != nil {
		panic(err)
	}
	query, err := url.ParseQuery(asked)
	fmt.Println(query.Has("SAMLRequest"), query.Has("Signature"), err)
	// Output:
	// true false <nil>
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
