package portal

import (
	"context"
	"errors"
	"time"
)

// ErrNoSession is what Sessions return for a key that has none, or none any
// more.
var ErrNoSession = errors.New("portal: no such session")

// A Session is one person signed in with one browser at one portal. The portal
// decides when it is over; a Sessions keeps it at least until Expires.
type Session struct {
	// ID names the session to people and in revocations: 128 random bits in
	// hex. It is no secret; only what hashes to the session's key lets in.
	ID string `json:"id"`
	// SignIn names the sign-in that the session came from. Sessions that were
	// handed to other hosts share it, and so does one that took the place of
	// the same person's; signing out of one ends them all. It is never empty.
	SignIn   string `json:"sign_in"`
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"` // as proved at sign-in
	// SessionIndex is the identity provider's name for its own session. Empty
	// if there was none, or one of more than 1 KiB, which is not kept.
	SessionIndex string `json:"session_index,omitempty"`
	// Region is where the session lives, and the only place where its cookie
	// lets in.
	Region string `json:"region"`
	// Host is the origin of the portal that it was made at. It is for people
	// to read; empty where the portal's URLs are not configured.
	Host    string    `json:"host,omitempty"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`    // about when a request last came
	Expires time.Time `json:"expires"` // however busy it is
	// Epoch is the user's, as it was when the sign-in was proved.
	Epoch Epoch `json:"epoch,omitempty"`
}

// wall is the session without Go's monotonic readings, as another process
// reads it.
func (s Session) wall() Session {
	s.Created, s.Seen, s.Expires = s.Created.Round(0), s.Seen.Round(0), s.Expires.Round(0)
	return s
}

// over says whether the session has ended by age or by idleness.
func (s Session) over(now time.Time, idle time.Duration) bool {
	return !now.Before(s.Expires) || now.Sub(s.Seen) >= idle
}

// Sessions keeps the sessions of one Region, knows those of the others, and
// ends any of them. A key is the hash of an identifier that only the browser
// has: who reads the store can't use what is in it. Any error but ErrNoSession
// means that the store can't tell, and nobody is let in. Methods are called
// concurrently.
//
// What ends a session must be as durable as the store is before the method
// returns, never waits for another Region, and holds against whatever arrives
// later: the order in which Regions hear of things makes no difference. If the
// method returns an error, the sessions may be over in this Region and not in
// others.
type Sessions interface {
	// Create stores s under key, which is new.
	Create(ctx context.Context, key string, s Session) error
	// Get returns the session of this Region. ErrNoSession says that there is
	// none, or that it, its sign-in or its user was revoked in any Region that
	// was heard of.
	Get(ctx context.Context, key string) (Session, error)
	// Touch moves Seen forward, never back. A session that was ended stays
	// ended: ErrNoSession.
	Touch(ctx context.Context, key string, seen time.Time) error
	// End removes the session. That there is none is no error.
	End(ctx context.Context, key string) error

	// EndSignIn ends every session of a sign-in in every Region, those that are
	// heard of later too. By until no session of it can be alive any more, and
	// the store may forget. That there is none is no error.
	EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error
	// Revoke ends one session by its ID, wherever it lives. ErrNoSession: this
	// user has none with that ID.
	Revoke(ctx context.Context, userID, id string) error
	// RevokeUser ends all sessions of a user, everywhere, those included that
	// are being made elsewhere at this moment: it raises this Region's
	// component of the user's Epoch.
	RevokeUser(ctx context.Context, userID string) error
	// Epoch returns the user's Epoch, for sessions that are to be made.
	Epoch(ctx context.Context, userID string) (Epoch, error)
	// List returns the user's sessions in all Regions, newest first, without
	// those that were ended. Some may be too old; the portal knows which.
	List(ctx context.Context, userID string) ([]Session, error)
}
