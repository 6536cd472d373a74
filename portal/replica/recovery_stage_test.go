package replica_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

var errStopped = errors.New("stopped by the test")

// stopAt ends a recovery at its step of this number, and sets step to its name.
func stopAt(c *replica.Config, number int) (step *string) {
	step = new(string)
	replica.Pass(c, func(s string) error {
		if number--; number > 0 || *step != "" {
			return nil
		}
		*step = s
		return errStopped
	})
	return step
}

// onlyHere writes what no other Region hears of, and returns its items.
func onlyHere(t *testing.T, us *replica.Node) []string {
	t.Helper()
	require.NoError(t, us.View().Update(putUser(center.User{ID: "only", UserName: "only"})))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-in", time.Time{}))
	return []string{"instance user only", fmt.Sprintf("signed out %q %q", "u-1", "signin-s-in")}
}

// A recovery that is ended at any step, and goes on or begins again, loses
// nothing of what this Region alone had.
func TestARecoveryThatIsInterruptedLosesNothing(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	us := open(t, configOf(virginia, w.usDir))
	only := onlyHere(t, us)
	us.Close()
	require.NoError(t, os.RemoveAll(filepath.Dir(filepath.Dir(messages(t, w.usDir, "sessions_us-east-1")[0]))))
	eu := open(t, configOf(frankfurt, w.euDir))
	again, went := 0, 0
	for number := 1; ; number++ {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(w.usDir)))
		c := configOf(virginia, dir)
		c.Recover, c.Peers = []string{frankfurt}, map[string]replica.Peer{frankfurt: {URL: eu.Addr()}}
		step := stopAt(&c, number)
		n, err := replica.Open(background(t), c)
		if err == nil {
			n.Close()
			break
		}
		require.ErrorIs(t, err, errStopped)
		c = configOf(virginia, dir)
		stopAt(&c, 2) // and again
		n, err = replica.Open(background(t), c)
		switch {
		case err == nil:
			n.Close()
			went++
		case errors.Is(err, errStopped):
			went++
		default:
			assert.Contains(t, refusesToOpen(t, configOf(virginia, dir)).Error(), "Config.Recover")
			recovered(t, configOf(virginia, dir), eu).Close()
			again++
		}
		n = open(t, configOf(virginia, dir))
		items := n.Digest().Items
		for k := range w.want.Items {
			assert.Contains(t, items, k, *step)
		}
		for _, k := range only {
			assert.Contains(t, items, k, *step)
		}
		assert.False(t, alive(t, n, "s-out"), *step)
		assert.NotContains(t, replica.Held(t, n), "recovery_us-east-1", *step)
		n.Close()
	}
	assert.Greater(t, again, 5)
	assert.Greater(t, went, 10)
}

// With the operator's own servers several Nodes may be started at once, so one is told to go on.
func TestARecoveryAtURLGoesOnWhereTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	url := ownServer(t)
	us := open(t, configAt(virginia, url))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: url}))
	require.NoError(t, eu.Ready(background(t)))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	eventually(t, "carol", func() bool { _, ok := eu.View().UserByID("u-3"); return ok })
	us.Close()
	c := configAt(virginia, url)
	c.Recover, c.Peers = []string{frankfurt}, map[string]replica.Peer{frankfurt: {URL: eu.Addr()}}
	stopAt(&c, 6)
	_, err := replica.Open(background(t), c)
	require.ErrorIs(t, err, errStopped)
	assert.Contains(t, refusesToOpen(t, configAt(virginia, url)).Error(), "Config.Recover")
	eu.Close() // no other Region is needed
	replica.Pass(&c, nil)
	us = open(t, c)
	_, ok := us.View().UserByID("u-3")
	assert.True(t, ok)
}

// A start with Restored that is interrupted is completed by the next one.
func TestAStartWithRestoredThatIsInterruptedIsCompletedWithoutIt(t *testing.T) {
	t.Parallel()
	for number := 1; number <= 2; number++ {
		backup, _ := backedUp(t)
		c := configOf(virginia, backup)
		c.Restored = true
		step := stopAt(&c, number)
		_, err := replica.Open(background(t), c)
		require.ErrorIs(t, err, errStopped)
		n, err := replica.Open(background(t), configOf(virginia, backup))
		require.NoError(t, err, *step)
		signIn(t, n, "u-1", "after")
		n.Close()
		open(t, configOf(virginia, backup))
	}
}

// Going back to a version from before there were formats is not supported. What
// it wrote when it was started with Restored counts if the operator says so again.
func TestADirectoryThatAnOlderVersionRestored(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	us := open(t, configOf(virginia, w.usDir))
	replica.RenameStreams(t, us)
	us.Close()
	assert.Contains(t, refusesToOpen(t, configOf(virginia, w.usDir)).Error(), "Config.Restored")
	c := configOf(virginia, w.usDir)
	c.Restored = true
	us, eu := open(t, c), open(t, configOf(frankfurt, w.euDir))
	w.sameAgain(t, us, eu)
}
