package replica

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// CopyAndDie copies a message and then a full transaction of two parts from a
// Region's log, and is killed before what that replaces is removed.
func CopyAndDie(t testing.TB, n *Node, region string) {
	t.Helper()
	for _, k := range streamKinds {
		require.NoError(t, n.ensure(t.Context(), k, region))
	}
	c, err := n.copier(t.Context(), region, kindConfig)
	require.NoError(t, err)
	for _, p := range []merge.Transaction{{Stamp: 1, First: 1, Of: 1}, {Stamp: 2, First: 10, Of: 2, Full: true},
		{Stamp: 2, First: 10, Part: 1, Of: 2, Full: true}} {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		require.NoError(t, c.copy(t.Context(), "store", message{
			Seq: p.First + uint64(p.Part), Subject: kindConfig.prefix(region) + fmt.Sprintf("tx.%d.%d", p.First,
				p.Part), At: "1", Part: partHeader(p, 0), Data: b,
		}))
	}
	require.NoError(t, c.awaitAcks(t.Context()))
}

// GoOn has a copier of a Region's log begin, and returns what the copy holds.
func GoOn(t testing.TB, n *Node, region string) (held []string) {
	t.Helper()
	c, err := n.copier(t.Context(), region, kindConfig)
	require.NoError(t, err)
	require.NoError(t, c.settle(t.Context()))
	s, err := n.js.Stream(t.Context(), kindConfig.stream(region))
	require.NoError(t, err)
	for seq := s.CachedInfo().State.FirstSeq; seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(t.Context(), seq)
		require.NoError(t, err)
		held = append(held, strings.TrimPrefix(m.Subject, kindConfig.prefix(region)))
	}
	return held
}

// Pads says whether a Node has padding of sessions to write.
func Pads(n *Node) bool {
	n.applying.Lock()
	defer n.applying.Unlock()
	return !n.log.usersGone.IsZero()
}
