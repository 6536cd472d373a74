package replica

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// Unread writes the removal of a Region to a Node's log, and calls meanwhile before the Node has
// taken it in.
func Unread(t testing.TB, n *Node, region string, meanwhile func()) {
	t.Helper()
	n.applying.Lock()
	defer n.applying.Unlock()
	records := n.dir.Draft(n.cfg.Region, []center.Record{{Kind: center.KindRegion, Key: region}})
	parts, err := n.dir.Compose(n.cfg.Region, uint64(n.cfg.Now().UnixMicro()), records, false).Parts(n.log.read + 1)
	require.NoError(t, err)
	for i, p := range parts {
		_, err := n.publish(t.Context(),
			write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.%d", p.First, i), body: p, part: partHeader(p, len(records))})
		require.NoError(t, err)
	}
	meanwhile()
}
