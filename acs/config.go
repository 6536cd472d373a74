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

// Unsolicited is the policy for a response that answers no request (IdP-initiated sign-in, Profiles 4.1.5). It
// doesn't affect a response with an InResponseTo.
type Unsolicited int

const (
	// Refuse is the zero value.
	Refuse Unsolicited = iota
	// Restart drops the assertion and starts an SP-initiated sign-in. While the user has a session at the identity
	// provider, it needs no interaction. So the identity provider's tile works, and an attacker can't sign a
	// user's browser in.
	// If there are several identity providers, the sign-in is at the one that sent the response. That one can then
	// sign the user in to any account of its own, as with Accept.
	Restart
	// Accept accepts the response. An attacker can then sign a user's browser in to the attacker's own account.
	// Ask the user for confirmation before a signed-in browser changes to another user.
	Accept
)

// String returns the name.
func (u Unsolicited) String() string {
	if u < Refuse || u > Accept {
		return "Unsolicited(?)"
	}
	return [...]string{"Refuse", "Restart", "Accept"}[u]
}

// Config describes a Region for [NewRegion], or the consumer of one ACS URL for [New]. Both validate and copy it.
type Config struct {
	// SP is the service provider, the same one in every Region. If its identity provider wants signed
	// requests, it must have a Key. Required.
	SP *saml.ServiceProvider
	// Region is the name of the Region, as in [saml.Endpoint]. Empty: the endpoints without a Region. For New it
	// must be empty or the Region of ACS.
	Region string
	// ACS is the URL that the consumer of New serves. It must be on the SP's list. New requires it, and NewRegion
	// refuses it.
	ACS string
	// Store has the records that all nodes of the Region share. Without a shared store, a replay at another node
	// is accepted. Required.
	Store Store
	// OnLogin is called once for each accepted assertion, and writes the answer, such as a session cookie and a
	// 303 to l.ReturnTo. Headers that prevent caching and referrers are already set. Required.
	OnLogin func(w http.ResponseWriter, r *http.Request, l *Login)

	// LoginOptions returns what the sign-ins that [Region.Login] and Restart begin ask for. The query of r is a client's
	// input: see [Hints]. ReturnTo is replaced by that of the query, if it has one. With Restart, r is the POST of the
	// identity provider, and ReturnTo and IdP are replaced. Nil: the zero LoginOptions.
	LoginOptions func(r *http.Request) LoginOptions
	// ChooseIdP returns the entity ID of the identity provider for a sign-in without LoginOptions.IdP, such as the
	// one of the request's host. It is for a service provider with several identity providers. Don't take it from a
	// part of the request that another site's link can choose: that site's identity provider could then sign a
	// user in to an account of its own. Nil or empty: DiscoveryURL, or the only one.
	ChooseIdP func(*http.Request) string
	// FindIdP is called at the start of a sign-in with the entity ID of the chosen identity provider and the
	// client's address. Use the Find method of a federation with query services: it fetches an unknown identity
	// provider, which then is known when its response arrives. A response never causes a call. A *saml.Error with a
	// Reason about metadata is the reason why the sign-in doesn't start. For any other error that is ReasonFindIdP.
	// Nil: not called.
	FindIdP func(ctx context.Context, entityID, client string) (*saml.IdP, error)

	// DiscoveryURL is the page on which users choose among several identity providers: that of package discovery as
	// a path, or another discovery service as an https URL (IdP Discovery Protocol). A sign-in for which
	// neither LoginOptions.IdP nor ChooseIdP names one begins there. Empty: none.
	DiscoveryURL string
	// DiscoveredPath is the path on the hosts of the ACS URLs at which [Region.Discovered] receives the choice.
	// Region.Mount mounts it. Register its URLs at the discovery service. Required with DiscoveryURL.
	DiscoveredPath string

	// EndSessions ends the sessions that a LogoutRequest of an identity provider names, in every Region, and refuses
	// later assertions that it names (SAML Core 3.7.3.1), as Store.EndSubject of package sessions does. The result is
	// the answer to the identity provider: PartialLogout if a Region may not know yet. After an error the user gets
	// 503, and the identity provider can send the request again. The same request can arrive twice: at two Regions, after
	// a node stopped in EndSessions, or while Store doesn't answer, since sessions must end then, too. The context is not
	// cancelled when the client leaves.
	// NewRegion requires it if the service provider has a logout URL in the Region.
	EndSessions func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error)
	// OnLoggedOut is called at the end of a logout that StartLogout began, and writes the answer. The local session has
	// ended before. Nil: a page says what ended.
	OnLoggedOut func(http.ResponseWriter, *http.Request, *LoggedOut)

	// SOAP describes the calls to identity providers that don't go through the browser. The zero value is valid.
	SOAP SOAPConfig

	// Unsolicited is the policy for a response that answers no request. Zero: Refuse.
	Unsolicited Unsolicited
	// RelayStateOrigins are origins such as "https://wiki.example" to which a user may be redirected after
	// sign-in, besides paths of this origin. An attacker's link can choose any URL of them. Empty: none.
	RelayStateOrigins []string
	// RequestLifetime is how long a user may take at the identity provider. Zero: 15 min, because second
	// factors are slow. At most 24 h.
	RequestLifetime time.Duration

	// ClientAddr returns the IP address of a client, with or without a port. Each client may have a limited number
	// of pending requests, and a limited part of MaxBodies. An IPv4 address or IPv6 /64 may have about a tenth of
	// the store's quota, and less while others have many. An IPv6 /48 may have about a quarter. Half of that is
	// reserved for requests that a user is known to have begun ([InitiatorOf]). A client that exceeds its limit
	// gets 429. Answered requests don't count. Each node counts separately. Invalid addresses count as one client.
	//
	// Nil: r.RemoteAddr. Behind a proxy that is the proxy's address, and all clients share one client's limits.
	// Return the address from the header that your proxy sets, and never from a header that a client can set.
	ClientAddr func(*http.Request) string

	// LoginPath is the target of "Sign in again" on the error page: a path, or a URL of one of RelayStateOrigins.
	// Empty: the Login page that [Region.Mount] mounts. Without Mount, the pages then have no such link.
	LoginPath string
	// RefusedPath is a path of this host. If a response is refused with 403, the browser is sent there by GET,
	// with the parameter reference. The POST came from another site, so it had no session cookies with
	// SameSite=Lax, but the GET has them. So the handler can redirect a signed-in user who sent a response twice
	// (a double click, the back button), and call [Region.Refused] for others. Set LoginPath too. The handler must
	// not start a sign-in, because that could be refused again, in a loop. All refusals have the same answer, so
	// that it doesn't reveal which messages are genuine. Empty: the error page stays.
	RefusedPath string
	// RenderPage writes a page in the program's own design: its status, and its body. Headers that prevent caching and
	// referrers are set. Without a script of its own, let it set a strict Content-Security-Policy, as [WritePage] does.
	// The path of the page can be that of an ACS URL, so links must begin with "/". Nil: WritePage, in the look of
	// PageLook.
	RenderPage func(http.ResponseWriter, *http.Request, Page)
	// PageLook returns the look of a page for a browser: its language, name and colors. It is also that of the form that
	// sends the browser to the identity provider by HTTP-POST, which RenderPage doesn't write. Package theme has one.
	// Nil: the zero value.
	PageLook func(*http.Request) PageLook
	// InsecureAllowOpener omits "Cross-Origin-Opener-Policy: same-origin", for a program that signs users in
	// within a popup. Another site's page that opens a popup here can then navigate it.
	InsecureAllowOpener bool
	// OnVerdict is called with every verdict, before OnLogin. It can't change the verdict, and should return
	// quickly. Nil: not called.
	OnVerdict func(context.Context, Verdict)
	// OnRefused is called with what is refused without a verdict on a response: what is RefusedLogin for a sign-in that
	// did not begin, such as above a limit of its client address, or RefusedLogout for a message about a logout. It
	// should return quickly: unauthenticated clients cause these. Nil: no call.
	OnRefused func(ctx context.Context, what string, v Verdict)
	// Observer watches responses and logouts, for metrics and traces. Nil: none.
	Observer Observer
	// Logger receives one record per verdict, without messages, cookies or other secrets. Nil: the slog.Default()
	// at the time of the constructor call.
	Logger *slog.Logger
	// MaxBody bounds the body of a POST, and of an identity provider's answer by SOAP, in bytes. Zero: 4 MiB.
	MaxBody int64
	// MaxBodies bounds, in bytes, the memory of all bodies that this node is reading or verifying. The consumers
	// of a Region share it. One client (see ClientAddr) can use about a third of it, and less while others use
	// much. A client that exceeds its limit gets 503 with Retry-After. A verification briefly takes several times
	// the body's size, so a node needs more memory than this. Zero: 64 MiB, or 16 times MaxBody if that is more.
	// At least 4 times MaxBody.
	MaxBodies int64
	// MaxAtOnce bounds how many responses this node processes at the same time, from their verification until OnLogin
	// returns. The consumers of a Region share it. Below it, a node learns how many the stores take: when sign-ins take
	// more than twice as long as one that is alone, it processes fewer at the same time, and otherwise more. Further
	// responses wait briefly, and then get 503 with Retry-After; nothing is consumed. One client (see ClientAddr) can
	// use about a third of the places to wait, and those with fewer responses in process are next. Zero: 1,024.
	MaxAtOnce int
	// Rand is the source of cookie secrets, RelayStates and references; it must be safe for concurrent
	// use. Nil: crypto/rand.Reader.
	Rand io.Reader
}

