package portal

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// What a zero Config stands for.
const (
	defaultSessionLifetime = 8 * time.Hour
	defaultIdleTimeout     = time.Hour
	defaultProbeEvery      = 3 * time.Second
)

// A Directory is what the portal asks about people and Regions. It answers
// from the Region's own copy, at once; *center.View and *center.Snapshot are
// directories. The slices it returns are the portal's.
type Directory interface {
	// User finds a user by exact userName, inactive ones too.
	User(userName string) (center.User, bool)
	// UserByID finds a user by ID, inactive ones too.
	UserByID(id string) (center.User, bool)
	// Accounts and Applications return what is assigned to an active user in
	// all Regions, in the order to show it.
	Accounts(userID string) []center.AccountAccess
	Applications(userID string) []center.Application
	// Regions returns the Regions, the primary first. The order of the portal
	// URLs should be the same in every Region (IPv4 first, say), because people
	// are led from one to the one in the same place.
	Regions() []center.Region
}

// Unsolicited says what to do with a sign-in that the identity provider began
// (IdP-initiated, Profiles 4.1.5): that answers no request.
type Unsolicited int

const (
	// Ask is the zero value. The sign-in is accepted, because users begin at a
	// tile of their identity provider. A user who is signed in here as another one
	// is asked first. A browser in which no user is signed in can be signed in by
	// an attacker, to the attacker's account.
	Ask Unsolicited = iota
	// Restart drops it and starts a sign-in of this portal's own, which is silent
	// while the identity provider has a session. It is safe against such attacks.
	Restart
	// Refuse refuses it.
	Refuse
)

// policy is the same for package acs, whose zero value refuses.
func (u Unsolicited) policy() acs.Unsolicited {
	return [...]acs.Unsolicited{Ask: acs.Accept, Restart: acs.Restart, Refuse: acs.Refuse}[u]
}

// Config describes a portal. New copies it.
type Config struct {
	// Region is the name of the Region that this portal serves. The Directory
	// must know it, and the SP must have an ACS endpoint in it. Required.
	Region string
	// SP is the service provider, the same one in every Region. Required.
	SP *saml.ServiceProvider
	// Directory says who is who and who may do what. Required.
	Directory Directory

	// Store keeps requests, replay records and sign-ins in progress. The nodes
	// of one Region must share it, or replay is only noticed by the same node.
	// Required.
	Store acs.Store
	// Sessions keeps the sessions. The nodes of one Region share it.
	// Nil: a [sessions.MemoryStore].
	Sessions sessions.Store
	// Codes hand sign-ins from one origin to another. Portals of several
	// Regions that have it in common hand them to each other. Nil: codes are
	// kept in Store, and only go from this Region's consumers to its portals.
	Codes Codes
	// Replication says how fresh the data of the other Regions is, and pages
	// show it. Nil: this process is all there is.
	Replication Replication
	// MaxStaleness is how long another active Region may not have been heard
	// before sessions are refused here, because they may have been ended there.
	// It trades sign-in during a partition for certainty: with it, the loss of
	// one Region stops all the others so much later. Zero: never. It needs
	// Replication.
	MaxStaleness time.Duration
	// SessionLifetime is how long a session lasts at most, from sign-in. Zero: 8 h.
	// An earlier SessionNotOnOrAfter wins. It must be the same in every Region, and
	// not more than the MaxSession of the Nodes of package replica: what ends a
	// session is remembered for that long, and a session that lives longer elsewhere
	// would come back to life.
	SessionLifetime time.Duration
	// IdleTimeout is how long a session lasts without a request. Zero: 1 h. A value
	// not under SessionLifetime has no effect.
	IdleTimeout time.Duration

	// Operator says who may see PathOperator and end other people's sessions
	// there. Nil: no user.
	Operator func(center.User) bool

	// Unsolicited says what happens to a sign-in that the identity provider
	// began. Zero: Ask.
	Unsolicited Unsolicited
	// RelayStateOrigins are origins such as "https://wiki.example" that a
	// sign-in begun by the identity provider may lead to. Empty: none but the
	// portal's own. Every origin here can be made the end of somebody's
	// sign-in by whoever can write a link at the identity provider.
	RelayStateOrigins []string

	// ClientAddr returns the IP address of a client. It bounds how many sign-ins
	// one client can have begun and not finished, and how much memory its
	// responses take while they arrive (see acs.Config). Nil:
	// r.RemoteAddr. Behind a proxy that is the proxy's address, so all people
	// together get the part of one: return what your proxy puts into the
	// request then, and never what a client could have put there.
	ClientAddr func(*http.Request) string

	// Context ends the portal's probe of itself (see PathHealth), and with it the
	// only goroutine that the portal has. After that PathHealth answers 503. Nil:
	// context.Background(), for a portal that lives as long as its process.
	Context context.Context
	// ProbeEvery is how often the portal probes what a sign-in needs. Each probe
	// writes to Store, and to Sessions that are a Prober. Zero: 3 s.
	ProbeEvery time.Duration

	// Now is the clock for sessions. Nil: SP.Now, and the two should agree.
	Now func() time.Time
	// Rand is where secrets and references come from; it must be safe for
	// concurrent use. Nil: crypto/rand.
	Rand io.Reader
	// Logger receives one record for every sign-in, refusal and sign-out. No
	// assertion, cookie or other secret is in any. Nil: slog.Default().
	Logger *slog.Logger
	// OnVerdict is told every verdict on a SAML response. Nil: it is not called.
	OnVerdict func(context.Context, acs.Verdict)
	// OnSignIn is told what became of a response that was accepted: a session,
	// or a refusal of the portal's own. Nothing becomes of one whose person
	// stays who they are, or does not come back. A handoff is no response.
	// Nil: it is not called.
	OnSignIn func(context.Context, SignIn)
}

