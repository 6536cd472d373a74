package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
)

// lateSessions are the sessions of a node that has none until CatchUp is called.
type lateSessions struct {
	sessions.Store
	late atomic.Bool
	fail error // of CatchUp
}

func (s *lateSessions) Get(ctx context.Context, key string) (sessions.Session, error) {
	if s.late.Load() {
		return sessions.Session{}, sessions.ErrNoSession
	}
	return s.Store.Get(ctx, key)
}

func (s *lateSessions) End(ctx context.Context, key string) error {
	if s.late.Load() {
		return nil
	}
	return s.Store.End(ctx, key)
}

func (s *lateSessions) CatchUp(context.Context) error {
	if s.fail == nil {
		s.late.Store(false)
	}
	return s.fail
}

// A user signs out at a node that doesn't know the session yet, because another node of its Region made it. Either the
// sign-in ends, or the page reports an error.
func TestInvariant19_SignOutAtANodeThatIsLate(t *testing.T) {
	late := &lateSessions{}
	var once sync.Once // the first Region's probe already calls it
	w, s := newShared(t, func(c *portal.Config) {
		once.Do(func() { late.Store = c.Sessions })
		c.Sessions = late
	})
	b := w.browser()
	w.signIn(b, "https://"+frankfurt+"/", "alice@example.com")
	require.Equal(t, 1, s.sessions.Len())

	late.late.Store(true)
	late.fail = errors.New("the server does not answer")
	requirePage(t, b.submit("https://"+frankfurt+"/sign-out", url.Values{}), http.StatusServiceUnavailable, "/sign-out")
	late.fail = nil
	requirePage(t, b.submit("https://"+frankfurt+"/sign-out", url.Values{}), 200, "/signed-out")
	assert.Zero(t, s.sessions.Len())
}
