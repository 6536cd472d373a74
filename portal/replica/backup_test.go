package replica_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
)

// backUp returns a backup of a Region.
func backUp(t testing.TB, n *replica.Node) []byte {
	t.Helper()
	var file bytes.Buffer
	b, err := n.BackUp(background(t), &file)
	require.NoError(t, err)
	require.Equal(t, n.Region(), b.Region)
	return file.Bytes()
}

// restoring makes a start restore a backup on an empty directory, with what other Regions have.
func restoring(t *testing.T, c replica.Config, backup []byte, from ...*replica.Node) replica.Config {
	t.Helper()
	c.Dir, c.Backup, c.Seed, c.Peers = t.TempDir(), bytes.NewReader(backup), center.Data{}, map[string]replica.Peer{}
	c.Restored = len(from) == 0
	for _, n := range from {
		c = afterStarts(t, c, n)
		c.Recover, c.Peers[n.Region()] = append(c.Recover, n.Region()), replica.Peer{URL: n.Addr()}
	}
	return c
}

// afterwards is the configuration of the starts after a restore.
func afterwards(c replica.Config) replica.Config {
	c.Backup, c.Recover, c.Restored = nil, nil, false
	return c
}

func userIn(n *replica.Node, id string) (u center.User, ok bool) { return n.View().UserByID(id) }

// The primary is backed up while it is written to, and its disk is lost. It is restored on an empty disk with the
// Regions that are left: nothing that one of them has is lost, and what ended since the backup stays ended.
func TestABackupOfTheInstanceIsRestored(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt, mumbai)
	us := open(t, k.config(t, virginia, t.TempDir()))
	eu, ap := open(t, k.config(t, frankfurt, t.TempDir())), open(t, k.config(t, mumbai, t.TempDir()))
	mesh(t, us, eu, ap)
	for i := range 20 {
		require.NoError(t, us.View().Update(putUser(center.User{ID: userName(i), UserName: userName(i)})))
	}
	signIn(t, us, "u-1", "s-out")
	signIn(t, us, "u-1", "s-in")
	signIn(t, eu, "u-1", "s-eu")
	signIn(t, us, "u-2", "s-all")

	eventually(t, "Frankfurt's session", func() bool { return alive(t, us, "s-eu") })

	stop, acked := make(chan struct{}), []string{}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				id := fmt.Sprint("meanwhile-", i)
				if assert.NoError(t, us.View().Update(putUser(center.User{ID: id, UserName: id}))) {
					acked = append(acked, id)
				}
			}
		}
	})
	backup := backUp(t, us)
	close(stop)
	writer.Wait()
	require.NotEmpty(t, acked)

	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser(userName(1)) }))
	require.NoError(t, us.View().Update(putUser(center.User{ID: userName(2), UserName: userName(2), Inactive: true})))
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		return tx.Unassign(center.Assignment{Principal: center.GroupPrincipal("g-1"), AccountID: "111111111111",
			PermissionSet: "ReadOnly"})
	}))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-out", time.Time{}))
	require.NoError(t, us.Sessions().Revoke(background(t), "u-1", "s-eu"))
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-2"))
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	us.Close() // and its disk is lost

	c := restoring(t, k.config(t, virginia, ""), backup, eu, ap)
	us = open(t, c)
	mesh(t, us, eu, ap)
	r, err = replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu, ap} {
		_, there := userIn(n, userName(1))
		assert.False(t, there, "a user who was removed")
		u, _ := userIn(n, userName(2))
		assert.True(t, u.Inactive, "a user who was disabled")
		assert.Empty(t, n.View().Snapshot().Accounts("u-1"), "an assignment that was removed")
		for _, id := range acked {
			_, there := userIn(n, id)
			assert.True(t, there, id)
		}
		for _, id := range []string{"s-out", "s-eu", "s-all"} {
			assert.False(t, alive(t, n, id), "%s in %s", id, n.Region())
		}
		assert.True(t, alive(t, n, "s-in"), "a session that other Regions have copied, in %s", n.Region())
	}

	// The option that stays set is refused, and changes nothing.
	us.Close()
	c.Backup = bytes.NewReader(backup)
	_, err = replica.Open(background(t), c)
	require.Equal(t, replica.ReasonConfig, reasonOf(err), "%v", err)
	us = open(t, afterwards(c))
	mesh(t, us, eu, ap)
	_, there := userIn(us, userName(1))
	assert.False(t, there)
}

