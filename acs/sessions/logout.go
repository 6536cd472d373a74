package sessions

import (
	"cmp"
	"slices"
	"time"
)

// A NameID is a subject's name at an identity provider (SAML Core 2.2.3), with
// all of its attributes: a LogoutRequest repeats them.
type NameID struct {
	Value           string `json:"value"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
	SPProvidedID    string `json:"sp_provided_id,omitempty"`
}

// A Subject is a user as an identity provider names them to a service provider.
type Subject struct {
	Provider        string `json:"provider"`         // the identity provider's entity ID
	ServiceProvider string `json:"service_provider"` // ours
	NameID          NameID `json:"name_id"`          // as it was sent
}

// formatUnspecified is the Format of a NameID without one (Core 2.2.2).
const formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

// Same says whether two subjects are the same user. NameIDs are compared as they
// are read (Core 2.2.2, 8.3.7): one without a Format is unspecified, an absent
// NameQualifier is the identity provider's entity ID, and an absent
// SPNameQualifier is the service provider's. SPProvidedID tells no subjects apart.
// The zero Subject is no user.
func (s Subject) Same(o Subject) bool { return s != (Subject{}) && s.Key() == o.Key() }

// Key is equal for subjects that are the same. It is for maps of a [Store].
func (s Subject) Key() Subject {
	s.NameID.Format = cmp.Or(s.NameID.Format, formatUnspecified)
	s.NameID.NameQualifier = cmp.Or(s.NameID.NameQualifier, s.Provider)
	s.NameID.SPNameQualifier = cmp.Or(s.NameID.SPNameQualifier, s.ServiceProvider)
	s.NameID.SPProvidedID = ""
	return s
}

// A Proof is what the identity provider said of a sign-in. A LogoutRequest names
// the sessions that came from it by this.
type Proof struct {
	Subject        Subject   `json:"subject"`
	SessionIndexes []string  `json:"session_indexes,omitempty"` // the provider's names of its own session
	Issued         time.Time `json:"issued,omitzero"`           // the assertion's IssueInstant
}

// A Logout is what an identity provider ended (Core 3.7.3).
type Logout struct {
	Subject Subject `json:"subject"`
	// SessionIndexes are the names of the sessions that ended there. None: all
	// sessions of the subject.
	SessionIndexes []string `json:"session_indexes,omitempty"`
	// Issued is the LogoutRequest's IssueInstant. An assertion issued later
	// begins a new session.
	Issued time.Time `json:"issued"`
	// NotOnOrAfter is the LogoutRequest's. Where it has SessionIndexes, no
	// assertion that has one of them and was issued before it begins a session,
	// although it was issued after the LogoutRequest (Core 3.7.3.1). Zero: Issued.
	NotOnOrAfter time.Time `json:"not_on_or_after,omitzero"`
	// Until is when no session that it ends can be alive any more, and the
	// store may forget it.
	Until time.Time `json:"until"`
}

// Ends says whether the logout ends a session. A session of which no
// SessionIndex is known can't be told from the named ones, so it ends with them.
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

// AddLogout adds a logout to the others of its subject. One that is said again, as
// when a LogoutRequest is sent twice, takes no more room: it is remembered for the
// longer time.
func AddLogout(all []Logout, l Logout) []Logout {
	l = l.Wall()
	for i, o := range all {
		if l.Subject == o.Subject && slices.Equal(l.SessionIndexes, o.SessionIndexes) && l.Issued.Equal(o.Issued) && l.NotOnOrAfter.Equal(o.NotOnOrAfter) {
			if l.Until.After(o.Until) {
				all[i] = l
			}
			return all
		}
	}
	return append(all, l)
}

// Wall returns a copy of the logout in UTC, without Go's monotonic readings: the
// same logout is the same text everywhere.
func (l Logout) Wall() Logout {
	l.SessionIndexes = slices.Clone(l.SessionIndexes)
	l.Issued, l.NotOnOrAfter, l.Until = l.Issued.Round(0).UTC(), l.NotOnOrAfter.Round(0).UTC(), l.Until.Round(0).UTC()
	return l
}
