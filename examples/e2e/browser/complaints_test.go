package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

// listen is called by the goroutine that reads from the browser.
func (b *tab) listen(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
			return // which the browser asks for by itself, and a program need not have
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning ||
			e.Entry.Source == log.EntrySourceSecurity {
			b.complain(e.Entry.Source == log.EntrySourceNetwork, "%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.complain(false, "exception: %s", e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complain(false, "console.%s on a page that should write nothing", e.Type)
	case *audits.EventIssueAdded:
		if details, _ := json.Marshal(e.Issue.Details); !intended(e.Issue) {
			b.complain(false, "%s: %s", e.Issue.Code, details)
		}
	}
}

// intended excludes two reports of Chromium that are not errors: a site that
// sends users on to their identity provider before they have touched anything,
// and a Lax cookie that another site's POST doesn't carry. The request cookie
// must be carried, so for it this is an error.
func intended(i *audits.InspectorIssue) bool {
	switch i.Code {
	case audits.InspectorIssueCodeBounceTrackingIssue:
		return true
	case audits.InspectorIssueCodeCookieIssue:
		c := i.Details.CookieIssueDetails
		return c.Cookie != nil && !strings.HasPrefix(c.Cookie.Name, requestCookie) && len(c.CookieWarningReasons) == 0 &&
			slices.Equal(c.CookieExclusionReasons,
				[]audits.CookieExclusionReason{audits.CookieExclusionReasonExcludeSameSiteLax})
	}
	return false
}

func (b *tab) complain(network bool, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if network && b.refusals && strings.Contains(text, "status of 4") {
		return // that a page came with an error status, which the test wanted
	}
	if !slices.Contains(b.complaints, text) && len(b.complaints) < 20 {
		b.complaints = append(b.complaints, text)
	}
}

func (b *tab) complained() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}

// expectRefusals excepts error statuses.
func (b *tab) expectRefusals() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals = true
}

// The browser's errors are noticed.
func testComplaints(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := openTab(t, chromium)
	b.open(w.idp.SignInURL())
	require.Empty(t, b.complained())
	_ = onPage[bool](b, `document.body.insertAdjacentHTML("beforeend", "<p style='color:red'>x"), true`)
	b.complains("style-src 'self'")
	_ = onPage[bool](b, `console.error("oh"), true`)
	b.complains("console.error")
	_ = onPage[bool](b, `setTimeout(() => { throw new Error("ah") }), true`)
	b.complains("exception")
	b.open(w.idp.URL + "/no/such/page")
	b.complains("404")
}

func (b *tab) complains(what string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		for _, c := range b.complained() {
			if strings.Contains(c, what) {
				return true
			}
		}
		return false
	}, patience, tick, "no complaint of %q: %q", what, b.complained())
}
