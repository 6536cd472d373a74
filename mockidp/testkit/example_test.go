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

// A test signs in at a handler, and goes on as the signed-in user. Neither needs a listener for the service provider.
func ExampleSignInHandler() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	app := newApp(idp, "https://sp.example") // your handler

	page, err := testkit.SignInHandler(idp, app, "https://sp.example/login", mockidp.DefaultLogin)
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Status, page.URL, page.Body)

	page, err = page.Browser.Open("https://sp.example/private")
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Status, page.Body)
	// Output:
	// 200 https://sp.example/welcome Hello, alice@example.com
	// 200 for alice@example.com only
}

// The identity provider starts the sign-in, with the address of its tile.
func ExampleSignInHandler_idpInitiated() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	app := newApp(idp, "https://sp.example")

	page, err := testkit.SignInHandler(idp, app, idp.TileURL("")+"?RelayState=/private", mockidp.DefaultLogin)
	if err != nil {
		panic(err)
	}
	fmt.Println(page.URL, page.Body)
	// Output: https://sp.example/private for alice@example.com only
}

// A service provider that listens on loopback. An API gets requests of the signed-in user by an HTTP client.
func ExampleSignIn() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	sp := httptest.NewUnstartedServer(nil)
	url := "http://" + sp.Listener.Addr().String()
	sp.Config.Handler = newApp(idp, url)
	sp.Start()
	defer sp.Close()

	page, err := testkit.SignIn(idp, url+"/login", mockidp.DefaultLogin)
	if err != nil {
		panic(err)
	}
	resp, err := page.Browser.Client().Get(url + "/private")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	fmt.Println(page.Body, resp.StatusCode)
	// Output: Hello, alice@example.com 200
}

// newApp is a service provider at base: an application under test.
func newApp(idp *mockidp.Server, base string) http.Handler {
	mux, err := tryNewApp(idp, base)
	if err != nil {
		panic(err)
	}
	return mux
}

func tryNewApp(idp *mockidp.Server, base string) (*http.ServeMux, error) {
	trusted, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		return nil, err
	}
	sp, err := saml.New(saml.Config{EntityID: base, ACS: []saml.Endpoint{{URL: base + "/acs"}}, IdP: trusted})
	if err != nil {
		return nil, err
	}
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler), Unsolicited: acs.Accept,
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			http.SetCookie(w, &http.Cookie{Name: "user", Value: l.Assertion.NameID().Value, Secure: true, Path: "/"})
			to := "/welcome"
			if l.ReturnTo != "" {
				to = l.ReturnTo
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	for path, format := range map[string]string{"/welcome": "Hello, %s", "/private": "for %s only"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			user, err := r.Cookie("user")
			if err != nil {
				http.Error(w, "sign in first", http.StatusUnauthorized)
				return
			}
			fmt.Fprintf(w, format, user.Value)
		})
	}
	metadata, err := sp.Metadata()
	if err != nil {
		return nil, err
	}
	return mux, idp.RegisterSP("", metadata)
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
