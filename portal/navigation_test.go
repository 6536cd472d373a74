package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// silent has requests that a foreign page can make without the user seeing them.
var silent = map[string]http.Header{
	"fetch":     {"Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"empty"}},
	"image":     {"Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}},
	"iframe":    {"Sec-Fetch-Dest": {"iframe"}},
	"prerender": {"Sec-Purpose": {"prefetch;prerender"}},
}

// handoffTo returns the address that requests a handoff to a portal.
func handoffTo(origin string) string {
	return "/handoff?" + url.Values{"to": {origin}, "state": {strings.Repeat("0", 64)}, "s": {"0123456789abcdef"}}.Encode()
}

func TestK19_Invariant17_WhatTheUserCannotSeeStoresNothing(t *testing.T) {
	for name, headers := range silent {
		for _, signedIn := range []bool{false, true} {
			store := acs.NewMemoryStore(acs.MemoryConfig{})
			adds, puts := new(atomic.Int32), new(atomic.Int32)
			w, _ := newShared(t, func(c *portal.Config) {
				c.Store, c.Codes = countingStore{store, adds}, counting{c.Codes, puts}
			})
			b := w.browser()
			if signedIn {
				w.signIn(b, "https://"+virginia+"/", "alice@example.com")
			}
			waiting := b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "none", nil)
			enter, err := waiting.Location()
			require.NoError(t, err)
			before := b.copy()
			adds.Store(0)
			b.Header = headers
			for _, addr := range []string{
				virginia + "/login", virginia + "/login?from=eu-central-1", virginia + handoffTo("https://"+virginia),
				virginia + handoffTo("https://"+frankfurt),
				frankfurt + "/enter?s=" + enter.Query().Get("s"), virginia + "/continue?s=0123456789abcdef",
			} {
				a := b.send("GET", "https://"+addr, "cross-site", nil)
				assert.Equal(t, http.StatusForbidden, a.StatusCode, "%s %s", name, addr)
				assert.Empty(t, a.Cookies(), "%s %s", name, addr)
			}
			assert.Equal(t, before.Jar, b.Jar)
			assert.Zero(t, adds.Load())
			assert.Zero(t, puts.Load())
			assert.Contains(t, w.logged(), "reason=Navigation")
		}
	}
}

// Nine handoffs that a foreign page begins don't affect the one that is pending.
func TestK19_ForeignPageCannotPushOutAHandoff(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	flood := func() {
		for range 9 {
			b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "cross-site", nil)
			require.LessOrEqual(t, len(names(b, frankfurt)), 4)
		}
	}
	flood()
	begun := b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "none", nil)
	flood()
	requirePage(t, b.follow(begun), 200, "/", "Alice Adams")
	assert.NotEmpty(t, b.cookie(frankfurt, portal.SessionCookie))
}

func TestForeignPageCannotExceedTheHandoffLimit(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	for range 4 {
		b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "none", nil)
	}
	before := b.copy()
	a := b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "cross-site", nil)
	requirePage(t, a, http.StatusTooManyRequests, "/login?from=us-east-1", "Too many sign-ins were started",
		"Sign in again")
	assert.Equal(t, before.Jar, b.Jar)
	assert.Equal(t, http.StatusSeeOther,
		b.send("GET", "https://"+frankfurt+"/login?from=us-east-1", "same-origin", nil).StatusCode)
	assert.Len(t, names(b, frankfurt), 4)
}

// A foreign page that keeps navigating its window to handoffs can't use all codes of the sign-in.
func TestInvariant17_ForeignPageLeavesCodesForTheUser(t *testing.T) {
	w, _ := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	codes := 0
	for range 30 {
		a := b.send("GET", "https://"+virginia+handoffTo("https://"+frankfurt), "cross-site", nil)
		require.Equal(t, http.StatusSeeOther, a.StatusCode)
		if strings.Contains(a.Header.Get("Location"), "code=") {
			codes++
		}
	}
	assert.Equal(t, 10, codes)
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams") // without a new sign-in
	assert.NotEmpty(t, b.cookie(frankfurt, portal.SessionCookie))
}

// One address that makes as many requests as it can, on every path that makes a record, doesn't
// block users at other addresses.
func TestInvariant17_OneAddressLeavesRoomForOthers(t *testing.T) {
	w := newWorld(t, func(c *portal.Config) {
		c.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now, MaxRequests: 90})
		c.ClientAddr = func(r *http.Request) string { return r.Header.Get("X-Real-Ip") }
	})
	codes := map[int]int{}
	for i := range 400 {
		attacker := w.browser()
		attacker.Header = http.Header{"X-Real-Ip": {"192.0.2.1"}}
		addr := "https://" + virginia + []string{"/login", handoffTo("https://" + virginia)}[i%2]
		codes[attacker.send("GET", addr, "none", nil).StatusCode]++
	}
	assert.Less(t, codes[http.StatusSeeOther], 12)
	assert.Equal(t, 400, codes[http.StatusSeeOther]+codes[http.StatusTooManyRequests])
	for i := range 40 {
		b := w.browser()
		b.Header = http.Header{"X-Real-Ip": {fmt.Sprintf("198.51.100.%d", i)}}
		requirePage(t, w.signIn(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	}
}

// A page of the same host over http has another origin.
func TestPostFromAnotherSchemeIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for origin, status := range map[string]int{
		"http://" + virginia: http.StatusForbidden, "https://" + virginia + ":8443": http.StatusForbidden,
		"https://" + frankfurt: http.StatusForbidden, "null": http.StatusForbidden,
		"https://" + virginia: http.StatusSeeOther, "": http.StatusSeeOther,
	} {
		old := b.copy() // a browser without Fetch Metadata
		old.Header = http.Header{"Sec-Fetch-Site": nil, "Sec-Fetch-Mode": nil, "Sec-Fetch-Dest": nil}
		if origin != "" {
			old.Header.Set("Origin", origin)
		}
		// Ending an unknown session changes nothing.
		assert.Equal(t, status, old.send("POST", "https://"+virginia+portal.PathEnd, "",
			url.Values{"id": {"none"}}).StatusCode, origin)
	}
	old := b.copy()
	old.Header = http.Header{"Sec-Fetch-Site": nil, "Origin": {"http://" + virginia}}
	assert.Equal(t, http.StatusForbidden,
		old.send("POST", "https://"+virginia+portal.PathSignOut, "", url.Values{}).StatusCode)
	assert.Contains(t, w.logged(), "reason=CrossSite")
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/", "Alice Adams")
}
