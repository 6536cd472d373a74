package replica_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// Open records that there was a start. Without space for that its error says so, and nothing is
// damaged.
func TestOpenOnAFullDiskSaysSo(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	c := configOf(virginia, filepath.Join(d.dir, "node"))
	us := open(t, c)
	signIn(t, us, "u-1", "s-1")
	us.Close()
	d.fill(t)
	_, err := replica.Open(background(t), c)
	require.Equal(t, replica.ReasonUnavailable, reasonOf(err), "%v", err)
	assert.ErrorContains(t, err, "space in Dir")
	assert.ErrorContains(t, err, "no space left on device")
	require.NoError(t, os.Remove(d.filler()))
	assert.True(t, alive(t, open(t, c), "s-1"))
}

// A recovery without enough space loses nothing, and can be repeated.
func TestRecoveryOnAFullDisk(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	d := newDisk(t)
	c := configOf(virginia, filepath.Join(d.dir, "node"))
	require.NoError(t, os.CopyFS(c.Dir, os.DirFS(w.usDir)))
	us := open(t, c)
	only := onlyHere(t, us)
	us.Close()
	removeStream(t, c.Dir, "sessions_us-east-1")
	eu := open(t, configOf(frankfurt, w.euDir))
	d.fill(t)
	for free := int64(16 << 10); ; free += 16 << 10 { // ends in different places
		d.free(t, free)
		c := c
		c.Recover, c.Peers = []string{frankfurt}, map[string]replica.Peer{frankfurt: {URL: eu.Addr()}}
		n, err := replica.Open(background(t), c)
		if err == nil {
			n.Close()
			break
		}
		require.Equal(t, replica.ReasonUnavailable, reasonOf(err), "%v", err)
	}
	us = open(t, c)
	for _, k := range only {
		assert.Contains(t, us.Digest().Items, k)
	}
	assert.False(t, alive(t, us, "s-out"))
}
