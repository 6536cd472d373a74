package replica_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// restoringTo is restoring for a Region's own servers.
func (c *cluster) restoringTo(t *testing.T, k keyring, backup []byte, from ...*replica.Node) replica.Config {
	t.Helper()
	cfg := restoring(t, c.sealed(t, k), backup, from...)
	cfg.Dir = ""
	return cfg
}

// sealed is the configuration of a Node of the primary on these servers.
func (c *cluster) sealed(t *testing.T, k keyring) replica.Config {
	t.Helper()
	cfg := c.config(virginia)
	cfg.InsecurePlaintext, cfg.Sealer = false, k.sealer(t, virginia)
	return cfg
}

// empty deletes everything on the servers, as if they were new.
func (c *cluster) empty(t *testing.T) {
	t.Helper()
	js := c.streams(t)
	for name := range js.StreamNames(background(t)).Name() {
		require.NoError(t, js.DeleteStream(background(t), name))
	}
}

// The primary's own NATS servers are lost. Its backup is restored on three new ones, and the Nodes of the Region that
// share them serve: nothing that another Region has is lost, and what ended since the backup stays ended.
func TestABackupIsRestoredOnServersOfTheRegion(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	lost := newCluster(t, virginia, 1)
	us, eu := open(t, lost.sealed(t, k)), open(t, k.config(t, frankfurt, t.TempDir()))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: lost.urls}))
	require.NoError(t, eu.Ready(background(t)))
	signIn(t, us, "u-1", "s-in")
	signIn(t, us, "u-1", "s-out")
	backup := backUp(t, us)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-out", time.Time{}))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()
	lost.stop(0)

	fresh := newCluster(t, virginia, 3)
	cfg := fresh.restoringTo(t, k, backup, eu)
	us = open(t, cfg)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: fresh.urls}))
	require.NoError(t, us.Ready(background(t)))
	plain := fresh.sealed(t, k)
	plain.Seed = center.Data{}
	two := open(t, plain)
	require.NoError(t, two.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	for _, n := range []*replica.Node{us, two, eu} {
		r, err = replica.Check(background(t), n, eu)
		require.NoError(t, err, r.String())
		_, removed := userIn(n, "u-2")
		_, later := userIn(n, "u-3")
		assert.True(t, !removed && later, n.Region())
		assert.True(t, alive(t, n, "s-in"), "a session that Frankfurt has copied")
		assert.False(t, alive(t, n, "s-out"))
	}
	require.NoError(t, two.View().Update(putUser(center.User{ID: "u-4", UserName: "dora@example.com"})))
	eventually(t, "a later user in Frankfurt", func() bool { _, ok := userIn(eu, "u-4"); return ok })

	// The option that stays set is refused, and changes nothing.
	two.Close()
	us.Close()
	cfg.Backup = bytes.NewReader(backup)
	_, err = replica.Open(background(t), cfg)
	require.Equal(t, replica.ReasonConfig, reasonOf(err), "%v", err)
	us = open(t, plain)
	_, removed := userIn(us, "u-2")
	assert.False(t, removed)
}

// A restore on a Region's own servers that is ended at any step leaves a Region that doesn't start without the backup,
// whatever the other options, until it is restored as a whole. Nothing of a refused backup is on the servers.
func TestARestoreOnServersOfTheRegionIsInterrupted(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	c := newCluster(t, virginia, 1)
	us := open(t, k.config(t, virginia, t.TempDir())) // a backup moves from embedded servers to others
	eu := open(t, k.config(t, frankfurt, t.TempDir()))
	mesh(t, us, eu)
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "an-end", time.Time{}))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	backup := backUp(t, us)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()

	_, err = replica.Open(background(t), c.restoringTo(t, k, backup[:len(backup)-1]))
	require.Equal(t, replica.ReasonCorrupt, reasonOf(err), "%v", err)
	for name := range c.streams(t).StreamNames(background(t)).Name() {
		s, err := c.streams(t).Stream(background(t), name)
		require.NoError(t, err)
		assert.Zero(t, s.CachedInfo().State.LastSeq, name)
	}
	for _, left := range [][]*replica.Node{{eu}, nil} {
		refused, served := 0, 0
		for number := 1; ; number++ {
			c.empty(t)
			cfg := c.restoringTo(t, k, backup, left...)
			step := stopAt(&cfg, number)
			n, err := replica.Open(background(t), cfg)
			if err == nil {
				n.Close()
				break
			}
			require.ErrorIs(t, err, errStopped)
			replica.Pass(&cfg, nil)
			plain := c.sealed(t, k) // with a Seed, as another Node of the Region may have
			if n, err = replica.Open(background(t), plain); err == nil {
				served++
			} else {
				require.Equal(t, replica.ReasonDamaged, reasonOf(err), "%s: %v", *step, err)
				assert.Contains(t, err.Error(), "Config.Backup", *step)
				cfg.Backup = bytes.NewReader(backup)
				n, err = replica.Open(background(t), cfg)
				require.NoError(t, err, *step)
				refused++
			}
			_, first := userIn(n, "u-1")
			_, removed := userIn(n, "u-2")
			assert.True(t, first, *step)
			assert.Equal(t, len(left) == 0, removed, "%s: removed after the backup, as Frankfurt knows", *step)
			assert.Contains(t, n.Digest().Items, fmt.Sprintf("signed out %q %q", "u-1", "an-end"), *step)
			assert.NotContains(t, replica.Held(t, n), "recovery_us-east-1", *step)
			n.Close()
		}
		assert.Greater(t, refused, 5)
		assert.Positive(t, served, "after the last step")
	}
}
