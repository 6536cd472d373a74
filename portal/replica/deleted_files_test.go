package replica_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A directory whose stream the server doesn't know may be of one that is being created or deleted.
// Only if it stays are writes refused and streams opened again.
func TestStreamsThatAreBeingMadeOrDeleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	us := open(t, configOf(virginia, dir))
	streams := filepath.Join(dir, "jetstream", "$G", "streams")
	require.DirExists(t, streams)
	require.NoError(t, os.Mkdir(filepath.Join(streams, ".sessions_"+mumbai), 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(streams, "sessions_"+mumbai), 0o700))
	look, now := replica.Looker(us), time.Now()
	assert.Empty(t, look(now))
	assert.Empty(t, look(now.Add(4*time.Second)))
	stream := "sessions_" + mumbai
	assert.Equal(t, map[string]string{stream: "JetStream stream '$G > " + stream + "' could not be recovered"},
		look(now.Add(5*time.Second)))
	assert.Len(t, look(now.Add(6*time.Second)), 1, "it was refused before")
	require.NoError(t, os.Remove(filepath.Join(streams, "sessions_"+mumbai)))
	assert.Empty(t, look(now.Add(7*time.Second)))
	require.NoError(t, os.Mkdir(filepath.Join(streams, "sessions_"+mumbai), 0o700))
	assert.Empty(t, look(now.Add(8*time.Second)), "another one")
	require.NoError(t, os.Remove(filepath.Join(streams, "sessions_"+mumbai)))
}

// Files that can't be listed may be left: a removed Region must not say that it has erased them.
func TestFilesThatCannotBeListed(t *testing.T) {
	dir := t.TempDir()
	assert.NoError(t, replica.DeleteFiles(dir), "none are there")
	account := filepath.Join(dir, "jetstream", "$G")
	require.NoError(t, os.MkdirAll(account, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(account, "streams"), nil, 0o600))
	assert.Error(t, replica.DeleteFiles(dir))
}
