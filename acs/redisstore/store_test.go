package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/redisstore"
	"github.com/meridian-saml/meridian/acs/storetest"
)

// open opens a store with a long timeout, unless cfg has one.
func open(t *testing.T, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	s, err := redisstore.New(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

func requireReason(t *testing.T, want redisstore.Reason, err error) *redisstore.Error {
	t.Helper()
	var ours *redisstore.Error
	require.ErrorAs(t, err, &ours)
	require.Equal(t, want, ours.Reason, "%v", err)
	for _, answer := range []error{acs.ErrExists, acs.ErrNotFound, acs.ErrExpired, acs.ErrFull} {
		require.NotErrorIs(t, err, answer)
	}
	return ours
}

func assertion(name any) string { return acs.KeyPrefixAssertion + fmt.Sprint(name) }
func request(name any) string   { return acs.KeyPrefixRequest + fmt.Sprint(name) }
func soon() time.Time           { return time.Now().Add(10 * time.Minute) }

func add(t *testing.T, s acs.Store, key string) error {
	return s.Add(t.Context(), key, []byte("v"), soon())
}

// Each test of the suite has its own prefix.
func runSuite(t *testing.T, client redis.UniversalClient) {
	var count int
	storetest.Run(t, func(t *testing.T) acs.Store {
		count++
		return open(t, redisstore.Config{InsecurePlaintext: true, Client: client, Prefix: fmt.Sprint("suite-", count),
			MaxRequests: 60})
	}, storetest.Options{MaxRequests: 60, RoundsUp: time.Second})
}

func TestStore(t *testing.T) { runSuite(t, testserver.StartRedis(t).Client()) }

// A cluster refuses scripts whose keys are on different shards.
func TestStoreInACluster(t *testing.T) {
	r := testserver.StartRedis(t, "--cluster-enabled", "yes")
	one := r.Client()
	require.NoError(t, one.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	require.Eventually(t, func() bool {
		return one.Set(t.Context(), "ready", 1, 0).Err() == nil
	}, time.Minute, 10*time.Millisecond)
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{r.Addr}})
	t.Cleanup(func() { _ = cluster.Close() })
	runSuite(t, cluster)
	require.NoError(t, one.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	_, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: cluster})
	requireReason(t, redisstore.ReasonPolicy, err)
}

func TestConfig(t *testing.T) {
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	t.Cleanup(func() { _, _ = c.Close(), ring.Close() })
	for name, cfg := range map[string]redisstore.Config{
		"no client": {},
		"a ring":    {Client: ring},
		"prefix":    {Client: c, Prefix: "a}b"},
		"requests":  {Client: c, MaxRequests: -1},
		"margin":    {Client: c, Margin: -1},
		"timeout":   {Client: c, Timeout: -1},
	} {
		s, err := redisstore.New(t.Context(), cfg)
		requireReason(t, redisstore.ReasonConfig, err)
		require.Nil(t, s, name)
	}
}

func TestPolicy(t *testing.T) {
	r := testserver.StartRedis(t, "--maxmemory", "50mb")
	c := r.Client()
	open(t, redisstore.Config{InsecurePlaintext: true, Client: c})
	for _, policy := range []string{"allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"} {
		require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", policy).Err())
		_, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: c})
		e := requireReason(t, redisstore.ReasonPolicy, err)
		require.Equal(t, []string{"noeviction", policy}, []string{e.Want, e.Got})
	}
	open(t, redisstore.Config{InsecurePlaintext: true, Client: c, InsecureSkipPolicyCheck: true})
}

// Hosted servers forbid CONFIG. The policy is known all the same.
func TestRedisThatForbidsConfig(t *testing.T) {
	open(t, redisstore.Config{InsecurePlaintext: true,
		Client: testserver.StartRedis(t, "--rename-command", "CONFIG", "").Client()})
	c := testserver.StartRedis(t, "--rename-command", "CONFIG", "", "--maxmemory-policy", "allkeys-lru").Client()
	_, err := redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: c})
	e := requireReason(t, redisstore.ReasonPolicy, err)
	require.Equal(t, []string{"noeviction", "allkeys-lru"}, []string{e.Want, e.Got})
	open(t, redisstore.Config{InsecurePlaintext: true, Client: c, InsecureSkipPolicyCheck: true})
}

// The package's documentation says which commands a user needs.
func TestDocumentedCommandsAreEnough(t *testing.T) {
	r := testserver.StartRedis(t)
	require.NoError(t, r.Client().ACLSetUser(t.Context(), "meridian", "on", ">secret", "~meridian:*",
		"+eval", "+evalsha", "+get", "+set", "+getdel", "+exists", "+time", "+info", "+@sortedset").Err())
	c := redis.NewClient(&redis.Options{Addr: r.Addr, Username: "meridian", Password: "secret"})
	t.Cleanup(func() { _ = c.Close() })
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: c})
	for _, key := range []string{assertion(1), request(1), "other"} {
		require.NoError(t, add(t, s, key))
		require.ErrorIs(t, add(t, s, key), acs.ErrExists)
		_, err := s.Take(t.Context(), key)
		require.NoError(t, err)
	}
}

