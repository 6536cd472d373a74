package replica_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A damagedWorld is a primary and an additional Region that know the same, both
// closed, with their directories.
type damagedWorld struct {
	usDir, euDir string
	want         replica.Digest // what the primary knew
}

// The users, sessions and ends of a damagedWorld: user-7 is disabled, s-out is
// signed out, s-in is not.
func newDamagedWorld(t *testing.T) damagedWorld {
	t.Helper()
	w := damagedWorld{usDir: t.TempDir(), euDir: t.TempDir()}
	us, eu := w.open(t, configOf(virginia, w.usDir)), w.open(t, configOf(frankfurt, w.euDir))
	for i := range 20 {
		require.NoError(t, us.View().Update(putUser(center.User{ID: userName(i), UserName: userName(i)})))
	}
	require.NoError(t, us.View().Update(putUser(center.User{ID: userName(7), UserName: userName(7), Inactive: true})))
	for _, id := range []string{"s-in", "s-out", "s-later"} {
		signIn(t, us, "u-1", id)
	}
	for _, id := range []string{"s-out", "s-later"} {
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-"+id, time.Time{}))
	}
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-2"))
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	w.want = us.Digest()
	us.Close()
	eu.Close()
	return w
}

func (w damagedWorld) open(t *testing.T, c replica.Config) *replica.Node { return open(t, c) }

// messages are the files of a stream of the embedded server.
func messages(t *testing.T, dir, stream string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", stream, "msgs", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// overwrite changes bytes of a stream's file at the first place that holds this.
func overwrite(t *testing.T, dir, stream, at string, with []byte) {
	t.Helper()
	for _, name := range messages(t, dir, stream) {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if i := bytes.Index(b, []byte(at)); i >= 0 {
			copy(b[i:], with)
			require.NoError(t, os.WriteFile(name, b, 0o600))
			return
		}
	}
	require.Fail(t, "not in the files of "+stream, at)
}

// cut removes one byte of a stream's file, in front of the last place that holds
// this.
func cut(t *testing.T, dir, stream, at string) {
	t.Helper()
	for _, name := range messages(t, dir, stream) {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if i := bytes.LastIndex(b, []byte(at)); i >= 0 {
			require.NoError(t, os.WriteFile(name, append(b[:i:i], b[i+1:]...), 0o600))
			return
		}
	}
	require.Fail(t, "not in the files of "+stream, at)
}

// refusesToOpen checks that Open fails with Reason Damaged.
func refusesToOpen(t *testing.T, c replica.Config) *replica.Error {
	t.Helper()
	n, err := replica.Open(background(t), c)
	if err == nil {
		n.Close()
	}
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, replica.ReasonDamaged, e.Reason, "%v", e)
	return e
}

// afterStarts gives a Region a clock that is past all starts of it that another
// has heard of. Starts on a new disk, or with Restored, are numbered by the time in
// seconds, and tests start a Region more often than once a second.
func afterStarts(t *testing.T, c replica.Config, other *replica.Node) replica.Config {
	t.Helper()
	seconds := int64(replica.HeardStart(t, other, c.Region)) + 1 - time.Now().Unix()
	c.Now = func() time.Time { return time.Now().Add(time.Duration(max(0, seconds)) * time.Second) }
	return c
}

// recovered opens a Region that takes its log back from Frankfurt or Virginia.
func recovered(t *testing.T, c replica.Config, from *replica.Node) *replica.Node {
	t.Helper()
	if c.Now == nil {
		c = afterStarts(t, c, from)
	}
	c.Recover = []string{from.Region()}
	c.Peers = map[string]replica.Peer{from.Region(): {URL: from.Addr()}}
	return open(t, c)
}

// sameAgain checks that a recovered Region has its earlier state, and that others follow it.
func (w damagedWorld) sameAgain(t *testing.T, us, eu *replica.Node) {
	t.Helper()
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	got := us.Digest()
	for k, item := range w.want.Items {
		if _, known := got.Items[k]; !known {
			assert.Fail(t, "lost", k)
		} else if k[:3] != "log" { // stamps are written anew
			assert.Equal(t, item.Hash, got.Items[k].Hash, k)
		}
	}
	u, ok := us.View().UserByID(userName(7))
	assert.True(t, ok && u.Inactive)
	for _, n := range []*replica.Node{us, eu} {
		assert.False(t, alive(t, n, "s-out"))
		assert.True(t, alive(t, n, "s-in"))
	}
	require.NoError(t, us.View().Update(putUser(center.User{ID: "after", UserName: "after"})))
	eventually(t, "what is written next", func() bool { _, ok := eu.View().UserByID("after"); return ok })
	eventually(t, "to be heard again", func() bool { return eu.Peers()[0].State == portal.PeerReplicated })
}

// D1: NATS cuts a damaged file silently. The rest does not count as the log, and the primary is not
// seeded again.
func TestALogThatWasOverwrittenIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	overwrite(t, w.usDir, "KV_config_us-east-1", "user9@example.com", []byte{0, 0, 0, 0})
	e := refusesToOpen(t, configOf(virginia, w.usDir))
	assert.Contains(t, e.Error(), "Config.Recover")
	refusesToOpen(t, configOf(virginia, w.usDir))
	eu := open(t, configOf(frankfurt, w.euDir))
	us := recovered(t, configOf(virginia, w.usDir), eu)
	w.sameAgain(t, us, eu)
	us.Close()
	open(t, configOf(virginia, w.usDir)) // and without Recover from then on
}

func TestAStreamThatIsMissingIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"KV_config_us-east-1", "sessions_us-east-1", "revoked_us-east-1"} {
		w := newDamagedWorld(t)
		dirs, err := filepath.Glob(filepath.Join(w.usDir, "jetstream", "*", "streams", stream))
		require.NoError(t, err)
		require.Len(t, dirs, 1)
		require.NoError(t, os.RemoveAll(dirs[0]))
		refusesToOpen(t, configOf(virginia, w.usDir))
		eu := open(t, configOf(frankfurt, w.euDir))
		w.sameAgain(t, recovered(t, configOf(virginia, w.usDir), eu), eu)
	}
}

// D1: a session that was signed out doesn't live again, neither in its Region
// nor where the copy is damaged, which is copied again.
func TestOneByteLessOfWhatEndsSessions(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	cut(t, w.usDir, "revoked_us-east-1", "signin-s-out")
	refusesToOpen(t, configOf(virginia, w.usDir))
	eu := open(t, configOf(frankfurt, w.euDir))
	w.sameAgain(t, recovered(t, configOf(virginia, w.usDir), eu), eu)
}

func TestADamagedCopyHeals(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	cut(t, w.euDir, "revoked_us-east-1", "signin-s-out")
	us, eu := open(t, configOf(virginia, w.usDir)), open(t, configOf(frankfurt, w.euDir))
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	assert.False(t, alive(t, eu, "s-out"))
	eventually(t, "to be heard", func() bool { return eu.Peers()[0].State == portal.PeerReplicated })
	require.NoError(t, us.Ready(background(t)), "the owner goes on")
}

// D4: each Region finds the other's directory in its place.
func TestSwappedDirectoriesAreRefused(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	refusesToOpen(t, configOf(virginia, w.euDir))
	refusesToOpen(t, configOf(frankfurt, w.usDir))
	for _, dir := range []string{w.usDir, w.euDir} { // from before there was anything beside the streams
		require.NoError(t, os.Remove(filepath.Join(dir, "meridian.identity")))
	}
	c := configOf(frankfurt, w.usDir)
	c.Restored = true
	refusesToOpen(t, c)
	refusesToOpen(t, configOf(virginia, w.usDir)) // its identity is missing
	c = configOf(virginia, w.usDir)
	c.Restored = true
	open(t, c)
}

// A Region that sends more than an operator expects is not recovered from, and
// nothing is changed by that.
func TestARecoveryTakesNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	cut(t, w.usDir, "revoked_us-east-1", "signin-s-out")
	eu := open(t, configOf(frankfurt, w.euDir))
	c := configOf(virginia, w.usDir)
	c.Recover, c.MaxRecover = []string{frankfurt}, 2000
	c.Peers = map[string]replica.Peer{frankfurt: {URL: eu.Addr()}}
	_, err := replica.Open(background(t), c)
	require.Equal(t, replica.ReasonTooLarge, reasonOf(err), "%v", err)
	c.MaxRecover = -1
	_, err = replica.Open(background(t), c)
	require.Equal(t, replica.ReasonConfig, reasonOf(err), "%v", err)
	w.sameAgain(t, recovered(t, configOf(virginia, w.usDir), eu), eu)
}

// Two primaries ran from one directory, and each gave a userName to another user.
// The recovery from both opens, and neither user may sign in.
func TestARecoveryOfTwoUsersWithOneUserName(t *testing.T) {
	t.Parallel()
	dir, twin := t.TempDir(), t.TempDir()
	us, eu, ap := open(t, configOf(virginia, dir)), open(t, configOf(frankfurt, t.TempDir())), open(t,
		configOf(mumbai, t.TempDir()))
	mesh(t, us, eu, ap)
	us.Close()
	require.NoError(t, os.CopyFS(twin, os.DirFS(dir)))
	const name = "same@example.com"
	for _, side := range []struct {
		dir  string
		peer *replica.Node
		user center.User
	}{
		{dir, eu, center.User{ID: "u-2", UserName: name, DisplayName: "Bob"}},
		{twin, ap, center.User{ID: "u-9", UserName: name}},
	} {
		us := open(t, configOf(virginia, side.dir))
		require.NoError(t, side.peer.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
		require.NoError(t, us.View().Update(putUser(side.user)))
		signIn(t, us, side.user.ID, "of-"+side.user.ID)
		eventually(t, "the user", func() bool { u, ok := side.peer.View().User(name); return ok && u.ID == side.user.ID })
		eventually(t, "the session", func() bool { return alive(t, side.peer, "of-"+side.user.ID) })
		us.Close()
	}

	c := configOf(virginia, dir)
	c.Recover = []string{frankfurt, mumbai}
	c.Peers = map[string]replica.Peer{frankfurt: {URL: eu.Addr()}, mumbai: {URL: ap.Addr()}}
	us = open(t, c)
	for id, want := range map[string]string{"u-2": "u-2", "u-9": name} {
		u, ok := us.View().UserByID(id)
		assert.True(t, ok && u.Inactive, id)
		assert.Equal(t, want, u.UserName)
		assert.False(t, alive(t, us, "of-"+id))
	}
	us.Close()
	open(t, configOf(virginia, dir)) // and without Recover from then on
}
