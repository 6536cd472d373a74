package replica

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// sessionStore is the sessions.Store of a Node. Reads are from memory; writes wait for the Region's own server.
type sessionStore struct{ n *Node }

func (s sessionStore) ready() error {
	if err := s.n.stopped(); err != nil {
		return err
	} else if s.n.isReady() {
		return nil
	}
	return newError(ReasonNotReady, "sessions", "a Region with the revocations of the others", s.n.cfg.Region)
}

// Probe implements sessions.Prober.
func (s sessionStore) Probe(ctx context.Context) error { return s.n.Probe(ctx) }

// Create implements sessions.Store. The session must belong to this Region, and must not outlive what can end it.
func (s sessionStore) Create(ctx context.Context, key string, v sessions.Session) error {
	if err := s.ready(); err != nil {
		return err
	}
	v = v.Wall() // as it is read from the log
	if v.Region != s.n.cfg.Region {
		return newError(ReasonConfig, "Region of a session", s.n.cfg.Region, v.Region)
	}
	if most := s.n.cfg.Now().Add(s.n.cfg.MaxSession + s.n.cfg.Skew); v.Expires.After(most) {
		return newError(ReasonConfig, "end of a session", "one within MaxSession, by "+most.UTC().Format(time.RFC3339),
			v.Expires.UTC().Format(time.RFC3339))
	}
	return s.n.record(ctx, merge.EntrySession, merge.Entry{Key: key, Session: &v}, v.Expires.Add(s.n.cfg.Skew))
}

// Get implements sessions.Store.
func (s sessionStore) Get(_ context.Context, key string) (v sessions.Session, err error) {
	if err := s.ready(); err != nil {
		return v, err
	}
	ok := false
	if s.n.ledger.read(func(m *merge.Sessions) { v, ok = m.Get(key) }); !ok {
		err = sessions.ErrNoSession
	}
	return v, err
}

// Touch implements sessions.Store. Seen is updated in memory at once, and on disk now and then, without waiting.
func (s sessionStore) Touch(_ context.Context, key string, seen time.Time) error {
	if err := s.ready(); err != nil {
		return err
	}
	seen = seen.Round(0)
	var v sessions.Session
	var due, ok bool
	if s.n.ledger.update(func(m *merge.Sessions) { v, due, ok = m.Touch(key, seen, s.n.cfg.TouchEvery) }); !ok {
		return sessions.ErrNoSession
	} else if !due {
		return nil
	}
	e := merge.Entry{Key: key, Seen: seen}
	return s.n.publishAsync(s.n.entryWrite(merge.EntrySeen, e, v.Expires.Add(s.n.cfg.Skew)))
}

// End implements sessions.Store.
func (s sessionStore) End(ctx context.Context, key string) error {
	v, err := s.Get(ctx, key)
	if errors.Is(err, sessions.ErrNoSession) {
		return nil
	} else if err != nil {
		return err
	}
	return s.n.record(ctx, merge.EntryEnded, merge.Entry{Key: key, Until: v.Expires}, v.Expires.Add(s.n.cfg.Skew))
}

// remembered returns until when a revocation must be kept: until all sessions that were created before it have expired,
// even with a clock that is ahead and in a Region whose portals have another lifetime.
func (s sessionStore) remembered(until time.Time) time.Time {
	if least := s.n.cfg.Now().Add(s.n.cfg.MaxSession + 2*s.n.cfg.Skew); until.Before(least) {
		return least
	}
	return until
}

// EndSignIn implements sessions.Store.
func (s sessionStore) EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error {
	until = s.n.ledger.signedOut(userID, signIn, s.remembered(until)).Round(0)
	return s.n.record(ctx, merge.EntrySignedOut, merge.Entry{User: userID, ID: signIn, Until: until},
		until.Add(s.n.cfg.Skew))
}

// signedOut returns until when a sign-out must be kept: until then, or longer if an earlier message says so. The stream
// keeps only the last message, and some Regions may not receive the one before.
func (l *ledger) signedOut(userID, signIn string, until time.Time) time.Time {
	l.read(func(s *merge.Sessions) {
		if known := s.SignedOut(userID, signIn); known.After(until) {
			until = known
		}
	})
	return until
}

