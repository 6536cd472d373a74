package scsstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/scsstore"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

func TestStore(t *testing.T) {
	sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
		return []sessionstest.Region{{Name: "us-east-1", Store: scsstore.New(memstore.NewWithCleanupInterval(0),
			scsstore.Config{InsecurePlaintext: true, Region: "us-east-1"})}}
	}, sessionstest.Options{})
}

// withContext is a store that uses contexts.
type withContext struct{ *memstore.MemStore }

func (s withContext) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	return s.Find(token)
}

func (s withContext) CommitCtx(_ context.Context, token string, b []byte, exp time.Time) error {
	return s.Commit(token, b, exp)
}

func (s withContext) DeleteCtx(_ context.Context, token string) error { return s.Delete(token) }

func TestStoreWithContexts(t *testing.T) {
	sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
		in := withContext{memstore.NewWithCleanupInterval(0)}
		return []sessionstest.Region{{Name: "us-east-1", Store: scsstore.New(in, scsstore.Config{InsecurePlaintext: true})}}
	}, sessionstest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := withContext{memstore.NewWithCleanupInterval(0)}
	_, err := scsstore.New(in, scsstore.Config{InsecurePlaintext: true}).Get(ctx, "1")
	require.ErrorIs(t, err, context.Canceled)
}

// broken is a store that fails.
type broken struct{ *memstore.MemStore }

var errBroken = errors.New("disk full")

func (broken) Find(string) ([]byte, bool, error) { return nil, false, errBroken }

// If the store fails, no session is found, and the error is not ErrNoSession.
func TestStoreFailsClosed(t *testing.T) {
	s := scsstore.New(broken{memstore.NewWithCleanupInterval(0)}, scsstore.Config{InsecurePlaintext: true})
	_, err := s.Get(t.Context(), "1")
	require.ErrorIs(t, err, errBroken)
	require.NotErrorIs(t, err, sessions.ErrNoSession)
	require.ErrorIs(t, s.EndSignIn(t.Context(), "u", "s", time.Now().Add(time.Hour)), errBroken)
}
