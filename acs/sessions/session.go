package sessions

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// ErrNoSession is what a Store returns for a key that has none, or none any
// more.
var ErrNoSession = errors.New("sessions: no such session")

// A Session is one user signed in with one browser at one host. The caller
// decides when it is over by age or idleness; a Store keeps it at least until
// Expires.
type Session struct {
	// ID names the session to users and in revocations: 128 random bits in
	// hex. It is no secret; only what hashes to the session's key lets in.
	ID string `json:"id"`
	// SignIn names the sign-in that the session came from. Sessions that were
	// handed to other hosts share it, and so does one that took the place of
	// the same person's; signing out of one ends them all. It is never empty.
	SignIn   string `json:"sign_in"`
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"` // as proved at sign-in
	// Proof is what the identity provider said at sign-in. Zero: no [Logout]
	// ends the session.
	Proof Proof `json:"proof,omitzero"`
	// Region is where the session lives, and the only place where its cookie
	// lets in.
	Region string `json:"region"`
	// Host is the origin that it was made at, for users to read. It may be empty.
	Host    string    `json:"host,omitempty"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`    // about when a request last came
	Expires time.Time `json:"expires"` // however busy it is
	// Epoch is the user's, as it was when the sign-in was proved.
	Epoch Epoch `json:"epoch,omitempty"`
}

// Wall returns a copy of the session without Go's monotonic readings, as another process
// reads it.
func (s Session) Wall() Session {
	s.Created, s.Seen, s.Expires = s.Created.Round(0), s.Seen.Round(0), s.Expires.Round(0)
	s.Proof.Issued, s.Proof.SessionIndexes = s.Proof.Issued.Round(0), slices.Clone(s.Proof.SessionIndexes)
	return s
}

// Over says whether the session has ended by age or by idleness.
func (s Session) Over(now time.Time, idle time.Duration) bool {
	return !now.Before(s.Expires) || now.Sub(s.Seen) >= idle
}

// NewestFirst is the order of [Store.List], for slices.SortFunc.
func NewestFirst(a, b Session) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
}
