package portal

import (
	"cmp"
	"context"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/residency"
	"github.com/meridian-saml/meridian/portal/shortcuts"
	"github.com/meridian-saml/meridian/saml"
)

// Directory provides users and Regions. It answers from the Region's own copy and never waits. *center.View and
// *center.Snapshot implement it. The portal owns the slices that it returns. Operators find users (see PathPeople) if
// it is a *center.Snapshot or has the method Snapshot of *center.View.
type Directory interface {
	// UserOf returns the user of the identity provider with this entity ID who has exactly this userName, even if
	// inactive. It must not return a user of another one: see center.Snapshot.UserOf. Sign-in calls it.
	UserOf(identityProvider, userName string) (center.User, bool)
	// IdentityProviders returns the identity providers whose users it has. None: all users are of the only one.
	IdentityProviders() []center.IdentityProvider
	// User returns the only user with exactly this userName, even if inactive. It is for operators.
	User(userName string) (center.User, bool)
	// UserByID returns the user with this ID, even if inactive.
	UserByID(id string) (center.User, bool)
	// AccountSets and Applications return an active user's assignments in all Regions, in the order in which pages show
	// them.
	AccountSets(userID string) []center.AccountSets
	Applications(userID string) []center.Application
	// RoleOf returns a role of an active user. It reports false if that isn't assigned to the user.
	RoleOf(userID, accountID, permissionSet string) (center.Role, bool)
	// PermissionSet returns the permission set with this name, whether or not the user has it.
	PermissionSet(name string) (center.PermissionSet, bool)
	// Regions returns the Regions, the primary first. The portal URLs of all Regions must be in the same order, such as
	// IPv4 first: a link leads to the URL at the same index.
	Regions() []center.Region
}

// Unsolicited controls sign-ins that begin at the identity provider (IdP-initiated, Profiles 4.1.5). Their responses
// answer no request.
type Unsolicited int

const (
	// Ask, the zero value, accepts the sign-in, for users who open the portal from their identity provider. If the
	// browser is signed in here as another user, the portal asks first. If it isn't signed in, an attacker can sign it
	// in to the attacker's account.
	Ask Unsolicited = iota
	// Restart drops the sign-in and starts one from this portal. If the user has a session at the identity provider,
	// the user sees no form. It prevents that attack. If there are several identity providers, the one that sent the
	// response can still sign in any user of its own, and the portal asks before that ends the sign-in of another one's
	// user.
	Restart
	// Refuse refuses the sign-in.
	Refuse
)

