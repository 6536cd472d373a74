package sessions

import (
	"context"
	"time"
)

// A Store keeps the sessions of one Region, knows those of the others, and ends
// any of them. A key is the hash of an identifier that only the browser has: what
// is in the store signs no reader of it in. Any error but ErrNoSession means that
// the store can't tell, and the caller lets no user in. Methods are called
// concurrently.
//
// What ends a session must be as durable as the store is before the method
// returns, never waits for another Region, and holds against whatever arrives
// later: the order in which Regions hear of things makes no difference. If the
// method returns an error, the sessions may be over in this Region and not in
// others.
type Store interface {
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
	// EndSubject ends what a Logout names, in every Region, sessions that are
	// heard of later included. It returns the sessions that it ended and that are
	// known here, newest first. That there is none is no error.
	EndSubject(ctx context.Context, l Logout) (ended []Session, err error)
	// Epoch returns the user's Epoch, for sessions that are to be made.
	Epoch(ctx context.Context, userID string) (Epoch, error)
	// List returns the user's sessions in all Regions, newest first, without
	// those that were ended. Some may be too old; the caller knows which.
	List(ctx context.Context, userID string) ([]Session, error)
}
