package scim_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// An identity provider pushes a user into the primary Region.
func Example() {
	inst, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}})
	if err != nil {
		log.Fatal(err)
	}
	virginia, err := inst.In("us-east-1")
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := scim.New(scim.Config{
		View:    virginia,
		BaseURL: "https://scim.us-east-1.example/scim/v2",
		Tokens:  []string{"keep-this-in-a-secret-store"},
		OnChange: func(c scim.Change) {
			fmt.Println(c.Resource, c.Name, c.Action)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/scim/v2/", endpoint)

	req := httptest.NewRequest("POST", "https://scim.us-east-1.example/scim/v2/Users",
		strings.NewReader(`{"userName": "alice@example.com", "active": true}`))
	req.Header.Set("Authorization", "Bearer keep-this-in-a-secret-store")
	req.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	fmt.Println(w.Code)

	frankfurt, err := inst.In("eu-central-1")
	if err != nil {
		log.Fatal(err)
	}
	alice, ok := frankfurt.User("alice@example.com")
	fmt.Println(alice.UserName, !alice.Inactive, ok)
	// Output:
	// User alice@example.com created
	// 201
	// alice@example.com true true
}
