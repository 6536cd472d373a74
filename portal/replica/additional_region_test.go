package replica_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// An additional Region's log has no whole state until it is long. What it holds
// is recovered nevertheless.
func TestAnAdditionalRegionIsRecovered(t *testing.T) {
	usDir, euDir := t.TempDir(), t.TempDir()
	us, eu := open(t, configOf(virginia, usDir)), open(t, configOf(frankfurt, euDir))
	mesh(t, us, eu)
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{ID: "wiki", Name: "Wiki", URL: "https://wiki.example", Region: frankfurt})
	}))
	signIn(t, eu, "u-1", "s-in")
	signIn(t, eu, "u-1", "s-out")
	require.NoError(t, eu.Sessions().EndSignIn(background(t), "u-1", "signin-s-out", time.Time{}))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	eu.Close()
	cut(t, euDir, "revoked_eu-central-1", "signin-s-out")
	refusesToOpen(t, configOf(frankfurt, euDir))
	eu = recovered(t, configOf(frankfurt, euDir), us)
	mesh(t, us, eu)
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu} {
		assert.True(t, slices.ContainsFunc(n.View().Snapshot().Records(), func(r center.Record) bool { return r.Key == "wiki" }), n.Region())
		assert.False(t, alive(t, n, "s-out"))
		assert.True(t, alive(t, n, "s-in"))
	}
}