const (
	maxRequestLifetime = 24 * time.Hour

	// MaxBodies, as a multiple of MaxBody.
	minBodies, defaultBodies = 4, 16
	maxMaxBody               = math.MaxInt / (4 * defaultBodies)

	defaultAtOnce = 1024
)

// setDefaults checks the fields and replaces zero values by the defaults.
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
	case cfg.MaxAtOnce < 0:
		return badConfig("Config.MaxAtOnce", "is negative")
	}
	cfg.MaxAtOnce = cmp.Or(cfg.MaxAtOnce, defaultAtOnce)
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
	return cfg.SOAP.setDefaults()
}

// New returns the consumer of one ACS URL. The error is a [*Error] with ReasonConfig that names the field.
// Most programs use [NewRegion].
func New(cfg Config) (*Consumer, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	return newConsumer(cfg, newShared(&cfg))
}

// newConsumer returns the consumer of cfg, which has its defaults.
func newConsumer(cfg Config, shared *shared) (*Consumer, error) {
	allowed, err := newOrigins("Config.RelayStateOrigins", cfg.RelayStateOrigins)
	if err != nil {
		return nil, err
	}
	if err := cfg.SP.CheckRequests(); err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.SP", Detail: "can't make requests", Err: err}
	}
	if p := cfg.RefusedPath; p != "" && !isPath(p) {
		return nil, badValue("Config.RefusedPath", "a path without a query", withoutUser(p))
	}
	if err := cfg.checkDiscovery(); err != nil {
		return nil, err
	}
	c := &Consumer{cfg: cfg, allowed: allowed, shared: shared}
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

// isPath reports whether p is a path without a query.
func isPath(p string) bool { return origins(nil).allow(p) != "" && !strings.ContainsAny(p, "?#;,") }

func (cfg *Config) checkDiscovery() error {
	to, back := cfg.DiscoveryURL, cfg.DiscoveredPath
	if to == "" && back == "" {
		return nil
	}
	if !isPath(back) {
		return badValue("Config.DiscoveredPath", "a path without a query", withoutUser(back))
	}
	u, err := url.Parse(to)
	switch {
	case isPath(to):
	case err != nil, u.Host == "", u.User != nil, u.Fragment != "",
		u.Scheme != "https" && (u.Scheme != "http" || !saml.IsLoopback(u.Hostname())):
		return badValue("Config.DiscoveryURL", "a path, or an https URL", withoutUser(to))
	}
	return nil
}

// requestQuota returns how many pending requests the store has room for.
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
