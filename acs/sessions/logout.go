package sessions

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// NameID is a subject's name at an identity provider (SAML Core 2.2.3), with all attributes, because a
// LogoutRequest repeats them.
type NameID struct {
	Value           string `json:"value"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
	SPProvidedID    string `json:"sp_provided_id,omitempty"`
}

// Subject is a user's name at an identity provider, for a service provider.
type Subject struct {
	Provider        string `json:"provider"`         // the identity provider's entity ID
	ServiceProvider string `json:"service_provider"` // ours
	NameID          NameID `json:"name_id"`          // as in the assertion
}

// formatUnspecified is the Format of a NameID without one (Core 2.2.2).
const formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

// Same reports whether two subjects are the same user. Absent parts of a NameID have defaults (Core 2.2.2, 8.3.7):
// the Format is unspecified, the NameQualifier is the identity provider's entity ID, and the SPNameQualifier is
// the service provider's. SPProvidedID is ignored. The zero Subject is no user, and not equal to itself.
func (s Subject) Same(o Subject) bool { return s != (Subject{}) && s.Key() == o.Key() }

// Key returns a map key, which is equal for subjects that are the same.
func (s Subject) Key() Subject {
	s.NameID.Format = cmp.Or(s.NameID.Format, formatUnspecified)
	s.NameID.NameQualifier = cmp.Or(s.NameID.NameQualifier, s.Provider)
	s.NameID.SPNameQualifier = cmp.Or(s.NameID.SPNameQualifier, s.ServiceProvider)
	s.NameID.SPProvidedID = ""
	return s
}

// Proof has the values of the assertion at sign-in by which a LogoutRequest names sessions.
type Proof struct {
	Subject        Subject   `json:"subject"`
	SessionIndexes []string  `json:"session_indexes,omitempty"` // the identity provider's names of its session
	Issued         time.Time `json:"issued,omitzero"`           // the assertion's IssueInstant
}

// maxSubject and maxSessionIndex are how many bytes of a subject's names and of a SessionIndex are kept. Core sets no
// limit. Identity providers send less than 100.
const (
	maxSubject      = 5 << 10
	maxSessionIndex = 1 << 10
	maxProvider     = 1 << 10 // of an entity ID (Core 8.3.6)
)

// Bounded returns p without values that are too long to be copied to every Region with every session, but not without
// the identity provider. A sign-in can go on without them. But a logout at the identity provider then ends all of the
// subject's sessions, or none.
func (p Proof) Bounded() Proof {
	s, n := p.Subject, p.Subject.NameID
	names := s.Provider + s.ServiceProvider + n.Value + n.Format + n.NameQualifier + n.SPNameQualifier + n.SPProvidedID
	if len(names) > maxSubject {
		if len(s.Provider) > maxProvider {
			s.Provider = ""
		}
		return Proof{Subject: Subject{Provider: s.Provider}}
	}
	if len(strings.Join(p.SessionIndexes, "")) > maxSessionIndex {
		p.SessionIndexes = nil
	}
	return p
}

// Logout describes the sessions that an identity provider ended (Core 3.7.3).
type Logout struct {
	Subject Subject `json:"subject"`
	// SessionIndexes name the ended sessions. Empty: all sessions of the subject.
	SessionIndexes []string `json:"session_indexes,omitempty"`
	// Issued is the LogoutRequest's IssueInstant. A session whose assertion was issued later doesn't end.
	Issued time.Time `json:"issued"`
	// NotOnOrAfter is the LogoutRequest's. A session with one of SessionIndexes whose assertion was issued before
	// it ends, even if the assertion was issued after the LogoutRequest (Core 3.7.3.1). Zero: Issued.
	NotOnOrAfter time.Time `json:"not_on_or_after,omitzero"`
	// Until is when the store may drop the logout, because no session that it ends can be alive any more.
	Until time.Time `json:"until"`
}

// Ends reports whether the logout ends a session. A session without a known SessionIndex may be one of the named
// sessions, so it ends too.
func (l Logout) Ends(s Session) bool {
	p := s.Proof
	if !l.Subject.Same(p.Subject) {
		return false
	}
	before := !p.Issued.After(l.Issued)
	if len(l.SessionIndexes) == 0 || len(p.SessionIndexes) == 0 {
		return before
	}
	named := slices.ContainsFunc(p.SessionIndexes, func(i string) bool { return slices.Contains(l.SessionIndexes, i) })
	return named && (before || p.Issued.Before(l.NotOnOrAfter))
}

// AddLogout adds a logout to the others of its subject. If it is already there, because a LogoutRequest was sent
// twice, the later Until is kept.
func AddLogout(all []Logout, l Logout) []Logout {
	l = l.Wall()
	i := slices.IndexFunc(all, func(o Logout) bool {
		return l.Subject == o.Subject && slices.Equal(l.SessionIndexes, o.SessionIndexes) &&
			l.Issued.Equal(o.Issued) && l.NotOnOrAfter.Equal(o.NotOnOrAfter)
	})
	if i < 0 {
		return append(all, l)
	}
	if l.Until.After(all[i].Until) {
		all[i] = l
	}
	return all
}

// Wall returns a copy of the logout in UTC, without Go's monotonic readings: equal logouts have equal JSON.
func (l Logout) Wall() Logout {
	l.SessionIndexes = slices.Clone(l.SessionIndexes)
	l.Issued, l.NotOnOrAfter, l.Until = l.Issued.Round(0).UTC(), l.NotOnOrAfter.Round(0).UTC(), l.Until.Round(0).UTC()
	return l
}
