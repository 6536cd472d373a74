package replica_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// waits checks that a Region serves nothing because of a damaged copy.
func waits(t *testing.T, n *replica.Node) {
	t.Helper()
	_, err := n.Sessions().Get(background(t), "key-s-in")
	require.Equal(t, replica.ReasonNotReady, reasonOf(err), "%v", err)
	assert.Equal(t, replica.ReasonNotReady, reasonOf(n.Probe(background(t))))
	assert.ErrorContains(t, err, "Config.Restored")
	require.NoError(t, n.Sessions().EndSignIn(background(t), "u-1", "any", time.Time{}), "what ends access is written")
}

// heals starts the primary, and checks that the other Region serves again.
func (w damagedWorld) heals(t *testing.T, eu *replica.Node) {
	t.Helper()
	us := open(t, configOf(virginia, w.usDir))
	mesh(t, us, eu)
	eventually(t, "the copies to be whole", func() bool { return peerState(eu, virginia) == portal.PeerReplicated })
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	assert.False(t, alive(t, eu, "s-out"))
	assert.True(t, alive(t, eu, "s-in"))
	u, _ := eu.View().UserByID(userName(7))
	assert.True(t, u.Inactive)
}

// A copy is damaged while its Region is dead, so no Region can say what is missing. The damaged one
// serves no session.
func TestADamagedCopyWhileItsRegionIsDead(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir string){
		"cut within":     func(t *testing.T, dir string) { cut(t, dir, "revoked_us-east-1", "signin-s-out") },
		"no revocations": func(t *testing.T, dir string) { removeStream(t, dir, "revoked_us-east-1") },
		"cut config":     func(t *testing.T, dir string) { cut(t, dir, "KV_config_us-east-1", userName(7)) },
		"damaged config": func(t *testing.T,
			dir string) {
			overwrite(t, dir, "KV_config_us-east-1", userName(9), []byte{0, 0})
		},
		"an earlier copy": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newDamagedWorld(t)
			if damage == nil { // of that stream alone
				early := t.TempDir()
				from := filepath.Join(w.euDir, "jetstream", "$G", "streams", "revoked_us-east-1")
				require.NoError(t, os.CopyFS(early, os.DirFS(from)))
				us, eu := open(t, configOf(virginia, w.usDir)), open(t, configOf(frankfurt, w.euDir))
				mesh(t, us, eu)
				require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", "later", time.Time{}))
				_, err := replica.Check(background(t), us, eu)
				require.NoError(t, err)
				us.Close()
				eu.Close()
				require.NoError(t, os.RemoveAll(from))
				require.NoError(t, os.CopyFS(from, os.DirFS(early)))
			} else {
				damage(t, w.euDir)
			}
			eu := open(t, configOf(frankfurt, w.euDir))
			waits(t, eu)
			eu.Close()
			eu = open(t, configOf(frankfurt, w.euDir))
			waits(t, eu) // a restart changes nothing
			w.heals(t, eu)
			eu.Close()
			eu = open(t, configOf(frankfurt, w.euDir))
			require.NoError(t, eu.Ready(background(t)))
		})
	}
}

func removeStream(t *testing.T, dir, stream string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(filepath.Dir(filepath.Dir(messages(t, dir, stream)[0]))))
}

// With Restored the copies count as they are.
func TestADamagedCopyCountsIfTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	cut(t, w.euDir, "revoked_us-east-1", "signin-s-out")
	c := configOf(frankfurt, w.euDir)
	c.Restored = true
	eu := open(t, c)
	require.NoError(t, eu.Ready(background(t)))
	eu.Close()
	eu = open(t, configOf(frankfurt, w.euDir))
	require.NoError(t, eu.Ready(background(t)))
	w.heals(t, eu)
}

// If some sessions of another Region are lost, none of them is accepted until that Region is heard:
// some may have ended. Everything else goes on.
func TestADamagedCopyOfSessions(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	eu := open(t, configOf(frankfurt, w.euDir))
	signIn(t, eu, "u-1", "own")
	require.True(t, alive(t, eu, "s-in"))
	eu.Close()
	cut(t, w.euDir, "sessions_us-east-1", "key-s-out")
	eu = open(t, configOf(frankfurt, w.euDir))
	require.NoError(t, eu.Ready(background(t)))
	health := healthOf(t, eu)
	eventually(t, "health", func() bool { return health() == http.StatusOK })
	assert.True(t, alive(t, eu, "own"))
	assert.False(t, alive(t, eu, "s-in"))
	signIn(t, eu, "u-1", "again")
	assert.True(t, alive(t, eu, "again"))
	w.heals(t, eu)
}

// A primary whose copy of another Region's revocations is damaged can still remove that Region.
func TestADamagedCopyDoesNotKeepThePrimaryFromRemovingARegion(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	eu := open(t, configOf(frankfurt, w.euDir))
	us := open(t, configOf(virginia, w.usDir))
	mesh(t, us, eu)
	require.NoError(t, eu.Sessions().EndSignIn(background(t), "u-1", "signin-s-in", time.Time{}))
	eventually(t, "the sign-out", func() bool { return !alive(t, us, "s-in") })
	us.Close()
	eu.Close()
	cut(t, w.usDir, "revoked_eu-central-1", "signin-s-in")
	us = open(t, configOf(virginia, w.usDir))
	waits(t, us)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveRegion(frankfurt) }))
	waits(t, us)
}

// A killed process has lost nothing that its marks cover.
func TestAKilledRegionServesWithThePrimaryDead(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	j := job{Region: frankfurt, Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]),
		Peers: map[string]string{virginia: us.Addr()}}
	eu := start(t, j)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: "nats://" + j.Listen}))
	eu.becomes(t, "replicated", "await")
	marks, rounds := time.Time{}, 0
	for i := 0; rounds < 2; i++ {
		signIn(t, us, "u-1", fmt.Sprint("s-", i))
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", fmt.Sprint("out-", i), time.Time{}))
		if info, err := os.Stat(filepath.Join(j.Dir, "meridian.copies")); err == nil && !info.ModTime().Equal(marks) {
			marks, rounds = info.ModTime(), rounds+1
		}
	}
	eu.kill()
	us.Close()
	eu = start(t, j)
	eu.becomes(t, "replicated", "await")
	eu.becomes(t, "alive", "alive s-0")
}

// With servers of the operator's own, and two Nodes.
func TestADamagedCopyAtURL(t *testing.T) {
	t.Parallel()
	url, dir := ownServer(t), t.TempDir()
	us := open(t, configOf(virginia, dir))
	one, two := open(t, configAt(frankfurt, url)), open(t, configAt(frankfurt, url))
	follow := func() {
		for _, n := range []*replica.Node{one, two} {
			require.NoError(t, n.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
		}
		require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: url}))
	}
	follow()
	require.NoError(t, one.Ready(background(t)))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-out", time.Time{}))
	r, err := replica.Check(background(t), us, one, two)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, one, two} {
		n.Close()
	}
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(background(t), "revoked_us-east-1"))

	one, two = open(t, configAt(frankfurt, url)), open(t, configAt(frankfurt, url))
	waits(t, one)
	waits(t, two)
	us = open(t, configOf(virginia, dir))
	follow()
	for _, n := range []*replica.Node{one, two} {
		require.NoError(t, n.Ready(background(t)))
		assert.Contains(t, n.Digest().Items, fmt.Sprintf("signed out %q %q", "u-1", "signin-s-out"))
	}
}
