package failover

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// maxDuration is small enough that sums don't overflow. After an overflow there would be no pause between probes.
const maxDuration = 365 * 24 * time.Hour

// Config describes a redirector. New copies it.
type Config struct {
	// Regions are the Regions, the preferred one first. Names and URLs must be unique. At least one is required.
	Regions []Region

	// Interval is the time from the end of a Region's probe to the start of its next. It varies by up to a tenth, so
	// that redirectors don't probe in step. A Region that stops answering is unhealthy after at most UnhealthyThreshold
	// times (1.1 Interval plus Timeout). Zero: 10 s. At most a year.
	Interval time.Duration
	// Timeout is how long a probe may take. Zero: 2 s. At most a year.
	Timeout time.Duration
	// HealthyThreshold is the number of consecutive successes that make an unhealthy Region healthy. Zero: 2.
	HealthyThreshold int
	// UnhealthyThreshold is the number of consecutive failures that make a healthy Region unhealthy. With 1, a single
	// lost packet can do that. A drained Region needs one. Zero: 3.
	UnhealthyThreshold int
	// AssumeHealthy makes every Region healthy at first, until UnhealthyThreshold probes have failed. False: a Region
	// is unhealthy until its first probe, whose result alone sets the state. Run makes that probe at once.
	AssumeHealthy bool

	// KeepPath makes the redirect keep the request's path and query, for links that work in every Region. Some paths
	// still lead to the home page, without the query: very long ones, and those that programs interpret differently,
	// with empty or dot segments or with an encoded slash, backslash, dot or percent sign. False: every path leads to
	// the home page. If the handler isn't at the root, wrap it in http.StripPrefix.
	KeepPath bool
	// Order returns names of Regions, the nearest first, for the browser that sent the request. Regions that it omits
	// follow in the order of Regions, and unknown names are ignored. So it can't exclude a Region or add another
	// address. It is called for every redirect, concurrently. Nil: the order of Regions.
	//
	// A browser can set X-Forwarded-For and similar headers itself. An Order that reads one must check that the
	// connection comes from its own proxy, and must use the entry that this proxy added: the last one, not the first.
	Order func(*http.Request) []string

	// Theme gives the pages a name, a logo, colors and further languages. Its texts are those of package theme: English
	// and German. The zero value has the portal's name.
	Theme theme.Config
	// RenderPage writes a page in the program's own design: its status, and its body. Headers that prevent caching are
	// set. There are two pages: no Region is usable, and the method isn't allowed. Nil: in Theme.
	RenderPage func(http.ResponseWriter, *http.Request, acs.Page)

	// Client makes the probes. New copies it. The copy follows no redirects, and its CheckRedirect is ignored. Nil: a
	// client with the system's roots, without cookies, and without a proxy even if the environment names one. That
	// client makes a new connection for each probe, as a new browser does, and resolves *.localhost to this machine
	// (RFC 6761 section 6.3).
	Client *http.Client
	// Now is the clock of Status. Interval and Timeout use the machine's own. Nil: time.Now.
	Now func() time.Time
	// Logger receives a record for every change, and for the first of several consecutive failures. No request causes a
	// record. Nil: slog.Default().
	Logger *slog.Logger
	// OnChange is called after a Region's Healthy or Control has changed. Calls for one Region are in order and never
	// concurrent; calls for different Regions can be concurrent. OnChange may call Status and Set. If the Region
	// changes while OnChange runs, the change takes effect at once and is reported by the next call. Nil: no call.
	OnChange func(Status)
}

// Region describes one Region to send browsers to.
type Region struct {
	// Name identifies the Region in Set, Status and Order. Required.
	Name string
	// URL is the origin of the Region's portal, such as "https://us-east-1.portal.example": https, or http for loopback
	// addresses, localhost and *.localhost; no path. Required.
	URL string
	// Health is the URL to probe, under the same rules but with any path and query. Empty: URL with the path /health.
	Health string
	// Control is the Region's initial routing control. Set is not remembered after a restart: to keep a Region drained,
	// use Off here. Zero: Auto.
	Control Control
}

// check fills in the defaults and refuses invalid values.
func (c *Config) check() error {
	switch {
	case c.Interval < 0 || c.Interval > maxDuration:
		return badConfig("Config.Interval", "zero to a year", c.Interval.String())
	case c.Timeout < 0 || c.Timeout > maxDuration:
		return badConfig("Config.Timeout", "zero to a year", c.Timeout.String())
	case c.HealthyThreshold < 0:
		return badConfig("Config.HealthyThreshold", "zero or more", strconv.Itoa(c.HealthyThreshold))
	case c.UnhealthyThreshold < 0:
		return badConfig("Config.UnhealthyThreshold", "zero or more", strconv.Itoa(c.UnhealthyThreshold))
	}
	c.Interval = cmp.Or(c.Interval, 10*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 2*time.Second)
	c.HealthyThreshold = cmp.Or(c.HealthyThreshold, 2)
	c.UnhealthyThreshold = cmp.Or(c.UnhealthyThreshold, 3)
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if err := c.checkTheme(); err != nil {
		return err
	}
	return c.checkRegions()
}

func (c *Config) checkRegions() error {
	if len(c.Regions) == 0 {
		return badConfig("Config.Regions", "at least one Region", "none")
	}
	c.Regions = slices.Clone(c.Regions)
	names, origins := make(map[string]bool), make(map[string]bool)
	for i := range c.Regions {
		r, field := &c.Regions[i], fmt.Sprintf("Config.Regions[%d]", i)
		if r.Name == "" || names[r.Name] {
			return badConfig(field+".Name", "a unique name", r.Name)
		}
		u, err := checkURL(field+".URL", r.URL)
		if err != nil {
			return err
		}
		r.URL = u.Scheme + "://" + strings.ToLower(u.Host)
		if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery {
			return badConfig(field+".URL", "an origin, without a path or query", refusal.WithoutUser(u.String()))
		}
		if origins[r.URL] {
			return badConfig(field+".URL", "a unique URL", r.URL)
		}
		r.Health = cmp.Or(r.Health, r.URL+"/health")
		if _, err := checkURL(field+".Health", r.Health); err != nil {
			return err
		}
		if !r.Control.known() {
			return badConfig(field+".Control", "Auto, On or Off", r.Control.String())
		}
		names[r.Name], origins[r.URL] = true, true
	}
	if !slices.ContainsFunc(c.Regions, func(r Region) bool { return r.Control != Off }) {
		return badConfig("Config.Regions", "at least one that isn't Off", "all Off")
	}
	return nil
}

// checkURL accepts an absolute https URL without user information or fragment, and plain http for loopback hosts. A
// URL's origin goes into headers unchanged, so its host is restricted to plain characters.
func checkURL(field, raw string) (*url.URL, error) {
	shown := refusal.WithoutUser(raw)
	u, err := url.Parse(raw)
	if err != nil {
		return nil, badConfig(field, "a URL", shown) // omits the cause, which contains raw
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", !plainHost(u):
		return nil, badConfig(field, "an absolute https URL", shown)
	case u.User != nil, strings.Contains(raw, "#"):
		return nil, badConfig(field, "a URL without user information and fragment", shown)
	case u.Scheme == "http" && !acs.IsLoopback(u.Hostname()):
		return nil, badConfig(field, "https, or http for a loopback host", shown)
	}
	return u, nil
}

// plainHost reports whether the host is an ASCII name or an address without a zone, and the port, if any, is from 1 to
// 65535.
func plainHost(u *url.URL) bool {
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	return host != "" && !strings.ContainsFunc(host, func(c rune) bool {
		return c != '-' && c != '.' && c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	})
}
