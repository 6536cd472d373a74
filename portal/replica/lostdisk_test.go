package replica_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A Region that lost its disk is detected even if it was restarted before it met another one.
func TestALostDiskIsFoundOutAfterARestart(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	empty := t.TempDir()
	open(t, configOf(virginia, empty)).Close()
	us, eu := open(t, configOf(virginia, empty)), open(t, configOf(frankfurt, w.euDir))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
}
