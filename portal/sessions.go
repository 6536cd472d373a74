package portal

import (
	"context"
	"errors"
	"time"
)

// ErrNoSession is what Sessions return for a key that has none.
var ErrNoSession = errors.New("portal: no such session")

// A Session is one person signed in with one browser. The portal decides when
// it is over; a Sessions keeps it at least until Expires.
type Session struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"` // as proved at sign-in
	// SessionIndex is the identity provider's name for its own session.
	SessionIndex string    `json:"session_index,omitempty"`
	Region       string    `json:"region"` // where the person signed in
	Created      time.Time `json:"created"`
	Seen         time.Time `json:"seen"`    // about when a request last came
	Expires      time.Time `json:"expires"` // however busy it is
}

// over says whether the session has ended by age or by idleness.
func (s Session) over(now time.Time, idle time.Duration) bool {
	return !now.Before(s.Expires) || now.Sub(s.Seen) >= idle
}

// Sessions keeps sessions. A key is the hash of an identifier that only the
// browser has: who reads the store can't use what is in it. Any error but
// ErrNoSession means that the store can't tell, and nobody is let in. Methods
// are called concurrently.
type Sessions interface {
	// Create stores s under key, which is new.
	Create(ctx context.Context, key string, s Session) error
	// Get returns the session, or ErrNoSession.
	Get(ctx context.Context, key string) (Session, error)
	// Touch moves Seen forward, never back. A session that was ended stays
	// ended: ErrNoSession.
	Touch(ctx context.Context, key string, seen time.Time) error
	// End removes the session. That there is none is no error.
	End(ctx context.Context, key string) error
}
