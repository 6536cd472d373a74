package acs

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

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
	// identity provider works, and nobody can sign somebody else's browser in.
	Restart
	// Accept takes it. Somebody who has a response for their own account can
	// then sign another person's browser in as themselves: ask before a
	// browser that is signed in as somebody else changes its identity.
	Accept
)

// String gives the name.
func (u Unsolicited) String() string {
	if u < Refuse || u > Accept {
		return "Unsolicited(?)"
	}
	return [...]string{"Refuse", "Restart", "Accept"}[u]
}

// Config describes the consumer of one ACS URL. [New] checks and copies it.
type Config struct {
	// SP is the service provider, the same one in every Region. An identity
	// provider that wants signed requests is refused unless it has a Key.
	// Required.
	SP *saml.ServiceProvider
	// ACS is the URL that this consumer serves; it must be on the SP's list.
	// Required.
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
	// RelayStateOrigins are origins such as "https://wiki.example" that a
	// person may be sent on to, besides paths of this one. Everybody who can
	// write a link can then end somebody's sign-in there. Empty: none.
	RelayStateOrigins []string
	// RequestLifetime is how long a person may take at the identity provider.
	// Zero: 15 min, because second factors are slow. At most 24 h.
	RequestLifetime time.Duration

	// LoginPath is where "Sign in again" on the error page leads: a path, or a
	// URL of one of RelayStateOrigins. Empty: no such link.
	LoginPath string
	// OnVerdict is told every verdict, after it was reached and before OnLogin
	// is called; it can't change it. It should be quick. Nil: nobody is.
	OnVerdict func(context.Context, Verdict)
	// Logger receives one record a verdict. No message, cookie or other secret
	// is ever in one. Nil: slog.Default(), as it is when New is called.
	Logger *slog.Logger
	// MaxBody bounds the body of a POST in bytes. Zero: 4 MiB.
	MaxBody int64
	// Rand is the source of cookie secrets, RelayStates and references; it
	// must be safe for concurrent use. Nil: crypto/rand.Reader.
	Rand io.Reader
}

const (
	defaultRequestLifetime = 15 * time.Minute
	maxRequestLifetime     = 24 * time.Hour
	defaultMaxBody         = 4 << 20
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
	case cfg.MaxBody < 0:
		return badConfig("Config.MaxBody", "can't be negative", nil)
	}
	if cfg.RequestLifetime == 0 {
		cfg.RequestLifetime = defaultRequestLifetime
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = defaultMaxBody
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
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
	allowed, err := newOrigins("Config.RelayStateOrigins", cfg.RelayStateOrigins)
	if err != nil {
		return nil, err
	}
	if err := cfg.SP.CheckRequests(); err != nil {
		return nil, badConfig("Config.SP", "can't ask its identity provider", err)
	}
	c := &Consumer{cfg: cfg, allowed: allowed}
	if err := c.setLoginPath("Config.LoginPath", cfg.LoginPath); err != nil {
		return nil, err
	}
	for _, e := range cfg.SP.ACS() {
		if e.URL == cfg.ACS {
			c.here = e
			return c, c.parseURL()
		}
	}
	return nil, badConfig("Config.ACS", "a URL on the service provider's list is wanted, got "+quoted(withoutUser(cfg.ACS)), nil)
}

func (c *Consumer) setLoginPath(field, path string) error {
	if path != "" && c.allowed.allow(path) == "" {
		return badConfig(field, "a path is wanted, or a URL of one of RelayStateOrigins, got "+quoted(withoutUser(path)), nil)
	}
	c.cfg.LoginPath = path
	return nil
}
