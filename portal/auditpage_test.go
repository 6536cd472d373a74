package portal_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
)

const auditAddr = "https://" + virginia + portal.PathAudit

func TestAuditPageIsForOperatorsAndFindsEvents(t *testing.T) {
	logs := newAudits(t)
	w := newWorld(t, func(c *portal.Config) { bobOperates(c); logs.edit(c) })
	alice, bob := w.browser(), w.browser()
	w.signIn(alice, "https://"+virginia+"/", "alice@example.com")
	home := w.signIn(bob, "https://"+virginia+"/operator", "bob@example.com")
	requirePage(t, home, 200, "/operator", "Audit log", `href="/operator/audit"`)
	for _, path := range []string{"/operator/audit", "/operator/audit/export"} {
		requirePage(t, alice.click("https://"+virginia+path), http.StatusNotFound, path, "Not found")
	}
	a := bob.click(auditAddr)
	requirePage(t, a, 200, "/operator/audit", "What us-east-1 handled", "UserAuthentication", "alice@example.com",
		"bob@example.com")
	found := bob.click(auditAddr + "?q=ALICE%40&class=access")
	requirePage(t, found, 200, "/operator/audit?q=ALICE%40&class=access", "UserAuthentication", `value="ALICE@"`,
		`<option value="access" selected>`)
	assert.NotContains(t, found.page.Text(), "bob@example.com ·")
	requirePage(t, bob.click(auditAddr+"?q=nothing-like-this&class=refusals"), 200,
		"/operator/audit?q=nothing-like-this&class=refusals", "No events.")
	for _, broken := range []string{"?before=x", "?before=-1.2.3", "?before=99999999999999999999.0.0", "?class=x"} {
		requirePage(t, bob.click(auditAddr+broken), 200, "/operator/audit"+broken, "UserAuthentication")
	}

	// To search and to export is an event, too.
	export := bob.click(auditAddr + "/export")
	require.Equal(t, 200, export.StatusCode)
	assert.Equal(t, "application/x-ndjson", export.Header.Get("Content-Type"))
	assert.Contains(t, export.Header.Get("Content-Disposition"), "attachment; filename=\"audit-us-east-1-")
	n := 0
	for line := range strings.Lines(export.body) {
		require.True(t, json.Valid([]byte(line)))
		n++
	}
	all, _ := logs.lines("us-east-1", audit.Access, 5)
	assert.Equal(t, n, len(all))
	assert.Subset(t, eventNames(all), []string{"SearchAuditLog", "ExportAuditLog"})
	assert.Equal(t, map[string]string{"text": "ALICE@", "class": "access"}, all[2].Request)
	requireNoSecrets(t, export.body, alice, bob)
}

// What clients send appears on the page as text.
func TestAuditPageShowsTextsOfClientsAsText(t *testing.T) {
	logs := newAudits(t)
	w := newWorld(t, func(c *portal.Config) { bobOperates(c); logs.edit(c) })
	attacker, bob := w.browser(), w.browser()
	attacker.Header = http.Header{"User-Agent": {`<script>alert(1)</script>` + "\u202egpj"}}
	attacker.post("https://"+virginia+acsPath, url.Values{"SAMLResponse": {"<script>"}})
	w.signIn(bob, auditAddr, "bob@example.com")
	logs.lines("us-east-1", audit.Refusals, 1)
	a := bob.click(auditAddr + "?class=refusals")
	assert.NotContains(t, a.body, "<script>alert")
	assert.NotContains(t, a.body, "\u202e")
	assert.Contains(t, a.body, `\\u202egpj`)
}

func TestAuditPageNeedsALog(t *testing.T) {
	w := newWorld(t, bobOperates)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "bob@example.com")
	requirePage(t, b.click(auditAddr), http.StatusNotFound, "/operator/audit", "Not found")
	assert.NotContains(t, b.click("https://"+virginia+"/operator").body, "Audit log")
}

func TestAuditPageHasOlderEvents(t *testing.T) {
	logs := newAudits(t)
	w := newWorld(t, func(c *portal.Config) { bobOperates(c); logs.edit(c) })
	bob := w.browser()
	w.signIn(bob, "https://"+virginia+"/", "bob@example.com")
	for range 120 {
		require.NoError(t, logs.logs["us-east-1"].Change(t.Context(), audit.Event{
			Source: audit.SourceSSO, Name: "AddRegion", Request: map[string]string{"key": "eu-west-1"},
		}))
	}
	a, n := bob.click(auditAddr+"?class=changes"), 0
	for range 3 {
		n += strings.Count(a.body, "<strong>AddRegion</strong>")
		older, ok := a.page.Link("Older events")
		if !ok {
			break
		}
		a = bob.click(a.page.Resolve(older))
	}
	assert.Equal(t, 120, n)
}

func TestAuditPageInABrowser(t *testing.T) {
	logs := newAudits(t)
	s, b := newSite(t, logs.edit, nil), newTab(t)
	b.open(s.portals["us-east-1"] + "/")
	b.until(`document.activeElement.id === "username"`)
	b.do(chromedp.KeyEvent("alice@example.com\topen-sesame\r"))
	b.at(s.portals["us-east-1"] + "/")
	log := logs.logs["us-east-1"]
	log.Observe("ready", "us-east-1", 0)
	log.Refused(t.Context(), audit.Event{
		Source: audit.SourceSignIn, Name: "ExternalIdPDirectoryLogin", ErrorCode: "Unavailable", ClientAddr: "2001:db8::7",
		ErrorMessage: "read of the store", UserAgent: strings.Repeat("Mozilla", 60),
	})
	require.NoError(t, log.Change(t.Context(), audit.Event{
		Source: audit.SourceDirectory, Name: "UpdateUser", ClientAddr: audit.SourceSSO, Identity: audit.Service(),
		Request: map[string]string{"userName": "a.very.long.user.name.of.a.department@subsidiary.of.example.com"},
	}))
	logs.lines("us-east-1", audit.Refusals, 1)
	log.CheckRules()
	b.menu(`a[href="/operator"]`)
	b.click(`a[href="/operator/audit"]`)
	b.reads("Audit log", "UserAuthentication", "StoreUnavailable", "2001:db8::7")
	b.click(`.events li:nth-of-type(1) summary`)
	for _, mode := range []string{"light", "dark"} {
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}},
		})
		require.NoError(t, err)
		b.fits("audit-" + mode)
	}
	b.do(chromedp.Focus(`#q`), chromedp.KeyEvent("alice\r"))
	b.reads("UserAuthentication")
	b.until(`document.querySelectorAll(".events li").length === 1`)
}
