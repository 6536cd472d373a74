package middleware_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/redisstore"
)

// onRedis gives a Guard stores on Redis.
func onRedis(t *testing.T, client *redis.Client) func(*middleware.Config) {
	return func(c *middleware.Config) {
		cfg := redisstore.Config{InsecurePlaintext: true, Client: client, Timeout: time.Minute}
		store, err := redisstore.New(t.Context(), cfg)
		require.NoError(t, err)
		c.Store = store
		c.Sessions, err = redisstore.NewSessions(t.Context(), cfg, "")
		require.NoError(t, err)
	}
}

// The nodes of a Region share sign-ins, sessions and logouts, on a real Redis: each request of a browser goes to the
// other node than the one before.
func TestNodes(t *testing.T) {
	client := testserver.StartRedis(t).Client()
	w := newWorld(t, onRedis(t, client))
	w.clock.Set(time.Now()) // Redis has no other clock
	other, err := middleware.New(w.config(onRedis(t, client)))
	require.NoError(t, err)
	mux := http.NewServeMux()
	other.Mount(mux)
	mux.Handle("/", other.Require(http.HandlerFunc(show)))
	nodes, n := []http.Handler{w.handler, mux}, 0
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n++
		nodes[n%2].ServeHTTP(rw, r)
	})
	b := w.browser()
	require.Equal(t, "GET /a as "+alice, w.signIn(b, base+"/a", alice).Body)
	for range 4 {
		require.Equal(t, "GET /b as "+alice, w.open(b, base+"/b").Body)
	}
	copied := b.Copy()
	w.signOutAtIdP(b)
	for range 2 {
		require.Equal(t, http.StatusSeeOther, look(t, copied, base+"/b").Status)
	}
}
