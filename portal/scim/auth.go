package scim

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// HashToken returns the hash of a bearer token, for Config.TokenHashes. Tokens are random and long, so that a
// plain SHA-256 can't be inverted.
func HashToken(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// authenticate requires a bearer token in the Authorization header (RFC 6750 2.1). It always compares all hashes, so
// that its duration reveals nothing about the tokens.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) *Error {
	values := r.Header.Values("Authorization")
	scheme, token, _ := strings.Cut(strings.Join(values, ","), " ")
	if len(values) != 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
		return refuse(ReasonUnauthorized, "Authorization", "one bearer token", "")
	}
	hashes := s.hashes
	if s.cfg.TokenHashes != nil {
		hashes = append(hashes[:len(hashes):len(hashes)], s.cfg.TokenHashes()...)
	}
	got, good := HashToken(strings.TrimSpace(token)), 0
	for _, h := range hashes {
		good |= subtle.ConstantTimeCompare(got[:], h[:])
	}
	if good != 1 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim", error="invalid_token"`)
		return refuse(ReasonUnauthorized, "Authorization", "a valid token", "")
	}
	return nil
}

// primaryOnly refuses all requests in additional Regions. It also refuses reads: a client would try to change the
// resources that it reads.
func (s *Server) primaryOnly() *Error {
	primary := s.cfg.View.Snapshot().Primary().Name
	if here := s.cfg.View.RegionName(); here != primary {
		return &Error{Reason: ReasonNotPrimary, Rule: "users and groups are provisioned in one Region",
			Want: "the primary Region " + refusal.Quote(primary), Got: here, Primary: primary}
	}
	return nil
}