// All Regions are lost. The primary has the users of its backup, and what had ended anywhere when it was made. No
// session comes back. The additional Regions begin on empty disks, one of them with the applications of its backup.
func TestAnInstanceIsRestoredWithoutAnyRegion(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt, mumbai)
	us := open(t, k.config(t, virginia, t.TempDir()))
	eu, ap := open(t, k.config(t, frankfurt, t.TempDir())), open(t, k.config(t, mumbai, t.TempDir()))
	mesh(t, us, eu, ap)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	signIn(t, us, "u-1", "s-1")
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{ID: "farm", Name: "Farm", URL: "https://farm.example",
			Region: frankfurt, AssignedTo: []center.Principal{center.UserPrincipal("u-1")}})
	}))
	require.NoError(t, eu.Sessions().EndSignIn(background(t), "u-1", "an-end", time.Now().Add(time.Hour)))
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	before := us.View().Snapshot().Records()
	ofUS, ofEU := backUp(t, us), backUp(t, eu)
	counted := replica.Count(eu, "u-1")
	for _, n := range []*replica.Node{us, eu, ap} {
		n.Close()
	}

	usConfig := restoring(t, k.config(t, virginia, ""), ofUS)
	us = open(t, usConfig)
	require.NoError(t, us.Ready(background(t)))
	assert.False(t, alive(t, us, "s-1"), "a session")
	_, there := userIn(us, "u-2")
	assert.False(t, there)
	assert.Contains(t, us.Digest().Items, fmt.Sprintf("signed out %q %q", "u-1", "an-end"), "what Frankfurt ended")
	assert.GreaterOrEqual(t, replica.Count(us, "u-1"), counted, "a session of an epoch that ended")
	us.Close()
	us = open(t, afterwards(usConfig))

	euConfig := restoring(t, k.config(t, frankfurt, ""), ofEU) // Virginia has no copy any more
	open(t, euConfig).Close()
	eu = open(t, afterwards(euConfig))
	empty := k.config(t, mumbai, t.TempDir())
	ap = open(t, empty)
	mesh(t, us, eu, ap)
	r, err = replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	assert.Equal(t, before, us.View().Snapshot().Records())
	assert.Equal(t, before, ap.View().Snapshot().Records())
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.RemoveApplication("farm") }))
}

// A backup can't be read, and names no user, outside of its Region. Neither do errors and logs of a restore.
func TestABackupNamesNoUser(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia)
	var log logged
	c := k.config(t, virginia, t.TempDir())
	c.Seed, c.Logger = seed(virginia), slog.New(slog.NewTextHandler(&log, nil))
	us := open(t, c)
	plant(t, us)
	backup := backUp(t, us)
	us.Close()
	found := map[string]bool{}
	search(backup, found)
	assert.Zero(t, count(found), "%v", found)
	for at := 0; at < len(backup); at += len(backup)/20 + 1 {
		broken := slices.Clone(backup)
		broken[at] ^= 1
		_, err := replica.Open(background(t), restoring(t, c, broken))
		require.Error(t, err)
		search([]byte(err.Error()), found)
	}
	us = open(t, restoring(t, c, backup))
	_, there := userIn(us, planted()[0])
	assert.True(t, there)
	log.mu.Lock()
	search(log.b.Bytes(), found)
	log.mu.Unlock()
	assert.Zero(t, count(found), "%v", found)
}

// identities are the files in a directory that say what a Region is.
func identities(t testing.TB, dir string) (out []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range all {
		if e.Name() != "meridian.lock" && e.Name() != "jetstream" {
			out = append(out, e.Name())
		}
	}
	return out
}

