package replica

import (
	"context"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// sessionStore is the sessions.Store of a Node. Reads are from memory, and
// writes wait for the disk of the Region's own server. None asks another
// Region, and none needs one to be alive.
type sessionStore struct{ n *Node }

func (s sessionStore) ready() error {
	if err := s.n.stopped(); err != nil {
		return err
	} else if s.n.isReady() {
		return nil
	}
	return &Error{Reason: ReasonNotReady, Rule: "sessions", Want: "a Region that knows what was revoked elsewhere", Got: s.n.cfg.Region}
}

// Probe implements sessions.Prober.
func (s sessionStore) Probe(ctx context.Context) error { return s.n.Probe(ctx) }

// Create implements sessions.Store. The session must live here, and no longer
// than what ends it is remembered.
func (s sessionStore) Create(ctx context.Context, key string, v sessions.Session) error {
	if err := s.ready(); err != nil {
		return err
	}
	v = v.Wall() // as it is read from the log
	if v.Region != s.n.cfg.Region {
		return &Error{Reason: ReasonConfig, Rule: "Region of a session", Want: s.n.cfg.Region, Got: v.Region}
	}
	if most := s.n.cfg.Now().Add(s.n.cfg.MaxSession + s.n.cfg.Skew); v.Expires.After(most) {
		return &Error{Reason: ReasonConfig, Rule: "end of a session", Want: "one within MaxSession, by " + most.UTC().Format(time.RFC3339), Got: v.Expires.UTC().Format(time.RFC3339)}
	}
	return s.n.record(ctx, merge.EntrySession, merge.Entry{Key: key, Session: &v}, v.Expires.Add(s.n.cfg.Skew))
}

// Get implements sessions.Store.
func (s sessionStore) Get(_ context.Context, key string) (sessions.Session, error) {
	if err := s.ready(); err != nil {
		return sessions.Session{}, err
	}
	v, ok := s.n.ledger.get(key)
	if !ok {
		return sessions.Session{}, sessions.ErrNoSession
	}
	return v, nil
}

// Touch implements sessions.Store. Seen moves in memory at once and on disk
// now and then, without anybody waiting for it.
func (s sessionStore) Touch(_ context.Context, key string, seen time.Time) error {
	if err := s.ready(); err != nil {
		return err
	}
	seen = seen.Round(0)
	v, due, ok := s.n.ledger.touch(key, seen, s.n.cfg.TouchEvery)
	if !ok {
		return sessions.ErrNoSession
	} else if !due {
		return nil
	}
	return s.n.publishAsync(entryWrite(merge.EntrySeen, merge.Entry{Key: key, Seen: seen}, v.Expires.Add(s.n.cfg.Skew)))
}

// End implements sessions.Store.
func (s sessionStore) End(ctx context.Context, key string) error {
	if err := s.ready(); err != nil {
		return err
	}
	v, ok := s.n.ledger.get(key)
	if !ok {
		return nil
	}
	return s.n.record(ctx, merge.EntryEnded, merge.Entry{Key: key, Until: v.Expires}, v.Expires.Add(s.n.cfg.Skew))
}

// EndSignIn implements sessions.Store. It is remembered for as long as any
// session can live that was made before, by a clock that is ahead and in a
// Region whose portals have another lifetime, and for longer if until says so.
func (s sessionStore) EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error {
	if least := s.n.cfg.Now().Add(s.n.cfg.MaxSession + 2*s.n.cfg.Skew); until.Before(least) {
		until = least
	}
	// The stream keeps the last message alone. It must not remember for less
	// than the one before, which some Regions have heard and others won't.
	if known := s.n.ledger.signedOut(userID, signIn); until.Before(known) {
		until = known
	}
	until = until.Round(0)
	return s.n.record(ctx, merge.EntrySignedOut, merge.Entry{User: userID, ID: signIn, Until: until}, until.Add(s.n.cfg.Skew))
}

// Revoke implements sessions.Store.
func (s sessionStore) Revoke(ctx context.Context, userID, id string) error {
	if err := s.ready(); err != nil {
		return err
	}
	list := s.n.ledger.list(userID)
	i := slices.IndexFunc(list, func(v sessions.Session) bool { return v.ID == id })
	if i < 0 {
		return sessions.ErrNoSession
	}
	until := list[i].Expires
	return s.n.record(ctx, merge.EntryRevoked, merge.Entry{User: userID, ID: id, Until: until}, until.Add(s.n.cfg.Skew))
}

// RevokeUser implements sessions.Store.
func (s sessionStore) RevokeUser(ctx context.Context, userID string) error {
	return s.n.endUser(ctx, userID)
}

// EndSubject implements sessions.Store. It is remembered for as long as EndSignIn
// remembers a sign-in.
func (s sessionStore) EndSubject(ctx context.Context, l sessions.Logout) ([]sessions.Session, error) {
	if least := s.n.cfg.Now().Add(s.n.cfg.MaxSession + 2*s.n.cfg.Skew); l.Until.Before(least) {
		l.Until = least
	}
	l = l.Wall()
	ended := s.n.ledger.endedBy(l)
	slices.SortFunc(ended, sessions.NewestFirst)
	return ended, s.n.record(ctx, merge.EntryLogout, merge.Entry{Logout: &l, Until: l.Until}, l.Until.Add(s.n.cfg.Skew))
}

// Epoch implements sessions.Store. What it returns is durable: see durableEpoch.
func (s sessionStore) Epoch(ctx context.Context, userID string) (sessions.Epoch, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	epoch := s.n.ledger.epoch(userID)
	if err := s.n.durableEpoch(ctx, userID, epoch[s.n.cfg.Region]); err != nil {
		return nil, err
	}
	return epoch, nil
}

// List implements sessions.Store.
func (s sessionStore) List(_ context.Context, userID string) ([]sessions.Session, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	list := s.n.ledger.list(userID)
	slices.SortFunc(list, sessions.NewestFirst)
	return list, nil
}
