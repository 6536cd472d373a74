package oidc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
)

// readOnly is a store of sessions that refuses to end them.
type readOnly struct {
	sessions.Store
	refuses *atomic.Bool
}

func (r *readOnly) End(ctx context.Context, key string) error {
	if r.refuses.Load() {
		return errDown
	}
	return r.Store.End(ctx, key)
}

// A stolen token gets nothing while its authorization can't be ended, however often and in parallel it is tried.
func TestLateReuseGetsNothingIfTheAuthorizationCannotBeEnded(t *testing.T) {
	var refuses atomic.Bool // the stores of all Regions
	w := newWorldWith(t, func(s sessions.Store) sessions.Store { return &readOnly{s, &refuses} }, nil)
	c := w.client(virginia, asCLI(virginia))
	first := c.login(w.browser(virginia, "alice@example.com"))
	second := c.must(c.refresh(first.text("refreshToken")))
	w.clock.Advance(61 * time.Second)
	refuses.Store(true)
	for range 2 {
		var wg sync.WaitGroup
		replies := make([]reply, 3)
		for i := range replies {
			wg.Go(func() { replies[i] = c.refresh(first.text("refreshToken")) })
		}
		wg.Wait()
		for _, r := range replies {
			c.refused(r, http.StatusInternalServerError, "InternalServerException")
		}
	}
	c.must(c.refresh(second.text("refreshToken"))) // the right one goes on
	refuses.Store(false)
	w.clock.Advance(11 * time.Second)
	c.refused(c.refresh(first.text("refreshToken")), http.StatusBadRequest, "InvalidGrantException")
	c.refused(c.refresh(second.text("refreshToken")), http.StatusBadRequest, "InvalidGrantException")
}

// hangsUp ends the client's request at the n-th write from now.
type hangsUp struct {
	acs.Store
	left   int
	cancel context.CancelFunc
}

func (h *hangsUp) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if h.left--; h.left == 0 {
		h.cancel()
	}
	return h.Store.Add(ctx, key, v, exp)
}

// A client that hangs up in the middle of a late reuse doesn't begin the grace period anew.
func TestLateReuseThatHangsUpEndsTheAuthorization(t *testing.T) {
	for n := 1; n <= 2; n++ {
		store := &hangsUp{}
		w := newWorld(t, func(c *oidc.Config) { store.Store, c.Store = c.Store, store })
		store.Store = w.stores[virginia]
		c := w.client(virginia, asCLI(virginia))
		first := c.login(w.browser(virginia, "alice@example.com"))
		second := c.must(c.refresh(first.text("refreshToken")))
		w.clock.Advance(61 * time.Second)

		raw, err := json.Marshal(fields{"clientId": c.id, "clientSecret": c.secret, "grantType": "refresh_token",
			"refreshToken": first.text("refreshToken")})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		store.left, store.cancel = n, cancel
		r := httptest.NewRequest(http.MethodPost, apiOf(virginia)+"/token", bytes.NewReader(raw)).WithContext(ctx)
		w.servers[virginia].ServeHTTP(httptest.NewRecorder(), r)
		require.Error(t, ctx.Err())

		c.refused(c.refresh(first.text("refreshToken")), http.StatusBadRequest, "InvalidGrantException")
		assert.False(t, w.isIn(virginia, second.text("accessToken")), "at write %d", n)
	}
}
