package theme_test

import (
	"errors"
	"html/template"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
)

func reasonOf(t *testing.T, err error) theme.Reason {
	t.Helper()
	var e *theme.Error
	require.True(t, errors.As(err, &e), "%v", err)
	return e.Reason
}

// WCAG 2.2 1.4.3: text in an accent has 4.5 to 1 on each background. The black or white text on it always has.
func TestColorsAreLegible(t *testing.T) {
	for accent, want := range map[string]theme.Reason{
		"#2563a8": "", "#7a1f5c": "", "#000000": "",
		"#ff9900": theme.ReasonContrast, "#888888": theme.ReasonContrast, "#ffffff": theme.ReasonContrast,
		"red": theme.ReasonConfig, "#12345": theme.ReasonConfig, "#1234567": theme.ReasonConfig, "#12345g": theme.ReasonConfig,
		"#000000;}": theme.ReasonConfig,
	} {
		_, err := theme.New(theme.Config{Colors: theme.Colors{Accent: accent}})
		if want == "" {
			require.NoError(t, err, accent)
			continue
		}
		require.Equal(t, want, reasonOf(t, err), accent)
	}
	for dark, want := range map[string]theme.Reason{
		"#8ab4f8": "", "#2563a8": theme.ReasonContrast, "x": theme.ReasonConfig,
	} {
		_, err := theme.New(theme.Config{Colors: theme.Colors{Accent: "#2563a8", AccentDark: dark}})
		if want == "" {
			require.NoError(t, err, dark)
			continue
		}
		require.Equal(t, want, reasonOf(t, err), dark)
	}
	_, err := theme.New(theme.Config{Colors: theme.Colors{AccentDark: "#8ab4f8"}})
	require.Equal(t, theme.ReasonConfig, reasonOf(t, err), "a dark accent without a light one")
	look, err := theme.New(theme.Config{Colors: theme.Colors{Accent: "#000000", Header: "#ffcc00"}})
	require.NoError(t, err)
	assert.Contains(t, look.Style(), "--bar:#ffcc00;--on-bar:#000000")
	assert.Contains(t, look.Style(), "--accent:#000000;--on-accent:#ffffff")
	assert.NotContains(t, strings.SplitAfter(look.Style(), "@media")[1], "--accent:#000000", "lighter on dark pages")
	_, err = theme.New(theme.Config{Colors: theme.Colors{Header: "blue"}})
	require.Equal(t, theme.ReasonConfig, reasonOf(t, err))
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]theme.Config{
		"logo of another format": {Logo: []byte("GIF89a")},
		"large logo":             {Logo: []byte("<svg>" + strings.Repeat(" ", 64<<10))},
		"script as support":      {Support: "javascript:alert(1)"},
		"support without TLS":    {Support: "http://help.example"},
		"support with a user":    {Support: "https://u:p@help.example"},
		"mail without address":   {Support: "mailto:"},
	} {
		_, err := theme.New(cfg)
		require.Equal(t, theme.ReasonConfig, reasonOf(t, err), name)
	}
	for _, support := range []string{"", "https://help.example/x", "mailto:help@example.com?subject=x", "http://localhost:1/"} {
		_, err := theme.New(theme.Config{Support: support, Logo: []byte("\x89PNG\r\n\x1a\n")})
		require.NoError(t, err, support)
	}
}

func TestCatalogsAreChecked(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"name of no language":   {"klingon-x.json": {Data: []byte(`{}`)}},
		"no JSON":               {"fr.json": {Data: []byte(`{`)}},
		"a list":                {"fr.json": {Data: []byte(`[]`)}},
		"a value is lost":       {"fr.json": {Data: []byte(`{"Continue as %s?": "Continuer?"}`)}},
		"a value too many":      {"fr.json": {Data: []byte(`{"Continue": "Continuer %s"}`)}},
		"a value of another":    {"fr.json": {Data: []byte(`{"%d hours": "%s heures"}`)}},
		"nothing":               {"fr.json": {Data: []byte(`{"Continue": ""}`)}},
		"a form of no plural":   {"fr.json": {Data: []byte(`{"%d hours": {"several": "%d heures", "other": "%d heures"}}`)}},
		"a plural without most": {"fr.json": {Data: []byte(`{"%d hours": {"one": "%d heure"}}`)}},
		"a plural of no number": {"fr.json": {Data: []byte(`{"Continue": {"other": "Continuer"}}`)}},
	} {
		_, err := theme.New(theme.Config{Texts: files})
		require.Equal(t, theme.ReasonTexts, reasonOf(t, err), name)
	}
}

func texts(t *testing.T, look *theme.Theme, accept string) *theme.Texts {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", accept)
	return look.Texts(r)
}

