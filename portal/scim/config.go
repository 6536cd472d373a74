package scim

import (
	"cmp"
	"crypto/sha256"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// What a zero Config stands for, and what it can't go beyond.
const (
	defaultMaxBody    = 4 << 20
	defaultMaxResults = 100
	// minToken is the fewest bytes that a bearer token may have.
	minToken = 20
)

// A View is what the endpoint asks of the instance; *center.View is one.
type View interface {
	// RegionName is the Region that this endpoint serves in.
	RegionName() string
	// Snapshot returns the instance as it is now: the same pointer until
	// something changes.
	Snapshot() *center.Snapshot
	// Update makes a change as a whole, or returns an error and changes nothing.
	Update(change func(*center.Tx) error) error
}

// A Change is something that a request did to the instance.
type Change struct {
	Action Action
	// Resource is "User" or "Group"; Name is its userName or displayName.
	Resource, ID, Name string
	// EndsAccess says that a user was deleted, or was active and is no longer.
	EndsAccess bool
	// Unconfirmed says that the instance failed over the change, and may have
	// made it all the same. The client was answered 503. If it tries again and
	// finds it made, nothing changes any more and nobody is told.
	Unconfirmed bool
}

// An Action says what became of a user or a group.
type Action string

// The actions.
const (
	ActionCreated Action = "created"
	ActionChanged Action = "changed"
	ActionDeleted Action = "deleted"
)

// Config describes a service provider. New copies it.
type Config struct {
	// View is the instance as the Region of this endpoint sees it. In another
	// Region than the primary, every request is refused. Required.
	View View
	// BaseURL is the absolute URL that the client was given, without a query,
	// such as https://scim.us-east-1.example/d-9067f1a2b3/scim/v2. Locations
	// are built from it and never from a request, and its path is the prefix
	// of every endpoint. Plain http, by which tokens would cross a network in the
	// clear, is for loopback only. Required.
	BaseURL string

	// Tokens are the bearer tokens that are good, each at least 20 bytes.
	// Several at once allow one to be replaced without a gap. Whoever has one
	// can make users, and so decides who may sign in.
	Tokens []string
	// TokenHashes returns HashToken of further good tokens. It is asked at
	// every request, so tokens can come and go while the endpoint runs, and
	// must answer at once. Nil: none. Tokens and TokenHashes must not both be
	// missing.
	TokenHashes func() [][sha256.Size]byte

	// MaxBody is the largest request body, in bytes. Zero: 4 MiB.
	MaxBody int64
	// MaxResults is how many resources a page of a list has at most, and has
	// when the client doesn't say. Zero: 100.
	MaxResults int

	// OnChange is called after a change was made and before the client hears
	// of it, once for each; and for an end of access that may have been made
	// too (Unconfirmed), since a session that is ended for nothing costs less
	// than one that is left. It runs on the request's goroutine, so several may
	// run at once. Nil: it is not called.
	OnChange func(Change)
	// Logger receives a record for every write and every refusal. Nil:
	// slog.Default().
	Logger *slog.Logger
}

// Server is a SCIM service provider (RFC 7643 1.1): an http.Handler
// that a client pushes users and groups to. It is safe for concurrent use.
type Server struct {
	cfg    Config
	base   string // without a slash at its end
	prefix string // the escaped path of base
	hashes [][sha256.Size]byte
	writer *writer

	indexing sync.Mutex // held while a new index is made
	cached   atomic.Pointer[indexed]
}

// indexed is an index and the snapshot it was made from.
type indexed struct {
	of    *center.Snapshot
	index *index
}

// New checks the configuration and returns a service provider. A refusal is an
// *Error with ReasonConfig.
func New(c Config) (*Server, error) {
	bad := func(what, want, got string) (*Server, error) {
		return nil, refuse(ReasonConfig, what, want, got)
	}
	if c.View == nil {
		return bad("View", "the view of a Region", "")
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || strings.ContainsAny(c.BaseURL, "?#") {
		return bad("BaseURL", "an absolute http or https URL without user information, query and fragment", refusal.WithoutUser(c.BaseURL))
	}
	if u.Scheme == "http" && !center.IsLoopback(u.Hostname()) {
		return bad("BaseURL", "https (plain http is for loopback only)", refusal.WithoutUser(c.BaseURL))
	}
	if len(c.Tokens) == 0 && c.TokenHashes == nil {
		return bad("Tokens", "a token, or TokenHashes", "")
	}
	if c.MaxBody < 0 || c.MaxResults < 0 {
		return bad("MaxBody and MaxResults", "no negative number", "")
	}
	s := &Server{cfg: c, base: strings.TrimRight(c.BaseURL, "/"), prefix: strings.TrimRight(u.EscapedPath(), "/")}
	for _, t := range c.Tokens {
		if len(t) < minToken {
			return bad("Tokens", "at least 20 bytes in each", "") // never the token itself
		}
		if strings.TrimSpace(t) != t { // as if read from a file; no request can bring it
			return bad("Tokens", "no space or line break at either end", "")
		}
		s.hashes = append(s.hashes, HashToken(t))
	}
	s.cfg.Tokens = nil
	s.cfg.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	s.cfg.MaxResults = cmp.Or(c.MaxResults, defaultMaxResults)
	if s.cfg.OnChange == nil {
		s.cfg.OnChange = func(Change) {}
	}
	s.cfg.Logger = cmp.Or(c.Logger, slog.Default())
	s.writer = &writer{view: c.View}
	return s, nil
}
