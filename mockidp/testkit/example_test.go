package testkit_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A user signs in to a service provider: to the identity provider, through its
// form, and back with the response.
func ExampleBrowser_SignIn() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	trusted, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	defer site.Close()
	sp, err := saml.New(saml.Config{EntityID: site.URL, ACS: []saml.Endpoint{{URL: site.URL + "/acs"}}, IdP: trusted})
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
	region.Mount(mux, acs.Paths{Login: "/login"})
	metadata, err := sp.Metadata()
	if err != nil {
		panic(err)
	}
	if err := idp.RegisterSP("", metadata); err != nil {
		panic(err)
	}

	b := testkit.NewBrowser(context.Background())
	page, err := b.SignIn(site.URL+"/login", mockidp.DefaultLogin, mockidp.DefaultPassword)
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Text())
	// Output: Hello, alice@example.com
}

// A Browser calls handlers by host name, over https, without a listener.
func ExampleHandlers() {
	b := testkit.NewBrowser(context.Background())
	b.Transport = testkit.Handlers{
		"a.example": http.RedirectHandler("https://b.example/", http.StatusSeeOther),
		"b.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s over TLS: %t", r.Host, r.TLS != nil)
		}),
	}
	page, err := b.Open("https://a.example/")
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Body)
	_, err = b.Open("https://c.example/")
	fmt.Println(err)
	// Output:
	// b.example over TLS: true
	// testkit: GET https://c.example/: testkit: no handler for the host "c.example"
}
