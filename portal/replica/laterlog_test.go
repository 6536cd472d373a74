package replica_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A restored Region that is replaced by an older copy recovers the later log, which it recognises.
func TestAnOlderCopyTakesALaterLogBack(t *testing.T) {
	t.Parallel()
	dir, backup := t.TempDir(), t.TempDir()
	c := configOf(virginia, dir)
	c.Restored = true
	us, eu := open(t, c), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	us.Close()
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
	c.Now = func() time.Time { return time.Now().Add(time.Minute) }
	us = open(t, c)
	mesh(t, us, eu)
	signIn(t, us, "u-1", "s-1")
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-2", UserName: "bob@example.com", Inactive: true})))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-9", UserName: "ida@example.com"})))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()

	us = open(t, configOf(virginia, backup))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	us.Close()
	c = configOf(virginia, backup)
	c.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	us = recovered(t, c, eu)
	mesh(t, us, eu)
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	u, ok := us.View().UserByID("u-2")
	assert.True(t, ok && u.Inactive)
	_, ok = us.View().UserByID("u-9")
	assert.True(t, ok)
	assert.True(t, alive(t, us, "s-1"))
}