// A backup that was changed, cut, moved to another Region or instance, or whose key may not be used, is refused with
// its reason, and nothing of it is on the disk. The right one is then restored there.
func TestBackupsThatAreRefused(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	us := open(t, k.config(t, virginia, t.TempDir()))
	eu := open(t, k.config(t, frankfurt, t.TempDir()))
	mesh(t, us, eu)
	for from := range 4 { // several frames
		require.NoError(t, us.View().Update(func(tx *center.Tx) error {
			for i := range 1000 {
				id := userName(1000*from + i)
				if err := tx.PutUser(center.User{ID: id, UserName: id, DisplayName: "A user of the instance"}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	backup, second, ofEU := backUp(t, us), backUp(t, us), backUp(t, eu)
	us.Close()
	eu.Close()
	frames := framesOf(t, backup)
	require.Greater(t, len(frames), 3)
	others := framesOf(t, second)
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	head, last := frames[0], len(frames)-1
	edit := func(b []byte, old, with string) []byte { return bytes.Replace(b, []byte(old), []byte(with), 1) }
	flip := func(at int) []byte {
		b := slices.Clone(backup)
		b[at] ^= 1
		return b
	}
	instance := func(t testing.TB, c *replica.Config) {
		s, err := keys.NewSealer(keys.Config{Key: k.rings[virginia].Use(k.id, "portal"), Instance: "ssoins-2"})
		require.NoError(t, err)
		c.Sealer = s
	}
	for name, is := range map[string]struct {
		file []byte
		want replica.Reason
		with func(testing.TB, *replica.Config)
	}{
		"another Region's":       {ofEU, replica.ReasonConfig, nil},
		"of another instance":    {backup, replica.ReasonConfig, instance},
		"another Region's name":  {edit(ofEU, frankfurt, virginia), replica.ReasonCorrupt, nil},
		"another instance's":     {edit(backup, "ssoins-1", "ssoins-2"), replica.ReasonCorrupt, instance},
		"another time":           {edit(backup, `"at":"2`, `"at":"3`), replica.ReasonCorrupt, nil},
		"a later format":         {edit(backup, `Backup":1`, `Backup":2`), replica.ReasonVersion, nil},
		"empty":                  {nil, replica.ReasonCorrupt, nil},
		"something else":         {bytes.Repeat([]byte("x"), 1<<20), replica.ReasonCorrupt, nil},
		"its first line":         {head, replica.ReasonCorrupt, nil},
		"cut in a frame":         {backup[:len(backup)-1], replica.ReasonCorrupt, nil},
		"without its last frame": {join(frames[:last]...), replica.ReasonCorrupt, nil},
		"without a frame":        {join(head, join(frames[2:]...)), replica.ReasonCorrupt, nil},
		"two frames exchanged":   {join(head, frames[2], frames[1], join(frames[3:]...)), replica.ReasonCorrupt, nil},
		"a frame of a second":    {join(head, others[1], join(frames[2:]...)), replica.ReasonCorrupt, nil},
		"more after it":          {join(backup, frames[last]), replica.ReasonCorrupt, nil},
		"one bit in the middle":  {flip(len(backup) / 2), replica.ReasonCorrupt, nil},
		"a great length":         {flip(len(head)), replica.ReasonCorrupt, nil},
		"too large": {backup, replica.ReasonTooLarge, func(_ testing.TB, c *replica.Config) {
			c.MaxRecover = 100_000
		}},
		"not sealed": {backup, replica.ReasonConfig, func(_ testing.TB, c *replica.Config) {
			c.Sealer, c.InsecurePlaintext = nil, true
		}},
		"no decision": {backup, replica.ReasonConfig, func(_ testing.TB, c *replica.Config) {
			c.Restored = false
		}},
		"Restored with Peers": {backup, replica.ReasonConfig, func(_ testing.TB, c *replica.Config) {
			c.Peers = map[string]replica.Peer{frankfurt: {URL: "nats://127.0.0.1:1"}}
		}},
		"a disabled key": {backup, replica.ReasonKey, func(t testing.TB, c *replica.Config) {
			require.NoError(t, k.rings[virginia].Disable(k.id))
			t.Cleanup(func() { require.NoError(t, k.rings[virginia].Enable(k.id)) })
			c.Sealer = k.sealer(t, virginia)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := restoring(t, k.config(t, virginia, ""), is.file)
			if is.with != nil {
				is.with(t, &c)
			}
			_, err := replica.Open(background(t), c)
			require.Equal(t, is.want, reasonOf(err), "%v", err)
			assert.Empty(t, identities(t, c.Dir))
			streams, err := filepath.Glob(filepath.Join(c.Dir, "jetstream", "*", "streams", "*"))
			require.NoError(t, err)
			assert.Empty(t, streams)
		})
	}
	c := restoring(t, k.config(t, virginia, ""), flip(len(backup)/3))
	_, err := replica.Open(background(t), c)
	require.Equal(t, replica.ReasonCorrupt, reasonOf(err))
	c.Backup = bytes.NewReader(backup)
	us = open(t, c)
	_, there := userIn(us, userName(3999))
	assert.True(t, there)
}

// framesOf divides the file of a backup into its first line and its frames.
func framesOf(t *testing.T, b []byte) (out [][]byte) {
	t.Helper()
	for n := bytes.IndexByte(b, '\n') + 1; ; {
		out, b = append(out, b[:n]), b[n:]
		if len(b) == 0 {
			return out
		}
		n = 4 + (int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3]))
		require.LessOrEqual(t, n, len(b))
	}
}

// A restore that is ended at any step leaves a Region that doesn't start without the backup, or one that is restored
// as a whole.
func TestARestoreThatIsInterrupted(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	us, eu := open(t, k.config(t, virginia, t.TempDir())), open(t, k.config(t, frankfurt, t.TempDir()))
	mesh(t, us, eu)
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "an-end", time.Time{}))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	backup := backUp(t, us)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()
	for _, left := range [][]*replica.Node{{eu}, nil} {
		refused, completed := 0, 0
		for number := 1; ; number++ {
			c := restoring(t, k.config(t, virginia, ""), backup, left...)
			step := stopAt(&c, number)
			n, err := replica.Open(background(t), c)
			if err == nil {
				n.Close()
				break
			}
			require.ErrorIs(t, err, errStopped)
			replica.Pass(&c, nil)
			plain := c
			plain.Backup, plain.Recover, plain.Restored = nil, nil, false
			plain.Seed = seed(virginia, frankfurt)
			if n, err = replica.Open(background(t), plain); err == nil {
				completed++
			} else {
				require.Equal(t, replica.ReasonDamaged, reasonOf(err), "%s: %v", *step, err)
				plain.Recover, plain.Restored = c.Recover, c.Restored // as if there was no backup
				_, err = replica.Open(background(t), plain)
				require.Equal(t, replica.ReasonDamaged, reasonOf(err), "%s: %v", *step, err)
				c.Backup = bytes.NewReader(backup)
				n, err = replica.Open(background(t), c)
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
		assert.Greater(t, refused, 3)
		assert.Greater(t, completed, 5)
	}
}

// A Region that was removed gets nothing back by its backup: the primary refuses it, and it erases what it restored.
func TestABackupOfARemovedRegionBringsNothingBack(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	c := k.config(t, virginia, t.TempDir())
	c.Seed = seed(virginia, frankfurt)
	us, eu := open(t, c), open(t, k.config(t, frankfurt, t.TempDir()))
	mesh(t, us, eu)
	signIn(t, eu, "u-1", "s-1")
	backup := backUp(t, eu)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveRegion(frankfurt) }))
	erased(t, eu)
	_, err := eu.BackUp(background(t), &bytes.Buffer{})
	assert.Equal(t, replica.ReasonRemoved, reasonOf(err))
	eu.Close()

	r := restoring(t, k.config(t, frankfurt, ""), backup)
	eu = open(t, r) // as an attacker would, without Peers
	assert.Nil(t, eu.View(), "it knows no user, and serves nothing, without the primary")
	assert.False(t, alive(t, us, "s-1"))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	erased(t, eu)
	assert.Equal(t, replica.ReasonRemoved, reasonOf(eu.Ready(background(t))))
}
