package run_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// A service provider that doesn't check signatures is attacked without one.
func ExampleRun() {
	idp, err := run.NewIdP() // the service provider must trust idp.Metadata()
	if err != nil {
		panic(err)
	}
	sp := httptest.NewServer(credulous())
	defer sp.Close()
	report, err := run.Run(context.Background(), run.Target{
		ACS: sp.URL + "/acs", EntityID: "https://sp.example",
		Probe: sp.URL + "/", Identity: regexp.MustCompile(`Signed in as (\S+)`),
		IdP: idp, IdPInitiated: true, Only: []string{"B01"},
	})
	if err != nil {
		panic(err)
	}
	for _, x := range report.Results {
		fmt.Printf("%s: %s, %s\n", x.ID, x.Verdict, x.Reason)
	}
	fmt.Println("exit status", report.Exit())
	// Output:
	// B01: let in, accepted, with the name that the identity provider gave
	// exit status 1
}

// credulous is a service provider that signs in the first NameID of every message.
func credulous() http.Handler {
	nameID := regexp.MustCompile(`<saml2:NameID[^>]*>([^<]+)<`)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		response, err := base64.StdEncoding.DecodeString(r.FormValue("SAMLResponse"))
		m := nameID.FindSubmatch(response)
		if err != nil || m == nil {
			http.Error(w, "not signed in", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "user", Value: string(m[1])})
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if user, err := r.Cookie("user"); err == nil {
			fmt.Fprintln(w, "Signed in as", user.Value)
		}
	})
	return mux
}
