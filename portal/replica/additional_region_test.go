package replica_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// An additional Region's log is recovered as the primary's is.
func TestAnAdditionalRegionIsRecovered(t *testing.T) {
	t.Parallel()
	usDir, euDir := t.TempDir(), t.TempDir()
	us, eu := open(t, configOf(virginia, usDir)), open(t, configOf(frankfurt, euDir))
	mesh(t, us, eu)
	putApplication(t, eu, "wiki")
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
		assert.True(t, slices.ContainsFunc(n.View().Snapshot().Records(),
			func(r center.Record) bool { return r.Key == "wiki" }), n.Region())
		assert.False(t, alive(t, n, "s-out"))
		assert.True(t, alive(t, n, "s-in"))
	}
}

// An additional Region's log begins with a whole state, too. If it is lost, the Region does not
// begin a new log, which would replace what is left, even if the log has gone on since the marks
// and they don't show what is missing.
func TestAnAdditionalRegionWithoutTheBeginningOfItsLogDoesNotStart(t *testing.T) {
	t.Parallel()
	euDir := t.TempDir()
	us, eu := open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, euDir))
	mesh(t, us, eu)
	putApplication(t, eu, "wiki")
	eu.Close()
	marks, err := filepath.Glob(filepath.Join(euDir, "*marks*"))
	require.NoError(t, err)
	require.Len(t, marks, 1)
	before, err := os.ReadFile(marks[0])
	require.NoError(t, err)
	eu = open(t, configOf(frankfurt, euDir))
	putApplication(t, eu, "blog")
	replica.DropMessage(t, eu, "KV_config_eu-central-1")
	eu.Close()
	require.NoError(t, os.WriteFile(marks[0], before, 0o600)) // as a crash leaves them
	e := refusesToOpen(t, configOf(frankfurt, euDir))
	require.Contains(t, e.Error(), "whole state")
	eu = recovered(t, configOf(frankfurt, euDir), us)
	mesh(t, us, eu)
	eu.Close()
	open(t, configOf(frankfurt, euDir)).Close()
}

func putApplication(t *testing.T, n *replica.Node, id string) {
	t.Helper()
	require.NoError(t, n.View().Update(func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{ID: id, Name: id, URL: "https://" + id + ".example", Region: n.Region()})
	}))
}
