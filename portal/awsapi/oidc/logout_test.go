package oidc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// behind is a Region's store of sessions that hasn't heard of the others' sessions.
type behind struct {
	sessions.Store
	deaf bool
}

func (b *behind) Get(ctx context.Context, key string) (sessions.Session, error) {
	if b.deaf {
		return sessions.Session{}, sessions.ErrNoSession
	}
	return b.Store.Get(ctx, key)
}

// A command line's sign-out may come to a Region before the authorization does. It ends the sign-in all the same.
func TestSignOutAtARegionThatDoesNotKnowTheAuthorization(t *testing.T) {
	var there *behind
	w := newWorldWith(t, func(s sessions.Store) sessions.Store {
		there = &behind{Store: s} // the last one is Frankfurt's
		return there
	}, nil)
	c := w.client(virginia, asCLI(virginia))
	mine := c.login(w.browser(virginia, "alice@example.com"))
	renewed := c.login(w.browser(virginia, "alice@example.com"))
	renewed = c.must(c.refresh(renewed.text("refreshToken")))
	bobs := c.login(w.browser(virginia, "bob@example.com"))
	there.deaf = true
	for _, r := range []reply{mine, renewed} {
		require.NoError(t, w.servers[frankfurt].EndGrant(t.Context(), r.text("accessToken")))
		assert.False(t, w.isIn(virginia, r.text("accessToken")))
		c.refused(c.refresh(r.text("refreshToken")), 400, "InvalidGrantException")
	}
	left, err := w.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	assert.Empty(t, left, "the browsers' sessions end too")
	assert.True(t, w.isIn(virginia, bobs.text("accessToken")))
}
