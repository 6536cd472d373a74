package oktaapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func hostile() mockidp.Config {
	conf := twoRegions()
	conf.Mutations = []string{"A03", "A03/assertion", "B01"}
	conf.MutationInfo = map[string]mockidp.MutationInfo{
		"A03":           {Title: "Two assertions", Family: "Wrapping", Reference: "CVE-1"},
		"A03/assertion": {Title: "Two assertions (assertion)", Family: "Wrapping"},
		"B01":           {Title: "No signature", Family: "Signatures"}}
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	return conf
}

func TestConsoleOverview(t *testing.T) {
	t.Parallel()
	idp := start(t, hostile())
	c := openConsole(t, idp)
	p := c.page("/")
	p.has(t, "2 apps", "2 people", "2 groups", "Nothing is queued", "None yet", "None is switched on", idp.SignInURL())
	assert.Contains(t, p.Header.Get("Content-Security-Policy"), "default-src 'none'")
	c.press("/queue/user", "user", alice)
	c.press("/queue/error", "app", "idc", "status", mockidp.StatusNoPassive, "message", "no")
	require.NoError(t, idp.QueueMutation("A03", "", ""))
	c.page("/").has(t, "user "+alice, "NoPassive", "attack A03")
	p = c.press("/queue/user", "user", "<carol>")
	assert.Equal(t, 422, p.Status)
	p.has(t, "No user has the login", `value="&lt;carol&gt;" aria-invalid="true" aria-describedby="refused"`,
		`<div class="refresh"><a class="button" href="/">`)
	c.press("/queue/clear").has(t, "Nothing is queued", "Cleared.")
	c.press("/clock", "by", "24h").has(t, "(24h0m0s offset)")
	c.press("/clock", "by", "soon").has(t, "Want a duration such as 90m", `value="soon"`)
}

// Every page of the console, also before the token is entered, warns as the pages of the identity provider do.
func TestConsoleShowsNotices(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	openConsole(t, start(t, conf)).page("/").lacks(t, `class="notice"`)
	conf.AnyServiceProvider, conf.Compose = true, true
	idp := start(t, conf)
	c := openConsole(t, idp)
	_, err := idp.Tenant("acme")
	require.NoError(t, err)
	require.Len(t, idp.Notices(), 2)
	for _, path := range []string{"/", "/apps", "/messages", "/tenants"} {
		c.page(path).has(t, idp.Notices()...)
	}
	newBrowser(t, idp).get(c.at+"/").has(t, idp.Notices()...)

	conf.AnyServiceProvider, conf.Compose, conf.Key = false, false, nil
	idp = start(t, conf)
	openConsole(t, idp).page("/keys").has(t, "Published test key", mockidp.TestKeyFingerprint[:16])
}

// Reset asks first, and so does everything that can't be undone.
func TestConsoleAsksFirst(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	idp := start(t, conf)
	c := openConsole(t, idp)
	u, _ := idp.User(bob)
	g, _ := idp.Snapshot().Group("Engineering")
	k, err := idp.AddKey(nil, nil)
	require.NoError(t, err)
	_, err = idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	for path, gone := range map[string]func() bool{
		"/people/" + u.ID + "/delete": func() bool { _, ok := idp.User(bob); return !ok },
		"/groups/" + g.ID + "/delete": func() bool { return len(idp.Groups()) == 0 },
		"/apps/mark/delete":           func() bool { return len(idp.Apps()) == 1 },
		"/keys/" + k.ID + "/remove":   func() bool { return len(idp.Keys()) == 1 },
		"/clear-messages":             func() bool { return len(idp.Messages()) == 0 },
	} {
		p := c.page(path)
		p.has(t, "Cancel")
		assert.False(t, gone(), path)
		form, ok := p.FormFor(strings.Replace(path, "/"+k.ID+"/remove", "", 1))
		require.True(t, ok, path)
		assert.Equal(t, 200, c.post(c.at+form.Action, form.Values()).Status, path)
		assert.True(t, gone(), path)
	}
	idp.Advance(time.Hour)
	c.page("/reset").has(t, "can't be undone")
	assert.Equal(t, time.Hour, idp.ClockOffset())
	c.press("/reset").has(t, "Everything is as it was at the start")
	assert.Len(t, idp.Apps(), 2)
	assert.Zero(t, idp.ClockOffset())
}

