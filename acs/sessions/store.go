package sessions

import (
	"context"
	"time"
)

// Store keeps the sessions of one Region, knows those of the other Regions, and ends any of them. A key is the
// hash of an identifier that only the browser has, so the content of the store gives no access to a session. Any
// error but ErrNoSession means that the store can't answer, and the caller refuses the request. Methods are safe
// for concurrent use.
//
// A method that ends sessions doesn't wait for another Region. When it returns, its effect is as durable as the
// store, and applies to sessions that arrive later. If it returns an error, the sessions may have ended in this
// Region and not in others.
type Store interface {
	// Create stores s under a new key.
	Create(ctx context.Context, key string, s Session) error
	// Get returns the session of this Region. ErrNoSession: there is none, or a known revocation ended it, its
	// sign-in or its user's sessions.
	Get(ctx context.Context, key string) (Session, error)
	// Touch moves Seen forward, never back. ErrNoSession: the session has ended.
	Touch(ctx context.Context, key string, seen time.Time) error
	// End removes the session, if there is one.
	End(ctx context.Context, key string) error

	// EndSignIn ends every session of a sign-in in every Region, including those that arrive later. The store may
	// drop its record at until, when no session of the sign-in can be alive.
	EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error
	// Revoke ends one session by its ID, in any Region. ErrNoSession: the user has no session with that ID.
	Revoke(ctx context.Context, userID, id string) error
	// RevokeUser ends all sessions of a user in every Region, including those that are being created. It raises
	// this Region's component of the user's Epoch.
	RevokeUser(ctx context.Context, userID string) error
	// EndSubject ends the sessions that a Logout names, in every Region, including those that arrive later. It
	// returns the ended sessions that are known here, newest first.
	EndSubject(ctx context.Context, l Logout) (ended []Session, err error)
	// LoggedOut reports whether a Logout that is known here ends s, which may be a session that is not stored yet. So
	// the caller can refuse a late assertion (Core 3.7.3.1) before it changes anything. Create decides: a Logout may
	// arrive after LoggedOut returned false.
	LoggedOut(ctx context.Context, s Session) (bool, error)
	// Epoch returns the user's Epoch, for a new session.
	Epoch(ctx context.Context, userID string) (Epoch, error)
	// List returns the user's sessions in all Regions, newest first, without ended ones. The caller decides which
	// of them have ended by age or idleness.
	List(ctx context.Context, userID string) ([]Session, error)
}

// Prober is implemented by a [Store] whose writes can fail. A wrapper of such a Store must implement it too.
type Prober interface {
	// Probe writes what Create writes, to the same place, and returns when it is as durable as a session is. It is
	// not visible to users, and repeated calls use no more space. The error says why a session can't be stored
	// now. Call it every few seconds, not because of a request.
	Probe(ctx context.Context) error
}

// CatchUp is implemented by a [Store] that several nodes of a Region share, if a node can be behind the others. A
// wrapper of such a Store must implement it too.
type CatchUp interface {
	// CatchUp returns when this node has all sessions that were acknowledged in its Region before the call.
	CatchUp(ctx context.Context) error
}
