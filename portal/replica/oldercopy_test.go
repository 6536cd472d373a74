package replica_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A backup that lacks messages is detected even if the Region has got a new log since, by Restored
// or Recover.
func TestAnOlderCopyFromBeforeAnotherRestoreIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, before := range []int{0, 1} { // how often it was restored before the backup was made
		dir, backup := t.TempDir(), t.TempDir()
		us := open(t, configOf(virginia, dir))
		eu := open(t, configOf(frankfurt, t.TempDir()))
		mesh(t, us, eu)
		us.Close()
		for range before {
			c := configOf(virginia, dir)
			c.Restored = true
			us = open(t, c)
			mesh(t, us, eu)
			us.Close()
		}
		require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
		c := configOf(virginia, dir)
		c.Restored = true
		us = open(t, c)
		mesh(t, us, eu)
		signIn(t, us, "u-1", "s-1")
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-1", time.Time{}))
		require.NoError(t, us.View().Update(putUser(center.User{ID: "u-2", UserName: "bob@example.com", Inactive: true})))
		r, err := replica.Check(background(t), us, eu)
		require.NoError(t, err, r.String())
		us.Close()

		us = open(t, configOf(virginia, backup))
		require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
		require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
		stops(t, us)
		u, ok := eu.View().UserByID("u-2")
		assert.True(t, ok && u.Inactive)
	}
}

// Others may only know the address of a Region's old machine. The new one is shown their copies
// when it asks them.
func TestAnOlderCopyThatNoRegionFollowsIsFoundOut(t *testing.T) {
	t.Parallel()
	backup, eu := backedUp(t)
	us := open(t, configOf(virginia, backup))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	stops(t, us)
}

// Two primaries from one directory, each of which is followed by another Region.
func TestTwoRegionsFromOneDirectoryStopThatAreFollowedApart(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	open(t, configOf(virginia, dir)).Close()
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	us, twin := open(t, configOf(virginia, dir)), open(t, configOf(virginia, copied))
	eu, ap := open(t, configOf(frankfurt, t.TempDir())), open(t, configOf(mumbai, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, ap.AddPeer(background(t), virginia, replica.Peer{URL: twin.Addr()}))
	for _, n := range []*replica.Node{us, twin} {
		for _, p := range []*replica.Node{eu, ap} {
			require.NoError(t, n.AddPeer(background(t), p.Region(), replica.Peer{URL: p.Addr()}))
		}
	}
	stops(t, us)
	stops(t, twin)
}
