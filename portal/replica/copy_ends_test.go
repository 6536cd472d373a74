package replica_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// uncopiedEnds opens a primary, another Region and one on its own servers. It returns when the last
// one has heard the ends of the second, and has not copied them: of s-1 and s-2, by user and by
// session, and of s-3 and s-4, by key.
func uncopiedEnds(t *testing.T) (us, eu, ap *replica.Node, again func() *replica.Node) {
	t.Helper()
	c := newCluster(t, mumbai, 1)
	us, eu = open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
	again = func() *replica.Node {
		n := c.node(t, mumbai)
		require.NoError(t, n.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
		return n
	}
	ap = again()
	mesh(t, us, eu)
	require.NoError(t, ap.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	for _, n := range []*replica.Node{us, eu} {
		require.NoError(t, n.AddPeer(background(t), mumbai, replica.Peer{URL: c.urls}))
	}
	require.NoError(t, ap.Ready(background(t)))
	for i, id := range []string{"s-1", "s-2", "s-3", "s-4"} {
		signIn(t, us, []string{"u-1", "u-2", "u-2", "u-2"}[i], id)
	}
	eventually(t, "the sessions", func() bool { return alive(t, ap, "s-4") && alive(t, eu, "s-4") })
	signIn(t, eu, "u-2", "s-there")
	require.NoError(t, eu.Sessions().End(background(t), "key-s-there"))
	require.NoError(t, eu.Sessions().End(background(t), "key-s-3"))
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	eventually(t, "all of that to be copied", func() bool { return replica.Uncopied(ap, frankfurt) == 0 })

	replica.Refuse(ap, "revoked_"+frankfurt, "sessions_"+frankfurt)
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	require.NoError(t, eu.Sessions().Revoke(background(t), "u-2", "s-2"))
	require.NoError(t, eu.Sessions().End(background(t), "key-s-4"))
	eventually(t, "the ends to be heard",
		func() bool { return !alive(t, ap, "s-1") && !alive(t, ap, "s-2") && !alive(t, ap, "s-4") })
	require.Zero(t, replica.Held(t, ap)["revoked_"+frankfurt])
	return us, eu, ap, again
}

func assertEnded(t *testing.T, n *replica.Node) {
	t.Helper()
	for _, id := range []string{"s-1", "s-2", "s-3", "s-4"} {
		assert.False(t, alive(t, n, id), id)
	}
}

// What another Region ended, and was heard, is on disk before that Region's copies are deleted,
// after its removal. It stays ended after a restart.
func TestWhatARemovedRegionEndedIsKept(t *testing.T) {
	t.Parallel()
	us, eu, ap, again := uncopiedEnds(t)
	remove(t, us, frankfurt)
	erased(t, eu)
	eventually(t, "the removal", func() bool { return len(ap.Peers()) == 1 })
	assertEnded(t, ap)
	assert.Contains(t, replica.Held(t, ap), "sessions_"+frankfurt, "what ended sessions is kept first")

	replica.Refuse(ap)
	eventually(t, "the copies gone", func() bool {
		held := replica.Held(t, ap)
		_, there := held["sessions_"+frankfurt]
		return !there && held["revoked_"+frankfurt] == 2
	})
	assert.Zero(t, replica.Uncopied(ap, frankfurt))
	assertEnded(t, ap)
	ap.Close()
	ap = again()
	require.NoError(t, ap.Ready(background(t)))
	assertEnded(t, ap)
	assert.Equal(t, uint64(2), replica.Held(t, ap)["sessions_"+mumbai],
		"s-3 and s-4, and not what lived in the Region that is gone")
}

// The same holds if the Node is closed, or stops following, before that.
func TestWhatWasHeardLastIsKept(t *testing.T) {
	t.Parallel()
	for how, stop := range map[string]func(*replica.Node){
		"close":  func(n *replica.Node) { n.Close() },
		"remove": func(n *replica.Node) { n.RemovePeer(frankfurt); n.Close() },
	} {
		_, eu, ap, again := uncopiedEnds(t)
		replica.Refuse(ap)
		eu.Close() // so that nothing is copied from there any more
		stop(ap)
		ap = again()
		require.NoError(t, ap.Ready(background(t)), how)
		assertEnded(t, ap)
	}
}

// A removal is written when everything that was heard of that Region is on disk, and from then on
// its messages take effect only from the copy. So whenever the process is killed, no session comes
// back that was heard to be over.
func TestARemovalComesAfterWhatWasHeard(t *testing.T) {
	us := open(t, configOf(virginia, t.TempDir()))
	var kept atomic.Bool
	assert.False(t, replica.Removing(background(t), us, frankfurt, func(done func()) { kept.Store(true); done() }))
	assert.True(t, kept.Load())
}