// Revoke implements sessions.Store.
func (s sessionStore) Revoke(ctx context.Context, userID, id string) error {
	list, err := s.List(ctx, userID)
	if err != nil {
		return err
	}
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

// EndSubject implements sessions.Store.
func (s sessionStore) EndSubject(ctx context.Context, l sessions.Logout) (ended []sessions.Session, err error) {
	l.Until = s.remembered(l.Until)
	l = l.Wall()
	s.n.ledger.read(func(m *merge.Sessions) { ended = m.EndedBy(l) })
	slices.SortFunc(ended, sessions.NewestFirst)
	return ended, s.n.record(ctx, merge.EntryLogout, merge.Entry{Logout: &l, Until: l.Until}, l.Until.Add(s.n.cfg.Skew))
}

// LoggedOut implements sessions.Store.
func (s sessionStore) LoggedOut(_ context.Context, v sessions.Session) (out bool, err error) {
	if err := s.ready(); err != nil {
		return false, err
	}
	s.n.ledger.read(func(m *merge.Sessions) { out = m.LoggedOut(v) })
	return out, nil
}

// Epoch implements sessions.Store. The result is durable: see durableEpoch.
func (s sessionStore) Epoch(ctx context.Context, userID string) (epoch sessions.Epoch, err error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	s.n.ledger.read(func(m *merge.Sessions) { epoch = m.Epoch(userID) })
	if err := s.n.durableEpoch(ctx, userID, epoch[s.n.cfg.Region]); err != nil {
		return nil, err
	}
	return epoch, nil
}

// List implements sessions.Store.
func (s sessionStore) List(_ context.Context, userID string) (list []sessions.Session, err error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	s.n.ledger.read(func(m *merge.Sessions) { list = m.List(userID) })
	slices.SortFunc(list, sessions.NewestFirst)
	return list, nil
}

// CatchUp implements sessions.CatchUp. The only Node of a Region knows everything that was acknowledged. One of several
// writes to the Region's stream of sessions, as Probe does, and reads up to there. Asking the stream's leader is not
// enough: a server that was frozen assumes for some seconds that it is the leader.
//
// Clients that aren't signed in can cause this, and each write reaches every Region. So one write serves all that
// wait for it, and there are ten a second at most.
func (s sessionStore) CatchUp(ctx context.Context) error {
	if s.n.cfg.URL == "" {
		return nil
	}
	return s.n.catchUps.join(ctx, func() error { return s.n.writeAndRead(s.n.ctx) })
}

// codeStore is the portal.Codes of a Node. A code is put in one Region, and taken in the one that it is for.
type codeStore struct{ n *Node }

// PutCode implements portal.Codes.
func (c codeStore) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	if err := c.n.stopped(); err != nil {
		return err
	}
	exp = exp.Round(0) // as it is read from the log
	return c.n.record(ctx, merge.EntryCode, merge.Entry{Key: key, Value: bytes.Clone(v), Until: exp}, exp)
}

// TakeCode implements portal.Codes. The Region that put the code is the owner of the stream that contains it, whatever
// the value says. One Node of this Region gets the code: the Region's own server accepts the mark that it is taken
// once. Another Region could take it too, if the code were sent there, so a portal binds a code to its origin.
func (c codeStore) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	if err := c.n.stopped(); err != nil {
		return nil, "", err
	}
	found, err := c.await(ctx, key)
	if err == nil {
		err = c.mark(ctx, key, found)
	}
	if err != nil {
		return nil, "", err
	}
	return found.Value, found.Region, nil
}

// DropCode implements portal.Codes.
func (c codeStore) DropCode(ctx context.Context, key string) error {
	found, ok, _ := c.n.ledger.code(key)
	if !ok {
		return nil
	}
	if err := c.mark(ctx, key, found); !errors.Is(err, portal.ErrNoCode) {
		return err
	}
	return nil
}

// mark notes that a code is taken in this Region, once.
func (c codeStore) mark(ctx context.Context, key string, found merge.Code) error {
	none := uint64(0)
	w := c.n.entryWrite(merge.EntryTaken, merge.Entry{Key: key}, found.Until.Add(c.n.cfg.Skew))
	w.lastHere = &none
	_, err := c.n.publish(ctx, w)
	if errors.Is(err, errConflict) {
		return portal.ErrNoCode
	}
	return err
}

// await returns the code if it is here, and otherwise waits for CodeWait, if there is room.
func (c codeStore) await(ctx context.Context, key string) (merge.Code, error) {
	found, ok, _ := c.n.ledger.code(key)
	if !ok {
		defer c.n.ledger.codeWaits.Add(-1)
		if c.n.ledger.codeWaits.Add(1) > maxCodeWaits {
			return found, portal.ErrNoCode
		}
	}
	waiting, cancel := c.n.untilClose(ctx)
	defer cancel()
	ok = waitFor(waiting, c.n.cfg.CodeWait, func() (ok bool, came <-chan struct{}) {
		found, ok, came = c.n.ledger.code(key)
		return ok, came
	})
	switch {
	case ok && c.n.cfg.Now().Before(found.Until):
		return found, nil
	case !ok && ctx.Err() != nil:
		return found, ctx.Err()
	case !ok && c.n.ctx.Err() != nil:
		return found, &Error{Reason: ReasonClosed, Rule: "wait for a code", Err: c.n.ctx.Err()}
	}
	return found, portal.ErrNoCode
}
