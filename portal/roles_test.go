package portal_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
)

const consoleOf = "https://console.example/{region}/open?account={account_id}&role={role_name}&to={destination}&as={user_name}"

// Rule 46: the actions that a program configures are links on a permission set's page, with the user's choice in them.
func TestActionsOfARole(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) {
		c.Actions = []portal.Action{{URL: consoleOf}, {Name: "Runbook", URL: "https://wiki.example/runbook"}}
	})
	b := w.browser()
	a := w.signIn(b, "https://"+frankfurt+rolePath, "alice@example.com")
	requirePage(t, a, 200, rolePath, ">Management console</a>", ">Runbook</a>", `href="https://console.example/eu-central-1/`+
		`open?account=111122223333&amp;role=ReadOnly&amp;to=&amp;as=alice%40example.com" rel="noreferrer"`)
	assert.NotContains(t, a.body, "Show access keys")
}

func TestActionsAreChecked(t *testing.T) {
	var good portal.Config
	newWorld(t, func(c *portal.Config) { good = *c })
	for _, bad := range []string{
		"", "http://console.example/", "/console", "javascript:alert(1)", "https://{region}.example/", "https://a.example{region}",
		"https://user@a.example/", "https://a.example/{password}", "{destination}", "https://a.example:{region}/",
		"https://a.example/{destination}/open", "https://a.example/#{destination}?",
	} {
		good.Actions = []portal.Action{{URL: "https://a.example"}, {URL: bad}}
		_, err := portal.New(good)
		var e *portal.Error
		require.ErrorAs(t, err, &e, bad)
		assert.Equal(t, portal.ReasonConfig, e.Reason)
		assert.Equal(t, "Config.Actions[1].URL", e.Rule, bad)
	}
}

// issuer issues credentials for tests.
type issuer struct {
	vars map[string]string
	err  error
	tags map[string]string
}

func (i *issuer) Environment(_ context.Context, u center.User, role center.Role, tags map[string]string) (
	map[string]string, time.Time, error) {
	if i.err != nil {
		return nil, time.Time{}, i.err
	}
	i.tags = tags
	out := map[string]string{"WHO": u.UserName + " " + role.Account.ID + " " + role.PermissionSet.Name}
	for k, v := range i.vars {
		out[k] = v
	}
	return out, time.Date(2030, 1, 2, 3, 4, 0, 0, time.UTC), nil
}

// Access keys are shown after a POST of the portal's own page, to a user who has the permission set now.
func TestAccessKeysAreShownOnDemand(t *testing.T) {
	i := &issuer{vars: map[string]string{"AWS_SECRET_ACCESS_KEY": `it's "$secret`}}
	logs := newAudits(t)
	w := newWorld(t, func(c *portal.Config) { c.Credentials = i; logs.edit(c) })
	b := w.browser()
	a := w.signIn(b, "https://"+virginia+rolePath, "alice@example.com")
	requirePage(t, a, 200, rolePath, `<form method="post" action="`+rolePath+`/keys">`, "Show access keys")
	assert.NotContains(t, a.body, "export ")
	keys := "https://" + virginia + rolePath + "/keys"
	requirePage(t, b.submit(keys, url.Values{}), 200, rolePath+"/keys",
		`export AWS_SECRET_ACCESS_KEY=&#39;it&#39;\&#39;&#39;s &#34;$secret&#39;`,
		`$Env:AWS_SECRET_ACCESS_KEY=&#39;it&#39;&#39;s &#34;$secret&#39;`,
		"export WHO=&#39;alice@example.com 111122223333 ReadOnly&#39;", "2 January 2030, 03:04 UTC")
	assert.Contains(t, w.logged(), "credentials shown")
	assert.NotContains(t, w.logged(), "secret")
	events, raw := logs.lines("us-east-1", audit.Access, 2)
	last := events[len(events)-1]
	assert.Equal(t, "GetRoleCredentials", last.Name)
	assert.Equal(t, map[string]string{"accountId": "111122223333", "roleName": "ReadOnly"}, last.Request)
	assert.NotContains(t, raw, "secret")

	requirePage(t, b.click(keys), http.StatusMethodNotAllowed, rolePath+"/keys")
	requirePage(t, b.post(keys, url.Values{}), http.StatusForbidden, rolePath+"/keys")
	const others = "/accounts/111122223333/Admin/keys"
	requirePage(t, b.submit("https://"+virginia+others, url.Values{}), http.StatusNotFound, others, "no such permission set")
	for _, vars := range []map[string]string{{"A": "x\ny"}, {"A B": "x"}, {"A=B;C": "x"}, {"A": "\x1b[31m"}} {
		i.vars = vars
		a := b.submit(keys, url.Values{})
		requirePage(t, a, http.StatusServiceUnavailable, rolePath+"/keys")
	}
	i.err = errDown
	requirePage(t, b.submit(keys, url.Values{}), http.StatusServiceUnavailable, rolePath+"/keys")
	w = newWorld(t, nil)
	b = w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.submit(keys, url.Values{}), http.StatusNotFound, rolePath+"/keys")
}

