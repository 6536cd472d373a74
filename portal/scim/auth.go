package scim

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// Token is a valid bearer token.
type Token struct {
	Hash [sha256.Size]byte // HashToken of the token
	// IdentityProvider is the entity ID of the identity provider that the token belongs to: see center.IdentityProvider.
	// Empty: the only one of the instance.
	IdentityProvider string
	// Name names the client in the events of its changes. It is no secret. Empty: the IdentityProvider, or "scim".
	Name string
}

// actor is the client with the token.
func (t Token) actor() center.Actor {
	return center.Actor{Client: cmp.Or(t.Name, t.IdentityProvider, "scim")}
}

// HashToken returns the hash of a bearer token, for Token. Tokens are random and long, so that a plain SHA-256 can't be
// inverted.
func HashToken(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// authenticate requires a bearer token in the Authorization header (RFC 6750 2.1), and returns it. It always compares
// all hashes, so that its duration reveals nothing about the tokens.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (Token, *Error) {
	values := r.Header.Values("Authorization")
	scheme, token, _ := strings.Cut(strings.Join(values, ","), " ")
	if len(values) != 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
		return Token{}, refuse(ReasonUnauthorized, "Authorization", "one bearer token", "")
	}
	tokens := s.tokens
	if s.cfg.TokenHashes != nil {
		tokens = append(tokens[:len(tokens):len(tokens)], s.cfg.TokenHashes()...)
	}
	got, at := HashToken(strings.TrimSpace(token)), -1
	for i, t := range tokens {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(got[:], t.Hash[:]), i, at)
	}
	if at < 0 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim", error="invalid_token"`)
		return Token{}, refuse(ReasonUnauthorized, "Authorization", "a valid token", "")
	}
	for _, t := range tokens {
		if t.Hash == got && t.IdentityProvider != tokens[at].IdentityProvider {
			return Token{}, refuse(ReasonProvider, ruleProvider, "one, and not several", "")
		}
	}
	return tokens[at], nil
}

// primaryOnly refuses all requests in additional Regions. It also refuses reads: a client would try to change the
// resources that it reads.
func (s *Server) primaryOnly() *Error {
	v, write := s.cfg.View, center.Attempt{Task: center.TaskIdentities, Write: true}
	err := write.Check(v.Snapshot().Regions(), v.RegionName())
	if err == nil {
		return nil
	}
	e := fromCenter(err)
	e.Rule, e.Err = "users and groups are provisioned in one Region", nil
	return e
}
