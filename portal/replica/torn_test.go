package replica_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A transaction that a crash cut off never takes effect, anywhere, and blocks no
// other; one that was on disk takes effect even if the process that wrote it
// got no further.
func TestTornTransactions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	us := open(t, configOf(virginia, dir))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	replica.Tear(t, us, 10, false)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})),
		"after a torn one")
	replica.Tear(t, us, 10, false) // and at the very end
	us.Close()

	us = open(t, configOf(virginia, dir))
	_, torn := us.View().UserByID("torn-0-0")
	assert.False(t, torn)
	_, carol := us.View().UserByID("u-3")
	assert.True(t, carol)
	mesh(t, us, eu)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-4", UserName: "dora@example.com"})))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	_, torn = eu.View().UserByID("torn-0-0")
	assert.False(t, torn)

	replica.Tear(t, us, 10, true)
	us.Close()
	us = open(t, configOf(virginia, dir))
	mesh(t, us, eu)
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu} {
		_, first := n.View().UserByID("torn-0-0")
		_, last := n.View().UserByID("torn-1-9")
		assert.True(t, first && last, "all of it")
	}

	replica.Full(t, us)
	want := us.Digest()
	us.Close()
	us = open(t, configOf(virginia, dir))
	assert.Empty(t, replica.Compare(want, us.Digest()).Differences)
}

// Large updates are cut into messages, and are seen as a whole or not at all.
func TestLargeUpdatesAreSeenAsAWhole(t *testing.T) {
	t.Parallel()
	us, eu, _ := three(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			s := eu.View().Snapshot()
			_, first := s.UserByID(userName(0))
			_, last := s.UserByID(userName(2999))
			if first != last {
				t.Error("half an update was seen")
				return
			}
		}
	})
	held := replica.Held(t, us)["KV_config_us-east-1"]
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		var errs []error
		for i := range 3000 {
			errs = append(errs, tx.PutUser(center.User{UserName: userName(i)}))
		}
		return errors.Join(errs...)
	}))
	assert.Greater(t, replica.Held(t, us)["KV_config_us-east-1"], held+2, "several messages")
	eventually(t, "all", func() bool { _, ok := eu.View().UserByID(userName(2999)); return ok })
	close(stop)
	wg.Wait()
}

// Two Nodes of one Region on a server of their own: neither loses what the
// other writes, and both copy what a third Region writes.
func TestTwoNodesOfARegion(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{ServerName: "shared", Port: server.RANDOM_PORT, Host: "127.0.0.1",
		JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	shared := func() *replica.Node {
		c := configOf(virginia, "")
		c.Listen, c.URL = "", s.ClientURL()
		return open(t, c)
	}
	one, two := shared(), shared()
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: s.ClientURL()}))
	for _, n := range []*replica.Node{one, two} {
		require.NoError(t, n.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	}
	require.NoError(t, eu.Ready(background(t)))

	var wg sync.WaitGroup
	ctx := background(t)
	for i := range 20 {
		for k, n := range []*replica.Node{one, two} {
			wg.Go(func() {
				id := userName(2*i + k)
				assert.NoError(t, n.View().Update(putUser(center.User{ID: id, UserName: id})))
				assert.NoError(t, n.Sessions().RevokeUser(ctx, "u-1"))
				e, err := n.Sessions().Epoch(ctx, id)
				assert.NoError(t, err)
				assert.NoError(t, eu.Sessions().Create(ctx, "key-"+id, at(eu, session(id, id, e))))
			})
		}
	}
	wg.Wait()
	r, err := replica.Check(ctx, one, two, eu)
	require.NoError(t, err, r.String())
	for i := range 40 {
		_, ok := eu.View().UserByID(userName(i))
		assert.True(t, ok, userName(i))
		assert.True(t, alive(t, one, userName(i)) && alive(t, two, userName(i)))
	}
}

// Parts that arrive twice do not break their transaction.
func TestPartsThatCameTwice(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1, 2, 3}, {0, 0, 1, 2, 3}, {0, 1, 1, 2, 3}, {0, 1, 0, 1, 2, 3}, {0, 1, 0, 2, 3},
		{0, 1, 2, 1, 2, 3}, {0, 1, 2, 3, 3}, {1, 0, 1, 2, 3}} {
		assert.Equal(t, 1, replica.Assemble(4, order...), "%v", order)
	}
	for _, order := range [][]int{{0, 1, 3}, {1, 2, 3}, {0, 2, 3}, {0, 1, 3, 2}} {
		assert.Zero(t, replica.Assemble(4, order...), "%v", order)
	}
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: "nats://127.0.0.1:1"}))
	kept := replica.CopyFull(t, eu, virginia, 3, 0, 1, 1, 2)
	assert.Equal(t, []string{"tx.10.0", "tx.10.1", "tx.10.2"}, kept, "what it replaces is gone, and nothing of itself")
}
