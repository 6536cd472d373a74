package failover_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/failover"
)

func TestNewRefuses(t *testing.T) {
	with := func(change func(*failover.Config)) failover.Config {
		c := failover.Config{Regions: regions()}
		change(&c)
		return c
	}
	url := func(u string) failover.Config {
		return with(func(c *failover.Config) { c.Regions[1].URL = u })
	}
	for name, c := range map[string]failover.Config{
		"no Regions":       {},
		"no name":          with(func(c *failover.Config) { c.Regions[1].Name = "" }),
		"duplicate name":   with(func(c *failover.Config) { c.Regions[1].Name = c.Regions[0].Name }),
		"duplicate origin": url("https://US-EAST-1.portal.example/"),
		"all Off": with(func(c *failover.Config) {
			c.Regions = c.Regions[:1]
			c.Regions[0].Control = failover.Off
		}),
		"unknown control":    with(func(c *failover.Config) { c.Regions[1].Control = 3 }),
		"negative interval":  with(func(c *failover.Config) { c.Interval = -time.Second }),
		"interval overflow":  with(func(c *failover.Config) { c.Interval = math.MaxInt64 }),
		"negative timeout":   with(func(c *failover.Config) { c.Timeout = -time.Second }),
		"negative healthy":   with(func(c *failover.Config) { c.HealthyThreshold = -1 }),
		"negative unhealthy": with(func(c *failover.Config) { c.UnhealthyThreshold = -1 }),
		"health over http": with(func(c *failover.Config) {
			c.Regions[1].Health = "http://eu-central-1.portal.example/health"
		}),
		"relative health": with(func(c *failover.Config) { c.Regions[1].Health = "/health" }),

		"no URL": url(""), "relative URL": url("/portal"), "no scheme": url("//eu.portal.example"),
		"other scheme": url("javascript://eu.portal.example"), "opaque": url("https:eu.portal.example"),
		"plain http": url("http://eu.portal.example"), "http of a lookalike": url("http://localhost.example"),
		"a path": url("https://eu.portal.example/start"), "a query": url("https://eu.portal.example/?a"),
		"an empty query": url("https://eu.portal.example?"), "a fragment": url("https://eu.portal.example/#"),
		"a user": url("https://eu.portal.example@evil.example"), "no host": url("https://:443"),
		"not ASCII": url("https://portal.éxample"), "encoded host": url("https://eu%2eexample"),
		"semicolon in host": url("https://eu;portal.example"),
		"port 0":            url("https://eu.portal.example:0"), "port too high": url("https://eu.portal.example:65536"),
		"empty port": url("https://eu.portal.example:"), "zone": url("https://[fe80::1%25eth0]"),
		"line break": url("https://eu.portal.example\r\nX: y"), "backslash": url(`https://eu.portal.example\evil`),
	} {
		t.Run(name, func(t *testing.T) {
			rd, err := failover.New(c)
			requireReason(t, err, failover.ReasonConfig)
			require.Nil(t, rd)
		})
	}
}

func TestNewAccepts(t *testing.T) {
	for url, origin := range map[string]string{
		"https://eu.portal.example":           "https://eu.portal.example",
		"HTTPS://EU.portal.example/":          "https://eu.portal.example",
		"https://eu.portal.example:8443":      "https://eu.portal.example:8443",
		"https://[2001:db8::1]:8443":          "https://[2001:db8::1]:8443",
		"http://127.0.0.1:8711":               "http://127.0.0.1:8711",
		"http://[::1]:8711/":                  "http://[::1]:8711",
		"http://localhost":                    "http://localhost",
		"http://eu-central-1.localhost:8712/": "http://eu-central-1.localhost:8712",
	} {
		rd, err := failover.New(failover.Config{Regions: []failover.Region{{Name: "r", URL: url}}})
		require.NoError(t, err, url)
		require.Equal(t, origin, rd.Status()[0].URL)
	}
}

// Changes to the caller's Config after New have no effect.
func TestConfigIsCopied(t *testing.T) {
	rs := regions()
	rd := start(t, nil, failover.Config{Regions: rs, AssumeHealthy: true})
	rs[0].URL = "https://evil.example"
	require.Equal(t, virginia+"/", leads(rd))
}

func TestMessagesAreCappedAndQuoted(t *testing.T) {
	long := failover.Region{Name: "r", URL: "https://x\n" + strings.Repeat("é", 5000)}
	_, err := failover.New(failover.Config{Regions: []failover.Region{long}})
	requireReason(t, err, failover.ReasonConfig)
	require.Less(t, len(err.Error()), 2000)
	require.NotContains(t, err.Error(), "\n")
}
