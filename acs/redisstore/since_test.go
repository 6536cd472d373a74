package redisstore_test

import (
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/redisstore"
)

func TestSinceIsShared(t *testing.T) {
	begin := time.Now().Truncate(time.Microsecond)
	c := testserver.StartRedis(t).Client()
	one := open(t, redisstore.Config{InsecurePlaintext: true, Client: c})
	require.False(t, one.Since().Before(begin))
	two := open(t, redisstore.Config{InsecurePlaintext: true, Client: c})
	require.Equal(t, one.Since(), two.Since())
	late := open(t, redisstore.Config{InsecurePlaintext: true, Client: c, Margin: time.Hour})
	require.Equal(t, one.Since().Add(time.Hour), late.Since())
}

// forgets checks that two running stores notice a loss. A restart breaks the client's connections, so several
// calls may fail.
func forgets(t *testing.T, stores [2]*redisstore.Store, lose func()) {
	t.Helper()
	testserver.Forgets(t, stores, 20, time.Microsecond, lose)
}

func two(t *testing.T, r *testserver.Redis) [2]*redisstore.Store {
	return [2]*redisstore.Store{
		open(t, redisstore.Config{InsecurePlaintext: true, Client: r.Client()}),
		open(t, redisstore.Config{InsecurePlaintext: true, Client: r.Client()}),
	}
}

func TestSinceMovesWithAFlush(t *testing.T) {
	r := testserver.StartRedis(t)
	forgets(t, two(t, r), func() { require.NoError(t, r.Client().FlushAll(t.Context()).Err()) })
}

func TestSinceMovesWithAnEmptyRestart(t *testing.T) {
	r := testserver.StartRedis(t)
	forgets(t, two(t, r), func() { r.Kill(); r.Start() })
}

// The file is older than the last record, and it has the marker.
func TestSinceMovesWithARestartFromAnOldFile(t *testing.T) {
	r := testserver.StartRedis(t)
	stores := two(t, r)
	require.NoError(t, add(t, stores[0], assertion("saved")))
	require.NoError(t, r.Client().Save(t.Context()).Err())
	forgets(t, stores, func() { r.Kill(); r.Start() })
	require.ErrorIs(t, add(t, stores[0], assertion("saved")), acs.ErrExists)
	require.NoError(t, add(t, stores[0], assertion("used")), "so acs has to ask Since")
}

// A replica without the last writes becomes the primary.
func TestSinceMovesWithAFailover(t *testing.T) {
	primary := testserver.StartRedis(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	require.NoError(t, err)
	replica := testserver.StartRedis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	front := redis.NewClient(&redis.Options{Addr: "failover", Dialer: primary.OrElse(replica)})
	t.Cleanup(func() { _ = front.Close() })
	var stores [2]*redisstore.Store
	for i := range stores {
		stores[i] = open(t, redisstore.Config{InsecurePlaintext: true, Client: front})
	}
	c := replica.Client()
	require.Eventually(
		t,
		func() bool { return c.Exists(t.Context(), "meridian:{region}#since").Val() == 1 },
		time.Minute,
		10*time.Millisecond,
	)

	_, err = redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: c})
	requireReason(t, redisstore.ReasonUnavailable, err) // a replica takes no writes

	forgets(t, stores, func() {
		primary.Kill()
		require.NoError(t, c.ReplicaOf(t.Context(), "NO", "ONE").Err())
	})
}
