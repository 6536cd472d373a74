package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// This file has the ends of sessions in a RecordStore: each is a record of its own.

// ended reports whether the sign-in of a session, or the sessions of its user, were ended.
func (m *RecordStore) ended(ctx context.Context, s Session) (bool, error) {
	all, err := m.cfg.Records.Read(ctx, signInRecord(s), epochRecord(s.UserID))
	if err != nil {
		return false, err
	}
	e, err := decodeEpoch(all[1].Value)
	return all[0].Value != nil || !s.Epoch.Covers(e), err
}

func decodeEpoch(b []byte) (e Epoch, err error) {
	if b != nil {
		err = json.Unmarshal(b, &e)
	}
	return e, err
}

// LoggedOut implements Store.
func (m *RecordStore) LoggedOut(ctx context.Context, s Session) (bool, error) {
	subject := s.Proof.Subject
	if subject == (Subject{}) {
		return false, nil
	}
	keys := []string{logoutRecord(subject, logoutAll, "")}
	for _, index := range s.Proof.SessionIndexes {
		keys = append(keys, logoutRecord(subject, logoutNamed, index))
	}
	if len(keys) == 1 {
		keys[0] = logoutRecord(subject, logoutUnnamed, "")
	}
	all, err := m.cfg.Records.Read(ctx, keys...)
	if err != nil {
		return false, err
	}
	for _, r := range all {
		l := Logout{}
		if r.Value == nil {
			continue
		}
		if err := json.Unmarshal(r.Value, &l); err != nil {
			return false, err
		}
		if l.Ends(s) {
			return true, nil
		}
	}
	return false, nil
}

// EndSignIn implements Store.
func (m *RecordStore) EndSignIn(ctx context.Context, userID, signIn string, until time.Time) error {
	key := signInRecord(Session{UserID: userID, SignIn: signIn})
	return change(ctx, m.cfg.Records, key, func(old []byte) ([]byte, time.Time, error) {
		var known time.Time
		if old != nil && known.UnmarshalText(old) == nil && !until.After(known) {
			return nil, known, nil
		}
		b, err := until.Round(0).MarshalText()
		return b, until.Add(late), err
	})
}

// RevokeUser implements Store.
func (m *RecordStore) RevokeUser(ctx context.Context, userID string) error {
	return change(ctx, m.cfg.Records, epochRecord(userID), func(old []byte) ([]byte, time.Time, error) {
		e, err := decodeEpoch(old)
		if err != nil {
			return nil, time.Time{}, err
		}
		b, err := json.Marshal(e.Merge(Epoch{m.cfg.Region: e[m.cfg.Region] + 1}))
		return b, time.Time{}, err
	})
}

// Epoch implements Store.
func (m *RecordStore) Epoch(ctx context.Context, userID string) (Epoch, error) {
	all, err := m.cfg.Records.Read(ctx, epochRecord(userID))
	if err != nil {
		return nil, err
	}
	return decodeEpoch(all[0].Value)
}

// EndSubject implements Store.
func (m *RecordStore) EndSubject(ctx context.Context, l Logout) (ended []Session, err error) {
	if l.Subject == (Subject{}) {
		return nil, nil
	}
	l = l.Wall()
	if len(l.SessionIndexes) > maxIndexes {
		l.SessionIndexes = nil
	}
	before, err := m.read(ctx, subjectRecord(l.Subject)) // only for the result: an error must not keep sessions alive
	one := l
	one.SessionIndexes = nil
	keys := map[string]Logout{logoutRecord(l.Subject, logoutUnnamed, ""): one}
	for _, index := range l.SessionIndexes {
		one.SessionIndexes = []string{index}
		keys[logoutRecord(l.Subject, logoutNamed, index)] = one
	}
	if len(l.SessionIndexes) == 0 {
		keys[logoutRecord(l.Subject, logoutAll, "")] = one
	}
	for key, l := range keys {
		err = errors.Join(err, m.logOut(ctx, key, l))
	}
	for key, s := range before {
		if l.Ends(s) {
			ended = append(ended, s)
			err = errors.Join(err, m.End(ctx, key))
		}
	}
	slices.SortFunc(ended, NewestFirst)
	return ended, err
}

// logOut adds a logout to the earlier ones of its record, which name the same sessions: one that ends what any of them
// ends.
func (m *RecordStore) logOut(ctx context.Context, key string, l Logout) error {
	return change(ctx, m.cfg.Records, key, func(old []byte) ([]byte, time.Time, error) {
		known, next := Logout{}, l
		if old != nil {
			if err := json.Unmarshal(old, &known); err != nil {
				return nil, time.Time{}, err
			}
		}
		next.Issued, next.Until = latest(l.Issued, known.Issued), latest(l.Until, known.Until)
		next.NotOnOrAfter = latest(l.NotOnOrAfter, known.NotOnOrAfter)
		b, err := json.Marshal(next)
		return b, next.Until.Add(late), err
	})
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