// Config describes a portal. New copies it.
type Config struct {
	// Region is the name of the Region that this portal serves. The Directory must know it, and the SP must have an ACS
	// endpoint in it. Required.
	Region string
	// SP is the service provider, the same one in every Region. With saml.Config.IdPs the Directory must list its
	// identity providers, because otherwise any of them could sign in as any user: PROVIDERS.md says how to add a
	// second one. Required.
	SP *saml.ServiceProvider
	// Directory provides the users and their access. Required.
	Directory Directory

	// ChooseIdP, FindIdP and DiscoveryURL choose among several identity providers, as in acs.Config. The answer of a
	// discovery service goes to PathDiscovered on the host of the ACS URL, where the request of ChooseIdP arrives too.
	// A user whose session is idle is sent to the same identity provider again, before any choice. Zero: there is one.
	ChooseIdP    func(*http.Request) string
	FindIdP      func(ctx context.Context, entityID, client string) (*saml.IdP, error)
	DiscoveryURL string

	// Store keeps requests, replay records and sign-ins in progress. The nodes of a Region must share it: otherwise a
	// response that one node has accepted could be replayed at another. Required.
	Store acs.Store
	// Sessions keeps the sessions. The nodes of a Region share it. Nil: a [sessions.MemoryStore].
	Sessions sessions.Store
	// Codes hand sign-ins from one origin to another. Portals of several Regions that share them hand sign-ins to each
	// other. Nil: codes are kept in Store, and handoffs lead only from this Region's consumers to its portals.
	Codes Codes
	// Shortcuts keep what users opened last, and their favorites. Portals that share them show the same. Nil: they are
	// kept in memory.
	Shortcuts shortcuts.Store
	// Replication reports how fresh the data of the other Regions is. Nil: the data is always fresh, because there is
	// only this process.
	Replication Replication
	// MaxStaleness is the maximum time without data from another active Region. After that, sessions are refused here,
	// because they may have been ended there. This costs availability: that long after one Region is lost, all others
	// refuse sessions too. Zero: no maximum. It needs Replication.
	MaxStaleness time.Duration
	// SessionLifetime is the maximum lifetime of a session, from sign-in. An earlier SessionNotOnOrAfter wins. It must
	// be the same in every Region, and at most MaxSession of package replica. Regions remember for that long that a
	// session was ended. A session with a longer lifetime would become valid again. Zero: 8 h.
	SessionLifetime time.Duration
	// IdleTimeout is how long a session lasts without a request. A page that loads itself again makes none. A value of
	// SessionLifetime or more has no effect. Zero: 1 h.
	IdleTimeout time.Duration

	// Operator reports whether a user may use PathOperator, and see and end other users' sessions at PathPeople. With
	// several identity providers compare the ID, or IdentityProvider too: another one may have a user with the same
	// userName. Nil: no user may.
	Operator func(center.User) bool

	// Residency reports where the data of the Region is, for operators, at PathResidency. Node.Residency of package
	// replica has what is replicated; add what the program keeps itself. Nil: there is no such page.
	Residency func(context.Context) (residency.Report, error)
	// RegionAdmin lets operators add and remove Regions. It has an effect in the primary Region only: pages of other
	// Regions lead there. Nil: operators of this portal can't.
	RegionAdmin *RegionAdmin

	// AccessControl keeps the attributes for access control of a sign-in with its session, in Session.Tags of package
	// acs/sessions. Their names begin with [AccessControlAttribute]. The issuer of role credentials gets them from
	// there, such as for AWS's session tags. A sign-in is refused with ReasonAccessControl unless each has exactly one
	// value, of text and of at most 460 bytes, there are at most 50, and they have at most 8 KiB in all. False: they
	// are ignored.
	AccessControl bool
	// Actions are what a user can do with a permission set, as links on its page. A deep link ([PathConsole]) leads to the
	// first. Nil: none, and a deep link leads to the page.
	Actions []Action
	// Credentials issues credentials, which the page of a permission set shows when the user asks for them. Nil: no page
	// shows credentials. With programs (see [Portal.WithClients]) the page also says how they get theirs.
	Credentials CredentialIssuer

	// Unsolicited controls sign-ins that begin at the identity provider. Zero: Ask.
	Unsolicited Unsolicited
	// SignOutURLs are sign-out pages of identity providers, by entity ID. After a sign-out the page links to it if the
	// identity provider has no single logout, or could not be told. Each is an https URL. Nil: none.
	SignOutURLs map[string]string
	// LogoutEndsAll are the entity IDs of identity providers whose LogoutRequests end all sessions of the user, in other
	// browsers too, whatever SessionIndexes they name. It is for those that name the last sign-in of a browser only, such
	// as SimpleSAMLphp: without it a session that the same browser has in another Region goes on. Sessions that begin
	// after the request go on in any case. Nil: a LogoutRequest ends what it names.
	LogoutEndsAll []string
	// ForceAuthnAfterSignOut makes the first sign-in of a browser after a sign-out ask the identity provider to
	// authenticate the user again (ForceAuthn), at this host for 30 days. It doesn't concern a sign-in that begins at
	// the identity provider, unless Unsolicited is Restart. Zero: a user who is still signed in at the identity
	// provider is signed in again without a question.
	ForceAuthnAfterSignOut bool
	// RelayStateOrigins are origins such as "https://wiki.example" to which a sign-in that begins at the identity
	// provider may redirect. An attacker who can set links at the identity provider can send users there after sign-in.
	// Empty: only the portal's own origins.
	RelayStateOrigins []string

	// AWS lets pages name AWS and its products: how AWS's command line gets keys for a role, with programs (see
	// [Portal.WithClients]), and the fields of AWS's app at Okta. False: no page names them, and the page of a permission
	// set doesn't say how a program gets keys.
	AWS bool
	// Theme is the name, logo, colors, languages, support link and notice of all pages. The zero value is the portal's
	// own design.
	Theme theme.Config
	// Templates has files that replace the portal's templates one by one, such as "role.html" or "layout.html":
	// TEMPLATES.md lists them with what they can show. New executes each with samples, so that a broken one is an error
	// here. Nil: the portal's own.
	Templates fs.FS
	// RenderPage writes the pages of refusals, questions and signing out in the program's own design, as in acs.Config.
	// The pages for signed-in users stay the portal's. The headers are those of the portal's own pages: replace
	// Content-Security-Policy. Nil: the portal's design.
	RenderPage func(http.ResponseWriter, *http.Request, acs.Page)

	// SOAP describes the calls to identity providers that don't go through the browser, such as the logout of those
	// that have it by SOAP only. The zero value is valid.
	SOAP acs.SOAPConfig
	// ClientAddr returns the IP address of a client. It bounds how many unfinished sign-ins a client can have, and how
	// much memory its responses take while they arrive (see acs.Config). Behind a proxy r.RemoteAddr is the proxy's
	// address, so all clients would share one client's quota. Return the address that your proxy puts into the request,
	// never a value that a client can set. Nil: r.RemoteAddr.
	ClientAddr func(*http.Request) string

	// Context ends the portal's probe (see PathHealth), which is its only goroutine. After that PathHealth answers 503.
	// Nil: context.Background().
	Context context.Context
	// ProbeEvery is the interval of the probe. Each probe writes to Store, and to Sessions if they are a Prober. Zero: 3
	// s.
	ProbeEvery time.Duration

	// Now is the clock for sessions. Nil: SP.Now. The two should agree.
	Now func() time.Time
	// Audit receives the events of the Region: sign-ins and refusals, sessions and their ends, operators' actions. Close
	// it after the portal. Nil: none are kept.
	Audit *audit.Log
	// Logger receives a record for every sign-in, refusal and sign-out, without assertions, cookies or other secrets.
	// Nil: slog.Default().
	Logger *slog.Logger
	// OnVerdict is called with every verdict on a SAML response. Nil: no call.
	OnVerdict func(context.Context, acs.Verdict)
	// OnSignIn is called with the result of an accepted response: a session, or a refusal by the portal. It is not
	// called if the user decides to stay signed in as another user or doesn't return, and not for a handoff. Nil: no
	// call.
	OnSignIn func(context.Context, SignIn)
	// Observer watches responses, logouts and sign-ins, for metrics and traces. Nil: none.
	Observer acs.Observer
}

