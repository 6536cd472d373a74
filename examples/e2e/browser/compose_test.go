package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// composeSP is a service provider that names the user of each response, or the reason why it refused one.
func composeSP(t *testing.T, idp *mockidp.Server) (login string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	base := "http://" + s.Listener.Addr().String()
	md, err := saml.ParseIdPMetadata(idp.Metadata("wiki"))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: base + "/saml", ACS: []saml.Endpoint{{URL: base + "/acs"}}, IdP: md})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("wiki", metadata))
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says := "Signed out"
		switch {
		case r.URL.Path == "/login":
			req, err := sp.NewAuthnRequest(saml.RequestOptions{Binding: saml.HTTPRedirect})
			if err == nil {
				var to string
				to, err = req.RedirectURL("state")
				http.Redirect(w, r, to, http.StatusSeeOther)
			}
			says = fmt.Sprint(err)
		case r.Method == http.MethodPost:
			a, err := sp.Verify([]byte(r.FormValue("SAMLResponse")), saml.VerifyOptions{ACS: base + "/acs",
				RequestIDs: []string{}, Unsolicited: true})
			says = "Refused: " + fmt.Sprint(err)
			if err == nil {
				says = "Hello " + a.NameID().Value + ", " + fmt.Sprint(a.Values("role"))
			}
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>SP</title><link rel="icon" href="data:,"><p>%s</p>`, says)
	})
	s.Start()
	t.Cleanup(s.Close)
	return base + "/login"
}

// testCompose composes responses by hand: with script, without, and with the keyboard alone.
func testCompose(t *testing.T, chromium context.Context) {
	idp := auditIdP(t, func(c *mockidp.Config) { c.Compose = true })
	composeSP(t, idp)
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script %v", script), func(t *testing.T) {
			b := newTab(t, chromium)
			if !script {
				b.withoutScript()
			}
			send := func(css string) {
				b.click(chromedp.CSS(css))
				if !script {
					b.reads("Signing in to Wiki")
					b.click("#answer button")
				}
			}
			page := idp.ComposeURL() + "?app=wiki"
			b.open(page)
			b.reads("Send as Alice Adams")
			send(".send .primary")
			b.reads("Hello " + alice)

			// Back is the page again, not an error.
			b.back()
			if !script {
				b.reads("Continue") // the page that the browser posted
				b.back()
			}
			b.reads("Send as Alice Adams")

			// Another user, with an attribute of two values.
			b.click(`.people a[href*="bob"]`)
			b.reads("Send as Bob Berg")
			b.click(`button[value="add"]`)
			b.until(`document.querySelectorAll("[name=attr_name]").length === 2`)
			b.fill("#name-2", "role")
			b.fill("#values-2", "admin\ndev")
			send(".send .primary")
			b.reads("Hello " + bob + ", [admin dev]")

			// The XML, signed again and left broken.
			for sign, want := range map[string]string{"sign": "Hello eve@example.com", "keep": "Refused"} {
				b.open(page)
				b.click(`button[formaction$="/xml"]`)
				b.reads("XML of the response to Wiki")
				xml := onPage[string](b, `document.getElementById("xml").value.replaceAll("alice@", "eve@")`)
				b.fill("#xml", xml)
				b.click(chromedp.CSS(`input[value="` + sign + `"]`))
				send("button.primary")
				b.reads(want)
			}
			messages := idp.Messages()
			assert.True(t, messages[len(messages)-1].Edited)
		})
	}
}

// testCancelAndBack goes back from the service provider to the sign-in page after a wrong password.
func testCancelAndBack(t *testing.T, chromium context.Context) {
	idp := auditIdP(t, nil)
	login := composeSP(t, idp)
	b := newTab(t, chromium)
	b.expectRefusals()
	b.open(login)
	b.reads("to continue to Wiki")
	b.login("unknown")
	b.reads("Unable to sign in")
	b.click(".cancel button")
	b.reads("Refused")
	b.back()
	b.reads("Unable to sign in")
}

// testPageScript is about what scripts add to pages that work without them.
func testPageScript(t *testing.T, chromium context.Context) {
	idp := auditIdP(t, nil)
	b := newTab(t, chromium)
	b.open(idp.SSOURL("wiki"))
	b.fill("#password", "secret")
	b.click(".beside button")
	assert.Equal(t, "text", onPage[string](b, `document.querySelector("#password").type`))
	b.click(".beside button")
	assert.Equal(t, "password", onPage[string](b, `document.querySelector("#password").type`))
	shown := `[...document.querySelectorAll("#attack option")].filter(o => !o.hidden && o.value).length`
	all := onPage[int](b, shown)
	assert.Greater(t, all, 500)
	b.do(chromedp.Focus(chromedp.CSS("#attack-filter")))
	b.press("xsw3 assertion\r") // Enter filters, and doesn't submit
	b.reads("1 attack")
	assert.Equal(t, 1, onPage[int](b, shown))
	require.NoError(t, idp.QueueUser(alice))
	b.open(idp.SignInURL())
	b.open(idp.AppURL("wiki"))
	b.click(`[data-copy="Sign-on URL"] + button`)
	b.reads("Copied")
}
