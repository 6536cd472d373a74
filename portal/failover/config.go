package failover

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// What a zero Config stands for.
const (
	defaultInterval           = 10 * time.Second
	defaultTimeout            = 2 * time.Second
	defaultHealthyThreshold   = 2
	defaultUnhealthyThreshold = 3
)

// maxDuration is short enough to be added to. An Interval that overflows would
// be none at all, and the probes would never pause.
const maxDuration = 365 * 24 * time.Hour

// Config describes a redirector. New copies it.
type Config struct {
	// Regions are the Regions, the preferred one first. At least one, with
	// names and URLs that are each unique. Required.
	Regions []Region

	// Interval is the time from the end of a Region's probe to the start of
	// its next, give or take a tenth, so that redirectors don't probe in step.
	// Zero: 10 s. A Region that stops answering is left out at the
	// latest after UnhealthyThreshold times (Interval plus a tenth, plus
	// Timeout). At most a year, as is Timeout.
	Interval time.Duration
	// Timeout is how long a probe may take. Zero: 2 s.
	Timeout time.Duration
	// HealthyThreshold is how many successes in a row make an unhealthy Region
	// healthy. Zero: 2.
	HealthyThreshold int
	// UnhealthyThreshold is how many failures in a row make a healthy Region
	// unhealthy. Zero: 3. With 1, a single lost packet
	// sends people away.
	UnhealthyThreshold int
	// AssumeHealthy takes every Region for healthy until UnhealthyThreshold
	// probes have failed. False: a Region isn't used before its first probe,
	// which decides alone; Run makes it at once.
	AssumeHealthy bool

	// KeepPath makes the redirect keep the request's path and query, for links
	// below the portal's home that work in every Region. Paths with empty or
	// dot segments, with an encoded slash, backslash, dot or percent sign, or
	// with anything else that two programs could read differently still lead
	// to the home, without the query; so do very long ones. False: every path
	// leads to the home. Where the handler isn't at the root, http.StripPrefix
	// goes before it.
	KeepPath bool
	// Order returns names of Regions, the nearest first, for the browser that
	// sent the request. Regions that it leaves out follow in the order of
	// Regions, and names that it makes up are ignored: it can neither lock
	// anybody out nor lead anywhere else. It is called for every redirect, by
	// many goroutines at once. Nil: the order of Regions for everyone.
	//
	// X-Forwarded-For and the like say what their last writer wanted. An Order
	// that reads one must know that the connection is from its own proxy, and
	// must take the entry that this proxy added (the last), not the first,
	// which the browser can write itself. ClientAddress does just that.
	Order func(*http.Request) []string

	// Client makes the probes. It is copied, and follows no redirects whatever
	// its CheckRedirect says. Nil: a client of its own, with the system's
	// roots, without cookies, and without a proxy even if the environment
	// names one. That client makes a new connection for each probe, because a
	// browser that comes has none either, and takes *.localhost for this
	// machine (RFC 6761 section 6.3).
	Client *http.Client
	// Now is the clock of Status. Nil: time.Now. Interval and Timeout go by
	// the machine's own.
	Now func() time.Time
	// Logger receives a record for every change, and for the first failure of
	// several in a row. Nothing that a browser sends causes one. Nil:
	// slog.Default().
	Logger *slog.Logger
	// OnChange is told after a Region's Healthy or Control has changed; for
	// one Region in order and one at a time. It may call Status and Set. What
	// happens to that Region while it runs takes effect at once and is told
	// after it; no other Region waits. Nil: it is not called.
	OnChange func(Status)
}

// A Region is one place to send browsers to.
type Region struct {
	// Name identifies the Region in Set, Status and Order. Required.
	Name string
	// URL is the origin of the Region's portal, such as
	// "https://us-east-1.portal.example": https, or http for loopback
	// addresses, localhost and *.localhost; no path. Required.
	URL string
	// Health is the URL that is probed, under the same rules but with any path
	// and query. Empty: URL with the path /health.
	Health string
	// Control is the Region's routing control from the start. Zero: Auto. What
	// was drained with Set and should stay so after a restart is Off here.
	Control Control
}

// check fills in what zero values stand for and refuses what can't work.
func (c *Config) check() error {
	for _, d := range []struct {
		field    string
		value    *time.Duration
		standard time.Duration
	}{{"Config.Interval", &c.Interval, defaultInterval}, {"Config.Timeout", &c.Timeout, defaultTimeout}} {
		if *d.value < 0 || *d.value > maxDuration {
			return badConfig(d.field, "zero to a year", d.value.String())
		}
		*d.value = cmp.Or(*d.value, d.standard)
	}
	for _, n := range []struct {
		field    string
		value    *int
		standard int
	}{
		{"Config.HealthyThreshold", &c.HealthyThreshold, defaultHealthyThreshold},
		{"Config.UnhealthyThreshold", &c.UnhealthyThreshold, defaultUnhealthyThreshold},
	} {
		if *n.value < 0 {
			return badConfig(n.field, "zero or more", strconv.Itoa(*n.value))
		}
		*n.value = cmp.Or(*n.value, n.standard)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
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
			return badConfig(field+".Name", "a name that no other Region has", r.Name)
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
			return badConfig(field+".URL", "a URL that no other Region has", r.URL)
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
