package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// Rule 45.
func TestPagesShowAccessOfAllRegionsInEach(t *testing.T) {
	w := newWorld(t, nil)
	for region, host := range regionHosts {
		b := w.browser()
		home := w.signIn(b, "https://"+host+"/", "alice@example.com")
		requirePage(t, home, 200, "/", "Production", "111122223333", `href="/accounts/111122223333/ReadOnly"`,
			"Look, don&#39;t touch")
		assert.NotContains(t, home.body, "Admin", "only bob has it")
		apps := b.click("https://" + host + "/applications")
		requirePage(t, apps, 200, "/applications", `href="https://wiki.example/?a=1&amp;b=2"`, "Farm", "us-east-1",
			"eu-central-1")
		for other, otherHost := range regionHosts {
			link := `href="https://` + otherHost + `"`
			for _, page := range []answer{home, apps} {
				if other == region {
					assert.NotContains(t, page.body, link)
					assert.Contains(t, page.body, "<strong>"+region+"</strong>")
					assert.Contains(t, page.body, "You are here")
				} else {
					assert.Contains(t, page.body, link)
				}
				assert.Equal(t, 1, strings.Count(page.body, ">Primary<"))
			}
		}
	}
}

// Rule 46.
func TestRolePage(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+frankfurt+"/", "alice@example.com")
	requirePage(t, b.click("https://"+frankfurt+"/accounts/111122223333/ReadOnly"), 200, "/accounts/111122223333/ReadOnly",
		"Production", "eu-central-1", "alice@example.com", "1 hour 30 minutes", "https://"+frankfurt+"/console?account_id=111122223333&amp;role_name=ReadOnly")
	for _, path := range []string{"/accounts/111122223333/Admin", "/accounts/111122223333/Nope",
		"/accounts/999999999999/ReadOnly", "/accounts/111122223333/readonly"} {
		requirePage(t, b.click("https://"+frankfurt+path), http.StatusNotFound, path, "no such permission set")
	}
}

func TestNamesAreEscaped(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "eve@example.com")
	for _, path := range []string{"/", "/applications", "/accounts/444455556666/ReadOnly", "/accounts/x/y"} {
		a := b.click("https://" + virginia + path)
		assert.NotContains(t, a.body, "<script>", path)
		assert.NotContains(t, a.body, "<b>", path)
		assert.Contains(t, a.body, "&lt;script&gt;", path)
	}
	a := w.tile(b, "alice@example.com", "")
	assert.Contains(t, a.body, "&lt;script&gt;", "the confirmation page escapes names too")
	assert.NotContains(t, a.body, "<script>")
}

func TestUnknownPagesAndMethods(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	for _, path := range []string{"/nope", "/accounts", "/accounts/1/2/3", "/static/nope.css", "/static/portal.go"} {
		requirePage(t, b.get("https://"+virginia+path), http.StatusNotFound, path, "Go to the portal")
	}
	for path, allow := range map[string]string{"/": "GET, HEAD", "/applications": "GET, HEAD",
		"/signed-out": "GET, HEAD", "/continue": "GET, POST, HEAD"} {
		a := b.send("DELETE", "https://"+virginia+path, "same-origin", nil)
		requirePage(t, a, http.StatusMethodNotAllowed, path)
		assert.Equal(t, allow, a.Header.Get("Allow"))
	}
	assert.Equal(t, http.StatusSeeOther, b.send("HEAD", "https://"+virginia+"/", "none", nil).StatusCode)
}

