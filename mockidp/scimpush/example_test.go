package scimpush_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// Push pushes the identity provider's users to a SCIM service provider, here a
// Region's portal. A second push finds them unchanged.
func Example() {
	const token = "a-bearer-token-of-some-length-0123"
	instance, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}}})
	if err != nil {
		panic(err)
	}
	view, err := instance.In("us-east-1")
	if err != nil {
		panic(err)
	}
	sp := httptest.NewUnstartedServer(nil)
	base := "http://" + sp.Listener.Addr().String() + "/scim/v2"
	if sp.Config.Handler, err = scim.New(scim.Config{View: view, BaseURL: base, Tokens: []string{token}}); err != nil {
		panic(err)
	}
	sp.Start()
	defer sp.Close()

	idp := mockidp.New(mockidp.Config{Users: []mockidp.User{{Login: "alice@example.com"}, {Login: "bob@example.com"}}})
	defer idp.Close()
	pusher, err := scimpush.New(idp, scimpush.Config{BaseURL: base, Token: token})
	if err != nil {
		panic(err)
	}
	for range 2 {
		report, err := pusher.Push(context.Background())
		fmt.Printf("%+v %v\n", report.Users, err)
	}
	// Output:
	// {Created:2 Changed:0 Unchanged:0 Removed:0} <nil>
	// {Created:0 Changed:0 Unchanged:2 Removed:0} <nil>
}
