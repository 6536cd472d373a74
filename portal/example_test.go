package portal_test

import (
	"fmt"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// The portal of one Region, with a mock identity provider behind it.
func ExampleNew() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		panic(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://us-east-1.portal.example/platform/saml/d-9067f1a2b3",
		ACS: []saml.Endpoint{
			{URL: "https://us-east-1.portal.example/platform/saml/acs/4455", Region: "us-east-1"},
			{URL: "https://eu-central-1.portal.example/platform/saml/acs/4455", Region: "eu-central-1"},
		},
		IdP: md,
	})
	if err != nil {
		panic(err)
	}
	inst, err := center.New(center.Data{
		Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}},
		Users:   []center.User{{UserName: "alice@example.com"}},
	})
	if err != nil {
		panic(err)
	}
	view, err := inst.In("eu-central-1")
	if err != nil {
		panic(err)
	}
	frankfurt, err := portal.New(portal.Config{
		Region: "eu-central-1", SP: sp, Directory: view,
		Store: acs.NewMemoryStore(acs.MemoryConfig{}), // or one that the Region's nodes share
	})
	if err != nil {
		panic(err)
	}

	// A browser without a session is sent to the identity provider, and back.
	metadata, err := sp.Metadata()
	if err != nil {
		panic(err)
	}
	if err := idp.RegisterSP("", metadata); err != nil {
		panic(err)
	}
	page, err := testkit.SignInHandler(idp, frankfurt, "https://eu-central-1.portal.example/applications",
		mockidp.DefaultLogin)
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Status, page.URL)
	// Output: 200 https://eu-central-1.portal.example/applications
}
