package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
)

// leaderOf returns the number of the server that leads a stream.
func leaderOf(t *testing.T, js jetstream.JetStream, stream string) (leader int) {
	t.Helper()
	require.Eventually(t, func() bool {
		handle, err := js.Stream(t.Context(), stream)
		if err != nil || handle.CachedInfo().Cluster == nil {
			return false
		}
		_, err = fmt.Sscanf(handle.CachedInfo().Cluster.Leader, "n%d", &leader)
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return leader
}

// The leader has a message and can't replicate it. It is unknown whether the record will exist, so no call returns
// ErrExists.
func TestStalledWriteIsUnavailable(t *testing.T) {
	for _, key := range []string{assertion("stalled"), request("stalled")} {
		// A new cluster: the last one is recovering.
		n := testserver.StartNATS(t, 3)
		open(t, natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(0), Replicas: 3}) // makes the streams
		stream := "meridian_records"
		if key == request("stalled") {
			stream = "meridian_requests"
		}
		leader := leaderOf(t, n.JetStream(0), stream)
		s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(leader), Replicas: 3})
		require.NoError(t, add(t, s, key+".before"))
		for i := range 3 {
			if i != leader {
				n.Kill(i)
			}
		}
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			requireReason(t, natsstore.ReasonUnavailable, s.Add(ctx, key, []byte("v"), soon()))
			cancel()
		}
		n.Start()
		// The first to succeed stores it, unless the stalled one does.
		require.Eventually(
			t,
			func() bool { return errors.Is(add(t, s, key), acs.ErrExists) },
			2*time.Minute,
			50*time.Millisecond,
		)
	}
}

// A server that hangs keeps its connections. With this package's options the client leaves it for another.
func TestHangingServerIsReplaced(t *testing.T) {
	n := testserver.StartNATS(t, 3)
	dialer := new(testserver.Dialer)
	nc, err := nats.Connect(
		"nats://"+n.Addr(0)+",nats://"+n.Addr(1)+",nats://"+n.Addr(2),
		append(natsstore.ConnectOptions(),
			nats.DontRandomize(), nats.IgnoreDiscoveredServers(), nats.SetCustomDialer(dialer))...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	s := open(t, natsstore.Config{InsecurePlaintext: true, JetStream: js, Replicas: 3, Timeout: 20 * time.Second})
	require.NoError(t, add(t, s, assertion("before")))
	dialer.Mute(n.Addr(0))
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.Add(ctx, assertion("after"), nil, soon())
		return err == nil || errors.Is(err, acs.ErrExists) // a try that timed out may have worked
	}, 90*time.Second, 20*time.Millisecond)
	require.NotEqual(t, n.Addr(0), nc.ConnectedAddr())
}
