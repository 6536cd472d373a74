package oidc

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/awsapi"
)

// Config describes a Server. New copies it.
type Config struct {
	// Portal is the access portal of the Region, where users answer programs. Required.
	Portal *portal.Portal
	// Store keeps codes, answers and used refresh tokens. The nodes of the Region share it; it may be the portal's. If it
	// lost its records, refresh tokens issued before are refused, because they may have been used. Required.
	Store acs.Store
	// Sealer has the keys of what clients keep: registrations, codes and tokens. With the same keys on all nodes, and
	// after a restart, these stay valid. The Regions share it, because a program's sign-out may go to any of them.
	// Required.
	Sealer awsapi.Sealer
	// Instance identifies the instance. It must be the same in all Regions. Instances that share keys need different
	// ones. Required.
	Instance string

	// StartURLs are addresses that mean this Region's portal besides its portal URLs in the directory, such as a custom
	// domain, or the address at AWS that a command line insists on. Only their origins are compared. The page of a role
	// shows users the first one. Nil: none.
	StartURLs []string
	// Endpoint is the origin of this API, which registrations are told. Empty: they are not told; AWS's clients know it.
	Endpoint string
	// TokenLifetime is the lifetime of an access token, which never outlives its authorization. Clients renew a token 15
	// minutes before its end, so it must be at least 20 minutes. Zero: 1 h.
	TokenLifetime time.Duration
	// RefuseDevices refuses to show codes for users to enter. A user can be talked into entering the code of an attacker's
	// program; a program that waits on the user's own computer has no such code. Zero: codes are shown.
	RefuseDevices bool
	// ClientAddr returns the IP address of a client, which bounds its requests, as in portal.Config. Behind a proxy return
	// the address that the proxy puts into the request. Nil: r.RemoteAddr.
	ClientAddr func(*http.Request) string
	// Audit receives an event for each refused request and for all tokens. Nil: no events.
	Audit *audit.Log
	// Logger receives a record for each refused request, without codes, tokens and secrets. Nil: slog.Default().
	Logger *slog.Logger
}

const (
	leastTokenLifetime = 20 * time.Minute
	maxStartURLs       = 64
)

// Server is the OIDC service of one Region. It is an http.Handler for the API and for /authorize. It implements
// portal.Clients and awsapi.Grants. It is safe for concurrent use.
type Server struct {
	cfg      Config // checked, never changed
	starts   []string
	here     awsapi.Tokens // valid in this Region only
	anywhere awsapi.Tokens // valid in every Region of the instance
	service  *awsapi.Service
	pages    http.Handler
	limits   limits
	polls    polls
	codes    wrongCodes
}

// New returns the Server that cfg describes, or an *Error with ReasonConfig.
func New(cfg Config) (*Server, error) {
	starts, why := cfg.check()
	if why != nil {
		return nil, why
	}
	now, region := cfg.Portal.Now, cfg.Portal.Region()
	s := &Server{
		cfg: cfg, starts: starts, limits: newLimits(),
		here: awsapi.Tokens{
			Sealer: cfg.Sealer, Audience: "oidc|" + strconv.Quote(cfg.Instance) + "|" + region, Now: now,
		},
		anywhere: awsapi.Tokens{Sealer: cfg.Sealer, Audience: "oidc|" + strconv.Quote(cfg.Instance), Now: now},
	}
	var err error
	s.service, err = awsapi.New(awsapi.Config{
		Name: "sso-oauth", Region: region, Protocol: awsapi.REST, OAuthErrors: true, MaxBody: 64 << 10, Now: now,
		Logger: cfg.Logger, Audit: awsapi.AuditConfig{Log: cfg.Audit, ClientAddr: s.cfg.ClientAddr},
		Operations: map[string]awsapi.Handler{
			"POST /client/register":      awsapi.Typed(s.registerClient),
			"POST /device_authorization": awsapi.Typed(s.startDeviceAuthorization),
			"POST /token":                awsapi.Typed(s.createToken),
		},
	})
	if err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "service", Err: err}
	}
	s.pages = cfg.Portal.WithClients(s)
	return s, nil
}

// check fills in the defaults and refuses invalid values.
func (c *Config) check() (starts []string, why *Error) {
	c.TokenLifetime = cmp.Or(c.TokenLifetime, time.Hour)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.ClientAddr == nil {
		c.ClientAddr = func(r *http.Request) string { return r.RemoteAddr }
	}
	switch {
	case c.Portal == nil:
		return nil, badConfig("Config.Portal", "a portal", "nil")
	case c.Store == nil:
		return nil, badConfig("Config.Store", "a store", "nil")
	case c.Sealer == nil:
		return nil, badConfig("Config.Sealer", "a sealer", "nil")
	case c.Instance == "":
		return nil, badConfig("Config.Instance", "the name of the instance", "")
	case c.TokenLifetime < leastTokenLifetime:
		return nil, badConfig("Config.TokenLifetime", "at least "+leastTokenLifetime.String(), c.TokenLifetime.String())
	case c.Endpoint != "" && originOf(c.Endpoint) != c.Endpoint:
		return nil, badConfig("Config.Endpoint", "an origin such as https://oidc.us-east-1.example", "another form")
	case len(c.StartURLs) > maxStartURLs:
		return nil, badConfig("Config.StartURLs", "at most 64", strconv.Itoa(len(c.StartURLs)))
	}
	c.StartURLs = slices.Clone(c.StartURLs)
	for _, raw := range c.StartURLs {
		origin := originOf(raw)
		if origin == "" {
			return nil, badConfig("Config.StartURLs", "absolute http or https URLs without user information", "another form")
		}
		starts = append(starts, origin)
	}
	return starts, nil
}

// originOf returns the origin of an absolute http or https URL in lower case, or "".
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	host, defaultPort := asciiLower(u.Host), map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(host, defaultPort)
}

// asciiLower avoids strings.ToLower, which maps some letters outside ASCII to ASCII ones.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// ServeHTTP implements http.Handler. It serves the API, and /authorize for browsers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == pathAuthorize {
		s.authorize(w, r)
		return
	}
	s.service.ServeHTTP(w, r)
}

// Pages returns a handler that serves the whole portal of Config, and the pages on which its users answer programs.
// Mount it on the portal's hosts in the portal's place.
func (s *Server) Pages() http.Handler { return s.pages }

// StartURL implements portal.Clients.
func (s *Server) StartURL() string {
	if len(s.cfg.StartURLs) == 0 {
		return ""
	}
	return s.cfg.StartURLs[0]
}

func (s *Server) now() time.Time { return s.cfg.Portal.Now() }

// portalFor returns the origin of the portal to which a start URL leads. An empty one leads to the first.
func (s *Server) portalFor(startURL string) (origin string, why *Error) {
	if origin, ok := s.cfg.Portal.Origin(startURL); ok {
		return origin, nil
	}
	if slices.Contains(s.starts, originOf(startURL)) {
		if origin, ok := s.cfg.Portal.Origin(""); ok {
			return origin, nil
		}
	}
	return "", newError(ReasonInstance, "start URL", "one of Region "+s.cfg.Portal.Region(), startURL)
}

// noInstance is the exception that AWS answers with in a Region without the instance.
func noInstance(why *Error) error {
	x := invalidRequest
	x.text = "Couldn't find Identity Center Instance"
	return x.with(why)
}
