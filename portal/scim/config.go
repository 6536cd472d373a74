package scim

import (
	"cmp"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

const (
	defaultMaxBody    = 4 << 20
	defaultMaxResults = 100
	minToken          = 20 // bytes of a bearer token
)

// A View is a Region's view of the instance; *center.View is one.
type View interface {
	// RegionName returns the name of this endpoint's Region.
	RegionName() string
	// Snapshot returns the current instance: the same pointer until it changes.
	Snapshot() *center.Snapshot
	// Update makes a change as a whole, or returns an error and changes nothing.
	Update(change func(*center.Tx) error) error
}

// A Change describes the effect of a request on the instance.
type Change struct {
	Action Action
	// Resource is "User" or "Group"; Name is its userName or displayName.
	Resource, ID, Name string
	// IdentityProvider is the entity ID of the user's or group's identity provider. Empty: the instance lists none.
	IdentityProvider string
	// EndsAccess reports whether the user was deleted, or changed from active to inactive.
	EndsAccess bool
	// Unconfirmed reports whether the update failed but may have been made. The response was 503. If the client repeats
	// the request and the change was made, it is not reported again.
	Unconfirmed bool
}

// An Action is the kind of change to a user or a group.
type Action string

// The actions.
const (
	ActionCreated Action = "created"
	ActionChanged Action = "changed"
	ActionDeleted Action = "deleted"
)

// Config describes a Server. New copies it.
type Config struct {
	// View is this Region's view of the instance. In a Region other than the primary every request is refused.
	// Required.
	View View
	// BaseURL is the absolute URL that is configured in the client, without a query, such as
	// https://scim.us-east-1.example/d-9067f1a2b3/scim/v2. Locations are built from it and never from a request; its
	// path is the prefix of every endpoint. Plain http is allowed for loopback only, because it exposes the tokens.
	// Required.
	BaseURL string

	// Tokens are the valid bearer tokens of an instance with one identity provider, each of at least 20 bytes. Several
	// tokens allow one to be replaced without an interruption. A client with a token can create users, and so controls
	// who may sign in.
	Tokens []string
	// TokensOf are the valid bearer tokens of an instance that lists its identity providers, by entity ID. A client sees
	// and changes only the users and groups of its token's identity provider.
	TokensOf map[string][]string
	// TokenHashes returns further valid tokens. It is called at every request and must not block. Nil: none. Tokens,
	// TokensOf or TokenHashes is required.
	TokenHashes func() []Token

	// MaxBody is the largest request body, in bytes. Zero: 4 MiB.
	MaxBody int64
	// MaxResults is the largest and the default number of resources of a page. Zero: 100.
	MaxResults int

	// OnChange is called once for each change, after the change was made and before the response. It is also called for
	// an end of access that may have been made (Unconfirmed), because ending a session needlessly costs less than
	// keeping one. It runs on the request's goroutine, so calls may be concurrent. Nil: no call.
	OnChange func(Change)
	// Logger logs every request. Nil: slog.Default().
	Logger *slog.Logger
}

// Server is a SCIM service provider (RFC 7643 1.1), an http.Handler. It is safe for concurrent use.
type Server struct {
	cfg    Config
	base   string // without a trailing slash
	prefix string // the escaped path of base
	tokens []Token
	writer *writer

	mu      sync.Mutex // guards cached and stateOf
	cached  states
	stateOf *center.Snapshot // that cached was made from
}

// New checks the Config and returns a Server. Its error is an *Error with ReasonConfig.
func New(c Config) (*Server, error) {
	u, err := url.Parse(c.BaseURL)
	badURL := err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil ||
		strings.ContainsAny(c.BaseURL, "?#")
	switch {
	case c.View == nil:
		return nil, refuse(ReasonConfig, "View", "the view of a Region", "")
	case badURL:
		const want = "an absolute http or https URL without user information, query and fragment"
		return nil, refuse(ReasonConfig, "BaseURL", want, refusal.WithoutUser(c.BaseURL))
	case u.Scheme == "http" && !center.IsLoopback(u.Hostname()):
		const want = "https (plain http is for loopback only)"
		return nil, refuse(ReasonConfig, "BaseURL", want, refusal.WithoutUser(c.BaseURL))
	case len(c.Tokens) == 0 && len(c.TokensOf) == 0 && c.TokenHashes == nil:
		return nil, refuse(ReasonConfig, "Tokens", "a token, TokensOf or TokenHashes", "")
	case c.MaxBody < 0 || c.MaxResults < 0:
		return nil, refuse(ReasonConfig, "MaxBody and MaxResults", "no negative number", "")
	}
	s := &Server{cfg: c, base: strings.TrimRight(c.BaseURL, "/"), prefix: strings.TrimRight(u.EscapedPath(), "/"),
		writer: &writer{view: c.View, turn: make(chan struct{}, 1)}}
	if err := s.addTokens("Tokens", "", c.Tokens); err != nil {
		return nil, err
	}
	for idp, list := range c.TokensOf {
		if idp == "" || len(list) == 0 {
			return nil, refuse(ReasonConfig, "TokensOf", "an entity ID, and its tokens", idp)
		}
		if err := s.addTokens("TokensOf", idp, list); err != nil {
			return nil, err
		}
	}
	s.cfg.Tokens, s.cfg.TokensOf = nil, nil
	s.cfg.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	s.cfg.MaxResults = cmp.Or(c.MaxResults, defaultMaxResults)
	if s.cfg.OnChange == nil {
		s.cfg.OnChange = func(Change) {}
	}
	s.cfg.Logger = cmp.Or(c.Logger, slog.Default())
	return s, nil
}

// addTokens checks the tokens of an identity provider, and adds them. No error shows a token.
func (s *Server) addTokens(field, idp string, list []string) error {
	for _, t := range list {
		if len(t) < minToken {
			return refuse(ReasonConfig, field, "at least 20 bytes in each", "")
		}
		if strings.TrimSpace(t) != t { // no request could send it
			return refuse(ReasonConfig, field, "no space or line break at either end", "")
		}
		added := Token{Hash: HashToken(t), IdentityProvider: idp}
		if slices.ContainsFunc(s.tokens, func(o Token) bool { return o.Hash == added.Hash && o.IdentityProvider != idp }) {
			return refuse(ReasonConfig, field, "each token for one identity provider", idp)
		}
		s.tokens = append(s.tokens, added)
	}
	return nil
}
