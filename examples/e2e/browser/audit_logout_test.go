package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// testAuditLogout is about signing out of two apps, neither of which answers.
func testAuditLogout(t *testing.T, chromium context.Context) {
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html lang="en"><title>sp</title><link rel="icon" href="data:,"><p>arrived`)
	}))
	t.Cleanup(sp.Close)
	idp := auditIdP(t, func(c *mockidp.Config) {
		wiki := &c.Apps[0]
		wiki.ACS, wiki.LogoutURL = []mockidp.ACS{{URL: sp.URL + "/acs"}}, sp.URL+"/slo"
		mail := *wiki
		mail.ID, mail.Label, mail.Audience, mail.LogoutBinding = "mail", "Mail", "http://mail.localhost", mockidp.LogoutPOST
		c.Apps = append(c.Apps, mail)
	})
	b := openTab(t, chromium)
	b.block(idp.URL + "/mockidp/assets/submit.js") // with which the pages go on by themselves
	require.NoError(t, idp.QueueUser(alice))
	for _, app := range []string{"wiki", "mail"} {
		b.open(idp.SSOURL(app))
		b.click("#answer button")
		b.reads("arrived")
	}
	b.open(idp.DashboardURL())
	b.click(`form[action$="/login/signout"] button`)
	b.reads("Signing out")
	b.audit("logout-begun")
	notAnswered := func() {
		b.click("#answer button")
		b.reads("arrived")
		b.open(idp.DashboardURL())
		b.reads("You are signed out here, but not of every app.")
		b.click(`a[href*="/login/logout"]`)
		b.reads("hasn't answered")
	}
	notAnswered()
	b.audit("logout-stuck")
	b.back()
	b.reads("You are signed out here, but not of every app.")
	b.audit("logout-unfinished")
	b.click(`a[href*="/login/logout"]`)
	b.click("form[method=post] button")
	b.reads("Signing out of Mail")
	b.audit("logout-post")
	notAnswered()
	b.click("form[method=post] button")
	b.reads("You may still be signed in to some apps")
	b.audit("logout-partial")
}
