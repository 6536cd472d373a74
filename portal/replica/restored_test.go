package replica_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// backedUp is a primary whose Dir was copied, then changed, and then lost.
// Frankfurt knows of all that, and can't reach it now.
func backedUp(t *testing.T) (backup string, eu *replica.Node) {
	t.Helper()
	dir, backup := t.TempDir(), t.TempDir()
	us := open(t, configOf(virginia, dir))
	eu = open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	signIn(t, us, "u-1", "s-1")
	us.Close()
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
	us = open(t, configOf(virginia, dir))
	mesh(t, us, eu)
	for i := range 5 {
		id := fmt.Sprint("lost-", i)
		require.NoError(t, us.View().Update(putUser(center.User{ID: id, UserName: id, Active: true})))
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", id, time.Time{}))
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()
	return backup, eu
}

// A primary that comes back as an older copy of itself, and says so, is heard
// from its start: nothing that it writes is taken for something known.
func TestBackupsThatAreRestored(t *testing.T) {
	backup, eu := backedUp(t)
	c := configOf(virginia, backup)
	c.Restored = true
	us := open(t, c)
	for i := range 5 { // where the lost ones stood
		id := fmt.Sprint("new-", i)
		require.NoError(t, us.View().Update(putUser(center.User{ID: id, UserName: id, Active: true})))
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", id, time.Time{}))
	}
	require.NoError(t, us.Sessions().Revoke(background(t), "u-1", "s-1"))
	mesh(t, us, eu)
	eventually(t, "the revocation", func() bool { return !alive(t, eu, "s-1") })
	eventually(t, "the same instance", func() bool {
		_, lost := eu.View().UserByID("lost-4")
		_, first := eu.View().UserByID("new-0")
		_, last := eu.View().UserByID("new-4")
		return first && last && !lost
	})
	eventually(t, "the same sign-outs", func() bool {
		for i := range 5 {
			if _, ok := eu.Digest().Items[fmt.Sprintf("signed out %q %q", "u-2", fmt.Sprint("new-", i))]; !ok {
				return false
			}
		}
		return true
	})
	assert.Equal(t, us.View().Snapshot().Records(), eu.View().Snapshot().Records())

	us.Close()
	us = open(t, configOf(virginia, backup)) // and without it from then on
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com", Active: true})))
	mesh(t, us, eu)
	eventually(t, "carol", func() bool { _, ok := eu.View().UserByID("u-3"); return ok })
}

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte(s))
}

// One that doesn't say so is found out, if a follower is still ahead. It is
// told once for each stream, and that follower reads it from the start.
func TestFollowersThatAreAhead(t *testing.T) {
	backup, eu := backedUp(t)
	c := configOf(virginia, backup)
	var log logged
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	us := open(t, c)
	began := time.Now()
	mesh(t, us, eu)
	eventually(t, "what the log says", func() bool { return log.count("Config.Restored") == 2 })
	require.NoError(t, us.Sessions().Revoke(background(t), "u-1", "s-1"))
	eventually(t, "the revocation", func() bool { return !alive(t, eu, "s-1") })
	eventually(t, "all to be heard", func() bool { return eu.Peers()[0].Heard.After(began) })
	assert.Equal(t, 2, log.count("Config.Restored"), "config and revoked; sessions were the same")
}
