package mockidp

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The defaults of a zero Config: one user, who is assigned to one SAML app.
const (
	DefaultLogin    = "alice@example.com"
	DefaultPassword = "mockidp" // also the password of every User whose Password is empty
)

// Everyone is a group that always exists and that every user is in, as at Okta.
const Everyone = "Everyone"

// Bounds on what a client may send. They aren't configurable: valid messages are far smaller.
const (
	maxRequest    = 64 << 10 // bytes of an AuthnRequest, encoded, and again decoded and inflated
	maxLoginHint  = 256      // bytes
	maxRelayState = 1 << 10  // bytes; SAML Bindings 3.4.3 allows 80, and real service providers send more
)

// Config describes the initial state of the identity provider. It is copied; the Server's methods make later
// changes.
type Config struct {
	// BaseURL is the address that browsers and service providers use, such as "http://idp.localhost:8701": scheme
	// and host, no path. Port 0 ("http://idp.localhost:0") means the listener's port. It is required if another
	// server serves Handler, or if requests name a host other than this machine. A request for a host that is
	// neither BaseURL's nor a loopback name is refused with 421, which prevents DNS rebinding. Zero: the address of
	// the Server's listener.
	BaseURL string
	// Hosts are further host names that requests may have, without a port, such as the name of a container. Links still
	// have BaseURL. Zero: none.
	Hosts []string
	// Org is the organisation's name on the pages and in the certificate. Zero: "Mock organisation".
	Org string
	// Hint is a line of help under the sign-in form, such as "Sign in as alice@example.com, password mockidp". Zero:
	// exactly that line if Users is empty, else none.
	Hint string
	// Compose shows a page on which the answer is composed, in place of the password form of SAML apps: the user, who may
	// be made up, NameID, attributes and URL, an error or an attack, and the XML before it is sent. Sign-on addresses
	// also take parameters for scripts: login, first_name, last_name, email, group, preset, nameid, nameid_format,
	// attr.NAME, attr_format, acs, relay_state, status, substatus, message and attack. The Server then signs any answer
	// for every client that reaches it. Zero: users sign in with passwords, and such parameters are refused.
	Compose bool

	// Users are the users. Zero: DefaultLogin with DefaultPassword.
	Users []User
	// Groups are the groups that users and apps may name. Zero: the groups that the users name. If it isn't empty, a User
	// with an unknown group is refused.
	Groups []Group
	// Apps are the applications, in the order of the dashboard. Zero: one SAML app labelled "Example app", assigned to
	// Everyone, whose service provider RegisterSP or UpdateApp sets.
	Apps []App

	// Key signs responses and assertions: RSA, or ECDSA on P-256, P-384 or P-521. Zero: a new RSA key of 2048 bits, or
	// the published test key where InsecureTestKey, New or NewUnstarted chooses it.
	Key crypto.Signer
	// Certificate is the certificate of Key, for signatures and metadata. Zero: a self-signed one for ten years, with a
	// subject like Okta's.
	Certificate *x509.Certificate
	// InsecureTestKey signs with the published test key, whose private key is in the source of this package: anyone can
	// sign as this identity provider, and every page says so. It is for loopback only. If Listener is another address,
	// Start makes a new key instead; a connection to another address that reaches Handler is refused. It excludes Key and
	// Certificate. Zero: as Key says; New and NewUnstarted, which listen on loopback, set it where there is no Key.
	InsecureTestKey bool
	// Keys are further keys, which are published but don't sign before SignWith, App.KeyID or SignAppWith selects them.
	// Zero: none.
	Keys []KeyPair

	// MaxFailures is how many wrong passwords or codes in a row lock a user out. Zero: 10, as at Okta; negative: users
	// are never locked out.
	MaxFailures int
	// Faults are in force from the start; Inject adds more. Zero: none.
	Faults []Fault

	// Mutate is called with every answer before it is sent, and returns the answer to send instead. It is for tests
	// of a service provider's checks. Mutation.ID names the mutation selected for this answer. The zero Mutated
	// leaves the answer unchanged. Several goroutines may call Mutate. Zero (nil): answers are sent unchanged.
	Mutate func(Mutation) (Mutated, error)
	// MutateMessage is like Mutate for the other messages: logout messages, artifacts, and the answers by SOAP. It is
	// called if a mutation applies whose MutationInfo says so. An error refuses the request. Zero (nil): they are sent
	// unchanged.
	MutateMessage func(MessageMutation) (MutatedMessage, error)
	// Mutations are the IDs that Mutate and MutateMessage know; QueueMutation and SetMutation refuse others, and the
	// sign-in page and mockidp/oktaapi offer them. Zero: any ID is passed to Mutate.
	Mutations []string
	// MutationInfo describes Mutations, by ID, for the lists that offer them. Zero: they are listed by ID.
	MutationInfo map[string]MutationInfo
	// StandingMutations are switched on from the start, at most one for each pair of app and user; SetMutation switches
	// others on and off. Zero: none.
	StandingMutations []StandingMutation

	// Strict refuses requests that only some identity providers accept. These are requests with a RelayState over 80
	// bytes (SAML Bindings 3.4.3), an IssueInstant more than five minutes off, an ID that isn't an xs:ID, no Issuer
	// or a SubjectConfirmation (Profiles 4.1.4.1); signed requests without Destination (Bindings 3.4.5.2) or
	// NameIDPolicy; and requests by HTTP-Redirect with a ds:Signature inside (Bindings 3.4.4.1). Zero: they are
	// accepted.
	Strict bool
	// OddPaths puts all pages under a random path, which is new at each start. It also randomizes the IDs, keys and
	// issuers that apps leave empty. So clients can't depend on the form of addresses. Zero: Okta's paths, or Entra's
	// for apps with that profile.
	OddPaths bool

	// MaxTenants is how many tenants the Server has at most (see Server.Tenant). Zero: 100; negative: none.
	MaxTenants int
	// TenantKeys gives each tenant an RSA key of its own. At most MaxTenants keys are made; a tenant that is removed
	// leaves its key to a later one. Zero: the key of the Server.
	TenantKeys bool

	// Federation describes the metadata that the Server publishes as a federation does, at FederationURL and
	// FederationQueryURL. Zero: the SAML apps of the Server and its tenants.
	Federation Federation

	// AnyServiceProvider answers service providers that aren't registered, at the address of the first app without
	// Audience and ACS; if the Config has none, one is added. The answer goes to the AssertionConsumerServiceURL of the
	// request, which has to have one, and its audience is the Issuer; a NameIDPolicy's format is the NameID's. Without a
	// request the parameters audience, acs and RelayState of the address select them (see AnyServiceProviderURL); with
	// Compose they are fields of the page, on which another URL may be typed than the request's. So any site that makes
	// a user's browser open the address gets a signed assertion about the user: keep it on loopback. Every page says so.
	// Zero: a service provider has to be registered.
	AnyServiceProvider bool
	// SelfRegistration adds a form to the page that refuses the request of an unknown service provider. By it any user
	// makes the app that of this service provider, by its metadata or as the request says, and goes on with the sign-in.
	// It makes no other app and fetches nothing. It isn't offered for Strict, SignedRequests and the profile Entra. Zero:
	// the page has no form.
	SelfRegistration bool

	// SessionLifetime is how long a browser stays signed in at the Server. Zero: 2 h.
	SessionLifetime time.Duration
	// Now is the clock. Zero: time.Now.
	Now func() time.Time
	// Rand is the source of identifiers, session tokens and serial numbers; it is read under a lock. With Rand or Seed,
	// Key and Now given, the same calls in the same order yield the same bytes. Zero: crypto/rand.
	Rand io.Reader
	// Seed makes Rand a deterministic stream, for repeatable tests; session tokens can then be guessed. It doesn't affect
	// keys: crypto/rsa takes no seed, so set Key. Zero: Rand applies.
	Seed uint64
	// Logger logs sign-ins, answers and refusals, never messages or passwords. Zero: nothing is logged.
	Logger *slog.Logger
}

