package middleware_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// look opens an address without following a redirect.
func look(t *testing.T, b *testkit.Browser, addr string) *testkit.Page {
	t.Helper()
	p, err := b.Look(addr)
	require.NoError(t, err)
	return p
}

// onlyFrom is the answer to a question, posted by a page of an origin.
func onlyFrom(origin string, form url.Values, answer string) testkit.Navigation {
	form.Set("answer", answer)
	return testkit.Navigation{From: origin, Method: http.MethodPost, URL: base + "/saml/continue", Form: form, User: true}
}

// signOutFrom signs out from a page of an origin.
func signOutFrom(origin string) testkit.Navigation {
	return testkit.Navigation{From: origin, Method: http.MethodPost, URL: base + "/saml/logout", User: true}
}

// countingStore counts the records that are added.
type countingStore struct {
	acs.Store
	added int
}

func (s *countingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.added++
	return s.Store.Add(ctx, key, v, exp)
}

// brokenStore is a store that fails while err is set.
type brokenStore struct {
	*sessions.MemoryStore
	err error
}

func (s *brokenStore) Get(ctx context.Context, key string) (sessions.Session, error) {
	if s.err != nil {
		return sessions.Session{}, s.err
	}
	return s.MemoryStore.Get(ctx, key)
}
