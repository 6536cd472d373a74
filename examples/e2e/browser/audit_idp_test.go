package browser_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
)

// auditIdP is an identity provider with every kind of app, whose service provider isn't reached.
func auditIdP(t *testing.T, change func(*mockidp.Config)) *mockidp.Server {
	t.Helper()
	acs := []mockidp.ACS{{URL: "http://sp.localhost/acs"}, {URL: "http://sp.localhost/eu/acs"}}
	c := mockidp.Config{
		BaseURL: "http://idp.localhost:0", Org: "Example Corp", Hint: "Sign in as " + alice + ", password " + password,
		Users: []mockidp.User{
			{Login: alice, Password: password, FirstName: "Alice", LastName: "Adams", Groups: []string{"Engineers"}},
			{Login: bob, Password: password, FirstName: "Bob", LastName: "Berg", SecondFactor: "123456"},
			{Login: mallory, Password: password},
		},
		Apps: []mockidp.App{
			{ID: "wiki", Label: "Wiki", Groups: []string{mockidp.Everyone}, Audience: "http://sp.localhost/saml", ACS: acs,
				Attributes: []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}},
			{ID: "idc", Label: "AWS access portal us-east-1", Users: []string{alice}, GroupAttribute: &mockidp.GroupAttribute{},
				IdentityCenter: &mockidp.IdentityCenter{ACSURL: "http://sp.localhost/acs", IssuerURL: "http://sp.localhost/saml"}},
			{ID: "pay", Label: "Payroll", Users: []string{alice}, Profile: mockidp.Entra},
			{ID: "mark", Label: "Bookmark", Users: []string{alice}, Kind: mockidp.Bookmark, URL: "http://sp.localhost/"},
			{ID: "closed", Label: "Closed", Audience: "http://closed.localhost/saml", ACS: acs},
		},
	}
	hostile.Arm(&c)
	if change != nil {
		change(&c)
	}
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	return idp
}

func (b *tab) login(login string) {
	b.t.Helper()
	b.until(`document.querySelector("#username")`)
	b.typeIn("#username", login+"\t"+password+"\r")
}

// testAuditCompose is about the pages on which an answer is composed.
func testAuditCompose(t *testing.T, chromium context.Context) {
	idp := auditIdP(t, func(c *mockidp.Config) {
		c.Compose = true
		for i := range 30 {
			c.Users = append(c.Users, mockidp.User{Login: fmt.Sprintf("user%02d@example.com", i), FirstName: "User"})
		}
	})
	b := newTab(t, chromium)
	b.expectRefusals()
	b.open(idp.URL)
	b.reads("To which app?")
	b.audit("compose-apps")
	b.open(idp.SSOURL("wiki"))
	b.reads("Send a response to Wiki", "Alice Adams", "33 users. These are the first 8.")
	b.audit("compose")
	b.open(idp.ComposeURL() + "?app=wiki&q=user1&preset=shibboleth&login=" + mallory)
	b.reads("10 of 33 users")
	b.audit("compose-search")
	b.open(idp.ComposeURL() + "?app=wiki&status=Responder&find=xsw3&login=made@up.example&do=add")
	b.reads("made up")
	b.audit("compose-more")
	_ = onPage[bool](b, `document.getElementById("relay_state").value = "x".repeat(2000), true`)
	b.click(".send .primary")
	b.reads("Nothing was sent")
	b.audit("compose-failed")
	b.open(idp.ComposeURL() + "?app=pay")
	b.reads("nothing can be sent yet")
	b.audit("compose-no-acs")
	b.open(idp.ComposeURL() + "?app=wiki")
	b.click(`button[formaction$="/xml"]`)
	b.reads("XML of the response to Wiki")
	b.audit("compose-xml")
	_ = onPage[bool](b, `document.getElementById("xml").value = "<a", true`)
	b.click(`button.primary`)
	b.reads("Nothing was sent")
	b.audit("compose-xml-invalid")
	b.open(idp.SSOURL("wiki") + "?login=x&preset=none")
	b.reads("Unknown preset")
	b.audit("compose-parameter")
}

func testAuditIdP(t *testing.T, chromium context.Context) {
	idp := auditIdP(t, nil)
	b := newTab(t, chromium)
	b.expectRefusals()
	b.open(idp.SSOURL("wiki"))
	b.reads("to continue to Wiki")
	b.audit("idp-signin")
	b.login("unknown")
	b.reads("Unable to sign in")
	b.audit("idp-signin-failed")
	b.open(idp.SignInURL())
	b.login(bob)
	b.reads("Enter your code")
	b.audit("idp-factor")
	b.open(idp.SignInURL())
	b.login(alice)
	b.reads("My Apps")
	b.audit("idp-dashboard")
	b.open(idp.DashboardURL() + "?q=nothing")
	b.audit("idp-dashboard-nothing")
	for _, id := range []string{"wiki", "idc", "pay", "mark"} {
		b.open(idp.AppURL(id))
		b.audit("idp-app-" + id)
	}
	b.open(idp.SSOURL("closed"))
	b.reads("You don't have access to this app")
	b.audit("idp-no-access")
	b.open(idp.SSOURL("wiki") + "?SAMLRequest=nonsense")
	b.reads("This request can't be answered")
	b.audit("idp-bad-request")
	b.open(idp.URL + "/no/such/page")
	b.audit("idp-not-found")
	b.open(idp.DashboardURL())
	b.click(".who button")
	b.reads("You are signed out")
	b.audit("idp-signed-out")

	stays := openTab(t, chromium)
	stays.block(idp.URL + "/mockidp/assets/submit.js") // with which the page submits itself
	require.NoError(t, idp.QueueUser(alice))
	stays.open(idp.SSOURL("wiki"))
	stays.reads("Signing in to Wiki")
	stays.audit("idp-post")
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DuplicatePost}))
	stays.open(idp.SSOURL("wiki"))
	stays.reads("posted twice")
	stays.audit("idp-post-twice")
}