func TestKeys(t *testing.T) {
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: testserver.StartRedis(t).Client()})
	for _, key := range []string{"", "*", "a b", "A", "a_b", "}", "#since", string(make([]byte, 101))} {
		requireReason(t, redisstore.ReasonKey, add(t, s, key))
		_, err := s.Take(t.Context(), key)
		requireReason(t, redisstore.ReasonKey, err)
	}
}

func TestRegionsAreApart(t *testing.T) {
	c := testserver.StartRedis(t).Client()
	one, two := open(t, redisstore.Config{InsecurePlaintext: true,
		Client: c, Prefix: "one"}), open(t, redisstore.Config{InsecurePlaintext: true, Client: c, Prefix: "two"})
	require.NoError(t, add(t, one, assertion("a")))
	require.NoError(t, add(t, two, assertion("a")))
}

// Expired requests make room, and are removed as others are added.
func TestRoomComesBackByExpiry(t *testing.T) {
	c := testserver.StartRedis(t).Client()
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: c, MaxRequests: 250})
	// fill uses up the quota. It returns false if requests expired meanwhile.
	fill := func(name string, life time.Duration) bool {
		end := time.Now().Add(life) // of all: adding them takes its time
		for i := range 250 {
			if err := s.Add(t.Context(), request(fmt.Sprint(name, i)), nil, end); !errors.Is(err, acs.ErrExpired) ||
				time.Now().Before(end) {
				require.NoError(t, err)
				continue
			}
			return false
		}
		err := add(t, s, request(name+"more"))
		if err == nil && !time.Now().Before(end) {
			_, err = s.Take(t.Context(), request(name+"more"))
			require.NoError(t, err)
			return false
		}
		require.ErrorIs(t, err, acs.ErrFull)
		return true
	}
	for life := 3 * time.Second; !fill(life.String(), life); life *= 2 { // it took longer than they live
		require.Less(t, life, time.Minute)
	}
	require.Eventually(
		t,
		func() bool { return add(t, s, request(time.Now().UnixNano())) == nil },
		2*time.Minute,
		20*time.Millisecond,
	)
	for i := range 249 {
		require.NoError(t, add(t, s, request(1000+i)))
	}
	require.ErrorIs(t, add(t, s, request("more")), acs.ErrFull)
	require.EqualValues(t, 250, c.ZCard(t.Context(), "meridian:{region}#requests").Val())
}

// J16: a Redis without free memory refuses, and drops nothing.
func TestFullMemory(t *testing.T) {
	c := testserver.StartRedis(t).Client()
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: c})
	require.NoError(t, add(t, s, assertion("used")))
	require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "1").Err())
	requireReason(t, redisstore.ReasonUnavailable, add(t, s, assertion("new")))
	requireReason(t, redisstore.ReasonUnavailable, add(t, s, request("new")))
	require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "0").Err())
	require.ErrorIs(t, add(t, s, assertion("used")), acs.ErrExists)
	require.NoError(t, add(t, s, request("new")))
}

func TestUnavailable(t *testing.T) {
	r := testserver.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: r.Client(), Timeout: 10 * time.Second})
	require.NoError(t, add(t, s, request("waits")))
	over, end := context.WithCancel(t.Context())
	end()
	err := s.Add(over, assertion("x"), nil, soon())
	requireReason(t, redisstore.ReasonUnavailable, err)
	require.ErrorIs(t, err, context.Canceled)
	r.Kill()
	for range 3 {
		begin := time.Now()
		requireReason(t, redisstore.ReasonUnavailable, add(t, s, assertion("x")))
		_, err := s.Take(t.Context(), request("waits"))
		requireReason(t, redisstore.ReasonUnavailable, err)
		require.Less(t, time.Since(begin), time.Minute)
	}
	_, err = redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true,
		Client: r.Client(), Timeout: 300 * time.Millisecond})
	requireReason(t, redisstore.ReasonUnavailable, err)
	r.Start()
	v, err := s.Take(t.Context(), request("waits"))
	require.NoError(t, err)
	require.Equal(t, "v", string(v))
}