// KeyPair is a key of Config.Keys.
type KeyPair struct {
	// Key is as Config.Key. Required.
	Key crypto.Signer
	// Certificate is the certificate of Key. Zero: a self-signed one, as for Config.Certificate.
	Certificate *x509.Certificate
	// Apps are the IDs of the apps that have the key. Zero: all apps, as after AddKey.
	Apps []string
}

func (c Config) withDefaults() Config {
	c.Org = cmp.Or(c.Org, "Mock organisation")
	c.SessionLifetime = cmp.Or(c.SessionLifetime, 2*time.Hour)
	c.MaxFailures = cmp.Or(c.MaxFailures, 10)
	c.MaxTenants = cmp.Or(c.MaxTenants, 100)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	c.Federation = c.Federation.withDefaults()
	if len(c.Users) == 0 {
		c.Users = []User{{Login: DefaultLogin, FirstName: "Alice", LastName: "Example"}}
		c.Hint = cmp.Or(c.Hint, "Sign in as "+DefaultLogin+", password "+DefaultPassword)
	}
	if len(c.Apps) == 0 {
		c.Apps = []App{{Label: "Example app", Groups: []string{Everyone}}}
	}
	if c.AnyServiceProvider && !slices.ContainsFunc(c.Apps, func(a App) bool { return a.open() }) {
		c.Apps = append(slices.Clone(c.Apps), App{Label: openApp, Groups: []string{Everyone}})
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Seed != 0 {
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], c.Seed)
		c.Rand = mathrand.NewChaCha8(key)
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c
}

func (c Config) check() *Error {
	if c.SessionLifetime < 0 {
		return badConfig("Config.SessionLifetime is negative: %v", c.SessionLifetime)
	}
	if c.Seed != 0 && c.Rand != nil {
		return badConfig("Config.Seed and Config.Rand exclude each other")
	}
	for _, h := range c.Hosts {
		if !hostName.MatchString(h) && net.ParseIP(h) == nil {
			return badConfig("Config.Hosts: want a host name without a port, got %s", quote(h))
		}
	}
	if c.InsecureTestKey && (c.Key != nil || c.Certificate != nil) {
		return badConfig("Config.InsecureTestKey excludes Config.Key and Config.Certificate")
	}
	if err := c.Federation.check(); err != nil {
		return err
	}
	if err := checkText("Config.Org", c.Org); err != nil || c.BaseURL == "" {
		return err
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || !webScheme(u.Scheme) || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return mismatch(ReasonConfig, "http://idp.localhost:8701", withoutUser(c.BaseURL),
			"Config.BaseURL must be a scheme and a host")
	}
	return nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$`)

// Org returns Config.Org, or its default.
func (s *Server) Org() string { return s.config.Org }

// MutationIDs returns Config.Mutations.
func (s *Server) MutationIDs() []string { return slices.Clone(s.config.Mutations) }

func webScheme(s string) bool { return s == "http" || s == "https" }