// The browser chooses the language (RFC 9110 12.5.4). What a catalog lacks is English, with its plurals.
func TestBrowserChoosesTheLanguage(t *testing.T) {
	look, err := theme.New(theme.Config{Texts: fstest.MapFS{
		"fr.json": {Data: []byte(`{"%s of %s": "%[2]s: %[1]s", "Sign in": "Se connecter"}`)},
		"en.json": {Data: []byte(`{"%d hours": {"one": "%d hour", "other": "%d hours"}, "Help": "Contact us"}`)},
		"ar.json": {Data: []byte(`{}`)},
	}})
	require.NoError(t, err)
	for accept, want := range map[string]string{
		"": "en", "fr": "fr", "fr-CA,en;q=0.5": "fr", "de-CH": "de", "sw": "en", "sw,fr;q=0.1": "fr", "ar-EG": "ar",
		"en;q=0.2, de;q=0.8": "de", ";;;": "en", "xx-": "en", "*": "en", strings.Repeat("fr,", 500): "en",
		strings.Repeat("sw,", 9) + "fr": "fr", strings.Repeat("sw,", 10) + "fr": "en", // ten count
	} {
		assert.Equal(t, want, texts(t, look, accept).Language(), accept)
	}
	fr := texts(t, look, "fr")
	assert.Equal(t, "Se connecter", fr.T("Sign in"))
	assert.Equal(t, "B: A", fr.T("%s of %s", "A", "B"))
	assert.Equal(t, "1 hour", fr.T("%d hours", 1), "English")
	assert.Equal(t, "Contact us", look.English().T("Help"))
	assert.Equal(t, "1,234 hours", look.English().T("%d hours", 1234))
	assert.Equal(t, "100% %s", fr.T("100% %s"), "a text that is no key")
	assert.Equal(t, "A of B", look.English().T("%s of %s", "A", "B"))
	assert.Equal(t, "rtl", texts(t, look, "ar").Dir())
	assert.Equal(t, "ltr", fr.Dir())
	assert.Equal(t, template.HTML(`&lt;i&gt;: <b>`), fr.HTML("%s of %s", template.HTML("<b>"), "<i>"))
	assert.Equal(t, template.HTML("&#34;\ue001: x"), fr.HTML("%s of %s", "x", "\"\ue001"), "marks in values are none")
}

// RenderPage's page has the theme and the language, and a policy without scripts.
func TestRenderPage(t *testing.T) {
	look, err := theme.New(theme.Config{
		Name: "Example & Sons", Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), Support: "mailto:help@example.com",
		Notice: "Closed <today>", Colors: theme.Colors{Accent: "#7a1f5c"},
	})
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "de")
	w := httptest.NewRecorder()
	look.RenderPage(w, r, acs.Page{Kind: acs.PageError, Status: 403, Title: "Sign-in did not work", Text: "<script>",
		Reference: "MRD-1", Link: "/login", LinkText: "Sign in again"})
	require.Equal(t, 403, w.Code)
	for _, part := range []string{`<html lang="de" dir="ltr">`, "Die Anmeldung hat nicht funktioniert", "Example &amp; Sons",
		`<img src="data:image/svg&#43;xml;base64,`, `href="mailto:help@example.com"`, "Closed &lt;today&gt;", "&lt;script&gt;",
		"Erneut anmelden", "--accent:#7a1f5c"} {
		assert.Contains(t, w.Body.String(), part)
	}
	csp := w.Header().Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'")
	assert.Contains(t, csp, "img-src data:")
	assert.NotContains(t, csp, "script-src")
}

// A question names users, so its texts are no keys.
func TestQuestionIsTranslated(t *testing.T) {
	look, err := theme.New(theme.Config{})
	require.NoError(t, err)
	buttons := []acs.PageButton{{Name: "answer", Value: "stay", Text: "Stay"}, {Name: "answer", Value: "go", Text: "Go"}}
	page := acs.Page{Kind: acs.PageQuestion, Status: 200, Title: "Continue as <b>?",
		Users: &acs.PageUsers{Now: "al%s", Next: "<b>"}, Form: &acs.PageForm{Action: "/continue", Buttons: buttons}}
	for language, want := range map[string][]string{
		"de": {"Als &lt;b&gt; fortfahren?", "Sie sind als al%s angemeldet.", ">Als al%s angemeldet bleiben</button>"},
		"en": {"Continue as &lt;b&gt;?", "You are signed in as al%s.", ">Stay signed in as al%s</button>"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", language)
		w := httptest.NewRecorder()
		look.RenderPage(w, r, page)
		for _, text := range want {
			assert.Contains(t, w.Body.String(), text)
		}
	}
	assert.Equal(t, "Stay", buttons[0].Text, "the caller's page is unchanged")
}