// The server's answers are lost: each call fails in time and is sent once, and its effect stays.
func TestSilentServer(t *testing.T) {
	r := testserver.StartRedis(t)
	dialer := new(testserver.Dialer)
	direct := r.Client()
	sure := open(t, redisstore.Config{InsecurePlaintext: true, Client: direct})
	require.NoError(t, add(t, sure, assertion("before"))) // so that Redis knows the script
	require.NoError(t, add(t, sure, request("waits")))

	// through opens a store on connections that will be muted. A slow machine may need several tries.
	through := func(read, timeout time.Duration) (s *redisstore.Store) {
		c := redis.NewClient(&redis.Options{
			Addr: r.Addr, Dialer: dialer.DialContext, ReadTimeout: read, WriteTimeout: time.Minute,
		})
		t.Cleanup(func() { _ = c.Close() })
		require.Eventually(t, func() bool {
			var err error
			s, err = redisstore.New(t.Context(), redisstore.Config{InsecurePlaintext: true, Client: c, Timeout: timeout})
			return err == nil
		}, time.Minute, time.Millisecond)
		return s
	}
	stores := map[string]*redisstore.Store{ // by what ends their calls
		"client": through(100*time.Millisecond, time.Minute), "store": through(time.Minute, 300*time.Millisecond),
	}
	patient := through(time.Minute, time.Minute)
	dialer.Mute(r.Addr)
	for name, s := range stores {
		begin := time.Now()
		requireReason(t, redisstore.ReasonUnavailable, add(t, s, assertion(name)))
		require.Less(t, time.Since(begin), 30*time.Second)
		require.Eventually(t, func() bool {
			return direct.Exists(t.Context(), "meridian:{region}:"+assertion(name)).Val() == 1
		}, time.Minute, time.Millisecond)
	}

	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := patient.Take(ctx, request("waits"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), 30*time.Second)
}

// The policy can change after New. While it is wrong, nothing is stored.
func TestPolicyThatChangesLater(t *testing.T) {
	r := testserver.StartRedis(t)
	c := r.Client()
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: c})
	require.NoError(t, add(t, s, assertion("used")))
	require.NoError(t, add(t, s, request("waits")))
	since := s.Since()

	require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	for range 3 {
		for _, key := range []string{assertion("new"), assertion("used"), request("new"), "other"} {
			e := requireReason(t, redisstore.ReasonPolicy, add(t, s, key))
			require.Equal(t, []string{"noeviction", "allkeys-lru"}, []string{e.Want, e.Got})
		}
	}
	require.Zero(t, c.Exists(t.Context(), "meridian:{region}:"+assertion("new")).Val())

	require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	require.ErrorIs(t, add(t, s, assertion("used")), acs.ErrExists)
	require.NoError(t, add(t, s, assertion("new")))
	require.Equal(t, since, s.Since(), "nothing was evicted")
	_, err := s.Take(t.Context(), request("waits"))
	require.NoError(t, err)
}

// Another client's writes evict the records while no user signs in, and the policy is corrected before the next
// sign-in. Since moves for all nodes.
func TestEvictedRecordsAreNoticed(t *testing.T) {
	r := testserver.StartRedis(t)
	c := r.Client()
	stores := two(t, r)
	require.NoError(t, add(t, stores[0], assertion("first")))
	forgets(t, stores, func() {
		mark := c.Get(t.Context(), "meridian:{region}#since").Val()
		require.NotEmpty(t, mark)
		used := c.InfoMap(t.Context(), "memory").Item("Memory", "used_memory")
		require.NotEmpty(t, used)
		require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err())
		require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", used).Err())
		require.Eventually(t, func() bool {
			c.Set(t.Context(), "elsewhere", make([]byte, 1<<16), 0)
			return c.Exists(t.Context(), "meridian:{region}:"+assertion("used")).Val() == 0
		}, time.Minute, time.Millisecond)
		require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "0").Err())
		require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
		require.Equal(t, mark, c.Get(t.Context(), "meridian:{region}#since").Val(), "it does not expire, so it stays")
	})
	require.NoError(t, add(t, stores[1], assertion("used")), "so acs has to ask Since")
}

// A promoted replica has a policy of its own.
func TestPolicyOfAPromotedReplica(t *testing.T) {
	primary := testserver.StartRedis(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	require.NoError(t, err)
	replica := testserver.StartRedis(
		t,
		"--replicaof",
		host+" "+port,
		"--repl-diskless-sync-delay",
		"0",
		"--maxmemory-policy",
		"volatile-lru",
	)
	front := redis.NewClient(&redis.Options{Addr: "failover", Dialer: primary.OrElse(replica), ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = front.Close() })
	s := open(t, redisstore.Config{InsecurePlaintext: true, Client: front})
	require.NoError(t, add(t, s, assertion("before")))
	primary.Kill()
	require.NoError(t, replica.Client().ReplicaOf(t.Context(), "NO", "ONE").Err())
	require.Eventually(t, func() bool { // the connection broke
		var ours *redisstore.Error
		err := add(t, s, assertion("after"))
		require.ErrorAs(t, err, &ours)
		return ours.Reason == redisstore.ReasonPolicy
	}, time.Minute, time.Millisecond)
}
