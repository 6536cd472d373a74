package middleware_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

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

// A path needs a second factor, and signing out ends the session at the identity provider, too.
func ExampleGuard_RequireWith() {
	provider := mockidp.New(mockidp.Config{
		Users: []mockidp.User{{Login: "alice@example.com", SecondFactor: "123456"}},
		Apps: []mockidp.App{{ // with LogoutURL its metadata has single logout from the start
			Label: "Wiki", Groups: []string{mockidp.Everyone}, LogoutURL: "https://app.example/saml/slo",
		}},
	})
	defer provider.Close()
	idp, err := saml.ParseIdPMetadata(provider.Metadata(""))
	if err != nil {
		log.Fatal(err)
	}
	key := testkit.ECDSAKey("app") // logout messages are signed
	sp, err := saml.New(saml.Config{
		EntityID: "https://app.example/saml", ACS: []saml.Endpoint{{URL: "https://app.example/saml/acs"}}, IdP: idp,
		Logout: []saml.LogoutEndpoint{{URL: "https://app.example/saml/slo"}},
		Key:    key, Certificate: testkit.Certificate(key, time.Now()),
	})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := middleware.New(middleware.Config{
		Config: acs.Config{SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
			Logger: slog.New(slog.DiscardHandler)},
		Sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	guard.Mount(mux)
	own := http.NewCrossOriginProtection()
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `%s: <form method="post" action="/saml/logout"><button>Sign out</button></form>`, r.URL.Path)
	})
	mux.Handle("/", own.Handler(guard.Require(page)))
	mux.Handle("/admin/", own.Handler(guard.RequireWith(middleware.Requirement{
		AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"https://refeds.org/profile/mfa"}},
	})(page)))
	metadata, err := sp.Metadata()
	if err != nil {
		log.Fatal(err)
	}
	if err := provider.RegisterSP("", metadata); err != nil {
		log.Fatal(err)
	}

	p, err := testkit.SignInHandler(provider, mux, "https://app.example/wiki", "alice@example.com")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Text())
	browser := p.Browser
	if p, err = browser.SignInAs(provider, "https://app.example/admin/users", "alice@example.com"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Text())
	form, _ := p.FormFor("/saml/logout")
	if p, err = browser.Submit(p, form, nil); err != nil {
		log.Fatal(err)
	}
	if p, err = browser.Continue(p); err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Text())
	// Output:
	// /wiki: Sign out
	// /admin/users: Sign out
	// You are signed out Your sessions here and at your identity provider have ended. Sign in again
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
