// Package corp is the company of the examples: its Regions, its people, what
// they may do, and its apps at the identity provider.
package corp

import (
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
)

// A Place is a Region before it runs.
type Place struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// The Regions. Virginia is the primary.
var (
	Virginia  = Place{"us-east-1", "N. Virginia"}
	Frankfurt = Place{"eu-central-1", "Frankfurt"}
	Sydney    = Place{"ap-southeast-2", "Sydney"}
)

// Host is the name under which browsers find the Region. The hosts have no
// common parent but localhost, so to a browser each is a site of its own, as
// they would be in earnest. Cookies ignore ports.
func (p Place) Host() string { return p.Name + ".localhost" }

// IdPHost is where the identity provider is.
const IdPHost = "idp.localhost"

// The people. Carol is known to the identity provider only: she gets as far as
// the portal, which creates no user. Alice is an operator of the portals too.
const (
	Alice = "alice@example.com"
	Bob   = "bob@example.com"
	Carol = "carol@example.com"
)

// The texts of the sign-in page and of the apps.
const (
	Name       = "Example Corp"
	SignInHint = Alice + " or " + Bob + ", password " + mockidp.DefaultPassword
	SAMLLabel  = "Meridian access portal"
)

// The paths of a Region, and of the service provider's entity ID.
const (
	ACSPath = "/platform/saml/acs/3f8a1c52"
	SPPath  = "/platform/saml/d-9067f1a2b3"
	AppPath = "/apps/"
)

// What there is to have access to.
const (
	Engineers = "Platform engineers"
	Auditors  = "Auditors"

	Production = "111122223333"
	Sandbox    = "444455556666"

	Administrator = "AdministratorAccess"
	ReadOnly      = "ReadOnly"
)

// BookmarkLabel is what the administrator calls the tile of an additional Region.
func BookmarkLabel(p Place) string {
	return "Identity Center – " + p.Label + " (" + p.Name + ")"
}

// Users are the people as the identity provider knows them.
func Users() []mockidp.User {
	return []mockidp.User{
		{Login: Alice, FirstName: "Alice", LastName: "Adams", Groups: []string{Engineers}},
		{Login: Bob, FirstName: "Bob", LastName: "Baker", Groups: []string{Auditors}},
		{Login: Carol, FirstName: "Carol", LastName: "Clark"},
	}
}

// SAMLApp is the one SAML app, for everyone.
func SAMLApp() mockidp.App {
	return mockidp.App{Label: SAMLLabel, Groups: []string{mockidp.Everyone}}
}

// Bookmark is the tile of an additional Region: an address and nothing else.
func Bookmark(p Place, portal string) mockidp.App {
	return mockidp.App{Kind: mockidp.Bookmark, Label: BookmarkLabel(p), URL: portal, Groups: []string{mockidp.Everyone}}
}

// IsOperator says who may see the portals' page for operators.
func IsOperator(u center.User) bool { return u.UserName == Alice }

// Data is what the instance holds at first. Applications come from the Regions
// that they are deployed in.
func Data(regions ...center.Region) center.Data {
	return center.Data{
		Regions: regions,
		Users: []center.User{
			{UserName: Alice, DisplayName: "Alice Adams"},
			{UserName: Bob, DisplayName: "Bob Baker"},
		},
		Groups: []center.Group{{Name: Engineers, Members: []string{Alice}}, {Name: Auditors, Members: []string{Bob}}},
		PermissionSets: []center.PermissionSet{
			{Name: Administrator, Description: "Everything in the account", SessionDuration: time.Hour},
			{Name: ReadOnly, Description: "Look, change nothing", SessionDuration: 8 * time.Hour},
		},
		Accounts: []center.Account{
			{ID: Production, Name: "Production", Email: "production@example.com"},
			{ID: Sandbox, Name: "Sandbox", Email: "sandbox@example.com"},
		},
		Assignments: []center.Assignment{
			{Principal: center.GroupPrincipal(Engineers), AccountID: Production, PermissionSet: ReadOnly},
			{Principal: center.GroupPrincipal(Engineers), AccountID: Sandbox, PermissionSet: Administrator},
			{Principal: center.GroupPrincipal(Engineers), AccountID: Sandbox, PermissionSet: ReadOnly},
			{Principal: center.GroupPrincipal(Auditors), AccountID: Production, PermissionSet: ReadOnly},
		},
	}
}

// applications are deployed in their Regions.
var applications = map[string]string{
	Virginia.Name:  "Code review",
	Frankfurt.Name: "Data warehouse",
	Sydney.Name:    "Incident desk",
}

// Application is what is deployed in a Region, at its portal's origin.
func Application(p Place, origin string) center.Application {
	name := applications[p.Name]
	return center.Application{
		Name: name, Description: "Deployed in " + p.Label, URL: origin + AppPath + Slug(name), Region: p.Name,
		AssignedTo: []center.Principal{center.GroupPrincipal(Engineers), center.GroupPrincipal(Auditors)},
	}
}

// Slug is a name as part of an address.
func Slug(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }
