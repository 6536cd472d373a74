package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/storetest"
)

// open opens a store with a long timeout, unless cfg has one.
func open(t *testing.T, cfg natsstore.Config) *natsstore.Store {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	s, err := natsstore.New(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

// hasty opens a store with a short timeout, for tests without an answer. A slow machine may need several tries.
func hasty(t *testing.T, cfg natsstore.Config) (s *natsstore.Store) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		s, err = natsstore.New(t.Context(), cfg)
		return err == nil
	}, time.Minute, time.Millisecond)
	return s
}

func requireReason(t *testing.T, want natsstore.Reason, err error) *natsstore.Error {
	t.Helper()
	var ours *natsstore.Error
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

// Each test of the suite has its own prefix, and so its own streams.
func runSuite(t *testing.T, servers int, cfg natsstore.Config) {
	n := testserver.StartNATS(t, servers)
	cfg.JetStream, cfg.MaxRequests = n.JetStream(0), 60
	var count int
	storetest.Run(t, func(t *testing.T) acs.Store {
		cfg := cfg
		count++
		cfg.Prefix = fmt.Sprint("suite-", count)
		return open(t, cfg)
	}, storetest.Options{MaxRequests: cfg.MaxRequests, RoundsUp: 5 * time.Second})
}

func TestStore(t *testing.T) { runSuite(t, 1, natsstore.Config{InsecurePlaintext: true}) }
func TestStoreInMemory(t *testing.T) {
	runSuite(t, 1, natsstore.Config{InsecurePlaintext: true, Storage: jetstream.MemoryStorage})
}
func TestStoreOnThreeServers(t *testing.T) {
	runSuite(t, 3, natsstore.Config{InsecurePlaintext: true, Replicas: 3, Timeout: 20 * time.Second})
}

func TestConfig(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	for name, cfg := range map[string]natsstore.Config{
		"no JetStream":    {},
		"prefix":          {JetStream: js, Prefix: "a.b"},
		"wildcard":        {JetStream: js, Prefix: "*"},
		"replicas":        {JetStream: js, Replicas: 6},
		"storage":         {JetStream: js, Storage: 7},
		"requests":        {JetStream: js, MaxRequests: -1},
		"margin":          {JetStream: js, Margin: -1},
		"timeout":         {JetStream: js, Timeout: -1},
		"negative number": {JetStream: js, Replicas: -1},
	} {
		s, err := natsstore.New(t.Context(), cfg)
		requireReason(t, natsstore.ReasonConfig, err)
		require.Nil(t, s, name)
	}
}

func TestKeys(t *testing.T) {
	s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: testserver.StartNATS(t, 1).JetStream(0)})
	for _, key := range []string{"", "*", ">", "request.*", "a b", "A", "a_b", "a-b", "ä", "a\r\nPUB x 0\r\n",
		string(make([]byte, 101))} {
		requireReason(t, natsstore.ReasonKey, add(t, s, key))
		_, err := s.Take(t.Context(), key)
		requireReason(t, natsstore.ReasonKey, err)
	}
	for _, key := range []string{".", "..", ".a", "a.", "a..b"} { // no subject could be that
		require.NoError(t, add(t, s, key))
		require.ErrorIs(t, add(t, s, key), acs.ErrExists)
	}
}

// A stream with other settings could drop a live record, or return a used one. New refuses it, and doesn't change it.
func TestForeignStreams(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	good := natsstore.RecordsConfig(natsstore.Config{InsecurePlaintext: true, Prefix: "p", Replicas: 1})
	for name, breakIt := range map[string]func(*jetstream.StreamConfig){
		"allow_direct":            func(c *jetstream.StreamConfig) { c.AllowDirect = true },
		"allow_msg_ttl":           func(c *jetstream.StreamConfig) { c.AllowMsgTTL = false },
		"discard_new_per_subject": func(c *jetstream.StreamConfig) { c.DiscardNewPerSubject = false },
		"discard": func(c *jetstream.StreamConfig) {
			c.Discard = jetstream.DiscardOld
			c.DiscardNewPerSubject = false
		},
		"max_age":                   func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max_msgs_per_subject":      func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 2 },
		"limit on messages":         func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 },
		"subject_delete_marker_ttl": func(c *jetstream.StreamConfig) { c.SubjectDeleteMarkerTTL = time.Minute },
		"deny_delete":               func(c *jetstream.StreamConfig) { c.DenyDelete = true },
		"storage":                   func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"subjects":                  func(c *jetstream.StreamConfig) { c.Subjects = []string{"p.record.*"} },
		"no_ack":                    func(c *jetstream.StreamConfig) { c.NoAck = true },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			breakIt(&cfg)
			stream, err := js.CreateStream(t.Context(), cfg)
			require.NoError(t, err)
			before := stream.CachedInfo().Config
			_, err = natsstore.New(t.Context(), natsstore.Config{InsecurePlaintext: true, JetStream: js, Prefix: "p"})
			e := requireReason(t, natsstore.ReasonStream, err)
			require.Contains(t, []string{name, "discard", "discard_new_per_subject"}, e.Detail)
			after, err := stream.Info(t.Context())
			require.NoError(t, err)
			require.Equal(t, before, after.Config)
			require.NoError(t, js.DeleteStream(t.Context(), cfg.Name))
		})
	}
}

