package acs

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// Unsolicited says what to do with a response that answers no request
// (IdP-initiated sign-in, Profiles 4.1.5). It changes nothing for a response
// that claims to answer one.
type Unsolicited int

const (
	// Refuse is the zero value.
	Refuse Unsolicited = iota
	// Restart drops the assertion and starts a sign-in of our own, which is
	// silent while the identity provider has a session. The tile at the
	// identity provider works, and an attacker can't sign a user's browser in.
	Restart
	// Accept takes it. An attacker who has a response for the attacker's own
	// account can then sign a user's browser in to that account: ask before a
	// browser that is signed in as another user changes its identity.
	Accept
)

// String gives the name.
func (u Unsolicited) String() string {
	if u < Refuse || u > Accept {
		return "Unsolicited(?)"
	}
	return [...]string{"Refuse", "Restart", "Accept"}[u]
}

// Config describes a Region, for [NewRegion], or the consumer of one ACS URL,
// for [New]. Both check and copy it.
type Config struct {
	// SP is the service provider, the same one in every Region. An identity
	// provider that wants signed requests is refused unless it has a Key.
	// Required.
	SP *saml.ServiceProvider
	// Region is the name of the Region, as in [saml.Endpoint]. Empty: the
	// endpoints that name no Region. New has it from the list; it refuses a
	// name that is not the Region of ACS.
	Region string
	// ACS is the URL that a consumer made by New serves; it must be on the SP's
	// list. Required by New, and refused by NewRegion.
	ACS string
	// Store is shared by the nodes of the Region, or a replay is only noticed
	// by the same node. Required.
	Store Store
	// OnLogin is called for each accepted assertion, once, and writes the
	// answer: a session cookie and a 303 to l.ReturnTo, say. The headers that
	// keep the answer out of caches and referrers are set before. Required.
	OnLogin func(w http.ResponseWriter, r *http.Request, l *Login)

	// Unsolicited says what happens to a response that answers no request.
	// Zero: Refuse.
	Unsolicited Unsolicited
	// RelayStateOrigins are origins such as "https://wiki.example" that a user may
	// be sent on to, besides paths of this one. The author of a link can then have
	// a user's sign-in end there. Empty: none.
	RelayStateOrigins []string
	// RequestLifetime is how long a person may take at the identity provider.
	// Zero: 15 min, because second factors are slow. At most 24 h.
	RequestLifetime time.Duration

	// ClientAddr returns the IP address of a client, with or without a port. It
	// bounds how many requests one client may have waiting for an answer: an
	// address (of IPv6, its /64) about a tenth of the store's quota, thousands by
	// default, and less while others have many; an IPv6 /48 about a quarter. Half
	// of that is for what a user is known to have begun ([InitiatorOf]): a page
	// can't use up what the users behind its browser's address need. One that
	// exceeds it gets 429. What is answered doesn't count any more. Each
	// node counts what it began itself. Clients whose address can't be read are
	// taken for one.
	//
	// The same address bounds what one client takes of MaxBodies.
	//
	// Nil: r.RemoteAddr. Behind a proxy that is the proxy's address, so all
	// clients together get the part of one: return what your proxy puts into
	// the request then, and never what a client could have put there.
	ClientAddr func(*http.Request) string

	// LoginPath is where "Sign in again" on the error page leads: a path, or a
	// URL of one of RelayStateOrigins. Empty: where [Region.Mount] puts the Login
	// page, if it does; what is answered without Mount, by StartLogin, Refused or
	// a consumer made by New, has no such link then.
	LoginPath string
	// RefusedPath is a path of this host to which a browser goes on whose
	// response was refused with 403, by GET and with the parameter reference.
	// The response came from another site's page, so a session cookie with
	// SameSite=Lax was not sent with it; with this GET it is. A user who is
	// signed in, and sent a response twice (a double click, the back button),
	// can so be led home, and others be shown [Region.Refused], for which LoginPath
	// should be set too. What is there must start no sign-in: that could be refused
	// again, without end, and any page can send a browser there. All refusals are
	// answered alike, or the answer would tell an attacker which messages are
	// genuine. Empty: the error page stays.
	RefusedPath string
	// InsecureAllowOpener leaves off "Cross-Origin-Opener-Policy: same-origin", for a
	// program that signs its users in in a popup and waits for that. A foreign
	// page that opens a popup here can then navigate it on and on.
	InsecureAllowOpener bool
	// OnVerdict is told every verdict, after it was reached and before OnLogin
	// is called; it can't change it. It should be quick. Nil: it is not called.
	OnVerdict func(context.Context, Verdict)
	// Logger receives one record a verdict. No message, cookie or other secret
	// is ever in one. Nil: slog.Default(), as it is when New is called.
	Logger *slog.Logger
	// MaxBody bounds the body of a POST in bytes. Zero: 4 MiB.
	MaxBody int64
	// MaxBodies bounds, in bytes, the memory of all bodies that are being read or
	// verified on this node; the consumers of a Region share it. One client (see
	// ClientAddr) can take about a third of it, less while others take much, and
	// an ordinary response as long as there is room for it. What exceeds it gets
	// 503 with Retry-After. Verifying a body takes several times its size for a
	// moment, so a node needs more memory than this. Zero: 64 MiB, or 16 times
	// MaxBody if that is more. At least 4 times MaxBody is wanted.
	MaxBodies int64
	// Rand is the source of cookie secrets, RelayStates and references; it
	// must be safe for concurrent use. Nil: crypto/rand.Reader.
	Rand io.Reader
}

