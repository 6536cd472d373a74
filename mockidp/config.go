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
	"net/url"
	"slices"
	"strings"
	"time"
)

// What a zero Config gives: one user, who is assigned to one SAML app.
const (
	DefaultLogin    = "alice@example.com"
	DefaultPassword = "mockidp" // also the password of every User whose Password is empty
	defaultAppLabel = "Example app"
)

// Everyone is a group that always exists and that every user is in, as at Okta.
const Everyone = "Everyone"

// Bounds on what a client may send. They aren't configurable: no honest message
// comes near them.
const (
	maxRequest    = 64 << 10 // bytes of an AuthnRequest, encoded, and again decoded and inflated
	maxRelayState = 1 << 10  // bytes; SAML Bindings 3.4.3 allows 80, and real service providers send more
)

// Config says what the identity provider holds when it starts. It is copied:
// later changes go through the Server's methods.
type Config struct {
	// BaseURL is the address that browsers and service providers use, such as
	// "http://idp.localhost:8701": scheme and host, no path. Zero: the address
	// of the Server's own listener. Port 0 ("http://idp.localhost:0") means
	// the listener's port. It is needed when another server serves Handler,
	// and where requests come under a name that isn't this machine's: others
	// than its host and loopback names are refused with 421, so that no page
	// elsewhere reaches the Server by DNS.
	BaseURL string

	// Org is the organisation's name on the pages and in the certificate.
	// Zero: "Mock organisation".
	Org string

	// Hint is a line of help under the sign-in form, such as "Sign in as
	// alice@example.com, password mockidp". Zero: exactly that line if Users
	// is empty, else none.
	Hint string

	// Users are the people. Zero: DefaultLogin with DefaultPassword.
	Users []User

	// Groups are the groups that users and apps may name. Zero: whatever the
	// users name. If it isn't empty a User with an unknown group is refused.
	Groups []Group

	// Apps are the applications, in the order of the dashboard. Zero: one SAML
	// app labelled "Example app", assigned to Everyone, which learns its
	// service provider from RegisterSP or UpdateApp.
	Apps []App

	// Key signs responses and assertions: RSA, or ECDSA on P-256, P-384 or
	// P-521. Zero: an RSA key of 2048 bits is generated, which takes a moment.
	Key crypto.Signer

	// Certificate goes with Key and into the metadata. Zero: a self-signed one
	// for ten years, its subject like Okta's.
	Certificate *x509.Certificate

	// MaxFailures is how many wrong passwords or codes in a row lock a user
	// out. Zero: 10, as at Okta; negative: any number.
	MaxFailures int

	// Faults are in force from the start; Inject adds more. Zero: none.
	Faults []Fault

	// Mutate gets every answer before it is sent and returns what is sent in
	// its place, for tests of what a service provider must refuse;
	// Mutation.ID is what was ordered for this answer. It may be called from
	// many goroutines, and returns the zero Mutated where nothing is to change.
	// Zero (nil): answers are sent as they are.
	Mutate func(Mutation) (Mutated, error)
	// Mutations are the IDs that Mutate knows; QueueMutation and SetMutation
	// refuse others, and the sign-in page and mockidp/oktaapi's offer them. Zero: any
	// ID goes to Mutate.
	Mutations []string
	// StandingMutations are switched on from the start, at most one for a pair
	// of app and user; SetMutation switches others on and off. Zero: none.
	StandingMutations []StandingMutation

	// Strict refuses what some identity providers let pass and others don't:
	// a RelayState over the 80 bytes of SAML Bindings 3.4.3, a request whose
	// IssueInstant is more than five minutes off or whose ID isn't an xs:ID, a
	// signed one without Destination (Bindings 3.4.5.2) or NameIDPolicy, one
	// without Issuer, one with a SubjectConfirmation (Profiles 4.1.4.1), and one
	// by HTTP-Redirect with a ds:Signature inside (Bindings 3.4.4.1).
	// Zero: they pass.
	Strict bool

	// OddPaths puts all pages under a path that is made up at each start, and
	// makes up the IDs, keys and issuers of apps that give none, so that
	// nobody builds on what an address looks like. Zero: Okta's paths, or
	// Entra's for apps with that profile.
	OddPaths bool

	// SessionLifetime is how long a browser stays signed in here. Zero: 2 h.
	SessionLifetime time.Duration

	// Now is the clock. Zero: time.Now.
	Now func() time.Time

	// Rand is where identifiers, session tokens and serial numbers come from;
	// it is read under a lock. Zero: crypto/rand. With Rand or Seed, Key and
	// Now given the same calls in the same order yield the same bytes.
	Rand io.Reader

	// Seed makes Rand a stream that depends on nothing else, for tests that
	// must repeat; session tokens can then be guessed. It doesn't reach keys:
	// crypto/rsa takes no seed, so give Key. Zero: Rand is what it is.
	Seed uint64

	// Logger hears about sign-ins, answers and refusals. Zero: nothing is
	// logged. Messages and passwords never are.
	Logger *slog.Logger
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	c.Org = cmp.Or(c.Org, "Mock organisation")
	c.SessionLifetime = cmp.Or(c.SessionLifetime, 2*time.Hour)
	c.MaxFailures = cmp.Or(c.MaxFailures, 10)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if len(c.Users) == 0 {
		c.Users = []User{{Login: DefaultLogin, FirstName: "Alice", LastName: "Example"}}
		c.Hint = cmp.Or(c.Hint, "Sign in as "+DefaultLogin+", password "+DefaultPassword)
	}
	if len(c.Apps) == 0 {
		c.Apps = []App{{Label: defaultAppLabel, Groups: []string{Everyone}}}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
		if c.Seed != 0 {
			c.Rand = seeded(c.Seed)
		}
	}
	return c
}

// check refuses what no default can mend.
func (c Config) check() *Error {
	if c.SessionLifetime < 0 {
		return badConfig("Config.SessionLifetime is negative: %v", c.SessionLifetime)
	}
	if c.Seed != 0 && c.Rand != nil {
		return badConfig("Config.Seed and Config.Rand exclude each other")
	}
	if err := checkText("Config.Org", c.Org); err != nil {
		return err
	}
	if c.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || !webScheme(u.Scheme) || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return &Error{Reason: ReasonConfig, Detail: "Config.BaseURL is not a scheme and a host",
			Want: "http://idp.localhost:8701", Got: withoutUser(c.BaseURL)}
	}
	return nil
}

// Org returns Config.Org, or what stands in its place.
func (s *Server) Org() string { return s.config.Org }

// MutationIDs returns Config.Mutations.
func (s *Server) MutationIDs() []string { return slices.Clone(s.config.Mutations) }

func webScheme(s string) bool { return s == "http" || s == "https" }

// seeded is a stream of bytes that depends on the seed alone.
func seeded(seed uint64) io.Reader {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return mathrand.NewChaCha8(key)
}