// SignIn is what became of an accepted response.
type SignIn struct {
	Time      time.Time
	Reference string // what a refused person's page shows; empty if accepted
	Region    string
	UserName  string // the NameID, whether or not a user has it
	// Unsolicited says that the sign-in began at the identity provider.
	Unsolicited bool
	Accepted    bool
	Reason      Reason // why not, empty if accepted
}

// check fills in what zero values stand for and refuses what can't work.
func (c *Config) check() error {
	switch {
	case c.Region == "":
		return badConfig("Config.Region", "the name of a Region", "")
	case c.SP == nil:
		return badConfig("Config.SP", "a service provider", "nil")
	case c.Directory == nil:
		return badConfig("Config.Directory", "a directory", "nil")
	case c.Store == nil:
		return badConfig("Config.Store", "a store", "nil")
	case c.Unsolicited < Ask || c.Unsolicited > Refuse:
		return badConfig("Config.Unsolicited", "Ask, Restart or Refuse", strconv.Itoa(int(c.Unsolicited)))
	case c.SessionLifetime < 0:
		return badConfig("Config.SessionLifetime", "zero or more", c.SessionLifetime.String())
	case c.IdleTimeout < 0:
		return badConfig("Config.IdleTimeout", "zero or more", c.IdleTimeout.String())
	case c.ProbeEvery < 0:
		return badConfig("Config.ProbeEvery", "zero or more", c.ProbeEvery.String())
	case c.MaxStaleness < 0:
		return badConfig("Config.MaxStaleness", "zero or more", c.MaxStaleness.String())
	case c.MaxStaleness > 0 && c.Replication == nil:
		return badConfig("Config.MaxStaleness", "zero without Replication", c.MaxStaleness.String())
	}
	i := slices.IndexFunc(c.Directory.Regions(), func(r center.Region) bool { return r.Name == c.Region })
	if i < 0 {
		return badConfig("Config.Region", "a Region that the Directory knows", c.Region)
	}
	c.defaults()
	// An absolute URL that leads back here is as good as a path.
	c.RelayStateOrigins = append(slices.Clone(c.RelayStateOrigins), origins(c.Directory.Regions()[i].PortalURLs)...)
	return nil
}

func (c *Config) defaults() {
	if c.Now == nil {
		c.Now = c.SP.Now
	}
	c.Now = wall(c.Now)
	if c.Sessions == nil {
		c.Sessions = sessions.NewMemoryStore(sessions.MemoryConfig{Region: c.Region})
	}
	if c.Codes == nil {
		c.Codes = NewCodes(c.Store)
	}
	c.Context = cmp.Or(c.Context, context.Background())
	c.ProbeEvery = cmp.Or(c.ProbeEvery, defaultProbeEvery)
	c.SessionLifetime = cmp.Or(c.SessionLifetime, defaultSessionLifetime)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, defaultIdleTimeout)
	c.Rand = cmp.Or(c.Rand, rand.Reader)
	c.Logger = cmp.Or(c.Logger, slog.Default())
}

// wall is a clock without Go's monotonic reading. Lifetimes of sessions and
// codes are by the wall clock in every process that knows them; the monotonic
// one stands still while a machine is suspended, and a session that was made
// before would live on in the process that made it, and nowhere else.
func wall(now func() time.Time) func() time.Time {
	return func() time.Time { return now().Round(0) }
}

func badConfig(field, want, got string) error {
	return &Error{Reason: ReasonConfig, Rule: field, Want: want, Got: got}
}
