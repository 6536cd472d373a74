package acs

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Unsolicited says what to do with a response that answers no request (IdP-initiated sign-in,
// Profiles 4.1.5). It changes nothing for a response that claims to answer one.
type Unsolicited int

const (
	// Refuse is the zero value.
	Refuse Unsolicited = iota
	// Restart drops the assertion and starts a sign-in of our own, which is silent while the identity provider has a
	// session. The identity provider's tile works, and an attacker can't sign a user's browser in.
	Restart
	// Accept accepts it. An attacker can then sign a user's browser in to the attacker's own account: ask
	// before a browser that is signed in as another user changes its identity.
	Accept
)

// String returns the name.
func (u Unsolicited) String() string {
	if u < Refuse || u > Accept {
		return "Unsolicited(?)"
	}
	return [...]string{"Refuse", "Restart", "Accept"}[u]
}

// Config describes a Region, for [NewRegion], or the consumer of one ACS URL, for [New]. Both check and copy it.
type Config struct {
	// SP is the service provider, the same one in every Region. If its identity provider wants signed
	// requests, it must have a Key. Required.
	SP *saml.ServiceProvider
	// Region is the name of the Region, as in [saml.Endpoint]. Empty: the endpoints that name no Region. For
	// New, if it is set it must be the Region of ACS.
	Region string
	// ACS is the URL that a consumer made by New serves; it must be on the SP's list. Required by New,
	// and refused by NewRegion.
	ACS string
	// Store is shared by the nodes of the Region; otherwise only the same node detects a replay. Required.
	Store Store
	// OnLogin is called once for each accepted assertion, and writes the answer, such as a session cookie and
	// a 303 to l.ReturnTo. Headers against caching and referrers are set before. Required.
	OnLogin func(w http.ResponseWriter, r *http.Request, l *Login)

	// Unsolicited says what happens to a response that answers no request. Zero: Refuse.
	Unsolicited Unsolicited
	// RelayStateOrigins are origins such as "https://wiki.example" that a user may be sent to after
	// sign-in, besides paths of this one. The author of a link can choose any of them. Empty: none.
	RelayStateOrigins []string
	// RequestLifetime is how long a user may take at the identity provider. Zero: 15 min, because second
	// factors are slow. At most 24 h.
	RequestLifetime time.Duration

	// ClientAddr returns the IP address of a client, with or without a port. It bounds how many requests one
	// client may have waiting: an address (of IPv6, its /64) about a tenth of the store's quota, and less while
	// others have many; an IPv6 /48 about a quarter. Half of that is for requests that a user is known to have
	// begun ([InitiatorOf]). Beyond it a client gets 429. Answered requests don't count. Each node counts its
	// own. Invalid addresses count as one client. It also bounds one client's part of MaxBodies.
	//
	// Nil: r.RemoteAddr. Behind a proxy that is the proxy's address, and all clients share the part of one: then
	// return what your proxy puts into the request, and never what a client could have put there.
	ClientAddr func(*http.Request) string

	// LoginPath is where "Sign in again" on the error page leads: a path, or a URL of one of RelayStateOrigins.
	// Empty: the Login page that [Region.Mount] mounts; without Mount, pages then have no such link.
	LoginPath string
	// RefusedPath is a path of this host to which a browser is sent, by GET and with the parameter reference,
	// whose response was refused with 403. Another site posted that response, without session cookies with
	// SameSite=Lax; the GET has them. So a signed-in user who sent a response twice (a double click, the back
	// button) can be sent on, and others be shown [Region.Refused], for which LoginPath should be set too. The
	// page must not start a sign-in, which could be refused again without end. All refusals are answered
	// alike, or the answer would tell which messages are genuine. Empty: the error page stays.
	RefusedPath string
	// InsecureAllowOpener omits "Cross-Origin-Opener-Policy: same-origin", for a program that signs its
	// users in in a popup and waits for it. A foreign page that opens a popup here can then navigate it.
	InsecureAllowOpener bool
	// OnVerdict receives every verdict, before OnLogin is called; it can't change it. It should return
	// quickly. Nil: not called.
	OnVerdict func(context.Context, Verdict)
	// Logger receives one record a verdict, without messages, cookies or other secrets. Nil:
	// slog.Default(), as it is when the constructor is called.
	Logger *slog.Logger
	// MaxBody bounds the body of a POST in bytes. Zero: 4 MiB.
	MaxBody int64
	// MaxBodies bounds, in bytes, the memory of all bodies that are being read or verified on this node; the consumers of
	// a Region share it. One client (see ClientAddr) can take about a third of it, and less while others take much.
	// Beyond it a client gets 503 with Retry-After. Verifying takes several times the body's size for a moment, so a node
	// needs more memory than this. Zero: 64 MiB, or 16 times MaxBody if that is more. At least 4 times MaxBody.
	MaxBodies int64
	// Rand is the source of cookie secrets, RelayStates and references; it must be safe for concurrent
	// use. Nil: crypto/rand.Reader.
	Rand io.Reader
}

const (
	maxRequestLifetime = 24 * time.Hour

	// MaxBodies, as a multiple of MaxBody.
	minBodies, defaultBodies = 4, 16
	maxMaxBody               = math.MaxInt / (4 * defaultBodies)
)

// setDefaults checks the fields and fills in what zero stands for.
func (cfg *Config) setDefaults() error {
	switch {
	case cfg.SP == nil:
		return badConfig("Config.SP", "is required")
	case cfg.Store == nil:
		return badConfig("Config.Store", "is required")
	case cfg.OnLogin == nil:
		return badConfig("Config.OnLogin", "is required")
	case cfg.Unsolicited < Refuse || cfg.Unsolicited > Accept:
		return badConfig(ruleUnsolicited, "want Refuse, Restart or Accept")
	case cfg.RequestLifetime < 0 || cfg.RequestLifetime > maxRequestLifetime:
		return badValue("Config.RequestLifetime", "0 to "+maxRequestLifetime.String(), cfg.RequestLifetime.String())
	case cfg.MaxBody < 0 || cfg.MaxBody > maxMaxBody:
		return badConfig("Config.MaxBody", "is negative or too large")
	case cfg.MaxBodies < 0 || cfg.MaxBodies > math.MaxInt:
		return badConfig("Config.MaxBodies", "is negative or too large")
	}
	cfg.RequestLifetime = cmp.Or(cfg.RequestLifetime, 15*time.Minute)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 4<<20)
	cfg.MaxBodies = cmp.Or(cfg.MaxBodies, max(64<<20, defaultBodies*cfg.MaxBody))
	if cfg.MaxBodies < minBodies*cfg.MaxBody {
		return badConfig("Config.MaxBodies", "want at least 4 times MaxBody")
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.ClientAddr == nil {
		cfg.ClientAddr = func(r *http.Request) string { return r.RemoteAddr }
	}
	cfg.RelayStateOrigins = slices.Clone(cfg.RelayStateOrigins)
	return nil
}

// New returns the consumer of one ACS URL. The error is a [*Error] with ReasonConfig that names the field.
// Most programs use [NewRegion].
func New(cfg Config) (*Consumer, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	return newConsumer(cfg, newClients(cfg.requestQuota(), cfg.RequestLifetime), newBodies(cfg.MaxBodies))
}

// newConsumer is New after setDefaults. The consumers of a Region share clients and bodies.
func newConsumer(cfg Config, clients *clients, bodies *bodies) (*Consumer, error) {
	allowed, err := newOrigins("Config.RelayStateOrigins", cfg.RelayStateOrigins)
	if err != nil {
		return nil, err
	}
	if err := cfg.SP.CheckRequests(); err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.SP", Detail: "can't make requests", Err: err}
	}
	if p := cfg.RefusedPath; p != "" && (origins(nil).allow(p) == "" || strings.ContainsAny(p, "?#;,")) {
		return nil, badValue("Config.RefusedPath", "a path without a query", withoutUser(p))
	}
	c := &Consumer{cfg: cfg, allowed: allowed, clients: clients, bodies: bodies}
	if err := c.setLoginPath("Config.LoginPath", cfg.LoginPath); err != nil {
		return nil, err
	}
	list := cfg.SP.ACS()
	i := slices.IndexFunc(list, func(e saml.Endpoint) bool { return e.URL == cfg.ACS })
	if i < 0 {
		return nil, badValue("Config.ACS", "a URL on the service provider's list", withoutUser(cfg.ACS))
	}
	c.here = list[i]
	if cfg.Region != "" && cfg.Region != c.here.Region {
		return nil, badValue("Config.Region", "the Region of ACS, "+c.here.Region, cfg.Region)
	}
	if c.url, err = url.Parse(c.here.URL); err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.ACS", Detail: "is not a URL", Err: err}
	}
	if _, err := formFields(c.url.RawQuery); err != nil {
		return nil, err
	}
	return c, nil
}

// requestQuota returns how many requests the store can have waiting.
func (cfg *Config) requestQuota() int {
	if s, ok := cfg.Store.(Quota); ok {
		return max(1, s.RequestQuota())
	}
	return defaultMaxRequests
}

func (c *Consumer) setLoginPath(field, path string) error {
	if path != "" && c.allowed.allow(path) == "" {
		return badValue(field, "a path, or a URL of one of RelayStateOrigins", withoutUser(path))
	}
	c.cfg.LoginPath = path
	return nil
}
