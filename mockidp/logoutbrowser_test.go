package mockidp_test

import (
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// logoutConsumers returns a Server with two apps, and their service providers in one server, which answer unsigned: the
// first by HTTP-POST, the second, "mail", by HTTP-Redirect, and at /stuck not at all.
func logoutConsumers(t *testing.T) *mockidp.Server {
	t.Helper()
	var idp *mockidp.Server
	id := regexp.MustCompile(` ID="([^"]*)"`)
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app, isLogout := strings.CutPrefix(r.URL.Path, "/slo/")
		if !isLogout {
			_, _ = io.WriteString(w, `<!DOCTYPE html><title>sp</title><link rel="icon" href="data:,"><p>arrived`)
			return
		}
		raw := must(base64.StdEncoding.DecodeString(r.FormValue("SAMLRequest")))
		if r.Method == http.MethodGet {
			raw = must(io.ReadAll(flate.NewReader(strings.NewReader(string(raw)))))
		}
		resp := fmt.Sprintf(`<p:LogoutResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="a1" Version="2.0"`+
			` IssueInstant="%s" InResponseTo="%s"><a:Issuer xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">%s</a:Issuer>`+
			`<p:Status><p:StatusCode Value="%s"/></p:Status></p:LogoutResponse>`, time.Now().UTC().Format(time.RFC3339),
			id.FindStringSubmatch(string(raw))[1], app, mockidp.StatusSuccess)
		http.Redirect(w, r, idp.LogoutURL(app)+"?"+url.Values{"SAMLResponse": {deflated(resp)}}.Encode(), http.StatusSeeOther)
	}))
	t.Cleanup(sp.Close)
	app := func(id, label string) mockidp.App {
		return mockidp.App{ID: id, Label: label, Audience: id, Groups: []string{mockidp.Everyone},
			ACS: []mockidp.ACS{{URL: sp.URL + "/acs/" + id}}, LogoutURL: sp.URL + "/slo/" + id, InsecureUnsignedLogout: true}
	}
	wiki, mail := app("wiki", "Wiki"), app("mail", "Mail – us-east-1")
	wiki.LogoutBinding = mockidp.LogoutPOST
	quiet := app("quiet", "Payroll")
	quiet.LogoutURL = ""
	idp = start(t, mockidp.Config{BaseURL: "http://idp.localhost:0", Users: []mockidp.User{{Login: alice}},
		Apps: []mockidp.App{wiki, mail, quiet}})
	return idp
}

func TestLogoutInChromium(t *testing.T) {
	chromium := chrome(t)
	signOut := func(w *window, script bool, idp *mockidp.Server, apps ...string) {
		t.Helper()
		require.NoError(t, idp.QueueUser(alice))
		for _, app := range apps {
			w.open(idp.TileURL(app))
			if !script {
				w.tabTo("#answer button")
				w.press(kb.Enter)
			}
			w.reads("arrived")
		}
		w.open(idp.DashboardURL())
		w.tabTo(`form[action$="/login/signout"] button`)
		w.submit(kb.Enter)
	}
	t.Run("without script", func(t *testing.T) {
		idp := logoutConsumers(t)
		w := openWindow(t, chromium, false)
		signOut(w, false, idp, "wiki", "mail", "quiet")
		w.reads("Signing out")
		w.looks("logout-begun")
		w.tabTo("#answer button")
		w.submit(kb.Enter)
		w.reads("Signing out of Wiki")
		w.looks("logout-post")
		w.tabTo("#answer button")
		w.press(kb.Enter)
		w.reads("You may still be signed in to some apps")
		w.reads("Mail – us-east-1 Signed out. Payroll Not signed out: the app has no single logout.")
		w.looks("logout-partial")
	})
	t.Run("an app doesn't answer", func(t *testing.T) {
		idp := logoutConsumers(t)
		updateApp(t, idp, "mail", func(a *mockidp.App) { a.LogoutURL = strings.Replace(a.LogoutURL, "/slo/", "/stuck/", 1) })
		w := openWindow(t, chromium, false)
		signOut(w, false, idp, "mail", "wiki")
		w.tabTo("#answer button")
		w.press(kb.Enter)
		w.reads("arrived")
		w.open(idp.DashboardURL())
		w.reads("You are signed out here, but not of every app.")
		w.looks("logout-unfinished")
		w.tabTo(`a[href*="/login/logout"]`)
		w.submit(kb.Enter)
		w.reads("hasn't answered")
		w.looks("logout-stuck")
		w.tabTo(`form[method=post] button.primary`)
		w.press(kb.Enter)
		w.reads("Signing out of Wiki")
	})
	t.Run("with script", func(t *testing.T) {
		idp := logoutConsumers(t)
		w := openWindow(t, chromium, true)
		signOut(w, true, idp, "mail", "wiki")
		w.until(`document.title.startsWith("You are signed out")`) // pages on the way have the words, too
		w.looks("logout-done")
	})
	t.Run("in frames", func(t *testing.T) {
		idp := logoutConsumers(t)
		for _, id := range []string{"wiki", "mail"} {
			updateApp(t, idp, id, func(a *mockidp.App) { a.LogoutChannel = mockidp.HiddenFrame })
		}
		w := openWindow(t, chromium, true)
		signOut(w, true, idp, "mail", "wiki")
		w.until(`document.title.startsWith("You are signed out")`)
		w.reads("Mail – us-east-1 Signed out. Wiki Signed out.")
		w.looks("logout-framed")
	})
	t.Run("in frames without an answer", func(t *testing.T) {
		idp := logoutConsumers(t)
		for _, id := range []string{"wiki", "mail"} {
			updateApp(t, idp, id, func(a *mockidp.App) { a.LogoutChannel = mockidp.HiddenFrame })
		}
		updateApp(t, idp, "mail", func(a *mockidp.App) { a.LogoutURL = strings.Replace(a.LogoutURL, "/slo/", "/stuck/", 1) })
		w := openWindow(t, chromium, false)
		signOut(w, false, idp, "mail", "wiki")
		w.tabTo("#answer button")
		w.submit(kb.Enter)
		w.reads("Your apps sign you out in the background")
		w.looks("logout-frames")
		w.tabTo("#answer button")
		w.submit(kb.Enter)
		w.reads("it didn't answer in its frame")
	})
}
