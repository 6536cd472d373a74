package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal"
)

func TestUserAgentsAreRecognized(t *testing.T) {
	const webKit, windows = "AppleWebKit/537.36 (KHTML, like Gecko) ", "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
	for header, want := range map[string]string{
		windows + "; rv:128.0) Gecko/20100101 Firefox/128.0":                                         "Firefox Windows",
		windows + ") " + webKit + "Chrome/141.0.0.0 Safari/537.36":                                   "Chrome Windows",
		windows + ") " + webKit + "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0":                     "Edge Windows",
		"Mozilla/5.0 (X11; Linux x86_64) " + webKit + "HeadlessChrome/141.0.0.0 Safari/537.36":       "Chrome Linux",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + webKit + "Chrome/141.0.0.0 Safari/537.36":      "Chrome ChromeOS",
		"Mozilla/5.0 (X11; Linux x86_64) " + webKit + "Chrome/141.0.0.0 Safari/537.36 OPR/127.0.0.0": "Opera Linux",
		"Mozilla/5.0 (Linux; Android 10; K) " + webKit + "Chrome/141.0.0.0 Mobile Safari":            "Chrome Android",
		"(Linux; Android 10; K) SamsungBrowser/28.0 Chrome/130 Safari/537":                           "Samsung Internet Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15":               "Safari macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1":           "Safari iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) CriOS/141.0 Safari/604.1":                     "Chrome iPad",
		"curl/8.14.1": "", "": "", "<script>": "", strings.Repeat("x", 1<<20) + "Firefox/1": "",
	} {
		browser, system := portal.ReadUserAgent(header)
		assert.Equal(t, want, strings.TrimSpace(browser+" "+system), header)
	}
}

// A user recognizes a session by its browser, system and address. It has no text that the client chose.
func TestSessionsShowWhereTheyBegan(t *testing.T) {
	w, _ := newShared(t, func(c *portal.Config) {
		c.ClientAddr = func(r *http.Request) string { return r.Header.Get("X-Test-Addr") }
	})
	laptop, phone := w.browser(), w.browser()
	laptop.Header = http.Header{"X-Test-Addr": {"[2001:db8::7%eth0]:443"},
		"User-Agent": {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0 <b>evil"}}
	phone.Header = http.Header{"X-Test-Addr": {"::ffff:203.0.113.9"},
		"User-Agent": {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1"}}
	w.signIn(laptop, "https://"+virginia+"/", "alice@example.com")
	w.signIn(phone, "https://"+frankfurt+"/", "alice@example.com")
	a := laptop.click("https://" + virginia + "/sessions")
	requirePage(t, a, 200, "/sessions", "<strong>Firefox on Windows</strong>", "2001:db8::7",
		"<strong>Safari on iPhone</strong>", "203.0.113.9", "Frankfurt")
	assert.NotContains(t, a.body, "evil")
	assert.NotContains(t, a.body, "::ffff")

	phone.Header["X-Test-Addr"] = []string{"<script>"} // a proxy that is configured wrong
	phone.Header["User-Agent"] = nil
	phone.submit("https://"+frankfurt+"/sign-out", nil)
	w.signIn(phone, "https://"+frankfurt+"/", "alice@example.com")
	requirePage(t, laptop.click("https://"+virginia+"/sessions"), 200, "/sessions", "<strong>Frankfurt</strong>")
}

// What began in a lost Region says so.
func TestSessionsOfALostRegionSaySo(t *testing.T) {
	w, peers := hearing(t, 0)
	here, there := w.browser(), w.browser()
	w.signIn(there, "https://"+virginia+"/", "alice@example.com")
	w.signIn(here, "https://"+frankfurt+"/", "alice@example.com")
	const lost = "This Region can't be reached now."
	assert.NotContains(t, here.click("https://"+frankfurt+"/sessions").body, lost)
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: w.clock.Now()})
	assert.Equal(t, 1, strings.Count(here.click("https://"+frankfurt+"/sessions").body, lost))
}
