package portal_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// A portal in a company's own design: a name, colors, one template in place of the portal's, and one action of
// permission sets. The templates would be files, read with os.DirFS or embedded.
func ExampleConfig_theme() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	sp, view := oneRegion(idp)
	p, err := portal.New(portal.Config{
		Region: "us-east-1", SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		Theme: theme.Config{
			Name:    "Example Cloud",
			Colors:  theme.Colors{Accent: "#7a1f5c", Header: "#2b0f20"},
			Support: "https://help.example.com",
		},
		Templates: fstest.MapFS{"applications.html": {Data: []byte(
			`{{define "body"}}<h1>{{.T "Applications"}}</h1><p>Hello {{.User.UserName}}, ask the service desk.</p>{{end}}`,
		)}},
		Actions: []portal.Action{{
			Name: "Open the console", URL: "https://console.example.com/{region}?account={account_id}&role={role_name}",
		}},
	})
	if err != nil { // a color that is not legible, a broken template, an address that is not https
		panic(err)
	}
	for path, text := range map[string]string{
		"/applications":                   "Hello alice@example.com, ask the service desk.",
		"/accounts/111122223333/ReadOnly": "Open the console",
	} {
		page, err := testkit.SignInHandler(idp, p, "https://portal.example"+path, mockidp.DefaultLogin)
		if err != nil {
			panic(err)
		}
		fmt.Println(strings.Contains(page.Text(), "Example Cloud"), strings.Contains(page.Text(), text))
	}
	// Output:
	// true true
	// true true
}

// oneRegion returns the service provider of an instance of one Region, and what its portal shows.
func oneRegion(idp *mockidp.Server) (*saml.ServiceProvider, *center.View) {
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		panic(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://portal.example/saml", IdP: md,
		ACS: []saml.Endpoint{{URL: "https://portal.example/saml/acs", Region: "us-east-1"}},
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
	inst, err := center.New(center.Data{
		Regions:        []center.Region{{Name: "us-east-1"}},
		Users:          []center.User{{UserName: mockidp.DefaultLogin}},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}},
		Accounts:       []center.Account{{ID: "111122223333", Name: "Production"}},
		Assignments: []center.Assignment{{
			Principal: center.UserPrincipal(mockidp.DefaultLogin), AccountID: "111122223333", PermissionSet: "ReadOnly",
		}},
	})
	if err != nil {
		panic(err)
	}
	view, err := inst.In("us-east-1")
	if err != nil {
		panic(err)
	}
	return sp, view
}
