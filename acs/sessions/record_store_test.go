package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

// memRecords are Records in memory, without expiry. err makes every call fail.
type memRecords struct {
	mu  sync.Mutex
	n   int
	all map[string]sessions.Record
	err error
}

func newRecords() *memRecords { return &memRecords{all: map[string]sessions.Record{}} }

func (m *memRecords) Read(_ context.Context, keys ...string) (out []sessions.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		out = append(out, m.all[key])
	}
	return out, m.err
}

func (m *memRecords) Write(_ context.Context, key string, v []byte, version string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if m.all[key].Version != version {
		return sessions.ErrChanged
	}
	m.n++
	m.all[key] = sessions.Record{Value: append([]byte(nil), v...), Version: strconv.Itoa(m.n)}
	return nil
}

func (m *memRecords) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, key)
	return m.err
}

func TestRecordStoreKeepsTheContract(t *testing.T) {
	sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
		r := newRecords() // two Regions share them
		open := func(name string) sessions.Store {
			return sessions.NewRecordStore(sessions.RecordConfig{InsecurePlaintext: true, Records: r, Region: name})
		}
		return []sessionstest.Region{
			{Name: "us-east-1", Store: open("us-east-1")}, {Name: "eu-central-1", Store: open("eu-central-1")},
		}
	}, sessionstest.Options{})
}

// A session that its index no longer lists ends with its sign-in all the same, and with its subject.
func TestRecordStoreIndexIsBounded(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	m := sessions.NewRecordStore(sessions.RecordConfig{InsecurePlaintext: true, Records: newRecords()})
	s := sessions.Session{
		UserID: "u", SignIn: "first", Expires: now.Add(time.Hour),
		Proof: sessions.Proof{Subject: sessions.Subject{Provider: "idp"}, Issued: now},
	}
	for i := range 501 {
		s.ID, s.Created, s.Seen = fmt.Sprint(i), now.Add(time.Duration(i)), now
		require.NoError(t, m.Create(ctx, s.ID, s))
		s.SignIn = "other"
	}
	all, err := m.List(ctx, "u")
	require.NoError(t, err)
	require.Len(t, all, 500)
	_, err = m.Get(ctx, "0")
	require.NoError(t, err)
	require.NoError(t, m.EndSignIn(ctx, "u", "first", now.Add(time.Hour)))
	_, err = m.Get(ctx, "0")
	require.ErrorIs(t, err, sessions.ErrNoSession)
}

// A Logout with very many SessionIndexes ends all sessions of its subject.
func TestRecordStoreBoundsALogout(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	m := sessions.NewRecordStore(sessions.RecordConfig{InsecurePlaintext: true, Records: newRecords()})
	s := sessions.Session{ID: "1", UserID: "u", SignIn: "s", Created: now, Seen: now, Expires: now.Add(time.Hour)}
	s.Proof = sessions.Proof{Subject: sessions.Subject{Provider: "idp"}, SessionIndexes: []string{"own"}, Issued: now}
	require.NoError(t, m.Create(ctx, "1", s))
	l := sessions.Logout{Subject: s.Proof.Subject, Issued: now, Until: now.Add(time.Hour)}
	for i := range 100 {
		l.SessionIndexes = append(l.SessionIndexes, fmt.Sprint(i))
	}
	ended, err := m.EndSubject(ctx, l)
	require.NoError(t, err)
	require.Empty(t, ended)
	l.SessionIndexes = append(l.SessionIndexes, "100")
	ended, err = m.EndSubject(ctx, l)
	require.NoError(t, err)
	require.Len(t, ended, 1)
}

// If the records can't be read, no session is found, and the error is not ErrNoSession.
func TestRecordStoreFailsClosed(t *testing.T) {
	ctx, now, r := t.Context(), time.Now(), newRecords()
	m := sessions.NewRecordStore(sessions.RecordConfig{InsecurePlaintext: true, Records: r})
	s := sessions.Session{ID: "1", UserID: "u", SignIn: "s", Created: now, Seen: now, Expires: now.Add(time.Hour)}
	require.NoError(t, m.Create(ctx, "1", s))
	r.err = errors.New("disk full")
	for name, call := range map[string]func() error{
		"Get":        func() error { _, err := m.Get(ctx, "1"); return err },
		"Touch":      func() error { return m.Touch(ctx, "1", now.Add(time.Minute)) },
		"EndSignIn":  func() error { return m.EndSignIn(ctx, "u", "s", now.Add(time.Hour)) },
		"RevokeUser": func() error { return m.RevokeUser(ctx, "u") },
		"List":       func() error { _, err := m.List(ctx, "u"); return err },
	} {
		require.ErrorIs(t, call(), r.err, name)
		require.NotErrorIs(t, call(), sessions.ErrNoSession, name)
	}
}
