package browser_test

import (
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// data is the instance that both Regions serve: Alice has enough to fill a
// page, Bob has little, and Mallory isn't in it.
func (w *world) data() center.Data {
	engineers := center.GroupPrincipal("Engineers")
	region := func(name, label string) center.Region {
		return center.Region{Name: name, Label: label, PortalURLs: []string{w.portals[name]}, ACSURLs: []string{w.acs(name)}}
	}
	grant := func(to center.Principal, account, set string) center.Assignment {
		return center.Assignment{Principal: to, AccountID: account, PermissionSet: set}
	}
	return center.Data{
		Regions: []center.Region{region(virginia, "US East (N. Virginia)"), region(frankfurt, "Europe (Frankfurt)")},
		Users: []center.User{
			{UserName: alice, DisplayName: "Alice Adams"},
			{UserName: bob, DisplayName: "Bob Berg"},
		},
		Groups: []center.Group{{Name: "Engineers", Members: []string{alice}}},
		PermissionSets: []center.PermissionSet{
			{Name: "AdministratorAccess", Description: "Everything", SessionDuration: 2 * time.Hour},
			{Name: "ReadOnlyAccess", Description: "Look, don't touch"},
		},
		Accounts: []center.Account{
			{ID: "111122223333", Name: "Production", Email: "production@example.com"},
			{ID: "444455556666", Name: "Staging", Email: "staging@example.com"},
			{ID: "777788889999", Name: "Sandbox of the data platform team", Email: "data-platform-sandbox@example.com"},
		},
		Assignments: []center.Assignment{
			grant(engineers, "111122223333", "ReadOnlyAccess"),
			grant(engineers, "444455556666", "ReadOnlyAccess"),
			grant(center.UserPrincipal(alice), "444455556666", "AdministratorAccess"),
			grant(center.UserPrincipal(alice), "777788889999", "AdministratorAccess"),
			grant(center.UserPrincipal(bob), "111122223333", "AdministratorAccess"),
		},
		Applications: []center.Application{
			{Name: "Wiki", Description: "What everybody knows", URL: "https://wiki.example.com", Region: virginia, AssignedTo: []center.Principal{engineers, center.UserPrincipal(bob)}},
			{Name: "Notebooks", Description: "Data and experiments", URL: "https://notebooks.example.com", Region: frankfurt, AssignedTo: []center.Principal{engineers}},
			{Name: "Incident desk", URL: "https://incidents.example.com", Region: virginia, AssignedTo: []center.Principal{engineers}},
		},
	}
}
