package replica_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A Region's disk is lost, and recovered with a new key. Then a backup is restored that the
// operator had once declared with Restored. It can't know what it lacks, so the followers don't
// follow it, also after they are restarted.
func TestFollowersGoBackToNoOlderStart(t *testing.T) {
	t.Parallel()
	dir, backup, euDir := t.TempDir(), t.TempDir(), t.TempDir()
	c := configOf(virginia, dir)
	c.Restored = true
	us, eu := open(t, c), open(t, configOf(frankfurt, euDir))
	mesh(t, us, eu)
	signIn(t, us, "u-1", "s-1")
	us.Close()
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))

	c = configOf(virginia, t.TempDir())
	c.Now = func() time.Time { return time.Now().Add(time.Minute) } // as it is a minute later
	us = recovered(t, c, eu)
	mesh(t, us, eu)
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-1", time.Time{}))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-2", UserName: "bob@example.com", Inactive: true})))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()
	eu.Close()
	eu = open(t, configOf(frankfurt, euDir))

	var log logged
	c = configOf(virginia, backup)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	us = open(t, c)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	eventually(t, "the older start to be found out", func() bool { return peerState(eu, virginia) == portal.PeerDamaged })
	eventually(t, "its operator to read of it", func() bool { return log.count("knows of a later start") == 1 })
	u, ok := eu.View().UserByID("u-2")
	assert.True(t, ok && u.Inactive)
	assert.False(t, alive(t, eu, "s-1"))
	assert.Zero(t, eu.Peers()[0].Heard)
	us.Close()

	c = configOf(virginia, backup)
	c.Recover, c.Peers = []string{frankfurt}, map[string]replica.Peer{frankfurt: {URL: eu.Addr()}}
	assert.Contains(t, refusesToOpen(t, c).Error(), "on an empty disk", "the backup is no help")
	c = configOf(virginia, t.TempDir())
	c.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	us = recovered(t, c, eu)
	mesh(t, us, eu)
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	eventually(t, "to be followed again", func() bool { return peerState(eu, virginia) == portal.PeerReplicated })
	assert.False(t, alive(t, us, "s-1"))
	u, ok = us.View().UserByID("u-2")
	assert.True(t, ok && u.Inactive)
}

// The Nodes of one Region have starts of their own, in any order.
func TestNodesOfARegionAreOneStartToFollowers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	one, two := c.node(t, virginia), c.node(t, virginia)
	var log logged
	cfg := configOf(frankfurt, t.TempDir())
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	eu := open(t, cfg)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: c.urls}))
	require.NoError(t, one.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
	signIn(t, one, "u-1", "s-1")
	signIn(t, two, "u-1", "s-2")
	eventually(t, "both to be heard", func() bool { return alive(t, eu, "s-1") && alive(t, eu, "s-2") })
	two.Close()
	two = c.node(t, virginia)
	signIn(t, two, "u-1", "s-3")
	eventually(t, "the last to be heard", func() bool { return alive(t, eu, "s-3") })
	since := time.Now()
	eventually(t, "to be replicated", func() bool { return eu.Peers()[0].Heard.After(since) })
	assert.Zero(t, log.count("log is not accepted"))
}
