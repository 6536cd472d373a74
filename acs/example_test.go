package acs_test

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// exampleSP is a service provider with two Regions.
func exampleSP() *saml.ServiceProvider {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // the identity provider's
	if err != nil {
		log.Fatal(err)
	}
	idp, err := saml.NewIdP(saml.IdPConfig{ // or saml.ParseIdPMetadata
		EntityID: "https://idp.example/saml", Keys: []crypto.PublicKey{key.Public()},
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
	})
	if err != nil {
		log.Fatal(err)
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
		log.Fatal(err)
	}
	return sp
}

// A Region has a consumer at its ACS URL, and two pages.
func ExampleNewRegion() {
	sp := exampleSP()
	region, err := acs.NewRegion(acs.Config{
		SP:     sp,
		Region: "eu-central-1",
		Store:  acs.NewMemoryStore(acs.MemoryConfig{}), // or one that the Region's nodes share
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			// Start a session for l.Assertion.NameID().Value here.
			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})

	// The answer to a browser that signs in:
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "https://eu-central-1.signin.example/login?return_to=/accounts", nil))
	to, _ := url.Parse(answer.Header().Get("Location"))
	cookie := answer.Result().Cookies()[0]
	fmt.Println(answer.Code, to.Host, to.Query().Has("SAMLRequest"))
	fmt.Println(strings.HasPrefix(cookie.Name, "__Host-"), cookie.Secure, cookie.HttpOnly, cookie.MaxAge)
	// Output:
	// 303 idp.example true
	// true true true 900
}

// One consumer, at a path of your choice.
func ExampleNew() {
	consumer, err := acs.New(acs.Config{
		SP:      exampleSP(),
		ACS:     "https://us-east-1.signin.example/platform/saml/acs/4455",
		Store:   acs.NewMemoryStore(acs.MemoryConfig{}),
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.NewServeMux().Handle("/platform/saml/acs/4455", consumer)
	fmt.Println(consumer.ACS().Region)

	_, err = acs.New(acs.Config{
		SP:      exampleSP(),
		ACS:     "https://unlisted.example/acs",
		Store:   acs.NewMemoryStore(acs.MemoryConfig{}),
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {},
	})
	fmt.Println(err)
	// Output:
	// us-east-1
	// acs: Config: Config.ACS: want "a URL on the service provider's list", got "https://unlisted.example/acs"
}

// A page that requires the user to authenticate again, as the same user.
func ExampleRegion_StartLogin() {
	region, err := acs.NewRegion(acs.Config{
		SP: exampleSP(), Region: "us-east-1", Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/danger", func(w http.ResponseWriter, r *http.Request) {
		user := saml.NameID{Value: "alice@example.com", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}
		region.StartLogin(w, r, acs.LoginOptions{
			ForceAuthn: true, Subject: &user, // from Assertion.NameID of the session's sign-in
			ReturnTo: "/danger/confirmed",
		})
	})

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "https://us-east-1.signin.example/danger", nil))
	to, _ := url.Parse(answer.Header().Get("Location"))
	fmt.Println(answer.Code, to.Host, to.Query().Has("SAMLRequest"))
	// Output: 303 idp.example true
}

// A deep link that names the user who should sign in.
func ExampleHints() {
	region, err := acs.NewRegion(acs.Config{
		SP: exampleSP(), Region: "us-east-1", Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		LoginOptions: func(r *http.Request) acs.LoginOptions {
			return acs.LoginOptions{Query: acs.Hints(r, "login_hint")}
		},
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {},
	})
	if err != nil {
		log.Fatal(err)
	}
	link := "https://us-east-1.signin.example/login?return_to=/reports&login_hint=alice%40example.com"
	answer := httptest.NewRecorder()
	region.Login(answer, httptest.NewRequest("GET", link, nil))
	to, _ := url.Parse(answer.Header().Get("Location"))
	fmt.Println(answer.Code, to.Host, to.Query().Get("login_hint"))
	// Output: 303 idp.example alice@example.com
}