// A deep link survives the sign-in. It leads to the permission set's page, or to the first action, and says so if the
// user doesn't have the permission set.
func TestDeepLinks(t *testing.T) {
	link := func(host, account, role string) string {
		return "https://" + host + "/console?account_id=" + account + "&role_name=" + role
	}
	w := newWorld(t, nil)
	b := w.browser()
	requirePage(t, w.signIn(b, link(virginia, "111122223333", "ReadOnly"), "alice@example.com"), 200, rolePath)
	for _, bad := range [][2]string{
		{"111122223333", "Admin"}, {"999999999999", "ReadOnly"}, {"", ""}, {"%00", "..%2F.."},
	} {
		a := b.click(link(virginia, bad[0], bad[1]))
		require.Equal(t, http.StatusNotFound, a.StatusCode)
		assert.Contains(t, a.body, "This link leads to a permission set that you don't have.")
	}

	w = newWorld(t, func(c *portal.Config) { c.Actions = []portal.Action{{URL: consoleOf}} })
	b = w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	const evil = "&destination=https%3A%2F%2Fevil.example%2F%3Fa%26b"
	a := b.send("GET", link(virginia, "111122223333", "ReadOnly")+evil, "none", nil)
	assert.Equal(t, http.StatusSeeOther, a.StatusCode)
	assert.Equal(t, "https://console.example/us-east-1/open?account=111122223333&role=ReadOnly"+
		"&to=https%3A%2F%2Fevil.example%2F%3Fa%26b&as=alice%40example.com", a.Header.Get("Location"))
	assert.Contains(t, section(b.click("https://"+virginia+"/"), "recent"), rolePath)
	a = b.send("GET", link(virginia, "111122223333", "Admin"), "none", nil)
	assert.Equal(t, http.StatusNotFound, a.StatusCode)
	assert.Empty(t, a.Header.Get("Location"))
}

// A session's pages say that it ends soon, and lead to a sign-in that comes back to the page.
func TestPagesSayThatTheSessionEndsSoon(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) { c.SessionLifetime, c.IdleTimeout = 2*time.Hour, 2*time.Hour })
	b := w.browser()
	a := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	assert.NotContains(t, a.body, "Your session ends in")
	w.clock.Advance(108*time.Minute + 30*time.Second)
	a = b.click("https://" + virginia + "/applications?q=wik")
	requirePage(t, a, 200, "/applications?q=wik", "Your session ends in 11 minutes.",
		`href="/login?return_to=%2Fapplications%3Fq%3Dwik"`)
	a = w.atIdP(b, b.click("https://"+virginia+"/login?return_to=%2Fapplications%3Fq%3Dwik"), "alice@example.com")
	requirePage(t, a, 200, "/applications?q=wik")
	assert.NotContains(t, a.body, "Your session ends in")
	w.clock.Advance(119*time.Minute + 30*time.Second)
	assert.Contains(t, b.click("https://"+virginia+"/").body, "Your session ends in 1 minute.")

	short := newWorld(t, func(c *portal.Config) { c.SessionLifetime = 20 * time.Minute })
	b = short.browser()
	assert.NotContains(t, short.signIn(b, "https://"+virginia+"/", "alice@example.com").body, "Your session ends in")
	short.clock.Advance(14 * time.Minute)
	assert.NotContains(t, b.click("https://"+virginia+"/").body, "Your session ends in")
	short.clock.Advance(2 * time.Minute)
	assert.Contains(t, b.click("https://"+virginia+"/").body, "Your session ends in 4 minutes.")
}

// A lost Region looks lost: its dot, its link, its applications, and the sessions that began there.
func TestALostRegionLooksLost(t *testing.T) {
	w, peers := hearing(t, 0)
	here, there := w.browser(), w.browser()
	w.signIn(there, "https://"+virginia+"/", "alice@example.com")
	a := w.signIn(here, "https://"+frankfurt+"/applications", "alice@example.com")
	const mark = "This application may not open."
	assert.NotContains(t, a.body, mark)
	assert.NotContains(t, a.body, " lost")
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: w.clock.Now().Add(-4 * time.Minute)})
	a = here.click("https://" + frankfurt + "/applications")
	wiki := a.body[strings.Index(a.body, "https://wiki.example"):]
	wiki, _, _ = strings.Cut(wiki, "</li>")
	assert.Contains(t, wiki, "N. Virginia can't be reached from here. "+mark)
	assert.Equal(t, 1, strings.Count(a.body, mark), "only of the lost Region")
	assert.Contains(t, a.body, `<li class="accent-0 lost"`)
	here.submit("https://"+frankfurt+"/favorites", url.Values{"app": {"Wiki"}, "favorite": {"yes"}})
	assert.Contains(t, section(here.click("https://"+frankfurt+"/"), "favorites"), "It may not open.")
}
