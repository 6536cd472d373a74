package middleware

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// Config describes a Guard. New validates and copies it.
type Config struct {
	// Config describes the Region: SP, Region and Store are required. OnLogin, EndSessions, LoginPath, RefusedPath and
	// DiscoveredPath are the Guard's own and must be zero. LoginOptions is also what a sign-in asks for that Require
	// begins, without its ReturnTo. With several identity providers, ChooseIdP, DiscoveryURL or LoginOptions is required.
	// With Accept a user who is signed in is asked before the session changes to another user. One who isn't can be
	// signed in by another site, to an account of the attacker.
	acs.Config

	// Sessions keeps the sessions. The nodes of a Region share it. Required.
	Sessions sessions.Store
	// AllRegions says that Sessions ends sessions in every Region of SP, as the store of package portal/replica does, or
	// one that all Regions share. Otherwise the answer to a logout by an identity provider is PartialLogout if SP has
	// several Regions.
	AllRegions bool
	// SessionLifetime is the maximum lifetime of a session, from sign-in. An earlier SessionNotOnOrAfter wins. Zero: 8 h.
	SessionLifetime time.Duration
	// IdleTimeout is how long a session lasts without a request. Zero: 1 h.
	IdleTimeout time.Duration
	// CookieName is the name of the session's cookie, which begins with "__Host-", so that browsers accept it only from
	// this host and only with Secure. Two programs at one host need two names, also at two ports, because cookies ignore
	// ports. Empty: "__Host-meridian-session".
	CookieName string
	// Paths are the paths of the Guard's own pages.
	Paths Paths

	// Admit decides whether a user whose assertion is accepted may sign in, and returns the user. After an error the user
	// gets the page of [acs.Login.MissingAttributes], so Admit can decode the attributes that the program requires. Nil:
	// every user may, and the NameID identifies the user. With transient NameIDs that is another user in each sign-in:
	// return the subject-id, or another attribute that stays.
	Admit func(*saml.Assertion) (User, error)
	// KeepAttributes lists the Names of the attributes that a session keeps. They may have 40 KiB in all: a sign-in with
	// more is refused. Nil: all attributes.
	KeepAttributes []string
	// KeepForms keeps a form that a user posts after the session has ended by age or idleness, while the user signs in
	// again, and then offers to send it. It is kept only if it came from a page of this origin in a window of its own,
	// and only while Sessions still has the ended session. It is sent once, to the same path, by the same user. It has
	// at most 32 KiB, in the encoding application/x-www-form-urlencoded, and is in Store for 15 min, at most one for
	// each ended session. False: such a POST gets 401, and the form is lost.
	KeepForms bool
}

// User is who signed in.
type User struct {
	// ID identifies the user at the identity provider, and is the same in each sign-in. Users of two identity providers
	// are two users, also with the same ID. Empty: the NameID.
	ID string
	// Name is shown to the user. Empty: the NameID's value.
	Name string
}

// Paths are the paths of a Guard's own pages. Each has a default that begins with "/saml/".
type Paths struct {
	Login      string // GET starts a sign-in, with the parameter return_to. Empty: /saml/login
	Logout     string // POST signs out here and at the identity provider. Empty: /saml/logout
	Metadata   string // GET shows the service provider's metadata. Empty: /saml/metadata
	Continue   string // finishes a sign-in, or asks the user first. Empty: /saml/continue
	Refused    string // see acs.Config.RefusedPath. Empty: /saml/refused
	Discovered string // see acs.Config.DiscoveredPath, with DiscoveryURL. Empty: /saml/discovered
	// Home is the program's page to which users return without another place to return to. Empty: "/".
	Home string
}

func (p Paths) withDefaults() Paths {
	return Paths{
		Login: cmp.Or(p.Login, "/saml/login"), Logout: cmp.Or(p.Logout, "/saml/logout"),
		Metadata: cmp.Or(p.Metadata, "/saml/metadata"), Continue: cmp.Or(p.Continue, "/saml/continue"),
		Refused: cmp.Or(p.Refused, "/saml/refused"), Discovered: cmp.Or(p.Discovered, "/saml/discovered"),
		Home: cmp.Or(p.Home, "/"),
	}
}

const hostPrefix = "__Host-"

// setDefaults checks the fields and replaces zero values by the defaults.
func (cfg *Config) setDefaults() error {
	cfg.Paths = cfg.Paths.withDefaults()
	cfg.CookieName = cmp.Or(cfg.CookieName, hostPrefix+"meridian-session")
	p := cfg.Paths
	for _, path := range []string{p.Login, p.Logout, p.Metadata, p.Continue, p.Refused, p.Discovered, p.Home} {
		if acs.LocalPath(path) == "" || strings.ContainsAny(path, "?#{};,") {
			return badConfig("Config.Paths", "a path without a query", path)
		}
	}
	switch {
	case cfg.SP == nil:
		return badConfig("Config.SP", "a service provider", "")
	case cfg.OnLogin != nil || cfg.EndSessions != nil:
		return badConfig("Config.OnLogin, EndSessions", "nil, because they are the Guard's own", "")
	case cfg.LoginPath != "" || cfg.RefusedPath != "" || cfg.DiscoveredPath != "":
		return badConfig("Config.LoginPath, RefusedPath, DiscoveredPath", "none: use Config.Paths", "")
	case cfg.Sessions == nil:
		return badConfig("Config.Sessions", "a store of sessions", "")
	case cfg.SP.HasIdPs() && cfg.ChooseIdP == nil && cfg.DiscoveryURL == "" && cfg.LoginOptions == nil:
		return badConfig("Config.ChooseIdP", "ChooseIdP, DiscoveryURL or LoginOptions for several identity providers", "")
	case cfg.SessionLifetime < 0 || cfg.IdleTimeout < 0:
		return badConfig("Config.SessionLifetime, IdleTimeout", "zero or more", "")
	case !isCookieName(cfg.CookieName):
		return badConfig("Config.CookieName", hostPrefix+" and letters, digits, - or _", cfg.CookieName)
	}
	cfg.SessionLifetime = cmp.Or(cfg.SessionLifetime, 8*time.Hour)
	cfg.IdleTimeout = cmp.Or(cfg.IdleTimeout, time.Hour)
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	cfg.KeepAttributes = slices.Clone(cfg.KeepAttributes)
	return nil
}

func isCookieName(name string) bool {
	rest, ok := strings.CutPrefix(name, hostPrefix)
	return ok && rest != "" && len(rest) <= 64 && !strings.ContainsFunc(rest, func(c rune) bool {
		return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}
