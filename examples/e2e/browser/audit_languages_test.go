package browser_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// pseudo is the name of a language that no user has. Its texts are those of English with marks at the letters, in
// brackets, and half as long again. So a text that stands in no catalog shows, and one that needs more room.
const pseudo = "en-XA"

var (
	kept  = regexp.MustCompile(`%(\[\d+\])?[a-z]|%\.1f|\{[a-z]+\}`)
	marks = strings.NewReplacer("a", "á", "c", "ç", "e", "é", "i", "î", "n", "ñ", "o", "ö", "s", "š", "u", "û",
		"A", "Å", "E", "É", "I", "Î", "N", "Ñ", "O", "Ø", "S", "Š", "U", "Û", "R", "Ř", "P", "Þ")
)

func pseudoText(key string) string {
	out, from := "[", 0
	for _, at := range append(kept.FindAllStringIndex(key, -1), []int{len(key), len(key)}) {
		out += marks.Replace(key[from:at[0]]) + key[at[0]:at[1]]
		from = at[1]
	}
	return out + strings.Repeat("~", len(key)/2) + "]"
}

// pseudoCatalog has the keys of the German catalogs, which are whole: TestCatalogsAreWhole.
func pseudoCatalog(t *testing.T) fstest.MapFS {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"portal/texts/de.json", "acs/theme/texts/de.json"} {
		raw, err := os.ReadFile("../../../" + name)
		require.NoError(t, err)
		var keys map[string]any
		require.NoError(t, json.Unmarshal(raw, &keys))
		for key := range keys {
			all[key] = pseudoText(key)
		}
	}
	all["2 January 2006, 15:04 UTC"] = "[02.01.2006, 15:04]"
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	return fstest.MapFS{pseudo + ".json": {Data: raw}}
}

// accepts sets the languages that the user prefers.
func (b *tab) accepts(language string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": language},
	})
	require.NoError(b.t, err)
}

// untranslated returns the words on the page that are outside the brackets of the pseudo-locale and are no data.
func (b *tab) untranslated(data ...string) []string {
	b.t.Helper()
	text := onPage[string](b, `(() => { const out = [];
		const w = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let n; n = w.nextNode();)
			if (!n.parentElement.closest("script, style, .mono, textarea, time, q")) out.push(n.data);
		for (const e of document.querySelectorAll("[aria-label]")) out.push(e.ariaLabel);
		return out.join("\n"); })()`)
	for inner := regexp.MustCompile(`\[[^\[\]]*\]`); inner.MatchString(text); {
		text = inner.ReplaceAllString(text, "")
	}
	for _, known := range data {
		text = strings.ReplaceAll(text, known, "")
	}
	return regexp.MustCompile(`\pL[\pL']+`).FindAllString(text, -1)
}

// testAuditLanguages is about the portal's pages in the pseudo-locale and in German, in a theme, and with the header's
// menus open.
func testAuditLanguages(t *testing.T, chromium context.Context) {
	w := newWorldOf(t, nil, func(string, *center.Data) {}, func(c *portal.Config) {
		c.Operator, c.Replication = func(u center.User) bool { return u.UserName == alice }, lostRegion{}
		c.Theme = theme.Config{
			Name: "EXAMPLE", Colors: theme.Colors{Accent: "#7a1f5c", Header: "#ffd9ec"}, Support: "https://help.example/",
			Texts: pseudoCatalog(t), Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20"><rect ` +
				`width="60" height="20" rx="4" fill="#7a1f5c"/></svg>`),
		}
	})
	data := []string{"EXAMPLE", "Alice Adams", alice, virginia, frankfurt}
	for _, r := range w.data().Regions {
		data = append(data, r.Label)
	}
	for _, a := range w.data().Accounts {
		data = append(data, a.Name, a.ID, a.Email)
	}
	for _, s := range w.data().PermissionSets {
		data = append(data, s.Name, s.Description)
	}
	for _, g := range w.data().Groups {
		data = append(data, g.Name)
	}
	for _, u := range w.data().Users {
		data = append(data, u.UserName, u.DisplayName, u.Email)
	}
	data = append(data, "Chrome", "Linux") // as the sessions' browser and system
	for _, a := range w.data().Applications {
		data = append(data, a.Name, a.Description)
	}
	b := openTab(t, chromium)
	b.expectRefusals()
	home := w.portals[virginia]
	for _, language := range []string{pseudo, "de"} {
		check := func(name string) {
			t.Helper()
			b.until(`document.documentElement.lang === ` + jsString(language))
			if language == pseudo {
				assert.Empty(t, b.untranslated(data...), name)
			}
			b.audit("portal-" + language + "-" + name)
		}
		b.accepts(language)
		b.open(home + "/platform/saml/acs/4455")
		check("consumer")
		b.open(home + "/signed-out")
		check("signed-out")
		b.open(home + "/")
		b.signInAtIdP(w, alice)
		b.at(home + "/")
		check("accounts")
		for _, menu := range []string{"where", "who"} {
			b.click(chromedp.CSS("." + menu + " summary"))
			b.audit("portal-" + language + "-menu-" + menu)
		}
		for _, page := range [][2]string{{"applications", "/applications"}, {"sessions", "/sessions"},
			{"role", "/accounts/444455556666/AdministratorAccess"}, {"no-role", "/accounts/1/x"}, {"not-found", "/nope"},
			{"everywhere", "/sessions/end-all"}, {"rotation", "/operator/regions/us-east-1/rotation"},
			{"operator", "/operator"}} {
			b.open(home + page[1])
			check(page[0])
		}
		b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true`))
		check("operator-open")
		b.typeIn("#q", "absent\r")
		b.until(`location.pathname === "/operator/people"`)
		check("people-none")
		b.open(home + "/operator/people")
		check("people")
		b.open(home + "/operator/people/person?id=" + alice)
		b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true`))
		check("person")
		b.open(home + "/operator/people/end?id=" + alice)
		check("person-end")
		b.open(home + "/sessions/end-all")
		b.click(`form[action="/sessions/end-all"] button`)
		b.at(home + "/signed-out")
		check("signed-out-everywhere")
		b.signOutAtIdP(w)
	}
}
