package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/redisstore"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

// Two nodes, in two Regions, share a Redis.
func TestSessions(t *testing.T) {
	client := testserver.StartRedis(t).Client()
	count := 0
	sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
		count++
		open := func(region string) sessionstest.Region {
			cfg := redisstore.Config{InsecurePlaintext: true,
				Client: client, Prefix: fmt.Sprint("suite-", count), Timeout: time.Minute}
			s, err := redisstore.NewSessions(t.Context(), cfg, region)
			require.NoError(t, err)
			return sessionstest.Region{Name: region, Store: s}
		}
		return []sessionstest.Region{open("us-east-1"), open("eu-central-1")}
	}, sessionstest.Options{})
	left, err := client.Keys(t.Context(), "meridian:{suite-1}:sessions.*").Result()
	require.NoError(t, err)
	require.NotEmpty(t, left)
	for _, key := range left { // each is removed by Redis
		ttl, err := client.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		require.Positive(t, ttl, key)
	}
}

// While Redis is down, no session is found, and the error is not ErrNoSession. Another policy stores none.
func TestSessionsFailClosed(t *testing.T) {
	r := testserver.StartRedis(t)
	client := r.Client()
	s, err := redisstore.NewSessions(t.Context(), redisstore.Config{InsecurePlaintext: true,
		Client: client, Timeout: time.Minute}, "")
	require.NoError(t, err)
	now := time.Now()
	one := sessions.Session{ID: "1", UserID: "u", SignIn: "s", Created: now, Seen: now, Expires: now.Add(time.Hour)}
	require.NoError(t, s.Create(t.Context(), "1", one))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	requireReason(t, redisstore.ReasonPolicy, s.Create(t.Context(), "2", one))
	_, err = s.Get(t.Context(), "1")
	require.NoError(t, err)

	r.Kill()
	_, err = s.Get(t.Context(), "1")
	requireReason(t, redisstore.ReasonUnavailable, err)
	require.NotErrorIs(t, err, sessions.ErrNoSession)
	requireReason(t, redisstore.ReasonUnavailable, s.EndSignIn(t.Context(), "u", "s", now.Add(time.Hour)))
}
