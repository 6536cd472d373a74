package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

// Any program may register. The Region keeps nothing about it: the client's ID is the sealed registration, and the
// client's secret is sealed too and names the ID. So there is no store that registrations could fill, and they stay
// valid after a restart and at every node.

const (
	registrationLifetime = 90 * 24 * time.Hour
	maxName              = 256 // bytes
	maxRedirects         = 10
	maxScopes            = 25

	kindClient       = "client"
	kindClientSecret = "client secret"
)

// The grants that a program may ask for.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
)

// registration is the value of a client's ID.
type registration struct {
	Name      string   `json:"n"`
	Redirects []string `json:"r,omitempty"`
	Grants    []string `json:"g,omitempty"`
	Scopes    []string `json:"s"`
	StartURL  string   `json:"i,omitempty"`
}

type registerInput struct {
	ClientName   string   `json:"clientName"`
	ClientType   string   `json:"clientType"`
	GrantTypes   []string `json:"grantTypes"`
	RedirectURIs []string `json:"redirectUris"`
	Scopes       []string `json:"scopes"`
	IssuerURL    string   `json:"issuerUrl"`
}

type registerOutput struct {
	AuthorizationEndpoint string `json:"authorizationEndpoint,omitempty"`
	ClientID              string `json:"clientId"`
	ClientIDIssuedAt      int64  `json:"clientIdIssuedAt"`
	ClientSecret          string `json:"clientSecret"`
	ClientSecretExpiresAt int64  `json:"clientSecretExpiresAt"`
	TokenEndpoint         string `json:"tokenEndpoint,omitempty"`
}

func (s *Server) registerClient(ctx context.Context, call *awsapi.Call, in registerInput) (any, error) {
	if err := s.limit(call.HTTP, s.limits.register); err != nil {
		return nil, err
	}
	if err := checkRegistration(in); err != nil {
		return nil, err
	}
	if _, why := s.portalFor(in.IssuerURL); why != nil {
		return nil, noInstance(why)
	}
	now := s.now()
	until := now.Add(registrationLifetime)
	id, err := s.here.Seal(ctx, kindClient, until, registration{
		Name: in.ClientName, Redirects: in.RedirectURIs, Grants: in.GrantTypes, Scopes: in.Scopes, StartURL: in.IssuerURL,
	})
	if err != nil {
		return nil, unavailable("seal of a registration", err)
	}
	secret, err := s.here.Seal(ctx, kindClientSecret, until, fingerprint(id))
	if err != nil {
		return nil, unavailable("seal of a registration", err)
	}
	out := registerOutput{
		ClientID: id, ClientSecret: secret, ClientIDIssuedAt: now.Unix(), ClientSecretExpiresAt: until.Unix(),
	}
	if s.cfg.Endpoint != "" {
		out.AuthorizationEndpoint, out.TokenEndpoint = s.cfg.Endpoint+pathAuthorize, s.cfg.Endpoint+"/token"
	}
	return out, nil
}

// checkRegistration bounds what a registration, and so every ID, can contain.
func checkRegistration(in registerInput) error {
	switch {
	case !isName(in.ClientName):
		return invalidMetadata.with(newError(ReasonInput, "clientName", "1 to 256 printable bytes", ""))
	case in.ClientType != "public":
		return invalidMetadata.with(newError(ReasonInput, "clientType", "public", ""))
	case len(in.IssuerURL) > 512:
		return invalidRequest.with(newError(ReasonInput, "issuerUrl", "at most 512 bytes", ""))
	case len(in.Scopes) > maxScopes || !isSubset(in.Scopes, scopes):
		return invalidScope.with(newError(ReasonInput, "scopes", "scopes of this service", ""))
	case len(in.RedirectURIs) > maxRedirects:
		return invalidRedirect.with(newError(ReasonRedirect, "redirectUris", "at most 10", ""))
	case len(in.GrantTypes) > 3 || !isSubset(in.GrantTypes, []string{grantCode, grantRefresh, grantDevice}):
		return unsupported.with(newError(ReasonInput, "grantTypes", "grants of this service", ""))
	case slices.Contains(in.GrantTypes, grantCode) && len(in.RedirectURIs) == 0:
		return invalidRedirect.with(newError(ReasonRedirect, "redirectUris", "at least one for "+grantCode, ""))
	}
	for _, raw := range in.RedirectURIs {
		if _, _, ok := loopback(raw); !ok {
			return invalidRedirect.with(newError(ReasonRedirect, "redirectUris", redirectForm, ""))
		}
	}
	return nil
}

