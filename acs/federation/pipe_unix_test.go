//go:build unix

package federation_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
)

// A named pipe among the files is refused, and not waited for.
func TestPipeIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "a.xml")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one.xml"), []byte(descriptor()(oneIdP)), 0o600))
	opened := make(chan *federation.Federation)
	go func() { opened <- open(t, &clock{}, federation.Source{Dir: dir}) }()
	select {
	case f := <-opened:
		_, err := f.IdP(oneIdP)
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		w, err := os.OpenFile(pipe, os.O_RDWR, 0) // lets Open go on
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.Fail(t, "Open waits for a named pipe")
	}
}

// Where copies can't be read or written, the source serves all the same, and no other
// file is left behind.
func TestUnusableCopies(t *testing.T) {
	parent := t.TempDir()
	dir, file := filepath.Join(parent, "dir"), filepath.Join(parent, "file")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "junk.xml"), []byte("<"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte("<"), 0o600))
	p := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	q := queried(t, map[string]string{oneIdP: signed(t, descriptor()(oneIdP), trusted())})
	for _, path := range []string{dir, filepath.Join(parent, "missing", "fed.xml"), filepath.Join(file, "fed.xml"), file} {
		f := openSlow(t, &clock{}, federation.Source{URL: p.URL, Keys: pinned(), Copy: path})
		_, err := f.IdP(oneIdP)
		require.NoError(t, err, path)
		f = openSlow(t, &clock{}, federation.Source{Query: q.URL + "/", Keys: pinned(), Copy: path})
		_, err = f.Find(t.Context(), oneIdP, client)
		require.NoError(t, err, path)
	}
	left, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, left, 2)
}

// A document that was published in the future, by mistake, doesn't keep out the next.
func TestPublishedInTheFuture(t *testing.T) {
	c := &clock{}
	p := newPublisher(t, signed(t, publishedUntil(c.now().AddDate(50, 0, 0), c.now().Add(time.Hour), oneIdP), trusted()))
	f := open(t, c, federation.Source{URL: p.URL, Keys: pinned()})
	p.publish(signed(t, publishedUntil(c.now(), c.now().Add(2*time.Hour), oneIdP, twoIdP), trusted()))
	eventually(t, func() bool { _, err := f.IdP(twoIdP); return err == nil })
}