// AWS's classic portal URLs have a path.
func TestPortalURLWithAPathIsTheHomePage(t *testing.T) {
	d := data()
	d.Regions[0].PortalURLs = []string{"https://" + virginia, "https://classic.example/start"}
	w := newWorldOf(t, d, nil)
	w.hosts["classic.example"] = w.hosts[virginia]
	for at, want := range map[string]string{
		"https://classic.example/start": "/", "https://classic.example/start/": "/",
		"https://classic.example/start?from=us-east-1": "/?from=us-east-1",
	} {
		a := w.browser().send("GET", at, "none", nil)
		assert.Equal(t, http.StatusSeeOther, a.StatusCode, at)
		assert.Equal(t, want, a.Header.Get("Location"), at)
	}
	for _, at := range []string{"https://classic.example/start/more", "https://classic.example/Start",
		"https://" + virginia + "/start"} {
		assert.Equal(t, http.StatusNotFound, w.browser().send("GET", at, "none", nil).StatusCode, at)
	}
	assert.Equal(t, http.StatusNotFound,
		w.browser().send("POST", "https://classic.example/start", "same-origin", nil).StatusCode)
}

func TestPagesLoadNothingExternal(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	a := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for _, part := range []string{`<html lang="en" dir="ltr">`, "<main", "<header", "<nav", `class="skip" href="#main"`,
		`name="viewport"`} {
		assert.Contains(t, a.body, part)
	}
	for _, part := range []string{"<script>", "style=", "onclick", "<img", "<iframe"} {
		assert.NotContains(t, a.body, part, "the content security policy would stop it")
	}
	css := b.click("https://" + virginia + "/static/portal.css")
	assert.Equal(t, 200, css.StatusCode)
	assert.Equal(t, "text/css; charset=utf-8", css.Header.Get("Content-Type"))
	assert.NotContains(t, css.body, "url(")
	icon := b.click("https://" + virginia + "/static/icon.svg")
	assert.Equal(t, "image/svg+xml", icon.Header.Get("Content-Type"))
}

func TestRegionBeingAddedIsNotLinked(t *testing.T) {
	w := newWorld(t, nil)
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, primary.Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: "ap-south-1", Status: center.RegionAdding,
			PortalURLs: []string{"https://ap-south-1.portal.example"}})
	}))
	a := w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com")
	requirePage(t, a, 200, "/", "ap-south-1", "Being added")
	assert.NotContains(t, a.body, "https://ap-south-1.portal.example")
}

// A portal can't write: the view of an additional Region refuses writes and names the primary. What
// the primary writes is shown.
func TestInvariant13PortalServesWhatThePrimaryWrote(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+frankfurt+"/", "bob@example.com"), 200, "/", "Admin")
	assign := func(tx *center.Tx) error {
		return tx.Assign(center.Assignment{Principal: center.UserPrincipal("bob@example.com"), AccountID: "444455556666",
			PermissionSet: "ReadOnly"})
	}
	additional, err := w.inst.In("eu-central-1")
	require.NoError(t, err)
	var refused *center.Error
	require.ErrorAs(t, additional.Update(assign), &refused)
	assert.Equal(t, center.ReasonNotPrimary, refused.Reason)
	assert.Equal(t, "us-east-1", refused.Primary)
	assert.NotContains(t, b.click("https://"+frankfurt+"/").body, "444455556666")

	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, primary.Update(assign))
	assert.Contains(t, b.click("https://"+frankfurt+"/").body, "444455556666")
}

// An additional Region works without the primary's portal.
func TestInvariant14SignInWithoutThePrimary(t *testing.T) {
	w := newWorld(t, nil)
	w.hosts[virginia] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the primary was asked") })
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+frankfurt+"/", "alice@example.com"), 200, "/", "Production")
	requirePage(t, b.click("https://"+frankfurt+"/applications"), 200, "/applications", "Wiki")
	requirePage(t, b.submit("https://"+frankfurt+"/sign-out", url.Values{}), 200, "/signed-out")
}

func TestMetadataIsTheSameInEveryRegion(t *testing.T) {
	w := newWorld(t, nil)
	one := w.browser().get("https://" + virginia + portal.PathMetadata)
	two := w.browser().get("https://" + frankfurt + portal.PathMetadata)
	require.Equal(t, 200, one.StatusCode)
	assert.Equal(t, one.body, two.body)
	assert.Contains(t, one.body, "https://"+frankfurt+acsPath)
}
