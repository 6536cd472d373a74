package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
)

func TestMain(m *testing.M) { testserver.Main(m) }

var storages = map[string]jetstream.StorageType{"files": jetstream.FileStorage, "memory": jetstream.MemoryStorage}

func deleteStreams(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	for _, stream := range []string{"meridian_records", "meridian_requests"} {
		require.NoError(t, js.DeleteStream(context.Background(), stream))
	}
}

// A store asks the stream's leader for the time once a minute. If that is the first call to find the streams gone,
// the store makes them again, too.
func TestMissingStreamsAreRecreated(t *testing.T) {
	for name, storage := range storages {
		t.Run(name, func(t *testing.T) {
			n := testserver.StartNATS(t, 1)
			js := n.JetStream(0)
			cfg := natsstore.Config{InsecurePlaintext: true, JetStream: js, Storage: storage}
			stores := [2]*natsstore.Store{open(t, cfg), open(t, cfg)}
			testserver.Forgets(t, stores, 5, time.Nanosecond, func() {
				deleteStreams(t, js)
				natsstore.AgeClock(stores[0])
				natsstore.AgeClock(stores[1])
			})
			for _, s := range stores {
				require.NoError(t, add(t, s, request("again")))
				_, err := s.Take(t.Context(), request("again"))
				require.NoError(t, err)
			}
		})
	}
}

// Take is the first call to find the streams gone.
func TestTakeRecreatesStreams(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js})
	require.NoError(t, add(t, s, request("waits")))
	deleteStreams(t, js)
	natsstore.AgeClock(s)
	_, err := s.Take(t.Context(), request("waits"))
	requireReason(t, natsstore.ReasonUnavailable, err)
	_, err = s.Take(t.Context(), request("waits"))
	require.ErrorIs(t, err, acs.ErrNotFound)
}

// Several nodes find the streams gone at the same moment, in several rounds. At most one of them accepts each
// assertion, and a used one is accepted only by a store whose Since is later.
func TestManyNodesRecreateStreams(t *testing.T) {
	for name, storage := range storages {
		t.Run(name, func(t *testing.T) {
			n := testserver.StartNATS(t, 1)
			var stores []*natsstore.Store
			for range 4 {
				stores = append(stores, open(t, natsstore.Config{InsecurePlaintext: true,
					JetStream: n.JetStream(0), Storage: storage}))
			}
			used := map[string]time.Time{} // before when
			for round := range 5 {
				for _, s := range stores {
					natsstore.AgeClock(s)
				}
				deleteStreams(t, n.JetStream(0))
				for try, worked := 0, false; !worked; try++ {
					require.Less(t, try, 10, "no store works again")
					fresh := fmt.Sprint(round, ".", try)
					var admitted atomic.Int64
					var wait sync.WaitGroup
					for _, s := range stores {
						wait.Go(func() {
							if add(t, s, assertion(fresh)) == nil {
								admitted.Add(1)
							}
						})
					}
					wait.Wait()
					require.LessOrEqual(t, admitted.Load(), int64(1))
					if worked = admitted.Load() == 1; worked {
						used[fresh] = time.Now()
					}
				}
				for key, before := range used {
					for _, s := range stores {
						if add(t, s, assertion(key)) == nil {
							require.True(t, s.Since().After(before), "%s is admitted again, and Since is %v", key, s.Since())
							used[key] = time.Now()
						}
					}
				}
			}
		})
	}
}

// A killed server with streams in memory sometimes doesn't have them after its restart. Here it never does.
func TestStoreWorksAfterAKilledServer(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	js := n.JetStream(0)
	cfg := natsstore.Config{InsecurePlaintext: true, JetStream: js, Storage: jetstream.MemoryStorage}
	stores := [2]*natsstore.Store{open(t, cfg), open(t, cfg)}
	testserver.Forgets(t, stores, 5, time.Nanosecond, func() {
		becomes := func(want bool) {
			require.Eventually(
				t,
				func() bool { return (js.Conn().Status() == nats.CONNECTED) == want },
				time.Minute,
				5*time.Millisecond,
			)
		}
		n.Kill(0)
		becomes(false)
		n.Start()
		becomes(true)
		for _, stream := range []string{"meridian_records", "meridian_requests"} {
			if err := js.DeleteStream(context.Background(), stream); !errors.Is(err, jetstream.ErrStreamNotFound) {
				require.NoError(t, err)
			}
		}
		natsstore.AgeClock(stores[0])
		natsstore.AgeClock(stores[1])
	})
}
