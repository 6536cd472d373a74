package replica_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// Rule 21.
func TestChangesReachEveryRegion(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	for _, n := range []interface{ View() *center.View }{eu, ap} {
		eventually(t, "carol", func() bool { _, ok := n.View().UserByID("u-3"); return ok })
		assert.Equal(t, us.View().Snapshot().Records(), n.View().Snapshot().Records())
	}
	signIn(t, us, "u-1", "s-1")
	eventually(t, "the session", func() bool { return alive(t, eu, "s-1") && alive(t, ap, "s-1") })
	for _, p := range eu.Peers() {
		eventually(t, "replicated", func() bool {
			for _, p := range eu.Peers() {
				if p.State != portal.PeerReplicated {
					return false
				}
			}
			return true
		})
		assert.NotZero(t, p.Region)
	}
	t.Log(eu.Peers())
}