func TestMaxRequestsCanBeRaised(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	one := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js, MaxRequests: 1})
	require.NoError(t, add(t, one, request(1)))
	require.ErrorIs(t, add(t, one, request(2)), acs.ErrFull)
	require.ErrorIs(t, add(t, one, request(1)), acs.ErrExists)
	two := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js, MaxRequests: 2})
	require.NoError(t, add(t, two, request(2)))
	require.ErrorIs(t, add(t, one, request(3)), acs.ErrFull)
}

// Lifetimes go by the leader's clock, so a node with a wrong clock makes records with the correct end.
func TestExactEnds(t *testing.T) {
	s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: testserver.StartNATS(t, 1).JetStream(0)})
	require.NoError(t, add(t, s, request("over"))) // for less than an hour
	require.ErrorIs(t, add(t, s, request("over")), acs.ErrExists)
	natsstore.MoveClock(s, time.Hour)
	require.ErrorIs(t, s.Add(t.Context(), request("past"), nil, time.Now().Add(59*time.Minute)), acs.ErrExpired)
	_, err := s.Take(t.Context(), request("over"))
	require.ErrorIs(t, err, acs.ErrNotFound, "its end is past, though the server still has it")
}

func TestRoundUp(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		1: time.Second, time.Second: time.Second, time.Second + 1: 2 * time.Second,
		90*time.Second + 7*time.Millisecond: 91 * time.Second,
	} {
		require.Equal(t, want, natsstore.RoundUp(d))
	}
}

// While leaders change, no record is added by two nodes or taken twice.
func TestLeaderChanges(t *testing.T) {
	n := testserver.StartNATS(t, 3)
	var stores []*natsstore.Store
	for i := range 3 {
		open(t, natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(i), Replicas: 3, Timeout: 20 * time.Second})
		stores = append(
			stores,
			hasty(t, natsstore.Config{InsecurePlaintext: true,
				JetStream: n.JetStream(i), Replicas: 3, Timeout: 500 * time.Millisecond}),
		)
	}
	each := func(f func(*natsstore.Store) error) (worked int64) {
		var count atomic.Int64
		var wait sync.WaitGroup
		for _, s := range stores {
			wait.Go(func() {
				if f(s) == nil {
					count.Add(1)
				}
			})
		}
		wait.Wait()
		return count.Load()
	}
	js := n.JetStream(0)
	for change := range 4 {
		stepped := make(chan error, 1)
		go func() {
			var err error
			for _, stream := range []string{"meridian_records", "meridian_requests"} {
				_, again := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil, 30*time.Second)
				err = errors.Join(err, again)
			}
			stepped <- err
		}()
		for round, calm, limit := 0, 0, time.Now().Add(3*time.Minute); calm < 5; round++ {
			require.True(t, time.Now().Before(limit), "no leader again")
			name := fmt.Sprint(change, ".", round)
			added := each(func(s *natsstore.Store) error { return s.Add(t.Context(), assertion(name), nil, soon()) })
			require.LessOrEqual(t, added, int64(1), "assertion %s", name)
			_ = add(t, stores[0], request(name))
			taken := each(func(s *natsstore.Store) error { _, err := s.Take(t.Context(), request(name)); return err })
			require.LessOrEqual(t, taken, int64(1), "request %s", name)
			if added == 1 && taken == 1 && len(stepped) == 1 {
				calm++
			}
		}
		require.NoError(t, <-stepped)
	}
}

func TestOneServerOfThreeIsDown(t *testing.T) {
	n := testserver.StartNATS(t, 3)
	s := open(t, natsstore.Config{InsecurePlaintext: true,
		JetStream: n.JetStream(0), Replicas: 3, Timeout: 20 * time.Second})
	require.NoError(t, add(t, s, assertion("before")))
	n.Kill(2)
	works := func(name string) {
		require.Eventually(t, func() bool {
			err := add(t, s, assertion(name))
			return err == nil || errors.Is(err, acs.ErrExists) // a try that timed out may have worked
		}, 2*time.Minute, 50*time.Millisecond)
		require.ErrorIs(t, add(t, s, assertion("before")), acs.ErrExists)
	}
	works("two.left")
	n.Kill(1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	requireReason(t, natsstore.ReasonUnavailable, s.Add(ctx, assertion("one.left"), nil, soon()))
	n.Start()
	works("three.again")
}
