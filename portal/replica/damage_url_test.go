package replica_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// ownServer is a NATS server of the operator's own.
func ownServer(t *testing.T) (url string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "own", Port: server.RANDOM_PORT, Host: "127.0.0.1",
		JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(hang))
	return s.ClientURL()
}

func configAt(region, url string) replica.Config {
	c := configOf(region, "")
	c.Listen, c.URL = "", url
	return c
}

// With the operator's own servers: a missing stream is not created again, and the log is recovered
// from another Region.
func TestAStreamThatIsMissingAtURL(t *testing.T) {
	t.Parallel()
	url := ownServer(t)
	one, two := open(t, configAt(virginia, url)), open(t, configAt(virginia, url))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: url}))
	require.NoError(t, eu.Ready(background(t)))
	for _, n := range []*replica.Node{one, two} {
		require.NoError(t, n.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	}
	require.NoError(t, one.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	require.NoError(t, two.Sessions().RevokeUser(background(t), "u-2"))
	r, err := replica.Check(background(t), one, two, eu)
	require.NoError(t, err, r.String())
	want := one.Digest()
	one.Close()
	two.Close()

	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(background(t), "revoked_us-east-1"))
	refusesToOpen(t, configAt(virginia, url))
	one = recovered(t, configAt(virginia, url), eu)
	two = open(t, configAt(virginia, url))
	require.NoError(t, two.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	r, err = replica.Check(background(t), one, two, eu)
	require.NoError(t, err, r.String())
	for k := range want.Items {
		assert.Contains(t, one.Digest().Items, k)
	}
}

// All Nodes of a Region stop when one of them finds that the log was lost.
func TestAllNodesOfARegionStop(t *testing.T) {
	t.Parallel()
	url := ownServer(t)
	old := open(t, configAt(virginia, url))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: url}))
	require.NoError(t, eu.Ready(background(t)))
	old.Close()

	empty := ownServer(t)
	one, two := open(t, configAt(virginia, empty)), open(t, configAt(virginia, empty))
	for _, n := range []*replica.Node{one, two} {
		require.NoError(t, n.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	}
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: empty}))
	stops(t, one)
	stops(t, two)
}