// Without the cookie, or from another site's page, nothing is shown and nothing is changed.
func TestConsoleIsClosed(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	for name, h := range map[string]http.Header{"no cookie": {}, "cross-site": {"Sec-Fetch-Site": {"cross-site"}},
		"same-site": {"Sec-Fetch-Site": {"same-site"}}, "origin": {"Sec-Fetch-Site": nil,
			"Origin": {"http://evil.example"}}} {
		b := c.Copy()
		if b.Header = h; len(h) == 0 {
			b.Jar = testkit.Jar{}
		}
		p, err := b.Post(c.at, c.at+"/clock", url.Values{"by": {"240h"}})
		require.NoError(t, err)
		assert.Contains(t, []int{401, 403}, p.Status, name)
	}
	assert.Zero(t, idp.ClockOffset())
	anonymous := newBrowser(t, idp)
	for _, path := range []string{"/", "/apps", "/people", "/groups", "/keys", "/messages", "/attacks", "/attack?id=A03",
		"/reset", "/new-app", "/new-person", "/new-group", "/configuration",
		"/configuration/file?keys=on", "/apps/idc", "/tenants"} {
		p := anonymous.get(c.at + path)
		assert.Equal(t, 401, p.Status, path)
		p.lacks(t, alice, "Sections")
	}
	p := anonymous.get(c.at + "/nothing")
	assert.Equal(t, 404, p.Status)
	p.lacks(t, "Sections")
	p = c.get(c.at + "/nothing")
	assert.Equal(t, 404, p.Status)
	p.has(t, "There is no such page", "Sections")
	c.press("/logout").has(t, `name="token"`)
	assert.Equal(t, 401, c.get(c.at+"/").Status)
}

// The console works below a prefix that http.StripPrefix removes: no link, form or redirect leaves it.
func TestConsoleBelowAPrefix(t *testing.T) {
	t.Parallel()
	idp := start(t, hostile())
	api := oktaapi.New(idp, oktaapi.Config{})
	mux := http.NewServeMux()
	mux.Handle("/t/acme/", http.StripPrefix("/t/acme", api))
	c := consoleAt(t, idp, api, mux, "/t/acme")
	seen, queue := map[string]bool{}, []string{c.at + "/"}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		p := c.get(at)
		require.Equal(t, 200, p.Status, at)
		for _, m := range regexpLinks.FindAllStringSubmatch(p.Body, -1) {
			link := strings.ReplaceAll(m[1], "&amp;", "&")
			if strings.HasPrefix(link, "http") || strings.HasPrefix(link, "#") {
				continue
			}
			require.True(t, strings.HasPrefix(link, "/t/acme/"), "%s links to %s", at, link)
			full := strings.TrimSuffix(c.at, "/t/acme") + link
			if strings.HasPrefix(m[0], "href") && !seen[full] && !strings.Contains(link, "done=") {
				seen[full] = true
				queue = append(queue, full)
			}
		}
	}
	assert.Greater(t, len(seen), 20)
	p := c.press("/queue/user", "user", alice)
	assert.Equal(t, "/t/acme/", p.URL.Path)
	p.has(t, "Queued")
}

// A page that didn't change is not sent again.
func TestConsoleUnchangedPage(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	idp.Advance(time.Until(time.Now().Truncate(time.Minute).Add(30 * time.Second))) // no minute ends now
	c := openConsole(t, idp)
	tag := c.page("/messages").Header.Get("ETag")
	require.NotEmpty(t, tag)
	c.Header = http.Header{"If-None-Match": {tag}}
	assert.Equal(t, 304, c.get(c.at+"/messages").Status)
	_, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	assert.Equal(t, 200, c.get(c.at+"/messages").Status)
}