// maxMarks is how many marks of a name may follow each other. Letters of living languages have up to three or four. A
// browser draws more over the lines around the name.
const maxMarks = 4

// isName reports whether a name can be shown: one line, without characters that hide or reverse others, or that can't
// be seen themselves.
func isName(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.TrimSpace(name) == "" {
		return false
	}
	marks := maxMarks // a first one has no letter
	for _, r := range name {
		if marks++; !unicode.IsMark(r) {
			marks = 0
		}
		if !unicode.IsPrint(r) || marks > maxMarks || r == '\u2800' || // a Braille pattern without dots
			unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) {
			return false
		}
	}
	return true
}

func isSubset(list, of []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(of, s) })
}

// open returns the registration of a client's ID. The error is an exception.
func (s *Server) openClient(ctx context.Context, id string) (registration, error) {
	var out registration
	why, err := opened(s.here.Open(ctx, kindClient, id, &out), ReasonClient, "clientId")
	if why != nil {
		err = invalidClient.with(why)
	}
	return out, err
}

// authenticate returns the registration of a client that has the secret for its ID. The error is an exception.
func (s *Server) authenticate(ctx context.Context, id, secret string) (registration, error) {
	if id == "" || secret == "" {
		return registration{}, invalidRequest.with(newError(ReasonInput, "clientId and clientSecret", "both", ""))
	}
	out, err := s.openClient(ctx, id)
	if err != nil {
		return out, err
	}
	named := ""
	why, err := opened(s.here.Open(ctx, kindClientSecret, secret, &named), ReasonClient, "clientSecret")
	if err != nil {
		return out, err
	}
	if why == nil && subtle.ConstantTimeCompare([]byte(named), []byte(fingerprint(id))) != 1 {
		why = newError(ReasonClient, "clientSecret", "the one of this clientId", "")
	}
	if why != nil {
		return out, invalidClient.with(why)
	}
	return out, nil
}

// may reports whether a client registered for a grant. Without a list, it is a program that shows codes.
func (c registration) may(grant string) bool {
	if len(c.Grants) == 0 {
		return grant != grantCode
	}
	return slices.Contains(c.Grants, grant)
}

// granted returns the scopes that the client has if it asks for no others.
func (c registration) granted() []string {
	if len(c.Scopes) == 0 {
		return []string{awsapi.ScopeAccounts}
	}
	return c.Scopes
}

// scopes are what a program can ask for.
var scopes = []string{awsapi.ScopeAccounts}

// textAccounts is what ScopeAccounts lets a program do, as a key of the portal's texts.
const textAccounts = "access your accounts and roles as you"

// scopeText says what a scope lets a program do.
func scopeText(scope string) string {
	if scope == awsapi.ScopeAccounts {
		return textAccounts
	}
	return scope
}

// fingerprint names a client in what is sealed for it.
func fingerprint(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

const redirectForm = "http://127.0.0.1/oauth/callback or http://[::1]/oauth/callback, with or without a port"

// loopback reads a redirect URI: http, an address of this computer, and the one path. A program can't choose its port
// in advance, so the port isn't part of what is registered (RFC 8252 7.3). "localhost" may be another computer.
func loopback(raw string) (host, port string, ok bool) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		rest, isHost := strings.CutPrefix(raw, "http://"+host)
		port, isPath := strings.CutSuffix(rest, "/oauth/callback")
		if !isHost || !isPath {
			continue
		}
		if port == "" {
			return host, "", true
		}
		digits, hasColon := strings.CutPrefix(port, ":")
		n, err := strconv.ParseUint(digits, 10, 16)
		if hasColon && err == nil && n > 0 && strconv.FormatUint(n, 10) == digits {
			return host, digits, true
		}
	}
	return "", "", false
}

// isRedirect reports whether a redirect URI is a registered one. They are equal but for the port.
func (c registration) isRedirect(raw string) bool {
	host, _, ok := loopback(raw)
	return ok && slices.ContainsFunc(c.Redirects, func(registered string) bool {
		at, _, _ := loopback(registered)
		return at == host
	})
}

// redirectWith returns a redirect URI with parameters. It has none of its own.
func redirectWith(to string, parameters url.Values) string { return to + "?" + parameters.Encode() }

// newSecret returns 256 random bits.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// derived returns a value that depends on a secret and doesn't reveal it.
func derived(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "|" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
