package sessions

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"
)

// ErrNoSession is the error for a key or an ID without a session, or whose session has ended.
var ErrNoSession = errors.New("sessions: no such session")

// Session is one user signed in with one browser at one host, or with one program that the user let in (see Client).
// The caller decides whether it has ended by age or idleness. A Store keeps it at least until Expires.
type Session struct {
	// ID names the session to users and in revocations: 128 random bits in hex. It is not secret: only the
	// identifier whose hash is the session's key gives access.
	ID string `json:"id"`
	// SignIn identifies the sign-in that created the session. Sessions that were transferred to other hosts have
	// the same SignIn, and so has a session that replaced another of the same user. Signing out of one of them
	// ends them all. It is never empty.
	SignIn   string `json:"sign_in"`
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"` // as it was at sign-in
	// Proof has the values of the assertion at sign-in. Zero: no [Logout] ends the session.
	Proof Proof `json:"proof,omitzero"`
	// Region is the Region that created the session, the only one that accepts its cookie.
	Region string `json:"region"`
	// Host is the origin where it was created, for display to the user. It may be empty.
	Host    string    `json:"host,omitempty"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`    // about the time of the last request
	Expires time.Time `json:"expires"` // whether or not it is in use
	// Epoch is the user's Epoch at sign-in.
	Epoch Epoch `json:"epoch,omitempty"`
	// Client is the name of the program that the session belongs to, as the program gave it, and "" for a browser. A
	// program's session has the SignIn and the Epoch of the browser's session in which the user let it in, so it ends
	// with that sign-in. It doesn't end by idleness.
	Client string `json:"client,omitempty"`
	// Tags are the attributes for access control of the sign-in, by key, which role credentials get. See AccessControl in
	// the Config of package portal.
	Tags map[string]string `json:"tags,omitempty"`
	// Data is what the program keeps with the session, at most 64 KiB. A Store doesn't read it, and never changes it.
	Data []byte `json:"data,omitempty"`
}

// Wall returns a copy of the session without Go's monotonic readings, as another process reads it.
func (s Session) Wall() Session {
	s.Created, s.Seen, s.Expires = s.Created.Round(0), s.Seen.Round(0), s.Expires.Round(0)
	s.Proof.Issued, s.Proof.SessionIndexes = s.Proof.Issued.Round(0), slices.Clone(s.Proof.SessionIndexes)
	s.Data, s.Tags = slices.Clone(s.Data), maps.Clone(s.Tags)
	return s
}

// Over reports whether the session has ended by age or idleness. A program's session ends by age only.
func (s Session) Over(now time.Time, idle time.Duration) bool {
	return !now.Before(s.Expires) || s.Client == "" && now.Sub(s.Seen) >= idle
}

// NewestFirst is the order of [Store.List], for slices.SortFunc.
func NewestFirst(a, b Session) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
}
