package browser_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// openConsole opens the Admin Console of an identity provider and signs in.
func (b *tab) openConsole(idp *mockidp.Server) (at string) {
	b.t.Helper()
	api := oktaapi.New(idp, oktaapi.Config{})
	srv := httptest.NewServer(api)
	b.t.Cleanup(srv.Close)
	at = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	b.open(at)
	b.reads("The program prints it")
	b.audit("console-login")
	b.typeIn("#token", api.Token()+kb.Enter)
	b.reads("Users sign in at")
	return at
}

// testAuditConsole checks all pages of the Admin Console, with data, with a problem and with nothing.
func testAuditConsole(t *testing.T, chromium context.Context) {
	idp := auditIdP(t, nil)
	b := newTab(t, chromium)
	b.expectRefusals()
	at := b.openConsole(idp)
	b.audit("console-empty")
	_, err := idp.IdPInitiated("wiki", alice, "")
	require.NoError(t, err)
	require.NoError(t, idp.RecordAnswer(1, mockidp.ACSAnswer{Status: 403, Body: []byte("Refused")}))
	require.NoError(t, idp.QueueUser(alice))
	require.NoError(t, idp.SetMutation("A03/assertion", "", bob))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.ServerError, App: "wiki"}))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.MetadataRedirect, Endpoint: mockidp.EndpointQuery,
		Entity: "https://idp-00001.example.org/metadata", URL: "http://169.254.169.254/latest/meta-data/"}))
	_, err = idp.GenerateAppKey("wiki", 3)
	require.NoError(t, err)
	require.NoError(t, idp.UpdateUser(bob, func(u *mockidp.User) error {
		u.Status, u.Attributes = mockidp.LockedOut, map[string][]string{"role": {"admin", "reader"}}
		return nil
	}))
	person, _ := idp.User(bob)
	group, _ := idp.Snapshot().Group("Engineers")
	everyone, _ := idp.Snapshot().Group(mockidp.Everyone)
	pages := map[string]string{"overview": "/", "apps": "/apps", "app": "/apps/wiki", "catalogue-app": "/apps/idc",
		"entra-app": "/apps/pay", "bookmark": "/apps/mark", "assignments": "/apps/wiki/assignments",
		"app-keys": "/apps/wiki/keys", "app-metadata": "/apps/wiki/metadata", "new-app": "/new-app?kind=saml",
		"new-app-by-metadata": "/new-app-by-metadata",
		"people":              "/people", "person": "/people/" + person.ID, "new-person": "/new-person", "people-none": "/people?q=none",
		"groups": "/groups", "group": "/groups/" + group.ID, "everyone": "/groups/" + everyone.ID,
		"new-group": "/new-group", "keys": "/keys", "messages": "/messages", "message": "/messages/1",
		"attacks": "/attacks", "configuration": "/configuration", "tenants": "/tenants",
		"tenant": "/t/acme/", "attack": "/attack?id=A03%2Fassertion", "reset": "/reset",
		"delete": "/apps/wiki/delete", "missing": "/apps/none", "nothing": "/nothing"}
	names := make([]string, 0, len(pages))
	for name := range pages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.open(at + pages[name])
		b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
		b.audit("console-" + name)
	}
	b.open(at + "/new-person")
	b.typeIn("#f-login", bob+kb.Enter)
	b.reads("Nothing was changed")
	b.audit("console-new-person-refused")
	b.open(at + "/configuration")
	b.typeIn("#text", "{}")
	b.click("form[enctype] button")
	b.reads("Replace the configuration?")
	b.audit("console-import")
	b.open(at + "/configuration")
	b.typeIn("#text", "{")
	b.click("form[enctype] button")
	b.reads("Line 1")
	b.audit("console-import-refused")
	b.open(at + "/apps/wiki/assignments")
	b.typeIn("#user", "unknown"+kb.Enter)
	b.reads("There is no user")
	b.audit("console-assignments-refused")
}
