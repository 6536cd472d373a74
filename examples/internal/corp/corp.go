// Package corp describes the company of the examples: Regions, users and their access, and apps at the identity
// provider.
package corp

import (
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
)

// Place is a Region that need not run.
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

// Host returns the Region's host name. The hosts have no common parent but localhost, so to a browser each is a
// site of its own, as in production. Cookies ignore ports.
func (p Place) Host() string { return p.Name + ".localhost" }

// IdPHost is the identity provider's host name.
const IdPHost = "idp.localhost"

// The users. Carol exists at the identity provider only: the portal refuses her, and creates no user. Alice is an
// operator of the portals too.
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
	ACSPath    = "/platform/saml/acs/3f8a1c52"
	LogoutPath = "/platform/saml/logout" // takes the identity provider's logout messages
	SPPath     = "/platform/saml/d-9067f1a2b3"
	AppPath    = "/apps/"
)

// What users have access to.
const (
	Engineers = "Platform engineers"
	Auditors  = "Auditors"

	Production = "111122223333"
	Sandbox    = "444455556666"
	Management = "777788889999" // owns the instance

	Administrator = "AdministratorAccess"
	ReadOnly      = "ReadOnly"
)

// BookmarkLabel returns the label of the tile of an additional Region.
func BookmarkLabel(p Place) string {
	return "Identity Center – " + p.Label + " (" + p.Name + ")"
}

// Users returns the users at the identity provider.
func Users() []mockidp.User {
	return []mockidp.User{
		{Login: Alice, FirstName: "Alice", LastName: "Adams", Groups: []string{Engineers}},
		{Login: Bob, FirstName: "Bob", LastName: "Baker", Groups: []string{Auditors}},
		{Login: Carol, FirstName: "Carol", LastName: "Clark"},
	}
}

// SAMLApp returns the SAML app, for all users.
func SAMLApp() mockidp.App {
	return mockidp.App{Label: SAMLLabel, Groups: []string{mockidp.Everyone}}
}

// Bookmark returns the tile of an additional Region.
func Bookmark(p Place, portal string) mockidp.App {
	return mockidp.App{Kind: mockidp.Bookmark, Label: BookmarkLabel(p), URL: portal, Groups: []string{mockidp.Everyone}}
}

// IsOperator reports whether the user may see the portals' page for operators.
func IsOperator(u center.User) bool { return u.UserName == Alice }

// Data returns the initial data of the instance. Applications come from the Regions that they are deployed in.
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
			{Name: ReadOnly, Description: "Read, change nothing", SessionDuration: 8 * time.Hour},
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

// applications are the names of the applications, by Region.
var applications = map[string]string{
	Virginia.Name:  "Code review",
	Frankfurt.Name: "Data warehouse",
	Sydney.Name:    "Incident desk",
}

// Application returns the application in a Region, at its portal's origin.
func Application(p Place, origin string) center.Application {
	name := applications[p.Name]
	return center.Application{
		Name: name, Description: "Deployed in " + p.Label, URL: origin + AppPath + Slug(name), Region: p.Name,
		AssignedTo: []center.Principal{center.GroupPrincipal(Engineers), center.GroupPrincipal(Auditors)},
	}
}

// Slug returns a name as part of a path.
func Slug(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }
