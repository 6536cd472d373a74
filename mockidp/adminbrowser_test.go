package mockidp_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// openConsole signs in to the Admin Console.
func openConsole(t *testing.T, w *window, idp *mockidp.Server) (at string) {
	t.Helper()
	h := oktaapi.New(idp, oktaapi.Config{})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	at = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	w.open(at)
	w.looks("console-login")
	w.submit("wrong", kb.Enter)
	w.reads("The token is wrong")
	w.submit(h.Token(), kb.Enter)
	w.reads("Users sign in at")
	return at
}

// The Admin Console in a real browser: by keyboard, without script, at two widths.
func TestConsoleInABrowser(t *testing.T) {
	chromium := chrome(t)
	conf := twoRegions()
	conf.Mutations = []string{"A03/assertion", "B01"}
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}
	idp := start(t, conf)
	_, err := idp.Answer(redirect(idp, request(attr("ForceAuthn", "true")), "state"), alice)
	require.NoError(t, err)
	require.NoError(t, idp.RecordAnswer(2, mockidp.ACSAnswer{Status: 403, Body: []byte("Refused: WrongAudience")}))
	require.NoError(t, idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusRequestDenied}))
	require.NoError(t, idp.UpdateUser(bob, func(u *mockidp.User) error { u.Status = mockidp.LockedOut; return nil }))

	w := openWindow(t, chromium, false)
	at := openConsole(t, w, idp)
	w.reads("ACS answered 403 Forbidden")
	w.tabTo(`button[aria-label="Unlock ` + bob + `"]`)
	w.submit(kb.Enter)
	w.reads("Unlocked.")
	w.tabTo(`form[action="/clock"] button`)
	w.submit(kb.Enter)
	w.reads("(1m0s offset)")
	w.open(at + "/people")
	w.tabTo(`a[href="/new-person"]`)
	w.submit(kb.Enter)
	w.tabTo(`#f-login`)
	w.press("carol@example.com")
	w.tabTo(`button[value="attributes:add"]`)
	w.submit(kb.Enter)
	w.tabTo(`#f-attributes-2-name`)
	w.press("role")
	w.tabTo(`#f-attributes-2-values`)
	w.press("admin", kb.Enter, "reader")
	w.tabTo(`#f-lastName`)
	w.submit("Example", kb.Enter) // Enter saves, although the first visible button moves a row
	w.reads("Created.")
	u, _ := idp.User("carol@example.com")
	assert.Equal(t, map[string][]string{"role": {"admin", "reader"}}, u.Attributes)
	assert.Equal(t, "Example", u.LastName)
	w.open(at + "/attack?id=B01")
	w.tabTo(`button[value="on"]`)
	w.submit(kb.Enter)
	w.reads("B01 for all users")
	w.tabTo(`form[action="/attacks/off"] button`)
	w.submit(kb.Enter)
	w.reads("None is switched on")
	w.open(at + "/messages")
	w.tabTo(`a[href="/messages/2"]`)
	w.submit(kb.Enter)
	w.reads("Check that it is exactly the URL that received it")
	for name, path := range map[string]string{"overview": "/", "apps": "/apps", "app": "/apps/idc", "people": "/people",
		"assignments": "/apps/idc/assignments", "app-keys": "/apps/idc/keys", "app-metadata": "/apps/idc/metadata",
		"person": "/people/" + u.ID, "groups": "/groups", "group": "/groups/" + idp.Groups()[0].ID, "keys": "/keys",
		"messages": "/messages", "response": "/messages/2", "request": "/messages/1", "attacks": "/attacks",
		"attack": "/attack?id=B01", "reset": "/reset", "missing": "/messages/7", "new-app": "/new-app?kind=entra",
		"new-catalogue-app": "/new-app?kind=identity-center"} {
		w.open(at + path)
		w.looks("console-" + name)
	}
}

// With script the page refreshes its parts, but not one that the user is in, and it says so.
func TestConsoleRefreshesItself(t *testing.T) {
	chromium := chrome(t)
	idp := start(t, twoRegions())
	w := openWindow(t, chromium, true)
	at := openConsole(t, w, idp)
	w.reads("None yet")
	w.do(chromedp.Focus("#user"))
	w.press("typ")
	_, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	require.NoError(t, idp.QueueUser(bob))
	w.reads("user " + bob)
	w.reads("Updated: Queue, Messages.")
	w.until(`document.querySelector("#user").value === "typ" && document.activeElement.id === "user"`)

	// The part with the focus stays until the focus leaves it; the others change.
	w.tabTo(`a[href="/messages/1"]`)
	idp.ClearQueue()
	_, err = idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	w.reads("Nothing is queued")
	w.until(`document.activeElement.getAttribute("href") === "/messages/1" && !document.querySelector("a[href='/messages/2']")`)
	w.do(chromedp.Focus("#user"))
	w.until(`document.querySelector("a[href='/messages/2']")`)

	// A page that answers a refused form refreshes itself, too.
	w.submit("unknown", kb.Enter)
	w.reads("No user has the login")
	require.NoError(t, idp.QueueUser(bob))
	w.reads("Updated: Queue.")
	w.reads("No user has the login")

	// Pause holds, also on the next page.
	w.do(chromedp.Focus("#pause"))
	w.press(kb.Enter)
	w.until(`document.querySelector("#pause").getAttribute("aria-pressed") === "true"`)
	w.open(at + "/messages")
	w.until(`document.querySelector("#pause").getAttribute("aria-pressed") === "true"`)
	_, err = idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	w.do(chromedp.Focus("#pause"))
	w.press(kb.Enter)
	w.until(`document.querySelector("a[href='/messages/3']")`)
}
