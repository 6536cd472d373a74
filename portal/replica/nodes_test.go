package replica_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Several Nodes of one Region on their own servers, and faults while a Node reads.

// A Node that opens while sessions expire, or the log is shortened, does not wait for messages that
// never arrive.
func TestOpenWhileMessagesGo(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	one := c.node(t, virginia)
	for i := range 1500 {
		soon := at(one, session("u-1", fmt.Sprint(i), nil))
		soon.Expires = soon.Created.Add(10 * time.Minute)
		require.NoError(t, one.Sessions().Create(background(t), fmt.Sprint("key-", i), soon))
	}
	s, err := c.streams(t).Stream(background(t), "sessions_"+virginia)
	require.NoError(t, err)
	cfg, once := c.config(virginia), sync.Once{}
	replica.Opens(&cfg, func(key string, _ []byte) error {
		if strings.HasPrefix(key, "meridian.sessions.") {
			once.Do(func() { assert.NoError(t, s.Purge(background(t), jetstream.WithPurgeSequence(1400))) })
		}
		return nil
	})
	two := open(t, cfg)
	assert.True(t, alive(t, two, "1450"))
	assert.False(t, alive(t, two, "1300"))
}

// After a call of AddPeer gave up, what it began goes on, and the next call waits for it.
func TestAddPeerAgain(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	c := newCluster(t, frankfurt, 1)
	first, free := c.node(t, frankfurt), make(chan struct{})
	cfg := c.config(frankfurt)
	replica.Opens(&cfg, func(key string, _ []byte) error {
		if strings.HasPrefix(key, "$KV.config_"+virginia) {
			<-free
		}
		return nil
	})
	second := open(t, cfg)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: c.urls}))
	require.NoError(t, first.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, first.Ready(background(t)))
	signIn(t, us, "u-1", "s")
	eventually(t, "a copy", func() bool { return alive(t, first, "s") })

	// How long AddPeer waits for what is to be read is for the caller to say.
	ctx, cancel := context.WithTimeout(background(t), 100*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, second.AddPeer(ctx, virginia, replica.Peer{URL: us.Addr()}), context.DeadlineExceeded)
	close(free)
	require.NoError(t, second.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, second.Ready(background(t)))
	assert.True(t, alive(t, second, "s"))
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-1"))
	eventually(t, "the revocation", func() bool { return !alive(t, second, "s") })
}

// Two Nodes of a Region that joins are both ready, whichever of them reports it in
// the Region's log.
func TestTwoNodesJoin(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	c := newCluster(t, frankfurt, 1)
	nodes := []*replica.Node{c.node(t, frankfurt), c.node(t, frankfurt)}
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: c.urls}))
	for _, n := range nodes {
		require.NoError(t, n.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	}
	for _, n := range nodes {
		require.NoError(t, n.Ready(background(t)))
	}
}

// Two Nodes of a primary that starts for the very first time: one writes the
// seed, and both serve it.
func TestTwoNodesSeed(t *testing.T) {
	t.Parallel()
	for range 5 {
		c := newCluster(t, virginia, 1)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				n, err := replica.Open(background(t), c.config(virginia))
				if assert.NoError(t, err) {
					assert.Len(t, n.View().Snapshot().Data().Users, 2)
					n.Close()
				}
			})
		}
		wg.Wait()
	}
}

// An unreadable log is not written to, as a seed or a full transaction would hide it. With Restored
// it is.
func TestUnreadableLogIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	corrupt := func(err error) {
		t.Helper()
		var e *replica.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, replica.ReasonCorrupt, e.Reason)
	}
	c := newCluster(t, virginia, 1)
	n := c.node(t, virginia)
	require.NoError(t, act(n, 0, "u-3"))
	n.Close()

	wrongKey := c.config(virginia)
	replica.Opens(&wrongKey, func(_ string, _ []byte) error { return errors.New("another key's value") })
	_, err := replica.Open(background(t), wrongKey)
	corrupt(err)

	n = c.node(t, virginia)
	assert.Len(t, n.View().Snapshot().Data().Users, 3, "nothing was lost by that")
	_, err = c.streams(t).Publish(background(t), "$KV.config_"+virginia+".tx.999.0", []byte("no transaction"))
	require.NoError(t, err)
	eventually(t, "the refusal", func() bool { err = act(n, 0, "u-4"); return err != nil })
	for errors.Is(err, center.ErrConflict) { // until it is read
		err = act(n, 0, "u-4")
	}
	corrupt(err)
	n.Close()

	n = c.node(t, virginia) // which serves what can be read
	corrupt(act(n, 0, "u-4"))
	n.Close()
	cfg := c.config(virginia)
	cfg.Restored = true
	n = open(t, cfg)
	require.NoError(t, act(n, 0, "u-4"))
	assert.Len(t, n.View().Snapshot().Data().Users, 4)
}

// Streams with fewer replicas than configured are refused.
func TestReplicasOfStreamsThatAreThere(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 3)
	cfg := c.config(virginia)
	cfg.Replicas = 1
	open(t, cfg).Close()
	cfg.Replicas = 3
	_, err := replica.Open(background(t), cfg)
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, replica.ReasonConfig, e.Reason)
}
