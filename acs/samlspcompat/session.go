package samlspcompat

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/crewjam/saml/samlsp"
	"github.com/golang-jwt/jwt/v5"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/saml"
)

// sessionIndex is the key that samlsp adds for the identity provider's names of its session.
const sessionIndex = "SessionIndex"

// keysOf turns a table round: the keys of each Name.
func keysOf(table saml.Names) map[string][]string {
	out := make(map[string][]string)
	for _, key := range slices.Sorted(maps.Keys(table)) {
		for _, name := range table[key] {
			out[name] = append(out[name], key)
		}
	}
	return out
}

// sessionOf returns a session in the type that samlsp's has by default. It is a value, not a token: it was never
// encoded, and the session is on the server.
func (m *Middleware) sessionOf(s *middleware.Session) samlsp.JWTSessionClaims {
	issuer := m.cfg.Options.URL.String()
	return samlsp.JWTSessionClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: s.NameID.Value, Issuer: issuer, Audience: jwt.ClaimStrings{issuer}, ID: s.ID,
			IssuedAt: jwt.NewNumericDate(s.Created), NotBefore: jwt.NewNumericDate(s.Created),
			ExpiresAt: jwt.NewNumericDate(s.Expires),
		},
		Attributes: m.attributesOf(s), SAMLSession: true, NameIDFormat: s.NameID.Format,
		NameIDNameQualifier: s.NameID.NameQualifier, NameIDSPNameQualifier: s.NameID.SPNameQualifier,
	}
}

// attributesOf returns the text values of a session's attributes by their Names, and by the keys of the table.
func (m *Middleware) attributesOf(s *middleware.Session) samlsp.Attributes {
	all := make(samlsp.Attributes)
	for _, a := range s.Attributes {
		all[a.Name] = s.Values(a.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, key := range m.names[name] {
			if !slices.ContainsFunc(s.Attributes, func(a saml.Attribute) bool { return a.Name == key }) {
				all[key] = append(all[key], all[name]...)
			}
		}
	}
	if len(s.SessionIndexes) > 0 {
		all[sessionIndex] = s.SessionIndexes // instead of an attribute of that Name
	}
	return all
}

// logged remembers the Names that the log has been told about. An identity provider can't fill it.
type logged struct {
	mu    sync.Mutex
	names map[string]bool
}

const maxLogged = 100

// first reports whether a Name is to be logged, which is so once.
func (l *logged) first(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.names[name] || len(l.names) >= maxLogged {
		return false
	}
	if l.names == nil {
		l.names = make(map[string]bool)
	}
	l.names[name] = true
	return true
}

// admit lets every user in, as samlsp does. It logs attributes that samlsp would have found by their FriendlyName.
func (m *Middleware) admit(a *saml.Assertion) (middleware.User, error) {
	if m.cfg.Options.KeyAttributesByName {
		return middleware.User{}, nil
	}
	for _, attr := range a.Attributes() {
		if key := attr.FriendlyName; key == "" || key == attr.Name || slices.Contains(m.names[attr.Name], key) {
			continue
		}
		if m.warned.first(attr.Name) {
			m.logger().WarnContext(context.Background(),
				"samlspcompat: handlers find this attribute by its Name only, as Config.FriendlyNames has no key for it",
				"name", storeerr.Printable(attr.Name), "friendly_name", storeerr.Printable(attr.FriendlyName))
		}
	}
	return middleware.User{}, nil
}
