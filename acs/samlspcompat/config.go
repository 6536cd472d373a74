package samlspcompat

import (
	"log/slog"
	"net/http"

	"github.com/crewjam/saml/samlsp"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// Config describes a Middleware that has more than samlsp's options.
type Config struct {
	// Options are the program's options of samlsp. See [New] for those that can't be honoured.
	Options samlsp.Options
	// FriendlyNames are the keys under which handlers find attributes, with the Names of each. An attribute is found by
	// its Name, too. A key that is also the Name of an attribute of the assertion is that attribute alone. Empty: only by
	// Name. Some tables are in package saml, such as [saml.LDAPNames].
	FriendlyNames saml.Names
	// Store has the records of requests and replays. A program that runs more than once needs one that all share, such as
	// that of package redisstore. Nil: one in memory.
	Store acs.Store
	// Sessions keeps the sessions. A program that runs more than once needs one that all share. Nil: one in memory, so a
	// restart signs users out.
	Sessions sessions.Store
	// ClientAddr is as in [acs.Config]: set it behind a proxy.
	ClientAddr func(*http.Request) string
	// RenderPage is as in [acs.Config], in place of samlsp's OnError. Nil: acs.WritePage, in the look of PageLook.
	RenderPage func(http.ResponseWriter, *http.Request, acs.Page)
	// PageLook is as in [acs.Config]. Nil: the zero value.
	PageLook func(*http.Request) acs.PageLook
	// Logger is as in [acs.Config]. Nil: slog.Default().
	Logger *slog.Logger
}
