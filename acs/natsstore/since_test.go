package natsstore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
)

// restart kills the servers and starts them again, and waits until the connection has noticed both. between may be
// nil.
func restart(t *testing.T, n *testserver.NATS, js jetstream.JetStream, between func()) {
	t.Helper()
	becomes := func(want bool) {
		require.Eventually(
			t,
			func() bool { return (js.Conn().Status() == nats.CONNECTED) == want },
			time.Minute,
			5*time.Millisecond,
		)
	}
	n.KillAll()
	becomes(false)
	if between != nil {
		between()
	}
	n.Start()
	becomes(true)
}

func TestSinceIsSharedAndStays(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	begin := time.Now()
	js := n.JetStream(0)
	one := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js})
	require.False(t, one.Since().Before(begin))
	require.False(t, one.Since().After(time.Now()))
	two := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(0)})
	require.Equal(t, one.Since(), two.Since())
	late := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js, Margin: time.Hour})
	require.Equal(t, one.Since().Add(time.Hour), late.Since())

	require.NoError(t, add(t, one, assertion("used")))
	restart(t, n, js, nil)
	require.ErrorIs(t, add(t, one, assertion("used")), acs.ErrExists)
	require.NoError(t, add(t, one, assertion("other")))
	require.Equal(t, two.Since(), one.Since())
	require.Equal(t, one.Since(), open(t, natsstore.Config{InsecurePlaintext: true,
		JetStream: js}).Since(), "files survive a restart")
}

// A running store accepts no assertion before it has noticed a loss of any kind.
func TestSinceMovesWhenTheStreamForgets(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name    string
		storage jetstream.StorageType
		lose    func(*testing.T, *testserver.NATS, jetstream.JetStream)
	}{
		{"purged", jetstream.FileStorage, func(t *testing.T, _ *testserver.NATS, js jetstream.JetStream) {
			stream, err := js.Stream(ctx, "meridian_records")
			require.NoError(t, err)
			require.NoError(t, stream.Purge(ctx))
		}},
		{"deleted and made again by another node", jetstream.FileStorage,
			func(t *testing.T, n *testserver.NATS, js jetstream.JetStream) {
				require.NoError(t, js.DeleteStream(ctx, "meridian_records"))
				open(t, natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(0)})
			}},
		{"deleted", jetstream.FileStorage, func(t *testing.T, _ *testserver.NATS, js jetstream.JetStream) {
			require.NoError(t, js.DeleteStream(ctx, "meridian_records"))
		}},
		{"restarted in memory", jetstream.MemoryStorage, func(t *testing.T, n *testserver.NATS, js jetstream.JetStream) {
			restart(t, n, js, nil)
		}},
		{"restarted without its files", jetstream.FileStorage,
			func(t *testing.T, n *testserver.NATS, js jetstream.JetStream) {
				restart(t, n, js, func() { require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, "0"))) })
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := testserver.StartNATS(t, 1)
			js := n.JetStream(0)
			cfg := natsstore.Config{InsecurePlaintext: true, JetStream: js, Storage: test.storage}
			stores := [2]*natsstore.Store{open(t, cfg), open(t, cfg)}
			testserver.Forgets(t, stores, 5, time.Nanosecond, func() { test.lose(t, n, js) })
			require.NoError(t, add(t, stores[1], assertion("used")), "so acs has to ask Since")
		})
	}
}

// A server that restarts with older files has the marker, and not the records since. Its sequence numbers show that.
func TestSinceMovesWhenTheStreamGoesBack(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	js := n.JetStream(0)
	s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js})
	require.NoError(t, add(t, s, assertion("saved")))
	backup := t.TempDir()
	restart(t, n, js, func() { require.NoError(t, os.CopyFS(backup, os.DirFS(n.Dir))) })
	for i := range 3 {
		require.NoError(t, add(t, s, assertion(i)))
	}
	back := time.Now()
	restart(t, n, js, func() {
		require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, "0")))
		require.NoError(t, os.CopyFS(n.Dir, os.DirFS(backup)))
	})
	require.ErrorIs(t, add(t, s, assertion("saved")), acs.ErrExists)
	requireReason(t, natsstore.ReasonForgotten, add(t, s, assertion(0)))
	require.False(t, s.Since().Before(back))
	require.NoError(t, add(t, s, assertion(1)), "known to be unknown")
	require.Equal(t, s.Since(), open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js}).Since())
}

func TestUnavailable(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	js := n.JetStream(0)
	s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js, Timeout: 10 * time.Second})
	require.NoError(t, add(t, s, request("waits")))
	over, end := context.WithCancel(t.Context())
	end()
	err := s.Add(over, assertion("x"), nil, soon())
	requireReason(t, natsstore.ReasonUnavailable, err)
	require.ErrorIs(t, err, context.Canceled)
	n.KillAll()
	for range 3 {
		begin := time.Now()
		requireReason(t, natsstore.ReasonUnavailable, add(t, s, assertion("x")))
		_, err := s.Take(t.Context(), request("waits"))
		requireReason(t, natsstore.ReasonUnavailable, err)
		require.Less(t, time.Since(begin), time.Minute)
	}
	_, err = natsstore.New(t.Context(), natsstore.Config{InsecurePlaintext: true,
		JetStream: js, Timeout: 300 * time.Millisecond})
	requireReason(t, natsstore.ReasonUnavailable, err)
	n.Start()
	require.Eventually(t, func() bool { return js.Conn().Status() == nats.CONNECTED }, time.Minute, 5*time.Millisecond)
	v, err := s.Take(t.Context(), request("waits"))
	require.NoError(t, err)
	require.Equal(t, "v", string(v))
	if err = add(t, s, assertion("x")); err != nil {
		// The first try may have been sent before the client noticed, and arrive now. No sign-in succeeded with it.
		require.ErrorIs(t, err, acs.ErrExists)
	}
	require.NoError(t, add(t, s, assertion("y")))
}

// A server that doesn't answer.
func TestSilentServer(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	dialer := new(testserver.Dialer)
	nc, err := nats.Connect("nats://"+n.Addr(0), nats.Timeout(time.Minute), nats.SetCustomDialer(dialer))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute)) // so that it is the store's that ends a call
	require.NoError(t, err)
	s := hasty(t, natsstore.Config{InsecurePlaintext: true, JetStream: js, Timeout: 300 * time.Millisecond})
	dialer.Mute(n.Addr(0))
	begin := time.Now()
	requireReason(t, natsstore.ReasonUnavailable, add(t, s, assertion("x")))
	_, err = s.Take(t.Context(), request("x"))
	requireReason(t, natsstore.ReasonUnavailable, err)
	require.Less(t, time.Since(begin), 30*time.Second)
}
