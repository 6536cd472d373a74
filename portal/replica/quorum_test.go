//go:build unix

package replica_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// freeze stops a process, and returns when it runs no more.
func freeze(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, status.Stopped())
}

func thaw(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
}

// leadsAll makes server 0 of a cluster the leader of all streams of a Region.
func leadsAll(t *testing.T, url, region string) {
	t.Helper()
	nc, err := nats.Connect(url, nats.UserInfo("meridian", nodePassword), nats.IgnoreDiscoveredServers())
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	for _, stream := range []string{"KV_config_" + region, "sessions_" + region, "revoked_" + region} {
		eventually(t, stream+" to be led by server 0", func() bool {
			ctx, cancel := context.WithTimeout(background(t), time.Second)
			defer cancel()
			s, err := js.Stream(ctx, stream)
			if err != nil || s.CachedInfo().Cluster == nil {
				return false
			}
			if s.CachedInfo().Cluster.Leader == region+"-0" {
				return true
			}
			_, _ = nc.RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+stream,
				[]byte(`{"placement":{"preferred":"`+region+`-0"}}`))
			return false
		})
	}
}

func peerOf(n *replica.Node, region string) portal.Peer {
	for _, p := range n.Peers() {
		if p.Region == region {
			return p
		}
	}
	return portal.Peer{}
}

// clusterOf opens a Region on three servers that are processes, the first of
// which leads all streams, and one that follows it and reaches only that one.
func clusterOf(t *testing.T) (servers []*exec.Cmd, urls []string, us, eu *replica.Node) {
	t.Helper()
	servers, all := natsProcesses(t, virginia, 3)
	urls = strings.Split(all, ",")
	eventually(t, "a cluster", func() bool {
		nc, err := nats.Connect(all, nats.UserInfo("meridian", nodePassword))
		if err != nil {
			return false
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(background(t), time.Second)
		defer cancel()
		_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "up", Replicas: len(servers)})
		return err == nil
	})
	cfg := clusterConfig(virginia, urls[0], len(servers))
	cfg.Options = append(cfg.Options, nats.IgnoreDiscoveredServers())
	eventually(t, "a Node", func() bool { // the servers may not see each other yet
		var err error
		us, err = replica.Open(background(t), cfg)
		return err == nil
	})
	t.Cleanup(us.Close)
	leadsAll(t, urls[0], virginia)
	eu = open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: urls[0]}))
	require.NoError(t, eu.Ready(background(t)))
	eventually(t, "replicated", func() bool { return peerOf(eu, virginia).State == portal.PeerReplicated })
	return servers, urls, us, eu
}

// The server that leads all streams is alone: the others may have elected another leader and
// acknowledged messages that it lacks. It answers the Node as the leader for some seconds. Heard
// stops meanwhile.
func TestHeardStandsStillWithoutAMajority(t *testing.T) {
	t.Parallel()
	servers, _, _, eu := clusterOf(t)
	freeze(t, servers[1])
	freeze(t, servers[2])
	alone := time.Now()
	eventually(t, "not replicated", func() bool { return peerOf(eu, virginia).State != portal.PeerReplicated })
	assert.False(t, peerOf(eu, virginia).Heard.After(alone))
	thaw(t, servers[1])
	thaw(t, servers[2])
	eventually(t, "heard again", func() bool { return peerOf(eu, virginia).Heard.After(alone) })
}

// revokeElsewhere ends sessions of u-1 by a Node that reaches the second and the
// third server only, and returns the first that this acknowledges. A write that
// meets the change of a leader fails, and may be made again for another session.
func revokeElsewhere(t *testing.T, urls, ids []string) string {
	t.Helper()
	cfg := clusterConfig(virginia, strings.Join(urls[1:], ","), len(urls))
	cfg.Options = append(cfg.Options, nats.IgnoreDiscoveredServers())
	var two *replica.Node
	eventually(t, "a second Node", func() bool {
		var err error
		two, err = replica.Open(background(t), cfg)
		return err == nil
	})
	t.Cleanup(two.Close)
	for _, id := range ids {
		err := two.Sessions().Revoke(background(t), "u-1", id)
		if err == nil {
			return id
		}
		var e *replica.Error
		require.True(t, errors.As(err, &e) && e.Reason == replica.ReasonUnavailable, "%v", err)
	}
	require.Fail(t, "no revocation is acknowledged")
	return ""
}

// signInOften makes sessions of u-1, and returns when the other Region knows them.
func signInOften(t *testing.T, at, other *replica.Node) (ids []string) {
	t.Helper()
	for i := range 8 {
		ids = append(ids, fmt.Sprint("s-", i))
		signIn(t, at, "u-1", ids[i])
	}
	eventually(t, "the sessions", func() bool { return alive(t, other, ids[len(ids)-1]) })
	return ids
}

// The server that leads all streams is frozen until the others have elected
// another leader and acknowledged a revocation, and then goes on. As soon as a
// follower has heard what was there then, the session is over.
func TestHeardIsTrueWhenAFrozenLeaderGoesOn(t *testing.T) {
	t.Parallel()
	servers, urls, us, eu := clusterOf(t)
	ids := signInOften(t, us, eu)
	freeze(t, servers[0])
	ended := revokeElsewhere(t, urls, ids)
	acked := time.Now()
	thaw(t, servers[0])
	eventually(t, "heard since", func() bool { return peerOf(eu, virginia).Heard.After(acked) })
	assert.False(t, alive(t, eu, ended))
}

// The agreements at each heartbeat don't change the streams.
func TestAgreementsAddNoMessages(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 3)
	us := c.node(t, virginia)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: c.urls}))
	require.NoError(t, eu.Ready(background(t)))
	signIn(t, us, "u-1", "s-1")
	eventually(t, "the session", func() bool { return alive(t, eu, "s-1") })
	js := c.streams(t)
	states := func() (out []jetstream.StreamState) {
		for _, stream := range []string{"KV_config_", "sessions_", "revoked_"} {
			var s jetstream.Stream
			eventually(t, "a look at "+stream, func() (ok bool) {
				var err error
				s, err = js.Stream(background(t), stream+virginia)
				return err == nil
			})
			state := s.CachedInfo().State
			state.Consumers = 0
			out = append(out, state)
		}
		return out
	}
	before := states()
	for range 5 {
		now := time.Now()
		eventually(t, "heard since", func() bool { return peerOf(eu, virginia).Heard.After(now) })
	}
	assert.Equal(t, before, states())
}
