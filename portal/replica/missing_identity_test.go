package replica_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// The Identity beside the streams may be damaged, too.
func TestADamagedIdentityIsRecovered(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"cut", "removed"} {
		w := newDamagedWorld(t)
		us := open(t, configOf(virginia, w.usDir)) // what no other Region hears
		require.NoError(t, us.View().Update(putUser(center.User{ID: "unheard", UserName: "unheard"})))
		us.Close()
		name := filepath.Join(w.usDir, "meridian.identity")
		if how == "cut" {
			require.NoError(t, os.Truncate(name, 50))
		} else {
			require.NoError(t, os.Remove(name))
		}
		refusesToOpen(t, configOf(virginia, w.usDir))
		eu := open(t, configOf(frankfurt, w.euDir))
		us = recovered(t, configOf(virginia, w.usDir), eu)
		w.sameAgain(t, us, eu)
		_, ok := us.View().UserByID("unheard")
		assert.True(t, ok, how)
	}
}

func TestMarksThatAreMissingAreMissed(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	require.NoError(t, os.Remove(filepath.Join(w.usDir, "meridian.marks")))
	cut(t, w.usDir, "revoked_us-east-1", "signin-s-out")
	refusesToOpen(t, configOf(virginia, w.usDir))
}
