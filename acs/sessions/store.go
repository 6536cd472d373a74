package sessions

import (
	"context"
	"time"
)

// Store keeps the sessions of one Region, knows those of the others, and ends any of them. A key is the hash of an
// identifier that only the browser has, so the store's content signs its reader in to none. Any error but ErrNoSession
// means that the store can't answer, and the caller refuses the user. Methods are safe for concurrent use.
//
// What ends a session is as durable as the store when the method returns, never waits for another Region, and
// holds for whatever arrives later. If the method returns an error, the sessions may have ended in this Region
// and not in others.
type Store interface {
	// Create stores s under key, which is new.
	Create(ctx context.Context, key string, s Session) error
	// Get returns the session of this Region. ErrNoSession: there is none, or a known revocation ended it, its
	// sign-in or its user's sessions.
	Get(ctx context.Context, key string) (Session, error)
	// Touch moves Seen forward, never back. ErrNoSession: the session has ended.
	Touch(ctx context.Context, key string, seen time.Time) error
	// End removes the session, if there is one.
	End(ctx context.Context, key string) error

	// EndSignIn ends every session of a sign-in, if there are any, in every Region, and those that arrive
	// later. The store may forget it at until, when no session of the sign-in can be alive.
	EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error
	// Revoke ends one session by its ID, in any Region. ErrNoSession: this user has none with that ID.
	Revoke(ctx context.Context, userID, id string) error
	// RevokeUser ends all sessions of a user, in every Region, also those that are being made: it raises this
	// Region's component of the user's Epoch.
	RevokeUser(ctx context.Context, userID string) error
	// EndSubject ends the sessions that a Logout names, if there are any, in every Region, and those that
	// arrive later. It returns those that it ended and that are known here, newest first.
	EndSubject(ctx context.Context, l Logout) (ended []Session, err error)
	// Epoch returns the user's Epoch, for a new session.
	Epoch(ctx context.Context, userID string) (Epoch, error)
	// List returns the user's sessions in all Regions, newest first, without those that were ended. Some may
	// have ended by age or idleness, which the caller decides.
	List(ctx context.Context, userID string) ([]Session, error)
}

// Prober is implemented by a [Store] whose writes can fail. A wrapper of such a Store passes it on.
type Prober interface {
	// Probe writes what Create writes, to the same place, and returns when it is as durable as a session is.
	// Users see nothing of it, and repeated calls take no more room. The error says why a session can't be
	// kept now. Callers call it every few seconds, and not because of a request.
	Probe(ctx context.Context) error
}

// CatchUp is implemented by a [Store] that several nodes of a Region share, where a node may learn with a delay
// of what another acknowledged. A wrapper of such a Store passes it on.
type CatchUp interface {
	// CatchUp returns when this node knows all sessions that were acknowledged in its Region before the call.
	CatchUp(ctx context.Context) error
}
