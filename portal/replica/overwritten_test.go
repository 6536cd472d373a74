package replica_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A damaged disk loses the last message of a stream, and the next one takes its sequence. Both expire so soon that
// digests leave them out. The copy of the lost one shows the loss: otherwise the follower would never hear of the
// other. A recovery keeps both.
func TestALostMessageWhoseSequenceWasUsedAgainIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	us, eu := open(t, configOf(virginia, dir)), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	for _, id := range []string{"s-1", "s-2"} {
		s := at(us, session("u-1", id, nil))
		s.Expires = s.Created.Add(10 * time.Minute)
		require.NoError(t, us.Sessions().Create(background(t), "key-"+id, s))
	}
	eventually(t, "the sessions", func() bool { return alive(t, eu, "s-1") && alive(t, eu, "s-2") })
	us.Close()
	marks, err := os.ReadFile(filepath.Join(dir, "meridian.marks"))
	require.NoError(t, err)

	us = open(t, configOf(virginia, dir))
	mesh(t, us, eu)
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-1", time.Now().Add(10*time.Minute)))
	eventually(t, "the end", func() bool { return !alive(t, eu, "s-1") })
	eventually(t, "it to be copied", func() bool { return replica.Held(t, eu)["revoked_"+virginia] == 1 })
	us.Close()
	// It was killed before it wrote them.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meridian.marks"), marks, 0o600))
	cut(t, dir, "revoked_"+virginia, "signin-s-1")

	us = open(t, configOf(virginia, dir))
	require.True(t, alive(t, us, "s-1"), "the end is lost, and nothing beside the streams shows it")
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-2", time.Now().Add(10*time.Minute)))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	us.Close()
	us = recovered(t, configOf(virginia, dir), eu)
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu} {
		assert.False(t, alive(t, n, "s-1"), n.Region())
		assert.False(t, alive(t, n, "s-2"), n.Region())
	}
}
