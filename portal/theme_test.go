package portal_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// newPortal returns a portal that serves nothing, or the error of New.
func newPortal(t *testing.T, edit func(*portal.Config)) (*portal.Portal, error) {
	t.Helper()
	w := worldWithIdP(t)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: entityID, IdP: idp, ACS: []saml.Endpoint{
		{URL: "https://" + virginia + acsPath, Region: "us-east-1"}}})
	require.NoError(t, err)
	inst, err := center.New(data())
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	cfg := portal.Config{Region: "us-east-1", SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		Context: t.Context()}
	edit(&cfg)
	return portal.New(cfg)
}

func templateFile(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text)}} }

// The preview lists each page, and shows it with its samples, in the user's language and under the portal's policy.
func TestPreview(t *testing.T) {
	p, err := newPortal(t, func(*portal.Config) {})
	require.NoError(t, err)
	show := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Language", "de")
		w := httptest.NewRecorder()
		p.Preview().ServeHTTP(w, r)
		return w
	}
	links := regexp.MustCompile(`href="(/[a-z]+)/[0-9]+"`).FindAllStringSubmatch(show("/").Body.String(), -1)
	seen := map[string]bool{}
	for _, link := range links {
		seen[strings.TrimPrefix(link[1], "/")] = true
	}
	names, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	require.Len(t, seen, len(names)-1, "all but the layout")
	w := show("/role/1")
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "Zum Inhalt springen")
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "script-src 'self'")
	sheet := regexp.MustCompile(`/static/[^"]*\.css`).FindString(w.Body.String())
	require.Contains(t, show(sheet).Header().Get("Content-Type"), "text/css")
	for _, path := range []string{"/role/0", "/role/99", "/role/x", "/nothing/1"} {
		require.Equal(t, 404, show(path).Code, path)
	}
}

// One template is replaced, and the others stay.
func TestTemplatesAreReplacedOneByOne(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) {
		c.Templates = templateFile("role.html",
			`{{define "body"}}<h1>{{$.T "Account"}} {{.Body.Account.Name}}</h1>{{if eq .Body.Account.ID "444455556666"}}`+
				`{{index .Regions 99}}{{end}}{{end}}`)
	})
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	a := b.click("https://" + virginia + "/accounts/111122223333/ReadOnly")
	requirePage(t, a, 200, "/accounts/111122223333/ReadOnly", "<h1>Account Production</h1>", "Skip to content")
	assert.NotContains(t, a.body, "Role session")
	requirePage(t, b.click("https://"+virginia+"/sessions"), 200, "/sessions", "Your sessions")

	a = b.click("https://" + virginia + "/accounts/444455556666/ReadOnly")
	requirePage(t, a, 200, "/accounts/444455556666/ReadOnly", "Role session")
	assert.Contains(t, w.logged(), "page failed", "the portal's own page stands in for one that fails")
}

// A broken template is an error of New, and not of a request.
func TestBrokenTemplatesAreRefused(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"unknown name":      templateFile("roles.html", `{{define "body"}}{{end}}`),
		"syntax":            templateFile("role.html", `{{define "body"}}{{if}}{{end}}`),
		"unknown field":     templateFile("role.html", `{{define "body"}}{{.Body.Accuont.Name}}{{end}}`),
		"field in a branch": templateFile("signedout.html", `{{define "body"}}{{if eq .Body.Result "partial"}}{{.Nope}}{{end}}{{end}}`),
		"unknown function":  templateFile("role.html", `{{define "body"}}{{nope}}{{end}}`),
		"open tag":          templateFile("role.html", `{{define "body"}}<a href="{{.Title}}{{end}}`),
		"layout":            templateFile("layout.html", `{{.Nope}}`),
	} {
		_, err := newPortal(t, func(c *portal.Config) { c.Templates = files })
		var e *portal.Error
		require.True(t, errors.As(err, &e), "%s: %v", name, err)
		assert.Equal(t, portal.ReasonConfig, e.Reason, name)
		assert.Contains(t, e.Error(), "Config.Templates", name)
	}
	_, err := newPortal(t, func(c *portal.Config) { c.Theme.Colors.Accent = "#ff9900" })
	var contrast *theme.Error
	require.True(t, errors.As(err, &contrast), "%v", err)
	assert.Equal(t, theme.ReasonContrast, contrast.Reason)
}

// Every template has samples, with which its replacement is tried, and a row in TEMPLATES.md.
func TestTemplatesHaveSamples(t *testing.T) {
	p, err := newPortal(t, func(*portal.Config) {})
	require.NoError(t, err)
	missing, err := p.TrySamples()
	require.NoError(t, err)
	require.Empty(t, missing, "templates without samples in samples.go")
	page, err := os.ReadFile("TEMPLATES.md")
	require.NoError(t, err)
	files, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		assert.Contains(t, string(page), "`"+filepath.Base(file)+"`", "TEMPLATES.md")
	}
}

// The name, support link and notice stand on every page, also on the consumers'. The browser chooses the language.
func TestThemeAndLanguageOfEveryPage(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) {
		c.Theme = theme.Config{Name: "Example sign-in", Support: "https://help.example/", Notice: "Closed on Sunday",
			Texts: fstest.MapFS{"de.json": {Data: []byte(`{"Closed on Sunday": "Sonntags geschlossen"}`)}}}
	})
	b := w.browser()
	check := func(a answer) {
		for _, text := range []string{"Example sign-in", `href="https://help.example/"`, "Sonntags geschlossen",
			`<html lang="de" dir="ltr">`, "Hilfe"} {
			assert.Contains(t, a.body, text, a.url)
		}
		assert.NotContains(t, a.body, "Meridian access portal")
	}
	b.Header = http.Header{"Accept-Language": {"de-AT,de;q=0.9,en;q=0.5"}}
	check(b.send("GET", "https://"+virginia+"/", "none", nil))
	consumer := b.click("https://" + virginia + acsPath)
	assert.Equal(t, http.StatusMethodNotAllowed, consumer.StatusCode)
	assert.Contains(t, consumer.body, "Dies ist keine Antwort auf eine Anmeldung")
	check(consumer)
	check(w.signIn(b, "https://"+virginia+"/", "alice@example.com"))
	for path, text := range map[string]string{
		"/": "Ihr Zugang", "/applications": "Läuft in", "/sessions": "Ihre Sitzungen", "/nope": "Nicht gefunden",
		"/sessions/end-all": "Überall abmelden?", "/accounts/111122223333/ReadOnly": "1 Stunde 30 Minuten",
	} {
		a := b.click("https://" + virginia + path)
		check(a)
		assert.Contains(t, a.body, text)
		assert.False(t, strings.Contains(a.body, "%!"), path)
	}
}
