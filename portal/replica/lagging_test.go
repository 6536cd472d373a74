package replica_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A Node that has not read its own stream to the end may know neither a message in another Region's
// copy nor the one that replaced it. It reads on before the message counts as lost.
func TestAMessageThatWasReplacedIsNotMissing(t *testing.T) {
	t.Parallel()
	usDir, euDir := t.TempDir(), t.TempDir()
	eu := open(t, configOf(frankfurt, euDir))
	us := open(t, configOf(virginia, usDir))
	mesh(t, us, eu)
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-1"))
	_, err := replica.Check(background(t), us, eu)
	require.NoError(t, err)
	us.Close()
	eu.Close()

	free, waits := make(chan struct{}), atomic.Bool{}
	release := sync.OnceFunc(func() { close(free) })
	c := configOf(virginia, usDir)
	replica.Opens(&c, func(key string, _ []byte) error {
		if waits.Load() && strings.Contains(key, ".signin.") {
			<-free
		}
		return nil
	})
	us = open(t, c)
	t.Cleanup(release)                // before Close, which waits for the reader
	replica.ForgetRead(us, "revoked") // as one that was too late for the first message
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-3"))
	eventually(t, "the second message to be read", func() bool { return replica.ReadUpTo(us, "revoked") == 2 })
	waits.Store(true)
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", "in-2", time.Time{}))
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-1"))
	eu = open(t, configOf(frankfurt, euDir))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	ctx, cancel := context.WithTimeout(background(t), time.Second)
	defer cancel()
	err = replica.Inspect(ctx, us, frankfurt, "revoked")
	require.Error(t, err, "it waits for the reader")
	require.NotEqual(t, replica.ReasonDamaged, reasonOf(err), "%v", err)
	release()
	require.NoError(t, replica.Inspect(background(t), us, frankfurt, "revoked"))
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-1"), "it has not stopped")
}
