package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// silentSP is a service provider that answers no message.
func silentSP(t *testing.T) *httptest.Server {
	t.Helper()
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html lang="en"><title>sp</title><link rel="icon" href="data:,"><p>arrived`)
	}))
	t.Cleanup(sp.Close)
	return sp
}

// testAuditLogout is about signing out of two apps, neither of which answers.
func testAuditLogout(t *testing.T, chromium context.Context) {
	sp := silentSP(t)
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

// testAuditLogoutFrames is about signing out of an app in a hidden frame and of one by SOAP, by the user and in the
// Admin Console, and about the messages of that.
func testAuditLogoutFrames(t *testing.T, chromium context.Context) {
	sp := silentSP(t)
	idp := auditIdP(t, func(c *mockidp.Config) {
		wiki := &c.Apps[0]
		wiki.ACS, wiki.LogoutURL = []mockidp.ACS{{URL: sp.URL + "/acs"}}, sp.URL+"/slo"
		wiki.LogoutChannel, wiki.ResponseBinding = mockidp.HiddenFrame, mockidp.ResponseArtifact
		mail := *wiki
		mail.ID, mail.Label, mail.Audience = "mail", "Mail", "http://mail.localhost"
		mail.LogoutURL, mail.LogoutSOAPURL, mail.LogoutChannel = "", sp.URL+"/soap", mockidp.BackChannel
		c.Apps = append(c.Apps, mail)
	})
	b := openTab(t, chromium)
	b.block(idp.URL + "/mockidp/assets/frames.js") // with which the page goes on by itself
	signIn := func() {
		require.NoError(t, idp.QueueUser(alice))
		for _, app := range []string{"wiki", "mail"} {
			b.open(idp.SSOURL(app))
			b.reads("arrived")
		}
	}
	signIn()
	b.open(idp.DashboardURL())
	b.click(`form[action$="/login/signout"] button`)
	b.reads("Signing out of your apps", "No answer yet.")
	b.audit("logout-frames")
	b.click("#answer button")
	b.reads("You may still be signed in to some apps")
	b.audit("logout-frames-partial")

	signIn()
	at := b.openConsole(idp)
	person, _ := idp.User(alice)
	b.open(at + "/people/" + person.ID)
	b.click(chromedp.CSS(`form[action="/people/` + person.ID + `/logout"] button`))
	b.reads("is signed out", "Not signed out:", "told by the user's browser")
	b.audit("console-signed-out")
	kinds := map[string]bool{}
	for _, m := range idp.Messages() {
		kind := m.Binding[strings.LastIndexByte(m.Binding, ':')+1:]
		if kinds[kind] {
			continue
		}
		kinds[kind] = true
		b.open(at + "/messages/" + strconv.FormatInt(m.ID, 10))
		b.audit("console-message-" + kind)
	}
	require.Contains(t, kinds, "HTTP-Artifact")
	require.Contains(t, kinds, "SOAP")
}
