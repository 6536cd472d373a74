//go:build unix && !solaris && !aix

package replica_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A process that is being started has all files of this one until it runs its program, the lock's too.
func TestAClosedNodesDirectoryIsFreeWhileAProcessIsBeingStarted(t *testing.T) {
	c := configOf(virginia, t.TempDir())
	first := open(t, c)
	inherited, err := syscall.Dup(replica.Lock(first))
	require.NoError(t, err)
	defer func() { assert.NoError(t, syscall.Close(inherited)) }()
	first.Close()
	open(t, c)
}
