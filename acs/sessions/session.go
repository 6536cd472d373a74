package sessions

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// ErrNoSession says that a Store has no session for a key or an ID, or has it no more.
var ErrNoSession = errors.New("sessions: no such session")

// Session is one user signed in with one browser at one host. The caller decides when it has ended by age or
// idleness; a Store keeps it at least until Expires.
type Session struct {
	// ID names the session to users and in revocations: 128 random bits in hex. It is no secret: only the
	// identifier that hashes to the session's key signs in.
	ID string `json:"id"`
	// SignIn names the sign-in that the session came from. Sessions that were handed to other hosts share it, and so does
	// one that replaced another of the same user; signing out of one ends them all. It is never empty.
	SignIn   string `json:"sign_in"`
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"` // as it was at sign-in
	// Proof is what the identity provider said at sign-in. Zero: no [Logout] ends the session.
	Proof Proof `json:"proof,omitzero"`
	// Region is where the session lives, and the only Region that accepts its cookie.
	Region string `json:"region"`
	// Host is the origin where it was made, for users to read. It may be empty.
	Host    string    `json:"host,omitempty"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`    // about the time of the last request
	Expires time.Time `json:"expires"` // even if it is in use
	// Epoch is the user's, as it was at sign-in.
	Epoch Epoch `json:"epoch,omitempty"`
}

// Wall returns a copy of the session without Go's monotonic readings, as another process reads it.
func (s Session) Wall() Session {
	s.Created, s.Seen, s.Expires = s.Created.Round(0), s.Seen.Round(0), s.Expires.Round(0)
	s.Proof.Issued, s.Proof.SessionIndexes = s.Proof.Issued.Round(0), slices.Clone(s.Proof.SessionIndexes)
	return s
}

// Over reports whether the session has ended by age or by idleness.
func (s Session) Over(now time.Time, idle time.Duration) bool {
	return !now.Before(s.Expires) || now.Sub(s.Seen) >= idle
}

// NewestFirst is the order of [Store.List], for slices.SortFunc.
func NewestFirst(a, b Session) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
}
