package replica_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// The marks cover the merged content before a recovery is done: a loss right after it is detected,
// although no other Region has read it yet.
func TestWhatIsLostRightAfterARecoveryIsFoundOut(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	cut(t, w.usDir, "revoked_us-east-1", "signin-s-out")
	eu := open(t, configOf(frankfurt, w.euDir))
	c := configOf(virginia, w.usDir)
	c.Recover, c.Peers = []string{frankfurt}, map[string]replica.Peer{frankfurt: {URL: eu.Addr()}}
	replica.Pass(&c, func(step string) error {
		if step == "undamaged" {
			return errStopped
		}
		return nil
	})
	_, err := replica.Open(background(t), c)
	require.ErrorIs(t, err, errStopped)
	cut(t, w.usDir, "revoked_us-east-1", "signin-s-out")
	refusesToOpen(t, configOf(virginia, w.usDir))
	w.sameAgain(t, recovered(t, configOf(virginia, w.usDir), eu), eu)
}

// So it is after a start with Restored.
func TestWhatIsLostRightAfterARestoreIsFoundOut(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	c := configOf(virginia, w.usDir)
	c.Restored = true
	open(t, c).Close()
	cut(t, w.usDir, "revoked_us-east-1", "signin-s-out")
	refusesToOpen(t, configOf(virginia, w.usDir))
}
