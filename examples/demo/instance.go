package main

import (
	"time"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
)

// The people. Carol is known to the identity provider only: she gets as far as
// the portal, which creates nobody.
const (
	alice = "alice@example.com"
	bob   = "bob@example.com"
	carol = "carol@example.com"
)

const (
	signInHint = alice + " or " + bob + ", password " + mockidp.DefaultPassword

	samlLabel = "Meridian access portal"
	acsPath   = "/platform/saml/acs/3f8a1c52"
	spPath    = "/platform/saml/d-9067f1a2b3"
	appPath   = "/apps/"

	engineers = "Platform engineers"
	auditors  = "Auditors"

	production = "111122223333"
	sandbox    = "444455556666"
)

// bookmarkLabel is what the administrator calls the tile of an additional Region.
func bookmarkLabel(p place) string {
	return "Identity Center – " + p.Label + " (" + p.Name + ")"
}

func idpUsers() []mockidp.User {
	return []mockidp.User{
		{Login: alice, FirstName: "Alice", LastName: "Adams", Groups: []string{engineers}},
		{Login: bob, FirstName: "Bob", LastName: "Baker", Groups: []string{auditors}},
		{Login: carol, FirstName: "Carol", LastName: "Clark"},
	}
}

// idpApps are the SAML app, whose service provider is registered later, and a
// bookmark for each additional Region.
func idpApps(regions []*region) []mockidp.App {
	apps := []mockidp.App{{Label: samlLabel, Groups: []string{mockidp.Everyone}}}
	for _, r := range regions[1:] {
		apps = append(apps, mockidp.App{Kind: mockidp.Bookmark, Label: bookmarkLabel(r.place), URL: r.url + "/", Groups: []string{mockidp.Everyone}})
	}
	return apps
}

// instance is what the portals work from.
func instance(regions []*region) center.Data {
	d := center.Data{
		Users: []center.User{
			{UserName: alice, DisplayName: "Alice Adams", Active: true},
			{UserName: bob, DisplayName: "Bob Baker", Active: true},
		},
		Groups: []center.Group{{Name: engineers, Members: []string{alice}}, {Name: auditors, Members: []string{bob}}},
		PermissionSets: []center.PermissionSet{
			{Name: "AdministratorAccess", Description: "Everything in the account", SessionDuration: time.Hour},
			{Name: "ReadOnly", Description: "Look, change nothing", SessionDuration: 8 * time.Hour},
		},
		Accounts: []center.Account{
			{ID: production, Name: "Production", Email: "production@example.com"},
			{ID: sandbox, Name: "Sandbox", Email: "sandbox@example.com"},
		},
		Assignments: []center.Assignment{
			{Principal: center.GroupPrincipal(engineers), AccountID: production, PermissionSet: "ReadOnly"},
			{Principal: center.GroupPrincipal(engineers), AccountID: sandbox, PermissionSet: "AdministratorAccess"},
			{Principal: center.GroupPrincipal(engineers), AccountID: sandbox, PermissionSet: "ReadOnly"},
			{Principal: center.GroupPrincipal(auditors), AccountID: production, PermissionSet: "ReadOnly"},
		},
	}
	names := []string{"Code review", "Data warehouse"}
	for i, r := range regions {
		d.Regions = append(d.Regions, center.Region{Name: r.Name, Label: r.Label, PortalURLs: []string{r.url + "/"}, ACSURLs: []string{r.acs}})
		if i < len(names) {
			d.Applications = append(d.Applications, center.Application{
				Name: names[i], Description: "Deployed in " + r.Label, URL: r.url + appPath + slug(names[i]), Region: r.Name,
				AssignedTo: []center.Principal{center.GroupPrincipal(engineers), center.GroupPrincipal(auditors)},
			})
		}
	}
	return d
}
