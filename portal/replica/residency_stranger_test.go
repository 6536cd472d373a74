package replica_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rule 72, invariant 15: a Region that the instance was never extended to gets nothing from any Region, although it
// asks with the valid Secret. No byte that names a person is on the wire to it, or on its disk. Nothing is sealed here,
// so that the search would find it: when the Region is added, it does.
func TestRule72ARegionThatWasNeverAddedGetsNothing(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	c.Seed = seed(virginia, frankfurt)
	us, eu := open(t, c), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	plant(t, us)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())

	dir := t.TempDir()
	ap := open(t, configOf(mumbai, dir))
	wires := map[string]*recorder{virginia: recordWire(t, us.Addr()), frankfurt: recordWire(t, eu.Addr())}
	for region, w := range wires {
		require.NoError(t, ap.AddPeer(background(t), region, replica.Peer{URL: w.url()}))
	}
	// What it writes itself doesn't let it in either, and they don't follow it.
	require.NoError(t, us.AddPeer(background(t), mumbai, replica.Peer{URL: ap.Addr()}))
	eventually(t, "refusals in answer to its questions", func() bool {
		return len(wires[virginia].bytes()) > 20_000 && len(wires[frankfurt].bytes()) > 20_000
	})
	assert.Nil(t, ap.View())
	for region, w := range wires {
		onWire := map[string]bool{}
		search(w.bytes(), onWire)
		assert.Zero(t, count(onWire), "%s: %v", region, onWire)
	}
	assert.Zero(t, count(foundIn(t, dir)))

	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: mumbai, Status: center.RegionAdding})
	}))
	require.NoError(t, ap.Ready(background(t)))
	eventually(t, "all data", func() bool {
		onWire := map[string]bool{}
		search(wires[virginia].bytes(), onWire)
		return count(onWire) > 80
	})
	eventually(t, "all data on the disk", func() bool { return count(foundIn(t, dir)) > 80 })
}