// SignIn is the result of an accepted response.
type SignIn struct {
	Time        time.Time
	Reference   string // on a refused user's page; empty if accepted
	Region      string
	IdP         string // the entity ID of the identity provider
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
	case c.Audit != nil && c.Audit.Region() != c.Region:
		return badConfig("Config.Audit", "a Log of Region "+c.Region, c.Audit.Region())
	case c.SP.HasIdPs() && len(c.Directory.IdentityProviders()) == 0:
		const want = "a list, which Tx.AdoptIdentityProvider of package center makes, with saml.Config.IdPs (PROVIDERS.md)"
		return badConfig("identity providers of Config.Directory", want, "none")
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
	for entityID, to := range c.SignOutURLs {
		if !isSignOutURL(to) {
			const want = "an https URL without user information"
			return badConfig("Config.SignOutURLs["+strconv.Quote(entityID)+"]", want, refusal.WithoutUser(to))
		}
	}
	if err := checkActions(c.Actions); err != nil {
		return err
	}
	if slices.Contains(c.LogoutEndsAll, "") {
		return badConfig("Config.LogoutEndsAll", "entity IDs", "")
	}
	i := slices.IndexFunc(c.Directory.Regions(), func(r center.Region) bool { return r.Name == c.Region })
	if i < 0 {
		return badConfig("Config.Region", "a Region that the Directory knows", c.Region)
	}
	if err := c.RegionAdmin.check(c.Region); err != nil {
		return err
	}
	c.defaults()
	// An absolute URL of the portal itself is as good as a path.
	c.Actions = slices.Clone(c.Actions)
	c.SignOutURLs, c.LogoutEndsAll = maps.Clone(c.SignOutURLs), slices.Clone(c.LogoutEndsAll)
	c.RelayStateOrigins = append(slices.Clone(c.RelayStateOrigins), origins(c.Directory.Regions()[i].PortalURLs)...)
	return nil
}

// isSignOutURL reports whether a link may lead to a URL: https, or http of this machine.
func isSignOutURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Hostname() != "" && u.User == nil &&
		(u.Scheme == "https" || u.Scheme == "http" && saml.IsLoopback(u.Hostname()))
}

func (c *Config) defaults() {
	if c.Now == nil {
		c.Now = c.SP.Now
	}
	if c.Sessions == nil {
		c.Sessions = sessions.NewMemoryStore(sessions.MemoryConfig{Region: c.Region})
	}
	if c.Shortcuts == nil {
		c.Shortcuts = shortcuts.NewMemoryStore()
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

// newTheme returns the theme of a portal, with the texts of the portal's own pages.
func newTheme(cfg theme.Config) (*theme.Theme, error) {
	texts, err := fs.Sub(files, "texts")
	if err != nil {
		panic("portal: " + err.Error()) // the embedded files are wrong
	}
	cfg.Name = cmp.Or(cfg.Name, defaultName)
	out, err := theme.New(cfg, texts)
	if err != nil {
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.Theme", Err: err}
	}
	return out, nil
}
