package replica_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A Region changes its own rotation with all others lost. Others know it, and it survives a restart.
func TestRotationIsOfTheRegionItself(t *testing.T) {
	t.Parallel()
	euConfig := configOf(frankfurt, t.TempDir())
	us, eu := open(t, configOf(virginia, t.TempDir())), open(t, euConfig)
	mesh(t, us, eu)
	set := func(n *replica.Node, in bool) {
		require.NoError(t, n.View().Update(func(tx *center.Tx) error { return tx.SetRotation(in) }))
	}
	out := func(n *replica.Node, region string) bool {
		_, out := n.View().Snapshot().OutOfRotation(region)
		return out
	}
	set(us, false)
	eventually(t, "the primary is out", func() bool { return out(eu, virginia) })
	set(us, true)
	eventually(t, "the primary is in", func() bool { return !out(eu, virginia) })
	set(eu, false)
	eventually(t, "the additional Region is out", func() bool { return out(us, frankfurt) })
	assert.False(t, out(us, virginia))

	us.Close()
	eu.Close()
	eu = open(t, euConfig)
	assert.True(t, out(eu, frankfurt), "after a restart, without the primary")
	set(eu, true)
	assert.False(t, out(eu, frankfurt))
}
