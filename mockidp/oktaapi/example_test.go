package oktaapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// A program in any language creates a user with Okta's API.
func Example() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	api := oktaapi.New(idp, oktaapi.Config{})
	srv := httptest.NewServer(api) // on loopback
	defer srv.Close()

	req, err := http.NewRequest("POST", srv.URL+"/api/v1/users",
		strings.NewReader(`{"profile": {"login": "bob@example.com"}}`))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "SSWS "+api.Token())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var made struct{ Status string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil {
		panic(err)
	}
	_, there := idp.User("bob@example.com")
	fmt.Println(made.Status, there)
	// Output: ACTIVE true
}
