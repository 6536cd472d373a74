package replica_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
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
		require.NoError(t, us.View().Update(putUser(center.User{ID: id, UserName: id})))
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", id, time.Time{}))
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()
	return backup, eu
}

// A primary that is restored from a backup with Restored is read from its start: none of its new
// writes counts as known.
func TestBackupsThatAreRestored(t *testing.T) {
	t.Parallel()
	backup, eu := backedUp(t)
	c := afterStarts(t, configOf(virginia, backup), eu)
	c.Restored = true
	us := open(t, c)
	for i := range 5 { // where the lost ones stood
		id := fmt.Sprint("new-", i)
		require.NoError(t, us.View().Update(putUser(center.User{ID: id, UserName: id})))
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
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
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

// stops waits until a Region has found that its log is not what it wrote.
func stops(t *testing.T, n *replica.Node) {
	t.Helper()
	eventually(t, n.Region()+" to stop", func() bool {
		_, err := n.Sessions().Get(background(t), "any")
		return reasonOf(err) == replica.ReasonDamaged
	})
	assert.Equal(t, replica.ReasonDamaged, reasonOf(n.Ready(background(t))))
	assert.Equal(t, replica.ReasonDamaged, reasonOf(n.Sessions().EndSignIn(background(t), "u-1", "any", time.Time{})))
	assert.Equal(t, replica.ReasonDamaged,
		reasonOf(n.Codes().PutCode(background(t), "any", nil, time.Now().Add(time.Minute))))
}

func reasonOf(err error) replica.Reason {
	var e *replica.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func peerState(n *replica.Node, region string) portal.PeerState {
	for _, p := range n.Peers() {
		if p.Region == region {
			return p.State
		}
	}
	return ""
}

// Without Restored it is detected by what followers show, and stops. They go on with what they
// have, and it starts again only when the operator decides.
func TestAnOlderCopyIsFoundOutByAFollowerThatIsAhead(t *testing.T) {
	t.Parallel()
	backup, eu := backedUp(t)
	var log logged
	c := configOf(virginia, backup)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	us := open(t, c)
	v := us.View()
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	assert.Error(t, v.Update(putUser(center.User{ID: "late", UserName: "late"})), "a view from before")
	assert.Equal(t, 1, log.count("cause=damage"))
	eventually(t, "what Frankfurt shows", func() bool { return peerState(eu, virginia) == portal.PeerDamaged })
	_, known := eu.View().UserByID("lost-4")
	assert.True(t, known && alive(t, eu, "s-1"), "Frankfurt goes on")
	us.Close()

	refusesToOpen(t, configOf(virginia, backup))
	us = recovered(t, configOf(virginia, backup), eu)
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	_, known = us.View().UserByID("lost-4")
	assert.True(t, known)
}

// An older copy that has written more than followers had is detected by the number of its start.
func TestAnOlderCopyIsFoundOutThatHasGoneOn(t *testing.T) {
	t.Parallel()
	backup, eu := backedUp(t)
	us := open(t, configOf(virginia, backup))
	for i := range 20 {
		id := fmt.Sprint("new-", i)
		require.NoError(t, us.View().Update(putUser(center.User{ID: id, UserName: id})))
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", id, time.Time{}))
	}
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	us.Close()
	refusesToOpen(t, configOf(virginia, backup))
	us = recovered(t, configOf(virginia, backup), eu)
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	for _, who := range []string{"lost-4", "new-19"} {
		_, known := us.View().UserByID(who)
		assert.True(t, known, who)
		assert.Contains(t, us.Digest().Items, fmt.Sprintf("signed out %q %q", "u-2", who))
	}
}

// Two primaries from one directory stop when they are shown each other's messages.
func TestTwoRegionsFromOneDirectoryStop(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	us := open(t, configOf(virginia, dir))
	us.Close()
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	us, twin := open(t, configOf(virginia, dir)), open(t, configOf(virginia, copied))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-2", UserName: "bob@example.com", Inactive: true})))
	eventually(t, "the disabled user", func() bool { u, ok := eu.View().UserByID("u-2"); return ok && u.Inactive })
	require.NoError(t, twin.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	require.NoError(t, twin.View().Update(putUser(center.User{ID: "u-4", UserName: "dora@example.com"})))

	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: twin.Addr()}))
	stops(t, twin)
	u, _ := eu.View().UserByID("u-2")
	assert.True(t, u.Inactive, "what was heard stays")
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	eventually(t, "the other one to be heard", func() bool { return peerState(eu, virginia) == portal.PeerReplicated })
	require.NoError(t, us.Ready(background(t)))
}

// A primary is restored to a state from before it listed a Region, without Restored. The
// Region shows what it heard of it, so the primary stops. The Region, which it
// would not list, goes on with what it has.
func TestAPrimaryPutBackToBeforeItListedARegionStops(t *testing.T) {
	t.Parallel()
	dir, backup := t.TempDir(), t.TempDir()
	c := configOf(virginia, dir)
	c.Seed = seed(virginia)
	open(t, c).Close()
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
	us, eu := open(t, c), open(t, configOf(frankfurt, t.TempDir()))
	add(t, us, frankfurt)
	mesh(t, us, eu)
	require.NoError(t, eu.Ready(background(t)))
	us.Close()

	us = open(t, configOf(virginia, backup))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	eventually(t, "the damage to be heard of", func() bool { return peerState(eu, virginia) == portal.PeerDamaged })
	require.NoError(t, eu.Ready(background(t)))
}
