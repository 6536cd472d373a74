package center_test

import (
	"errors"
	"fmt"

	"github.com/meridian-saml/meridian/portal/center"
)

// Permissions are written in the primary Region and read in both.
func Example() {
	inst, err := center.New(center.Data{
		Regions: []center.Region{
			{Name: "us-east-1", PortalURLs: []string{"https://us-east-1.portal.example"}},
			{Name: "eu-central-1", PortalURLs: []string{"https://eu-central-1.portal.example"}},
		},
		Users:          []center.User{{UserName: "alice@example.com"}},
		Groups:         []center.Group{{Name: "Developers", Members: []string{"alice@example.com"}}},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}},
		Accounts:       []center.Account{{ID: "111122223333", Name: "Production"}},
	})
	if err != nil {
		panic(err)
	}
	virginia, _ := inst.In("us-east-1")
	frankfurt, _ := inst.In("eu-central-1")

	err = virginia.Update(func(tx *center.Tx) error {
		return tx.Assign(center.Assignment{
			Principal: center.GroupPrincipal("Developers"), AccountID: "111122223333", PermissionSet: "ReadOnly",
		})
	})
	if err != nil {
		panic(err)
	}
	alice, _ := frankfurt.User("alice@example.com")
	for _, a := range frankfurt.Accounts(alice.ID) {
		fmt.Println(a.Account.Name, a.Account.ID, a.PermissionSets[0].Name)
	}
	// Output: Production 111122223333 ReadOnly
}

// A write through the view of an additional Region is refused. The error names the primary.
func ExampleView_Update() {
	inst, _ := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}})
	frankfurt, _ := inst.In("eu-central-1")
	err := frankfurt.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "alice@example.com"})
	})
	var refused *center.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason, refused.Primary)
	}
	// Output: NotPrimary us-east-1
}

// A second identity provider is added. Each has a user alice@example.com.
func ExampleTx_AdoptIdentityProvider() {
	inst, err := center.New(center.Data{
		Regions: []center.Region{{Name: "us-east-1"}},
		Users:   []center.User{{ID: "u-1", UserName: "alice@example.com"}},
	})
	if err != nil {
		panic(err)
	}
	primary, err := inst.In("us-east-1")
	if err != nil {
		panic(err)
	}
	const first, second = "https://idp.example/saml", "https://idp.other.example/saml"
	err = primary.Update(func(tx *center.Tx) error {
		if err := tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: first}); err != nil {
			return err
		}
		if err := tx.PutIdentityProvider(center.IdentityProvider{EntityID: second}); err != nil {
			return err
		}
		return tx.PutUser(center.User{ID: "u-2", UserName: "alice@example.com", IdentityProvider: second})
	})
	if err != nil {
		panic(err)
	}
	for _, idp := range []string{first, second} {
		alice, ok := primary.UserOf(idp, "alice@example.com")
		fmt.Println(alice.ID, ok)
	}
	// Output:
	// u-1 true
	// u-2 true
}