const (
	defaultRequestLifetime = 15 * time.Minute
	maxRequestLifetime     = 24 * time.Hour
	defaultMaxBody         = 4 << 20
	defaultMaxBodies       = 64 << 20

	// How many bodies of MaxBody bytes MaxBodies must have room for, and by
	// default has.
	leastBodies, manyBodies = 4, 16
	maxMaxBody              = math.MaxInt / (4 * manyBodies)
)

// setDefaults checks the fields and fills in what zero stands for.
func (cfg *Config) setDefaults() error {
	switch {
	case cfg.SP == nil:
		return badConfig("Config.SP", "is required", nil)
	case cfg.Store == nil:
		return badConfig("Config.Store", "is required", nil)
	case cfg.OnLogin == nil:
		return badConfig("Config.OnLogin", "is required", nil)
	case cfg.Unsolicited < Refuse || cfg.Unsolicited > Accept:
		return badConfig("Config.Unsolicited", "Refuse, Restart or Accept is wanted", nil)
	case cfg.RequestLifetime < 0 || cfg.RequestLifetime > maxRequestLifetime:
		return badConfig("Config.RequestLifetime", "0 to "+maxRequestLifetime.String()+" is wanted, got "+cfg.RequestLifetime.String(), nil)
	case cfg.MaxBody < 0 || cfg.MaxBody > maxMaxBody:
		return badConfig("Config.MaxBody", "can't be negative, or so large", nil)
	case cfg.MaxBodies < 0 || cfg.MaxBodies > math.MaxInt:
		return badConfig("Config.MaxBodies", "can't be negative, or so large", nil)
	}
	if cfg.RequestLifetime == 0 {
		cfg.RequestLifetime = defaultRequestLifetime
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = defaultMaxBody
	}
	if cfg.MaxBodies == 0 {
		cfg.MaxBodies = max(defaultMaxBodies, manyBodies*cfg.MaxBody)
	}
	if cfg.MaxBodies < leastBodies*cfg.MaxBody {
		return badConfig("Config.MaxBodies", "4 times MaxBody is wanted, or more", nil)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.ClientAddr == nil {
		cfg.ClientAddr = func(r *http.Request) string { return r.RemoteAddr }
	}
	cfg.RelayStateOrigins = slices.Clone(cfg.RelayStateOrigins)
	return nil
}

// New makes the consumer of one ACS URL. The error is a [*Error] with
// ReasonConfig that names the field. Most programs want [NewRegion].
func New(cfg Config) (*Consumer, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	return newConsumer(cfg, newClients(cfg.requestQuota(), cfg.RequestLifetime), newBodies(cfg.MaxBodies))
}

// newConsumer is New for fields whose zero values are filled in. The consumers
// of a Region count clients and bodies together.
func newConsumer(cfg Config, clients *clients, bodies *bodies) (*Consumer, error) {
	allowed, err := newOrigins("Config.RelayStateOrigins", cfg.RelayStateOrigins)
	if err != nil {
		return nil, err
	}
	if err := cfg.SP.CheckRequests(); err != nil {
		return nil, badConfig("Config.SP", "can't ask its identity provider", err)
	}
	if p := cfg.RefusedPath; p != "" && (origins(nil).allow(p) == "" || strings.ContainsAny(p, "?#;,")) {
		return nil, badConfig("Config.RefusedPath", "a path without a query is wanted, got "+storeerr.Quote(withoutUser(p)), nil)
	}
	c := &Consumer{cfg: cfg, allowed: allowed, clients: clients, bodies: bodies}
	if err := c.setLoginPath("Config.LoginPath", cfg.LoginPath); err != nil {
		return nil, err
	}
	for _, e := range cfg.SP.ACS() {
		if e.URL == cfg.ACS {
			if cfg.Region != "" && cfg.Region != e.Region {
				return nil, badConfig("Config.Region", "ACS is in Region "+storeerr.Quote(e.Region)+", got "+storeerr.Quote(cfg.Region), nil)
			}
			c.here = e
			return c, c.parseURL()
		}
	}
	return nil, badConfig("Config.ACS", "a URL on the service provider's list is wanted, got "+storeerr.Quote(withoutUser(cfg.ACS)), nil)
}

// requestQuota is how many requests the store can have waiting.
func (cfg *Config) requestQuota() int {
	if s, ok := cfg.Store.(Quota); ok {
		return max(1, s.RequestQuota())
	}
	return defaultQuota
}

func (c *Consumer) setLoginPath(field, path string) error {
	if path != "" && c.allowed.allow(path) == "" {
		return badConfig(field, "a path is wanted, or a URL of one of RelayStateOrigins, got "+storeerr.Quote(withoutUser(path)), nil)
	}
	c.cfg.LoginPath = path
	return nil
}
