package portal

import (
	"cmp"
	"context"
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

// Directory answers the portal's questions about users and Regions, at once and from the Region's own copy.
// *center.View and *center.Snapshot are directories. The portal owns the slices it returns.
type Directory interface {
	// User finds a user by exact userName, inactive ones too.
	User(userName string) (center.User, bool)
	// UserByID finds a user by ID, inactive ones too.
	UserByID(id string) (center.User, bool)
	// Accounts and Applications return what is assigned to an active user in all Regions, in the order to show it.
	Accounts(userID string) []center.AccountAccess
	Applications(userID string) []center.Application
	// Regions returns the Regions, the primary first. List the portal URLs of each Region in the same order (IPv4 first,
	// say), because links lead from one to the URL at the same index.
	Regions() []center.Region
}

// Unsolicited says what to do with a sign-in that the identity provider began (IdP-initiated, Profiles 4.1.5), which
// answers no request.
type Unsolicited int

const (
	// Ask, the zero value, accepts the sign-in, because users begin at a tile of their identity provider. A user who is
	// signed in here as another one is asked first. An attacker can sign a browser in to the attacker's account if no
	// user is signed in there.
	Ask Unsolicited = iota
	// Restart drops it and starts a sign-in of this portal's own, which is silent while the user has a session at the
	// identity provider. It is safe against such attacks.
	Restart
	// Refuse refuses it.
	Refuse
)

// Config describes a portal. New copies it.
type Config struct {
	// Region is the name of the Region that this portal serves. The Directory must know it, and the SP must have an ACS
	// endpoint in it. Required.
	Region string
	// SP is the service provider, the same one in every Region. Required.
	SP *saml.ServiceProvider
	// Directory knows the users and their access. Required.
	Directory Directory

	// Store keeps requests, replay records and sign-ins in progress. The nodes of a Region must share it. Otherwise only
	// the node that accepted a response notices its replay. Required.
	Store acs.Store
	// Sessions keeps the sessions. The nodes of a Region share it. Nil: a [sessions.MemoryStore].
	Sessions sessions.Store
	// Codes hand sign-ins from one origin to another. Portals of several Regions that share them hand sign-ins to each
	// other. Nil: codes are kept in Store, and only lead from this Region's consumers to its portals.
	Codes Codes
	// Replication says how fresh the data of the other Regions is, for the pages. Nil: the data is always fresh, because
	// this process is the only one.
	Replication Replication
	// MaxStaleness is how long another active Region may not have been heard before sessions are refused here, because
	// they may have been ended there. It trades sign-in during a partition for certainty: with it, the loss of one
	// Region stops all others so much later. Zero: never. It needs Replication.
	MaxStaleness time.Duration
	// SessionLifetime is the maximum lifetime of a session, from sign-in. An earlier SessionNotOnOrAfter wins. It must
	// be the same in every Region, and at most the MaxSession of the Nodes of package replica: the end of a session is
	// remembered for that long, and a session with a longer lifetime elsewhere would become valid again. Zero: 8 h.
	SessionLifetime time.Duration
	// IdleTimeout is how long a session lasts without a request. A value not under SessionLifetime has no effect. Zero:
	// 1 h.
	IdleTimeout time.Duration

	// Operator says who may use PathOperator and end other users' sessions there. Nil: no user.
	Operator func(center.User) bool

	// Unsolicited says what happens to a sign-in that the identity provider began. Zero: Ask.
	Unsolicited Unsolicited
	// RelayStateOrigins are origins such as "https://wiki.example" that a sign-in begun by the identity provider may
	// lead to. Anyone who can write a link at the identity provider can send a user there after sign-in. Empty: only the
	// portal's own origins.
	RelayStateOrigins []string

	// ClientAddr returns the IP address of a client. It bounds how many unfinished sign-ins a client can have, and how
	// much memory its responses take while they arrive (see acs.Config). Behind a proxy r.RemoteAddr is the proxy's
	// address, so all clients together get the share of one: return the address that your proxy puts into the request,
	// never a value that a client could have put there. Nil: r.RemoteAddr.
	ClientAddr func(*http.Request) string

	// Context ends the portal's probe (see PathHealth), which is its only goroutine. After that PathHealth answers 503.
	// Nil: context.Background().
	Context context.Context
	// ProbeEvery is the interval of the probe. Each probe writes to Store, and to Sessions if they are a Prober. Zero: 3
	// s.
	ProbeEvery time.Duration

	// Now is the clock for sessions. Nil: SP.Now. The two should agree.
	Now func() time.Time
	// Logger receives a record for every sign-in, refusal and sign-out, without assertions, cookies or other secrets.
	// Nil: slog.Default().
	Logger *slog.Logger
	// OnVerdict is called with every verdict on a SAML response. Nil: no call.
	OnVerdict func(context.Context, acs.Verdict)
	// OnSignIn is called with the result of an accepted response: a session, or a refusal by the portal. There is no
	// call if the user decides to stay signed in as another user or doesn't come back, and none for a handoff. Nil: no
	// call.
	OnSignIn func(context.Context, SignIn)
}

// SignIn is the result of an accepted response.
type SignIn struct {
	Time        time.Time
	Reference   string // on a refused user's page; empty if accepted
	Region      string
	UserName    string // the NameID, whether or not a user has it
	Unsolicited bool   // whether the sign-in began at the identity provider
	Accepted    bool
	Reason      Reason // of the refusal; empty if accepted
}

// check fills in the defaults and refuses invalid values.
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
	// An absolute URL of the portal itself is as good as a path.
	c.RelayStateOrigins = append(slices.Clone(c.RelayStateOrigins), origins(c.Directory.Regions()[i].PortalURLs)...)
	return nil
}

func (c *Config) defaults() {
	if c.Now == nil {
		c.Now = c.SP.Now
	}
	if c.Sessions == nil {
		c.Sessions = sessions.NewMemoryStore(sessions.MemoryConfig{Region: c.Region})
	}
	if c.Codes == nil {
		c.Codes = NewCodes(c.Store)
	}
	c.Context = cmp.Or(c.Context, context.Background())
	c.ProbeEvery = cmp.Or(c.ProbeEvery, 3*time.Second)
	c.SessionLifetime = cmp.Or(c.SessionLifetime, 8*time.Hour)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, time.Hour)
	c.Logger = cmp.Or(c.Logger, slog.Default())
}

func badConfig(field, want, got string) error { return newError(ReasonConfig, field, want, got) }
